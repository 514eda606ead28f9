package json

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Format is JSON whose schemas are Arrow's, as texts: of messages that no registry has a schema for. It implements format.Format.
type Format struct{}

var (
	_ format.Inferring = Format{}
	_ format.Writing   = Format{}
)

// SchemaType implements format.Format: registries have no such schemas.
func (Format) SchemaType() string { return "" }

// Parse implements format.Format. Such schemas have no references.
func (Format) Parse(text string, references []format.Reference, limits format.Limits) (format.Schema, error) {
	if len(references) > 0 {
		return nil, schemaErrorf("", "an Arrow schema has no references")
	}
	s, err := Parse(text, limits)
	if err != nil {
		return nil, err // and no *Schema of nil, which is no nil of the interface
	}
	return s, nil
}

// Infer implements format.Inferring.
func (Format) Infer(name string, bodies []format.Body) (string, error) {
	s, err := Infer(name, bodies)
	if err != nil {
		return "", err
	}
	return s.Text(), nil
}

// Compile implements format.Format, for every Schema of this package.
func (Format) Compile(writer format.Schema, options format.Options) (format.Plan, error) {
	p, err := Compile(writer.(*Schema), options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err
	}
	return p, nil
}

// CompileEncoding implements format.Writing, for every Schema of this package.
func (Format) CompileEncoding(schema format.Schema, columns []arrow.Field, options format.EncodeOptions) (format.Encoding, error) {
	e, err := CompileEncoding(schema.(*Schema), columns, options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Derive implements format.Writing: the text of an Arrow schema.
func (Format) Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	s, err := Derive(name, columns, options)
	if err != nil {
		return "", err
	}
	return s.Text(), nil
}

// Symbols implements format.Writing.
func (Format) Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	return frame.Symbols(batch, path)
}
