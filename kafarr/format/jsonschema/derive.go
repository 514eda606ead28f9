package jsonschema

import (
	stdjson "encoding/json"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// Derive makes the text of a JSON Schema, of draft 7, from the columns of a frame: with Connect's annotations where JSON's own types do not say which column is meant. A nullable column
// is not required, and may be null. The same columns give the same text.
func Derive(name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	s, err := json.Derive(name, columns, options)
	if err != nil {
		return "", err
	}
	root := s.Root()
	d := &deriver{}
	d.raw(`{"$schema":"http://json-schema.org/draft-07/schema#","title":`)
	d.text(name)
	d.raw(`,`)
	if err := d.object(root.Type, ""); err != nil {
		return "", err
	}
	d.raw(`}`)
	return string(d.out), nil
}

// deriver writes the text of a schema.
type deriver struct{ out []byte }

func (d *deriver) raw(s string) { d.out = append(d.out, s...) }

func (d *deriver) text(s string) {
	b, err := stdjson.Marshal(s)
	if err != nil {
		b = []byte(`""`) // a string always marshals
	}
	d.out = append(d.out, b...)
}

// object writes the keywords of an object.
func (d *deriver) object(t *json.Type, path string) error {
	d.raw(`"type":"object","properties":{`)
	var required []string
	for i, f := range t.Fields {
		if i > 0 {
			d.raw(",")
		}
		d.text(f.Name)
		d.raw(":")
		if err := d.field(f, format.JoinPath(path, f.Name), i); err != nil {
			return err
		}
		if !f.Nullable {
			required = append(required, f.Name)
		}
	}
	d.raw(`}`)
	for i, name := range required {
		d.raw([]string{`,"required":[`, `,`}[min(i, 1)])
		d.text(name)
		if i == len(required)-1 {
			d.raw("]")
		}
	}
	return nil
}

// indexed writes the place of a member: registries may order the members of a text by their names.
func (d *deriver) indexed(index int) {
	if index != noIndex {
		d.raw(`,"connect.index":` + strconv.Itoa(index))
	}
}

func (d *deriver) field(f json.Field, path string, index int) error {
	if f.Nullable && f.Type.Kind != json.Null {
		d.raw(`{"oneOf":[{"type":"null"},{`)
		if err := d.keywords(f.Type, path); err != nil {
			return err
		}
		d.raw(`}]`)
	} else {
		d.raw(`{`)
		if err := d.keywords(f.Type, path); err != nil {
			return err
		}
	}
	d.indexed(index)
	d.raw(`}`)
	return nil
}

// keywords writes those of a type, which begin with its type or its enum.
func (d *deriver) keywords(t *json.Type, path string) error {
	switch t.Kind {
	case json.Null:
		d.raw(`"type":"null"`)
	case json.Boolean:
		d.raw(`"type":"boolean"`)
	case json.Integer:
		d.raw(`"type":"integer"` + connectWords[t.Arrow.ID()])
	case json.Number:
		d.raw(`"type":"number"` + connectWords[t.Arrow.ID()])
	case json.Text:
		d.raw(`"type":"string"`)
	case json.Base64:
		d.raw(`"type":"string","connect.type":"bytes"`)
	case json.Enum:
		d.raw(`"enum":[`)
		for i, symbol := range t.Symbols {
			if i > 0 {
				d.raw(",")
			}
			d.text(symbol)
		}
		d.raw(`]`)
	case json.Decimal:
		of := t.Arrow.(arrow.DecimalType)
		d.raw(`"type":"number","title":"` + decimalName + `","connect.type":"bytes","connect.parameters":{"` + scaleParameter + `":"` + strconv.Itoa(int(of.GetScale())) +
			`","` + precisionParameter + `":"` + strconv.Itoa(int(of.GetPrecision())) + `"}`)
	case json.Date:
		d.raw(`"type":"string","format":"date"`)
	case json.Time:
		d.raw(`"type":"string","format":"time"`)
	case json.DateTime:
		if t.Arrow.(*arrow.TimestampType).TimeZone == "" {
			e := schemaErrorf(path, "the column has no time zone, and a date-time of JSON Schema is a point in time: say which zone it is in (tz_localize in pandas, replace_time_zone in polars)")
			return e
		}
		d.raw(`"type":"string","format":"date-time"`)
	case json.Object:
		return d.object(t, path)
	case json.Array:
		d.raw(`"type":"array","items":`)
		return d.field(*t.Items, format.JoinPath(path, "item"), noIndex)
	case json.Map:
		d.raw(`"type":"object","connect.type":"map","additionalProperties":`)
		return d.field(*t.Items, format.JoinPath(path, "value"), noIndex)
	default:
		return schemaErrorf(path, "a column of the Arrow type %s has no type in JSON Schema: cast it, or give the schema", t.Arrow)
	}
	return nil
}

// connectWords are the annotations of numbers that JSON's own types do not say all of. Numbers without a sign become the next wider ones.
var connectWords = map[arrow.Type]string{
	arrow.INT8: `,"connect.type":"int8"`, arrow.INT16: `,"connect.type":"int16"`, arrow.INT32: `,"connect.type":"int32"`, arrow.INT64: `,"connect.type":"int64"`,
	arrow.UINT8: `,"connect.type":"int16"`, arrow.UINT16: `,"connect.type":"int32"`, arrow.UINT32: `,"connect.type":"int64"`, arrow.UINT64: `,"connect.type":"int64"`,
	arrow.FLOAT32: `,"connect.type":"float32"`, arrow.FLOAT64: `,"connect.type":"float64"`,
}
