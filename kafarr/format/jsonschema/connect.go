package jsonschema

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// Names of Connect's logical types that have parameters. They stand in title, and the parameters, which are texts, in connect.parameters.
const (
	decimalName        = "org.apache.kafka.connect.data.Decimal"
	scaleParameter     = "scale"
	precisionParameter = "connect.decimal.precision"
)

// isLogical reports whether a title is the name of a logical type. Other titles are for people, and, at the top, the message type.
func isLogical(title string) bool {
	_, known := json.LogicalType(title)
	return known || title == decimalName
}

// widths are the types of numbers that connect.type names.
var widths = map[string]arrow.DataType{
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
}

// connectType is the word of connect.type.
func (f *form) connectType() string {
	if f.connect == nil {
		return ""
	}
	return f.connect.word("connect.type")
}

// mostDigits is the precision of decimals that do not say theirs: the most that every reader of Arrow takes.
const mostDigits = 38

// decimal is Connect's type of a decimal; nil: the schema is none. One without a scale is an error, as in Connect: to read its numbers as floating-point ones would change them.
func (f *form) decimal(path string) (*json.Type, error) {
	if f.logical != decimalName || f.types&(isNumber|isString) == 0 || f.limited {
		return nil, nil
	}
	parameters := f.connect.get("connect.parameters")
	scale, given := parameter(parameters, scaleParameter)
	if !given {
		if f.types&isNumber == 0 { // texts of base64, which stay what they are
			return nil, nil
		}
		return nil, schemaErrorf(path, `the title says that it is Connect's Decimal, and "connect.parameters" has no %q, a whole number in quotes`, scaleParameter)
	}
	precision, given := parameter(parameters, precisionParameter)
	if !given {
		precision = max(mostDigits, scale)
	}
	if t := json.DecimalOf(precision, scale); t != nil {
		made := &json.Type{Kind: json.UnscaledDecimal, Arrow: t}
		if f.types&isNumber == 0 {
			made.Takes = json.Strings
		}
		return made, nil
	}
	return nil, schemaErrorf(path, "the precision %d and the scale %d are those of no decimal: a scale from 0 to the precision, which is at most 76", precision, scale)
}

// parameter reads a whole number, which Connect writes as a text.
func parameter(of *value, name string) (int, bool) {
	if of == nil {
		return 0, false
	}
	v := of.get(name)
	if v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(v.text)
	return n, err == nil
}

// number is the type of numbers.
func (f *form) number() *json.Type {
	width := widths[f.connectType()]
	whole := f.types&isFraction == 0 || width != nil && arrow.IsInteger(width.ID())
	if logical, known := json.LogicalType(f.logical); known && whole && logical.Kind == json.Epoch {
		return &logical
	}
	kind := json.Number
	if whole {
		kind = json.Integer
	}
	if width == nil || arrow.IsInteger(width.ID()) != whole {
		return &json.Type{Kind: kind}
	}
	return &json.Type{Kind: kind, Arrow: width}
}

// formats are the formats that make more of a string than a text.
var formats = map[string]json.Kind{"date-time": json.DateTime, "date": json.Date, "time": json.Time}

// string is the type of strings.
func (f *form) string() *json.Type {
	if f.connectType() == "bytes" {
		return &json.Type{Kind: json.Base64}
	}
	if logical, known := json.LogicalType(f.logical); known && logical.Kind == json.DateTime {
		return &logical
	}
	if kind, typed := formats[f.format]; typed {
		return &json.Type{Kind: kind}
	}
	return &json.Type{Kind: json.Text}
}
