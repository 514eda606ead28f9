package json

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Envelopes takes Connect's envelopes apart: {"schema": …, "payload": …}, as its JsonConverter writes them with schemas.enable. The schema stands in each message and is longer than
// the payload, so that its bytes are compared with those of the last one. It belongs to one goroutine.
type Envelopes struct {
	text   []byte // the last schema
	before []byte // the last envelope up to its payload; empty where that was not its last member
	schema int    // where the schema begins there
}

// Split returns the schema's text and the payload of an envelope, both as they lie in the body, and whether the schema is that of the last envelope, byte by byte. A null payload is
// the text null. The error is a status.DecodeError. Where the envelope begins as the last one did, the payload is all of the rest, and what does not belong there fails when it is read.
func (e *Envelopes) Split(b format.Body) (schema, payload format.Body, same bool, err error) {
	if n := len(e.before); n > 0 && b.Len > n && bytes.Equal(format.Span(b.Data, 0, n), e.before) {
		if end := endOfEnvelope(b, n); end > 0 {
			return part(b, e.schema, e.schema+len(e.text)), part(b, n, end), true, nil
		}
	}
	return e.take(b)
}

func part(b format.Body, from, to int) format.Body {
	return format.Body{Data: unsafe.Add(b.Data, from), Len: to - from}
}

// endOfEnvelope returns where the payload ends that begins at a position and is the last member; 0: the body does not end as an envelope does. The payload itself is checked when it
// is read, and nothing else may stand in it.
func endOfEnvelope(b format.Body, from int) int {
	end := b.Len
	for end > from && at(b.Data, end-1) <= ' ' {
		end--
	}
	if end <= from || at(b.Data, end-1) != '}' {
		return 0
	}
	return end - 1
}

// take takes an envelope apart that is not like the last one.
func (e *Envelopes) take(b format.Body) (schema, payload format.Body, same bool, err error) {
	a := &Appender{limits: format.DefaultLimits, effort: format.Effort{LookAt: b.Len}}
	end := b.Len
	wrong := func(what string, pos int) error {
		return status.Errorf(status.DecodeError, `the body is no envelope of Connect, {"schema": …, "payload": …}: %s, at byte %d`, what, pos)
	}
	pos := blank(b.Data, 0, end)
	if pos >= end || at(b.Data, pos) != '{' {
		return schema, payload, false, wrong("it is "+found(b, pos), pos)
	}
	pos = blank(b.Data, pos+1, end)
	var last bool // the payload is the last member
	for {
		if pos >= end || at(b.Data, pos) != '"' {
			return schema, payload, false, wrong("a name is expected, and this is "+found(b, pos), pos)
		}
		name := pos + 1
		if pos = a.checkString(b.Data, name, end); pos < 0 {
			return schema, payload, false, wrong("a name is not whole", name)
		}
		member := &schema
		switch string(format.Span(b.Data, name, pos-1-name)) {
		case "schema":
		case "payload":
			member = &payload
		default:
			return schema, payload, false, wrong("it has another member", name)
		}
		if pos = blank(b.Data, pos, end); pos >= end || at(b.Data, pos) != ':' {
			return schema, payload, false, wrong("a colon is expected, and this is "+found(b, pos), pos)
		}
		pos = blank(b.Data, pos+1, end)
		from := pos
		if member.Len > 0 {
			return schema, payload, false, wrong("it has a member twice", name)
		}
		if pos = a.skip(b.Data, pos, end, 0); pos < 0 {
			return schema, payload, false, wrong("a value is not JSON", a.stopped)
		}
		*member, last = part(b, from, pos), member == &payload
		if pos = blank(b.Data, pos, end); pos >= end {
			return schema, payload, false, wrong("it ends too early", pos)
		}
		c := at(b.Data, pos)
		pos = blank(b.Data, pos+1, end)
		if c == '}' {
			break
		}
		if c != ',' {
			return schema, payload, false, wrong("a comma is expected", pos-1)
		}
	}
	if pos != end {
		return schema, payload, false, wrong("something follows it", pos)
	}
	if schema.Len == 0 || payload.Len == 0 {
		return schema, payload, false, wrong("it lacks its schema or its payload", 0)
	}
	text := format.Span(schema.Data, 0, schema.Len)
	same = bytes.Equal(text, e.text)
	e.text, e.before = append(e.text[:0], text...), e.before[:0]
	if last {
		e.before = append(e.before, format.Span(b.Data, 0, offset(b, payload))...)
		e.schema = offset(b, schema)
	}
	return schema, payload, same, nil
}

