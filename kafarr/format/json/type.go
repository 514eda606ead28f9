package json

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// Kind is how the values of a Type stand in JSON.
type Kind uint8

// The kinds. Those without a fixed Arrow type take the one in Type.Arrow; in brackets is what stands there where it is nil.
const (
	// Any is any value, or one of Type.Takes, as its JSON text [utf8]. It is never the text "null": that is a null, or an error where the field is not nullable.
	Any Kind = iota
	// Null is null, and nothing else [null].
	Null
	// Boolean is true or false [bool].
	Boolean
	// Integer is a whole number, which may be written as 1.0 or 1e3, in a column of 8 to 64 bits with or without a sign [int64].
	Integer
	// Number is a number in a column of 32 or 64 bits [float64].
	Number
	// Text is a string [utf8].
	Text
	// Base64 is a string of base64 [binary].
	Base64
	// Enum is one of the strings in Type.Symbols [dictionary of int32 and utf8].
	Enum
	// Decimal is a number, or a string that holds one, of which all digits count. Type.Arrow is a decimal128 or decimal256.
	Decimal
	// UnscaledDecimal is a number as in Decimal, or, in a string, the base64 of its unscaled value: Connect's and Debezium's decimals. Type.Arrow is as there.
	UnscaledDecimal
	// DateTime is a string such as 2023-11-14T22:13:20.5Z. Type.Arrow is a timestamp [by the options: microseconds in UTC, nanoseconds, or utf8].
	DateTime
	// Date is a string such as 2023-11-14 [date32, or utf8 by the options].
	Date
	// Time is a string such as 22:13:20.5. Type.Arrow is a time of 32 or 64 bits [time64 in microseconds, or utf8 by the options].
	Time
	// Epoch is a whole number of Type.Arrow's units: a date32, a time, a timestamp or a duration.
	Epoch
	// Object is an object of the members in Type.Fields [a struct; at the top level, a column for each].
	Object
	// Array is an array of Type.Items [a list].
	Array
	// Map is an object of any names, whose values are Type.Items [a map of utf8].
	Map
	// Entries is an array of objects of two members, whose names are those of Type.Fields: the key and the value of a map [a map]. Or an array of arrays of two items, where
	// Pairs is set.
	Entries
	// Union is one of the branches in Type.Fields, told apart by what stands in JSON: an object, an array, a string, a number, a boolean [a struct with a nullable member for
	// each branch]. Several Objects are told apart by their members: a value is of a branch whose members that may not be null it has, and whose enums and Only have its values. Of several
	// such branches it is the one that names the most of its members, and of these the first.
	Union
)

// Values is a set of JSON's types of values, null left out.
type Values uint8

// The types of values.
const (
	Objects Values = 1 << iota
	Arrays
	Strings
	Numbers
	Booleans
)

// Type is what a JSON value becomes: a column, or several. Schemas of every dialect become a tree of Types: JSON Schema, Connect's envelopes, Arrow's schemas. A Type that holds
// itself is a circle of pointers. It is not changed once it is compiled.
type Type struct {
	Kind    Kind
	Arrow   arrow.DataType // of a kind that leaves a choice; nil: its default
	Fields  []Field        // the members of an Object, in the order of the columns; the key and the value of Entries; the branches of a Union
	Items   *Field         // of an Array and a Map; its name does not count
	Symbols []string       // of an Enum
	Only    []int64        // of a Boolean (0 and 1) and an Integer: the values by which branches of a Union are told apart; nil: any
	Pairs   bool           // of Entries
	Name    string         // of an Object, for errors; may be empty
	Takes   Values         // of Any; 0: all. Of an UnscaledDecimal: Strings, where it must not be a number
}

// Field is where values of a Type stand: a member, an item, a branch.
type Field struct {
	Name string
	Type *Type
	// Nullable fields may be null or missing, both of which is a null. In others both is an error of the row.
	Nullable bool
	// Optional fields are left out where they are null: the schema does not say that they must be there, and may not let them be null.
	Optional bool
	// Tags are those by which rules of a data contract find their fields ("confluent:tags").
	Tags []string

	encryptedBy []int // see Schema.MarkEncrypted
}
