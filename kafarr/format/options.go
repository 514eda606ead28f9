package format

// Options say how a schema becomes columns.
type Options struct {
	// Reader is the schema to read as; nil: the writer's own.
	Reader Schema
	// Columns are the fields to read, as paths such as "customer.address.zip"; empty: all. A path goes through arrays, maps and unions to the records
	// within.
	Columns []string
	// Unions says what becomes of unions of more than null and one type.
	Unions Unions
	// Recursion says what becomes of a field that leads back to the record it is in.
	Recursion Recursion
	// OutOfRange says what becomes of a value that its Arrow type cannot hold.
	OutOfRange OutOfRange
	// Timestamps says what the unit of Protobuf's timestamps and durations is.
	Timestamps Timestamps
	// Enums says what the enums of Protobuf become.
	Enums Enums
	// Formats says what texts become whose JSON Schema has a format, such as date-time.
	Formats Formats
	// UnknownMembers says what becomes of members of JSON objects that the schema does not name.
	UnknownMembers UnknownMembers
	// Whole makes a record one column, a struct, as every other type is one.
	Whole bool
	// Nullable makes every column nullable, so that a body may be null.
	Nullable bool
	// Decrypt decrypts the values that one rule has encrypted, as serializers do it: see Schema.MarkEncrypted, and Appender.SetKeys.
	Decrypt bool
	// Limits bound what the schemas and the bodies may ask for.
	Limits Limits
}

// Unions says what becomes of unions of more than null and one type.
type Unions int

const (
	// StructUnions are structs with a nullable member per branch, which pandas and polars can take.
	StructUnions Unions = iota
	// DenseUnions are Arrow's dense unions.
	DenseUnions
)

// Recursion says what becomes of a field that leads back to the record it is in.
type Recursion int

const (
	// Refuse makes it an error of the schema.
	Refuse Recursion = iota
	// JSON makes it a text column of the value's JSON encoding.
	JSON
)

// OutOfRange says what becomes of a value that its Arrow type cannot hold: a time of day of 24 hours or more, a decimal of more digits than its precision, a duration of more
// months or days than 32 bits with a sign hold, a big-decimal of a huge scale.
type OutOfRange int

const (
	// RaiseOutOfRange makes it the row's error.
	RaiseOutOfRange OutOfRange = iota
	// NullOutOfRange makes it a null that Appender.Counts counts. The columns of such types are nullable then, on every level.
	NullOutOfRange
)

// Timestamps says what the unit of Protobuf's timestamps and durations is.
type Timestamps int

const (
	// MicrosecondTimestamps hold each year from 1 to 9999; what is beyond the microsecond is cut off.
	MicrosecondTimestamps Timestamps = iota
	// NanosecondTimestamps hold all digits; a value before 1677 or after 2262 is out of range.
	NanosecondTimestamps
)

// Enums says what the enums of Protobuf become.
type Enums int

const (
	// NamedEnums are dictionaries of names. A number without a name is a null that Appender.Counts counts.
	NamedEnums Enums = iota
	// NumberedEnums are the numbers.
	NumberedEnums
)

// Formats says what texts become whose JSON Schema has a format.
type Formats int

const (
	// TypedFormats are timestamps, dates and times of day, for date-time, date and time.
	TypedFormats Formats = iota
	// TextFormats stay texts.
	TextFormats
)

// UnknownMembers says what becomes of members of JSON objects that the schema does not name.
type UnknownMembers int

const (
	// CountUnknown passes over them, and Appender.Counts counts them.
	CountUnknown UnknownMembers = iota
	// KeepUnknown gives them in a column "_extra" of JSON texts.
	KeepUnknown
	// RaiseUnknown makes them the row's error.
	RaiseUnknown
)