// offset is where a part of a body begins.
func offset(b, part format.Body) int { return int(uintptr(part.Data) - uintptr(b.Data)) }

// connectField is a schema of Connect's, as its JsonConverter writes it.
type connectField struct {
	Field      string            `json:"field"`
	Type       string            `json:"type"`
	Optional   bool              `json:"optional"`
	Name       string            `json:"name"`
	Parameters map[string]string `json:"parameters"`
	Fields     []connectField    `json:"fields"`
	Items      *connectField     `json:"items"`
	Keys       *connectField     `json:"keys"`
	Values     *connectField     `json:"values"`
}

// ParseConnect reads a schema of an envelope.
func ParseConnect(text string, limits format.Limits) (*Schema, error) {
	limits, err := limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	var c *connectField
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, schemaErrorf("", "the envelope's schema is none of Connect's: %v", err)
	}
	if c == nil {
		return nil, schemaErrorf("", `the envelope's schema is null: its payload has no types, and value="json" with a schema reads such messages`)
	}
	root, err := c.field("", limits.SchemaDepth)
	if err != nil {
		return nil, err
	}
	return NewSchema(c.Name, root, len(text)), nil
}

// field makes a field. depth is how many levels may follow.
func (c *connectField) field(path string, depth int) (f Field, err error) {
	if c == nil {
		return f, schemaErrorf(path, "a schema is missing")
	}
	if depth == 0 {
		return f, schemaErrorf(path, "the schema nests too deep")
	}
	f = Field{Name: c.Field, Nullable: c.Optional}
	f.Type, err = c.nested(path, depth)
	return f, err
}

// connectTypes are Connect's types without others below them.
var connectTypes = map[string]Type{
	"boolean": {Kind: Boolean},
	"int8":    {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int8},
	"int16":   {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int16},
	"int32":   {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int32},
	"int64":   {Kind: Integer, Arrow: arrow.PrimitiveTypes.Int64},
	"float":   {Kind: Number, Arrow: arrow.PrimitiveTypes.Float32},
	"double":  {Kind: Number, Arrow: arrow.PrimitiveTypes.Float64},
	"string":  {Kind: Text},
	"bytes":   {Kind: Base64},
}

// logicalType is what a name makes of one of Connect's types.
type logicalType struct {
	of string // the type; another one is read as it stands
	is Type
}

// logicalTypes are those of Connect and of Debezium. Debezium's timestamps without a zone are local times.
var logicalTypes = map[string]logicalType{
	"org.apache.kafka.connect.data.Date":      {"int32", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Date32}},
	"org.apache.kafka.connect.data.Time":      {"int32", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Time32ms}},
	"org.apache.kafka.connect.data.Timestamp": {"int64", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Timestamp_ms}},
	"io.debezium.time.Date":                   {"int32", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Date32}},
	"io.debezium.time.Time":                   {"int32", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Time32ms}},
	"io.debezium.time.MicroTime":              {"int64", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Time64us}},
	"io.debezium.time.NanoTime":               {"int64", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Time64ns}},
	"io.debezium.time.Timestamp":              {"int64", Type{Kind: Epoch, Arrow: &arrow.TimestampType{Unit: arrow.Millisecond}}},
	"io.debezium.time.MicroTimestamp":         {"int64", Type{Kind: Epoch, Arrow: &arrow.TimestampType{Unit: arrow.Microsecond}}},
	"io.debezium.time.NanoTimestamp":          {"int64", Type{Kind: Epoch, Arrow: &arrow.TimestampType{Unit: arrow.Nanosecond}}},
	"io.debezium.time.ZonedTimestamp":         {"string", Type{Kind: DateTime, Arrow: arrow.FixedWidthTypes.Timestamp_us}},
}

