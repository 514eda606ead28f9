package json

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// RecentEnvelopes is how many different envelopes are told by their bytes: topics of several tables have them in turns.
const RecentEnvelopes = 8

// mostKeptOfEnvelope is how long the part before the payload may be that is kept for that.
const mostKeptOfEnvelope = 1 << 20

// mostChecked is how long a member may be that is passed over to find its end, which is not done in turns. A longer payload is the last member, and ends where the envelope does: it is
// checked when it is read, as is each payload of an envelope that begins like one before it.
const mostChecked = 16 << 20

// Envelopes takes Connect's envelopes apart: {"schema": …, "payload": …}, as its JsonConverter writes them with schemas.enable. The schema stands in each message and is longer than
// the payload, so that its bytes are compared with those of the last ones. It belongs to one goroutine.
type Envelopes struct {
	recent [RecentEnvelopes]recentEnvelope
	last   int // the place of the envelope before
	next   int // the place that is used next for one that is none of them
}

// recentEnvelope is what is kept of an envelope.
type recentEnvelope struct {
	text   []byte // its schema
	before []byte // what was before its payload; empty where that was not its last member
	schema int    // where the schema begins there
}

// Envelope is an envelope that was taken apart. Schema and Payload lie in its body.
type Envelope struct {
	Schema, Payload format.Body
	// Place is the number of the schema among those that are kept, below RecentEnvelopes, and Known tells whether it had this number before. A schema that is too long to be kept has
	// the place NoPlace.
	Place int
	Known bool
}

// NoPlace is the place of what is not kept.
const NoPlace = -1

// IsNull tells whether the payload is null.
func (e Envelope) IsNull() bool { return isNullText(e.Payload) }

