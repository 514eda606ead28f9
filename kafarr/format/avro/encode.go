package avro

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// Encoding is a schema and the columns of a frame, compiled: a writer for each field, in the schema's order. It is the way back from a Plan's columns.
type Encoding struct {
	fields  []fieldWriter
	columns []arrow.Field // what it was compiled for
	single  string        // EncodeOptions.Column
	ignored []string
	size    int
}

var _ format.Encoding = (*Encoding)(nil)

// CompileEncoding implements format.Writing.
func (Format) CompileEncoding(schema format.Schema, columns []arrow.Field, options format.EncodeOptions) (format.Encoding, error) {
	e, err := CompileEncoding(schema.(*Schema), columns, options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err // and no *Encoding of nil, which is no nil of the interface
	}
	return e, nil
}

// CompileEncoding makes the plan that writes rows of these columns as values of a schema.
func CompileEncoding(s *Schema, columns []arrow.Field, options format.EncodeOptions) (*Encoding, error) {
	var err error
	if options.Limits, err = options.Limits.Resolved(); err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	e := &Encoding{columns: columns, single: options.Column, size: TextBytes(s.text)}
	p := &planner{options: &options}
	switch record := s.only(); {
	case options.Column == "" && record.Type == Record:
		if record != s {
			e.fields = append(e.fields, fieldWriter{column: noColumn, writer: &constWriter{bytes: []byte{0}}}) // the index of the union's only branch
		}
		var fields []fieldWriter
		fields, e.ignored, err = p.fields(record, columns, "")
		e.fields = append(e.fields, fields...)
	default:
		e.fields, e.ignored, err = p.single(s, columns)
	}
	if err != nil {
		return nil, err
	}
	e.size += p.nodes * writerBytes
	return e, nil
}

// writerBytes is what a writer and its path take, about.
const writerBytes = 300

// single makes the writer of one column that holds whole values.
func (p *planner) single(s *Schema, columns []arrow.Field) ([]fieldWriter, []string, error) {
	name := p.options.Column
	if name == "" {
		name = "value"
	}
	at, err := columnNamed(columns, name, "")
	if err != nil {
		return nil, nil, err
	}
	if at < 0 {
		hint := nearest.Hint(name, frame.Names(columns))
		return nil, nil, schemaErrorf("", "the frame has no column %q for values of the type %s%s", format.ShortName(name), s.describe(), hint)
	}
	var ignored []string
	if p.options.Column == "" {
		if ignored, err = p.extra(columns, func(i int) bool { return i == at }, s, ""); err != nil {
			return nil, nil, err
		}
	}
	w, err := p.value(s, columns[at].Type, format.ShortName(name), notNullable)
	if err != nil {
		return nil, nil, err
	}
	return []fieldWriter{{column: at, writer: w}}, ignored, nil
}

// Ignored implements format.Encoding.
func (e *Encoding) Ignored() []string { return e.ignored }

// Size implements format.Encoding.
func (e *Encoding) Size() int { return e.size + int(unsafe.Sizeof(*e)) }

// Bind implements format.Encoding.
func (e *Encoding) Bind(batch arrow.RecordBatch, skip []bool) (format.Encoder, error) {
	rows, err := frame.Open(batch, e.columns, skip)
	if err != nil {
		return nil, err
	}
	b := &binder{}
	if err := e.bind(b, rows); err != nil {
		return nil, err
	}
	return &Encoder{ops: b.ops, rows: rows.Rows}, nil
}

func (e *Encoding) bind(b *binder, rows *frame.Batch) error {
	for _, f := range e.fields {
		s := rows.NoSegment()
		if f.column != noColumn {
			var err error
			if s, err = rows.Segment(f.column); err != nil {
				return err
			}
		}
		if err := f.writer.bind(b, s); err != nil {
			return err
		}
	}
	return nil
}

// Encoder writes rows of one batch, which outlives it.
type Encoder struct {
	ops  []writeOp
	rows int
}

// Encode implements format.Encoder.
func (e *Encoder) Encode(dst []byte, row int) (n int, ok bool) {
	limit := len(dst) - format.EncodeMargin
	if limit < 0 {
		return 0, false
	}
	if uint(row) >= uint(e.rows) {
		panic("avro: a row beyond the batch") // a bug of the caller, which must not read foreign memory
	}
	n = e.run(0, len(e.ops), row, unsafe.Pointer(unsafe.SliceData(dst)), 0, limit)
	return max(n, 0), n >= 0
}