// LogicalType is what the name of a logical type of Connect's or Debezium's makes of values of Connect's type that it is for.
func LogicalType(name string) (t Type, known bool) {
	l, known := logicalTypes[name]
	return l.is, known
}

// Names of logical types that have parameters, and the names of these.
const (
	connectDecimal     = "org.apache.kafka.connect.data.Decimal"
	scaleParameter     = "scale"
	precisionParameter = "connect.decimal.precision"
	debeziumEnum       = "io.debezium.data.Enum"
	allowedParameter   = "allowed"
)

func (c *connectField) nested(path string, depth int) (*Type, error) {
	switch {
	case c.Type == "bytes" && c.Name == connectDecimal:
		return ConnectDecimal(c.Parameters, path)
	case c.Type == "string" && c.Name == debeziumEnum && c.Parameters[allowedParameter] != "":
		return &Type{Kind: Enum, Symbols: strings.Split(c.Parameters[allowedParameter], ",")}, nil
	case c.Type == logicalTypes[c.Name].of && c.Name != "":
		if logical, known := logicalTypes[c.Name]; known {
			return &logical.is, nil
		}
	}
	switch c.Type {
	case "struct":
		t := &Type{Kind: Object, Name: c.Name}
		for i := range c.Fields {
			f, err := c.Fields[i].field(join(path, c.Fields[i].Field), depth-1)
			if err != nil {
				return nil, err
			}
			t.Fields = append(t.Fields, f)
		}
		return t, nil
	case "array":
		items, err := c.Items.field(join(path, "item"), depth-1)
		if err != nil {
			return nil, err
		}
		return &Type{Kind: Array, Items: &items}, nil
	case "map":
		key, err := c.Keys.field(join(path, "key"), depth-1)
		if err != nil {
			return nil, err
		}
		value, err := c.Values.field(join(path, "value"), depth-1)
		if err != nil {
			return nil, err
		}
		if c.Keys.Type == "string" && !c.Keys.Optional {
			return &Type{Kind: Map, Items: &value}, nil
		}
		return &Type{Kind: Entries, Fields: []Field{key, value}, Pairs: true}, nil
	}
	if t, known := connectTypes[c.Type]; known {
		return &t, nil
	}
	return nil, schemaErrorf(path, "Connect has no type %q", c.Type)
}

// ConnectDecimal is the type of a decimal with Connect's parameters. Connect itself knows no precision: without that of connect.decimal.precision it is the most of its Arrow type.
func ConnectDecimal(parameters map[string]string, path string) (*Type, error) {
	const most128, most256 = 38, 76
	scale, err := strconv.Atoi(parameters[scaleParameter])
	if err != nil {
		return nil, schemaErrorf(path, "a decimal has the parameter scale, a whole number, and not %q", parameters[scaleParameter])
	}
	precision := most128
	if scale > most128 {
		precision = most256
	}
	if given, found := parameters[precisionParameter]; found {
		if precision, err = strconv.Atoi(given); err != nil {
			return nil, schemaErrorf(path, "the decimal's %s is no whole number: %q", precisionParameter, given)
		}
	}
	t := DecimalOf(precision, scale)
	if t == nil {
		return nil, schemaErrorf(path, "Arrow has no decimal of %d digits, %d of them after the point", precision, scale)
	}
	return &Type{Kind: UnscaledDecimal, Arrow: t}, nil
}