// Split takes an envelope apart. The error is a status.DecodeError. Where the envelope begins as one before it did, the payload is all of the rest, and what does not belong there fails
// when it is read.
func (e *Envelopes) Split(b format.Body) (Envelope, error) {
	for i := range e.recent {
		place := (e.last + i) % RecentEnvelopes
		r := &e.recent[place]
		n := len(r.before)
		if n == 0 || b.Len <= n || !bytes.Equal(format.Span(b.Data, 0, n), r.before) {
			continue
		}
		if end := endOfEnvelope(b, n); end > 0 {
			e.last = place
			return Envelope{part(b, r.schema, r.schema+len(r.text)), part(b, n, end), place, true}, nil
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

// take takes an envelope apart that does not begin like one before it.
func (e *Envelopes) take(b format.Body) (Envelope, error) {
	var schema, payload format.Body
	a := &Appender{limits: format.DefaultLimits, effort: format.Effort{LookAt: b.Len}}
	end := b.Len
	wrong := func(what string, pos int) (Envelope, error) {
		return Envelope{}, status.Errorf(status.DecodeError, `the body is no envelope of Connect, {"schema": …, "payload": …}: %s, at byte %d`, what, pos)
	}
	pos := blank(b.Data, 0, end)
	if pos >= end || at(b.Data, pos) != '{' {
		return wrong("it is "+found(b, pos), pos)
	}
	pos = blank(b.Data, pos+1, end)
	var last bool // the payload is the last member
	for {
		if pos >= end || at(b.Data, pos) != '"' {
			return wrong("a name is expected, and this is "+found(b, pos), pos)
		}
		name := pos + 1
		if pos = a.checkString(b.Data, name, min(end, name+mostChecked)); pos < 0 {
			return wrong("a name is not whole", name)
		}
		member := &schema
		switch string(format.Span(b.Data, name, pos-1-name)) {
		case "schema":
		case "payload":
			member = &payload
		default:
			return wrong("it has another member", name)
		}
		if pos = blank(b.Data, pos, end); pos >= end || at(b.Data, pos) != ':' {
			return wrong("a colon is expected, and this is "+found(b, pos), pos)
		}
		pos = blank(b.Data, pos+1, end)
		from := pos
		if member.Len > 0 {
			return wrong("it has a member twice", name)
		}
		if rest := endOfEnvelope(b, from); member == &payload && schema.Len > 0 && rest-from > mostChecked {
			payload, last, pos = part(b, from, rest), true, end
			break
		}
		if pos = a.skip(b.Data, pos, min(end, from+mostChecked), 0); pos < 0 {
			if end-from > mostChecked {
				return wrong(fmt.Sprintf("a value is not JSON, or has more than the %d bytes that a schema, or a payload before it, may have", mostChecked), from)
			}
			return wrong("a value is not JSON", a.stopped)
		}
		*member, last = part(b, from, pos), member == &payload
		if pos = blank(b.Data, pos, end); pos >= end {
			return wrong("it ends too early", pos)
		}
		c := at(b.Data, pos)
		pos = blank(b.Data, pos+1, end)
		if c == '}' {
			break
		}
		if c != ',' {
			return wrong("a comma is expected", pos-1)
		}
	}
	if pos != end {
		return wrong("something follows it", pos)
	}
	if schema.Len == 0 || payload.Len == 0 {
		return wrong("it lacks its schema or its payload", 0)
	}
	place, known := e.keep(b, schema, payload, last)
	return Envelope{schema, payload, place, known}, nil
}

// keep keeps a schema, and what stands before the payload where that is the last member. known tells that the schema was there.
func (e *Envelopes) keep(b, schema, payload format.Body, last bool) (place int, known bool) {
	text, before := format.Span(schema.Data, 0, schema.Len), offset(b, payload)
	if schema.Len > mostKeptOfEnvelope || last && before > mostKeptOfEnvelope {
		return NoPlace, false
	}
	for place = range e.recent {
		if known = bytes.Equal(e.recent[place].text, text); known {
			break
		}
	}
	if !known {
		place, e.next = e.next, (e.next+1)%RecentEnvelopes
	}
	r := &e.recent[place]
	r.text, r.before, e.last = append(r.text[:0], text...), r.before[:0], place
	if last {
		r.before, r.schema = append(r.before, format.Span(b.Data, 0, before)...), offset(b, schema)
	}
	return place, known
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

// IsConnect tells whether the text of a schema is one of Connect's: of a type that neither JSON Schema nor an Arrow schema has.
func IsConnect(text string) bool {
	var c struct {
		Type any `json:"type"`
	}
	if json.Unmarshal([]byte(text), &c) != nil {
		return false
	}
	switch c.Type {
	case "struct", "map", "bytes", "int8", "int16", "int32", "int64", "float", "double":
		return true
	}
	return false
}

// maxConnectText bounds the text of a schema, which stands in each message and is read as a whole.
const maxConnectText = 8 << 20

// ParseConnect reads a schema of an envelope.
func ParseConnect(text string, limits format.Limits) (*Schema, error) {
	limits, err := limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	if len(text) > maxConnectText {
		return nil, schemaErrorf("", "the envelope's schema has %d bytes, and at most %d are read", len(text), maxConnectText)
	}
	var c *connectField
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, schemaErrorf("", "the envelope's schema is none of Connect's: %v", err)
	}
	if c == nil {
		return nil, schemaErrorf("", `the envelope's schema is null, so that its payload has no types: framing="bare" reads such messages as they are, with a schema of {"payload": …}`)
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
	"io.debezium.time.MicroDuration":          {"int64", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_us}},
	"io.debezium.time.NanoDuration":           {"int64", Type{Kind: Epoch, Arrow: arrow.FixedWidthTypes.Duration_ns}},
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
		return &Type{Kind: Enum, Symbols: allowedSymbols(c.Parameters[allowedParameter])}, nil
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

// allowedSymbols are the texts of Debezium's parameter. A comma within one has a backslash before it, in the values as well.
func allowedSymbols(list string) (symbols []string) {
	known := map[string]bool{}
	from := 0
	for i := 0; i <= len(list); i++ {
		switch {
		case i < len(list) && list[i] == '\\':
			i++
			continue
		case i < len(list) && list[i] != ',':
			continue
		}
		if symbol := list[min(from, len(list)):min(i, len(list))]; !known[symbol] {
			known[symbol] = true
			symbols = append(symbols, symbol)
		}
		from = i + 1
	}
	return symbols
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
