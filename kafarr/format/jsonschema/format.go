package jsonschema

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// Format is JSON whose schemas are JSON Schema, as a format.Format.
type Format struct{}

var _ format.Writing = Format{}

// SchemaType implements format.Format.
func (Format) SchemaType() string { return "JSON" }

// Parse implements format.Format. A reference's name is what stands in $ref.
func (Format) Parse(text string, references []format.Reference, limits format.Limits) (format.Schema, error) {
	s, err := Parse(text, references, limits)
	if err != nil {
		return nil, err // and no *Schema of nil, which is no nil of the interface
	}
	return s, nil
}

// Compile implements format.Format.
func (Format) Compile(writer format.Schema, options format.Options) (format.Plan, error) {
	w, ok := writer.(*json.Schema)
	if !ok {
		return nil, schemaErrorf("", "the schema was parsed by another format: it is a %T", writer)
	}
	plan, err := json.Compile(w, options)
	if err != nil {
		return nil, err
	}
	return plan, nil
}

// CompileEncoding implements format.Writing.
func (Format) CompileEncoding(schema format.Schema, columns []arrow.Field, options format.EncodeOptions) (format.Encoding, error) {
	return json.Format{}.CompileEncoding(schema, columns, options)
}

// Derive implements format.Writing.
func (Format) Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	return Derive(name, columns, options)
}

// Symbols implements format.Writing.
func (Format) Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	return frame.Symbols(batch, path)
}

// Parse reads the text of a JSON Schema: of what type values are in JSON, and which columns they become. Nothing is fetched from a network.
func Parse(text string, references []format.Reference, limits format.Limits) (*json.Schema, error) {
	limits, err := limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	l := &library{byURI: map[string][]*resource{}, byName: map[string][]*document{}, dynamic: map[string]int{}}
	r := &reader{most: jsonLevels * limits.SchemaDepth}
	whole := &document{number: len(references)}
	if whole.root, err = r.read(text); err != nil {
		return nil, err
	}
	l.draft = draftOf(whole.root, draft7)
	known, length := map[string]*document{text: whole}, len(text)
	for i, ref := range references {
		d := known[ref.Text]
		if d == nil {
			d = &document{number: i}
			if d.root, err = r.read(ref.Text); err != nil {
				return nil, fmt.Errorf("referenced schema %q: %w", format.ShortName(ref.Name), err)
			}
			known[ref.Text] = d
			length += len(ref.Text)
		}
		l.add(d, ref.Name)
	}
	l.add(whole, "")
	c := &compiler{library: l, limits: limits, made: map[string]*json.Type{}, joined: map[string]joined{}}
	c.most = stepsPerValue*r.values + stepsPerColumn*limits.Columns
	root, err := c.compile(whole.root)
	if err != nil {
		return nil, err
	}
	return json.NewSchema(typeName(root.flat), json.Field{Type: root.typ, Nullable: root.nullable}, length+c.bytes), nil
}
