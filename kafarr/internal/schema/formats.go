package schema

import (
	"cmp"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// defaultFormat is that of schemas that a user gives, and of those of which the registry does not say.
var defaultFormat format.Format = avro.Format{}

// formats are those that can be read, by the registry's words.
var formats = map[string]format.Format{defaultFormat.SchemaType(): defaultFormat}

// Check returns the error of a schema that cannot be parsed within these limits; nil: it can.
func Check(s registry.Schema, limits format.Limits) *status.Error {
	f, err := FormatOf(s)
	if err != nil {
		return err
	}
	if _, err := f.Parse(s.Text, references(s), limits); err != nil {
		return parseFault(f, err, limits, s)
	}
	return nil
}

// references are those of a schema, as formats take them.
func references(s registry.Schema) []format.Reference {
	out := make([]format.Reference, len(s.References))
	for i, r := range s.References {
		out[i] = format.Reference{Name: r.Name, Text: r.Text}
	}
	return out
}

// nullPlan is the plan of nulls, whatever the format of what is not null.
var nullPlan = avro.NullPlan()

// untypedPlan is the plan of payloads that are no format's.
func untypedPlan(c Content, nullable bool) format.Plan {
	if c == String {
		return avro.UntypedPlan(avro.String, nullable)
	}
	return avro.UntypedPlan(avro.Bytes, nullable)
}

// FormatOf returns the format of a schema, or the error that it cannot be read.
func FormatOf(s registry.Schema) (format.Format, *status.Error) {
	f, ok := formats[cmp.Or(s.Type, defaultFormat.SchemaType())]
	if !ok {
		return nil, status.Errorf(status.SchemaError, "it is a %s schema; only %s is supported", s.Type, defaultFormat.SchemaType())
	}
	return f, nil
}

// Deriving is the format of schemas that are made of the columns of a frame.
func Deriving() (format.Writing, error) {
	writing, ok := defaultFormat.(format.Writing)
	if !ok {
		return nil, status.Errorf(status.SchemaError, "%s schemas can be read, and not be written yet", defaultFormat.SchemaType())
	}
	return writing, nil
}
