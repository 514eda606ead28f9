package format

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Writing is a Format that writes values, too: the way back from columns to bodies. As with reading, its methods are called once for a schema or a batch. Only Encoder.Encode is
// called for each row.
type Writing interface {
	Format
	// CompileEncoding makes the plan that writes rows of these columns as values of a schema. The error says which column cannot be written as its field's type at all.
	CompileEncoding(schema Schema, columns []arrow.Field, options EncodeOptions) (Encoding, error)
	// Derive makes the text of a schema from the columns of a frame. The same columns and options give the same text.
	Derive(name string, columns []arrow.Field, options DeriveOptions) (text string, err error)
	// Symbols are the values of a dictionary column of texts, for DeriveOptions.Enums. The path is as there.
	Symbols(batch arrow.RecordBatch, path string) ([]string, error)
}

// Bundling is a Writing whose schemas may come as several files in one, as a FileDescriptorSet of Protobuf. Registries take each file for itself, and those that it imports as references.
type Bundling interface {
	Writing
	// Unbundle gives the files, each after those that it imports; the last one is the schema. nil: the text is one file.
	Unbundle(text string) []File
}

// File is one of several that are a schema together.
type File struct {
	Path    string
	Text    string
	Imports []string // paths, but for those that each registry has
}

// EncodeOptions say how columns become values of a schema.
type EncodeOptions struct {
	// Extra says what becomes of columns that the schema does not name.
	Extra ExtraColumns
	// Missing says what is written for fields that have no column.
	Missing MissingColumns
	// Column is the one column whose values are encoded, by the schema as a whole: a key, for example. The schema may be of any type then; one of a record takes a struct column.
	// The other columns are not looked at. Empty: the columns are the fields of the schema's record. A schema of another type takes the column "value", as its plan gives it.
	Column string
	// Limits bound what the schema may ask for.
	Limits Limits
}

// ExtraColumns says what becomes of columns that the schema does not name.
type ExtraColumns int

const (
	// IgnoreExtra leaves them out; Encoding.Ignored lists them.
	IgnoreExtra ExtraColumns = iota
	// RaiseExtra makes them an error of CompileEncoding.
	RaiseExtra
)

// MissingColumns says what is written for fields that have no column.
type MissingColumns int

const (
	// RaiseMissing makes them an error of CompileEncoding, those with a default and those that may be null, too: a name that is misspelled must not become nulls.
	RaiseMissing MissingColumns = iota
	// DefaultMissing writes the default of the schema. A field without one is an error all the same.
	DefaultMissing
)

// DeriveOptions say how columns become a schema.
type DeriveOptions struct {
	// Enums are the symbols of the dictionary columns that become enums, by the path of the column, such as "side" or "legs.item.side". Other dictionaries become what their values are.
	Enums map[string][]string
}

// Encoding is a compiled schema and the columns of a frame: how rows become bodies. It is immutable and may be shared between goroutines.
type Encoding interface {
	// Bind checks every value of a batch before a byte is written: nulls, ranges, symbols, lengths, UTF-8, and that offsets, indices and type codes lie within their buffers, so that
	// memory of foreign programs can be trusted afterwards. The columns of the batch must be those that the encoding was compiled for; more of them, in another order, are not.
	// The error is a *ValueError.
	//
	// skip is nil, or true for each row that has no value, such as a tombstone or a null key: such rows are not checked, and must not be encoded.
	Bind(batch arrow.RecordBatch, skip []bool) (Encoder, error)
	// Ignored are the columns that are left out, since the schema does not name them.
	Ignored() []string
	// Size estimates the memory of the encoding and of its schema.
	Size() int
}

// Encoder writes the rows of one record batch. It only reads, so that several goroutines may use it at once. It does not keep the batch alive: its owner does.
type Encoder interface {
	// Encode writes the body of a row (without framing) at the beginning of dst, and may use all of dst as scratch. ok is false where dst is too small, which it may be up to
	// EncodeMargin bytes before the body fills it. A row that was checked does not fail otherwise.
	Encode(dst []byte, row int) (n int, ok bool)
}

// EncodeMargin is how many bytes longer than a body the dst of Encode must be at the most: short values are written as whole words, and room is not checked for each value.
const EncodeMargin = 1024

// ValueError says which value of a batch cannot be written, or which column is broken.
type ValueError struct {
	Row   int    // in its batch; negative: the column as a whole
	Path  string // of the column, such as "customer.address.zip"
	Value string // the value, short; empty: there is none to be shown
	Msg   string // what is wrong with it, and what to do
}

// Error reads as row, column, value, cause: "row 7: customer.zip: 4294967296 does not fit into an int: …".
func (e *ValueError) Error() string {
	var b strings.Builder
	if e.Row >= 0 {
		b.WriteString("row " + strconv.Itoa(e.Row) + ": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	if e.Value != "" {
		b.WriteString(e.Value + " ")
	}
	b.WriteString(e.Msg)
	return b.String()
}
