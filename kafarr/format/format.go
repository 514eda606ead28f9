// Package format says what the bytes of messages mean, in whatever format they are: a Format parses schemas and compiles them to Plans, and a Plan's
// Appender appends the bodies of messages to Columns. Avro (format/avro), JSON (format/json) and Protobuf (format/protobuf) are the formats.
//
// The interfaces are called once for a schema or for a run of messages, and never for each message.
package format

import (
	"errors"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// Body is one value as it lies in memory, without its framing. It is read in place and not kept.
type Body struct {
	Data unsafe.Pointer
	Len  int // negative: there is none, and the row is null; only for plans whose columns are all nullable
}

// Format is one way to write values as bytes. It has no state: its methods may be called from any goroutine.
type Format interface {
	// SchemaType is the registry's word for the schemas of this format: "AVRO", "JSON" or "PROTOBUF".
	SchemaType() string
	// Parse reads the text of a schema. The references are the schemas that it refers to, each after those that it refers to itself. A text that is referred to by several names
	// comes once for each of them, and one name may come with several texts.
	Parse(text string, references []Reference, limits Limits) (Schema, error)
	// Compile makes the plan that reads bodies written with a schema of this format.
	Compile(writer Schema, options Options) (Plan, error)
}

// Reference is a schema that another one refers to.
type Reference struct {
	Name string // by which it is referred to: a type's full name in Avro, a path of imports in Protobuf, what stands in $ref in JSON Schema
	Text string
}

// Inferring is a Format that can infer a schema of messages without one.
type Inferring interface {
	Format
	// Infer makes the text of a schema, as Parse reads it, of bodies, of which there are not too many. name becomes that of the type. The same bodies give the same text. What is no
	// value of the format is passed over; the error says that nothing else is there.
	Infer(name string, bodies []Body) (text string, err error)
}

// Schema is a parsed schema. It belongs to the format that parsed it, and is not changed once it is compiled.
type Schema interface {
	// TypeName is the full name of the type, as Plan.MessageType gives it.
	TypeName() string
	// Reads reports whether the values of a writer's type are to be read as this schema: it has the type's name, or names it as an alias.
	Reads(writer Schema) bool
	// MarkEncrypted notes which values are ciphertext: those of fields that a rule of a data contract applies to. Rules are numbered from 0. applies is
	// called for each rule and each field, with the field's full name and the tags that the schema gives it.
	MarkEncrypted(rules int, applies func(rule int, field string, tags []string) bool)
}

// Indexed is a Schema that holds several message types, as a file of Protobuf does. Format.Parse gives one that stands for the first of them.
type Indexed interface {
	Schema
	// At returns the schema of the type that a path of Confluent's message indexes leads to: the index of a type in the file, then those of nested types, counted as descriptors do.
	At(path []int) (Schema, error)
	// Named returns the schema of the type of a full name.
	Named(fullName string) (Schema, error)
	// Path is the path of message indexes, as At takes it, that leads to the type; nil: none does, since another file defines it.
	Path() []int
}

// Nameable is a Schema that may have no name of its own, as one of JSON without a title.
type Nameable interface {
	Schema
	// OrNamed returns the schema under this name where it has none of its own, and else itself.
	OrNamed(name string) Schema
	// HasName tells whether it has a name of its own.
	HasName() bool
}

// Textlike is a Schema some of whose bodies may be nothing but a text: that a body is JSON from its first byte to its last says nothing then.
type Textlike interface {
	// MayBeText tells whether it is such a schema.
	MayBeText() bool
}

// DuplicateError is an error of Parse that may be one of a type that is defined twice.
type DuplicateError interface {
	error
	// Duplicates are the texts that define the type: their indices in the references, and the number of references for the text itself. nil: the error is another one.
	Duplicates() []int
}

// Fingerprinted is a Schema with a fingerprint, by which a framing can name it.
type Fingerprinted interface {
	// Fingerprint is the CRC-64-AVRO of the schema.
	Fingerprint() uint64
}

// Plan is a compiled schema: how bodies become rows. It is immutable and may be shared between goroutines.
type Plan interface {
	// MessageType is the full name of the type that the rows are of.
	MessageType() string
	// Fields are the Arrow fields of the columns.
	Fields() []arrow.Field
	// Shape is equal for plans whose columns are equal in every respect: rows of such plans may share columns.
	Shape() string
	// Warnings say what of the schema is not read as it stands there: a logical type that is not valid on its type, for example.
	Warnings() []string
	// Encrypted are the values that the plan reads as ciphertext.
	Encrypted() []EncryptedValue
	// DecryptedBy are the rules whose values the plan decrypts (Options.Decrypt), with the keys that Appender.SetKeys gives.
	DecryptedBy() []int
	// Size estimates the memory of the plan and of its parsed schema.
	Size() int
	// ColumnsSize estimates the memory of NewColumns, without rows.
	ColumnsSize() int
	// AppenderSize estimates the memory of an Appender.
	AppenderSize() int
	// NewColumns makes the columns that this plan, and every plan of the same Shape, appends to.
	NewColumns() *Columns
	// Bind makes what appends to columns that were made by a plan of the same Shape.
	Bind(columns *Columns) Appender
}

// Appender appends bodies of one plan to one set of columns. It belongs to the goroutine that uses the columns.
type Appender interface {
	// Append appends bodies in their order until one fails, and returns how many it appended. Without an error these are fewer than there are where they take
	// long, so that the caller can look at the clock. The failed row leaves no trace in the columns. ErrFull and ErrLong say nothing against the body; a
	// *KeyError says which key it needs; every other error is the body's own.
	Append(bodies []Body) (appended int, err error)
	// Counts are those of the first n bodies of the last Append.
	Counts(n int) Counts
	// SetRowTimeout says how long a row may take before it fails with ErrLong. 0: as long as it takes.
	SetRowTimeout(timeout time.Duration)
	// SetContinue gives a function that is called every few milliseconds while a row takes long; where it returns false, the row fails with ErrLong. It may
	// block. It replaces the timeout; nil: the timeout holds again.
	SetContinue(mayContinue func() bool)
	// SetKeys gives the keys of the next bodies.
	SetKeys(keys Keys)
}

// Counts say what of bodies that were appended is not in the columns as it stood there.
type Counts struct {
	OutOfRange     int // values that were out of their Arrow type's range, and so are nulls (NullOutOfRange)
	UnknownEnums   int // numbers of enums that have no name in the schema, and so are nulls (NamedEnums)
	UnknownMembers int // members of objects that the schema does not name, and that were passed over (CountUnknown)
}

// Plus is the sum of both.
func (c Counts) Plus(d Counts) Counts {
	return Counts{c.OutOfRange + d.OutOfRange, c.UnknownEnums + d.UnknownEnums, c.UnknownMembers + d.UnknownMembers}
}

// ErrFull says that the row does not fit into the columns any more: finish them, and append the row to the next ones.
var ErrFull = errors.New("format: the columns are full")

// ErrLong says that the row takes long and was given up. Appending it again starts from its beginning.
var ErrLong = errors.New("format: the row takes long")
