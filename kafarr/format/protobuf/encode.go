package protobuf

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Encoding is a message and the columns of a frame, compiled. It is the way back from a Plan's columns.
type Encoding struct {
	message *messageWriter // whose fields are the columns; nil: one column holds whole values
	value   *valueWriter   // of that column
	column  int
	columns []arrow.Field // what it was compiled for
	ignored []string
	size    int
}

var _ format.Encoding = (*Encoding)(nil)

// CompileEncoding makes the plan that writes rows of these columns as values of a message.
func CompileEncoding(s *Schema, columns []arrow.Field, options format.EncodeOptions) (*Encoding, error) {
	var err error
	if options.Limits, err = options.Limits.Resolved(); err != nil {
		return nil, schemaError("", "%v", err)
	}
	p := &encodePlanner{options: &options}
	e := &Encoding{columns: columns, column: noColumn}
	if options.Column == "" && s.message.known == plain {
		e.message, e.ignored, err = p.message(s.message, columns, "")
	} else {
		e.column, e.value, e.ignored, err = p.single(s.message, columns)
	}
	if err != nil {
		return nil, err
	}
	e.size = p.nodes*writerBytes + bytesPerLetter*s.text
	return e, nil
}

// writerBytes is what the writer of a field and its path take, about.
const writerBytes = 300

// Ignored implements format.Encoding.
func (e *Encoding) Ignored() []string { return e.ignored }

// Size implements format.Encoding.
func (e *Encoding) Size() int { return e.size + int(unsafe.Sizeof(*e)) }

// Bind implements format.Encoding.
func (e *Encoding) Bind(batch arrow.RecordBatch, skip []bool) (format.Encoder, error) {
	open, err := frame.Open(batch, e.columns, skip)
	if err != nil {
		return nil, err
	}
	out := &Encoder{rows: open.Rows}
	if e.message != nil {
		out.fields, err = e.message.bind("", func(f *fieldWriter) (*frame.Column, error) { return open.Column(f.column) })
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	c, err := open.Column(e.column)
	if err != nil {
		return nil, err
	}
	if err := refuseNulls(c, "a null is no message: make the row a tombstone, or leave it out"); err != nil {
		return nil, err
	}
	if out.value, err = e.value.bind(c); err != nil {
		return nil, err
	}
	return out, nil
}

// Encoder writes rows of one batch, which outlives it.
type Encoder struct {
	fields []boundWriter
	value  *boundValue // of a column of whole values
	rows   int
}

// Encode implements format.Encoder.
func (e *Encoder) Encode(dst []byte, row int) (n int, ok bool) {
	if uint(row) >= uint(e.rows) {
		panic("protobuf: a row beyond the batch") // a bug of the caller, which must not read foreign memory
	}
	if e.value != nil {
		n = e.value.body(dst, 0, row)
	} else {
		n = putFields(e.fields, dst, 0, row)
	}
	return max(n, 0), n >= 0
}
