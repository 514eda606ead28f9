package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Parse reads the JSON text of a schema within the default limits. references are schemas whose named types the text may use, each before those
// that need it; one that comes twice is read once.
//
// Defaults are kept as they stand: registries hold odd ones, and only a reader that lacks a value needs one. Compile checks those that are needed.
func Parse(text string, references ...string) (*Schema, error) {
	return ParseWithin(format.DefaultLimits, text, references...)
}

// ParseWithin is Parse within other limits.
func ParseWithin(l format.Limits, text string, references ...string) (*Schema, error) {
	l, err := l.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	length := len(text)
	p := &parser{named: map[string]*Schema{}, origin: map[string]int{}, maxDepth: l.SchemaDepth}
	parsed := map[string]bool{text: true}
	for _, r := range references {
		if !parsed[r] { // one text may be registered under several subjects, and defines its types once
			parsed[r] = true
			if _, err := p.text(r); err != nil {
				return nil, fmt.Errorf("referenced schema: %w", err)
			}
			length += len(r)
		}
		p.current++
	}
	s, err := p.text(text)
	if err == nil {
		s.text = length
	}
	return s, err
}

type parser struct {
	named    map[string]*Schema
	origin   map[string]int // the text that a type was defined in, by its index
	current  int            // of the text that is being parsed
	depth    int
	maxDepth int
}

func (p *parser) text(text string) (*Schema, error) {
	// A bare primitive name is not JSON (or JSON's null), and some registries hold it all the same.
	if t, ok := primitives[strings.TrimSpace(text)]; ok {
		return &Schema{Type: t}, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, schemaErrorf("", "the schema is not JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, schemaErrorf("", "the schema has text after its end")
	}
	return p.schema(v, "", "")
}

var primitives = map[string]Type{
	"null": Null, "boolean": Boolean, "int": Int, "long": Long, "float": Float, "double": Double, "bytes": Bytes, "string": String,
}

// schema parses a JSON value. namespace is that of the enclosing named type; path is for errors.
func (p *parser) schema(v any, namespace, path string) (*Schema, error) {
	if p.depth++; p.depth > p.maxDepth {
		return nil, schemaErrorf(path, "the schema nests deeper than %d levels", p.maxDepth)
	}
	defer func() { p.depth-- }()
	switch v := v.(type) {
	case string:
		return p.reference(v, namespace, path)
	case []any:
		return p.union(v, namespace, path)
	case map[string]any:
		return p.object(v, namespace, path)
	}
	return nil, schemaErrorf(path, "a schema is a JSON string, object or array, not %s", jsonText(v))
}

func (p *parser) reference(name, namespace, path string) (*Schema, error) {
	if t, ok := primitives[name]; ok {
		return &Schema{Type: t}, nil
	}
	full, _ := fullName(name, namespace)
	if s, ok := p.named[full]; ok {
		return s, nil
	}
	// Java looks a name up without a namespace too where the enclosing namespace does not have it.
	if s, ok := p.named[name]; ok {
		return s, nil
	}
	return nil, schemaErrorf(path, "unknown type %q", name)
}

func (p *parser) union(branches []any, namespace, path string) (*Schema, error) {
	s := &Schema{Type: Union}
	seen := map[string]bool{}
	for _, b := range branches {
		branch, err := p.schema(b, namespace, path)
		if err != nil {
			return nil, err
		}
		if branch.Type == Union {
			return nil, schemaErrorf(path, "a union must not hold a union")
		}
		if name := branch.TypeName(); seen[name] {
			return nil, schemaErrorf(path, "the union holds %s twice", name)
		}
		seen[branch.TypeName()] = true
		s.Branches = append(s.Branches, branch)
	}
	if len(s.Branches) == 0 {
		return nil, schemaErrorf(path, "the union has no branch")
	}
	return s, nil
}

func (p *parser) object(o map[string]any, namespace, path string) (*Schema, error) {
	t, ok := o["type"]
	if !ok {
		return nil, schemaErrorf(path, `"type" is missing in %s`, jsonText(o))
	}
	name, ok := t.(string)
	if !ok { // {"type": {…}}: a schema within a schema, whose own properties win
		return p.schema(t, namespace, path)
	}
	switch name {
	case "record", "error":
		return p.record(o, namespace, path)
	case "enum":
		return p.enum(o, namespace, path)
	case "fixed":
		return p.fixed(o, namespace, path)
	case "array":
		return p.container(o, Array, "items", namespace, path)
	case "map":
		return p.container(o, Map, "values", namespace, path)
	}
	s, err := p.reference(name, namespace, path)
	if err != nil || s.Name != "" {
		return s, err
	}
	s.Logical = logical(o)
	return s, nil
}

func (p *parser) container(o map[string]any, t Type, key, namespace, path string) (*Schema, error) {
	v, ok := o[key]
	if !ok {
		return nil, schemaErrorf(path, "%s without %q", t, key)
	}
	items, err := p.schema(v, namespace, format.JoinPath(path, key))
	if err != nil {
		return nil, err
	}
	return &Schema{Type: t, Items: items, Logical: logical(o)}, nil
}

func (p *parser) record(o map[string]any, namespace, path string) (*Schema, error) {
	s, namespace, err := p.define(o, Record, namespace, path)
	if err != nil {
		return nil, err
	}
	fields, ok := o["fields"].([]any)
	if !ok {
		return nil, schemaErrorf(path, `record %s has no array "fields"`, s.Name)
	}
	seen := map[string]bool{}
	for i, f := range fields {
		field, err := p.field(f, namespace, path, i)
		if err != nil {
			return nil, err
		}
		if seen[field.Name] {
			return nil, schemaErrorf(format.JoinPath(path, field.Name), "record %s has this field twice", s.Name)
		}
		seen[field.Name] = true
		s.Fields = append(s.Fields, field)
		if !field.Type.takesNothing() {
			s.types = append(s.types, field.Type)
		}
	}
	s.empty = len(s.types) == 0 // a record within itself, which is not known yet, would never end
	return s, nil
}

func (p *parser) field(v any, namespace, path string, i int) (Field, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return Field{}, schemaErrorf(path, "field %d is no JSON object", i)
	}
	name, ok := o["name"].(string)
	if !ok {
		return Field{}, schemaErrorf(path, "field %d has no name", i)
	}
	if !validName(name) { // it is no part of the path, which has no quotes around it
		return Field{}, schemaErrorf(path, "%q is no valid field name", name)
	}
	path = format.JoinPath(path, name)
	t, ok := o["type"]
	if !ok {
		return Field{}, schemaErrorf(path, "the field has no type")
	}
	// {"name": …, "type": "long", "logicalType": …}: a common mistake, which the specification reads as plain long.
	s, err := p.schema(t, namespace, path)
	if err != nil {
		return Field{}, err
	}
	aliases, err := names(o["aliases"], path)
	if err != nil {
		return Field{}, err
	}
	def, hasDefault := o["default"]
	return Field{Name: name, Aliases: aliases, Type: s, HasDefault: hasDefault, Default: def, Tags: tags(o["confluent:tags"])}, nil
}

// tags reads a field's tags, as tolerantly as serializers do: what is no list of texts is none.
func tags(v any) []string {
	list, _ := v.([]any)
	var found []string
	for _, item := range list {
		if tag, ok := item.(string); ok {
			found = append(found, tag)
		}
	}
	return found
}

func (p *parser) enum(o map[string]any, namespace, path string) (*Schema, error) {
	s, _, err := p.define(o, Enum, namespace, path)
	if err != nil {
		return nil, err
	}
	symbols, ok := o["symbols"].([]any)
	if !ok {
		return nil, schemaErrorf(path, `enum %s has no array "symbols"`, s.Name)
	}
	seen := map[string]bool{}
	for _, v := range symbols {
		symbol, ok := v.(string)
		if !ok || !validName(symbol) {
			return nil, schemaErrorf(path, "enum %s: %s is no valid symbol", s.Name, jsonText(v))
		}
		if seen[symbol] {
			return nil, schemaErrorf(path, "enum %s has symbol %q twice", s.Name, symbol)
		}
		seen[symbol] = true
		s.Symbols = append(s.Symbols, symbol)
	}
	if v := o["default"]; v != nil {
		if def, isText := v.(string); isText && seen[def] {
			s.Default = def
		} else {
			s.badDefault = jsonText(v)
		}
	}
	return s, nil
}

func (p *parser) fixed(o map[string]any, namespace, path string) (*Schema, error) {
	s, _, err := p.define(o, Fixed, namespace, path)
	if err != nil {
		return nil, err
	}
	size, ok := wholeNumber(o["size"])
	if !ok || size < 0 {
		return nil, schemaErrorf(path, `fixed %s has no valid "size"`, s.Name)
	}
	s.Size = size
	s.Logical = logical(o)
	return s, nil
}

// define enters a named type before its content is parsed, since the content may refer to it.
func (p *parser) define(o map[string]any, t Type, namespace, path string) (*Schema, string, error) {
	name, ok := o["name"].(string)
	if !ok {
		return nil, "", schemaErrorf(path, "%s without a name", t)
	}
	if ns, ok := o["namespace"].(string); ok && !strings.Contains(name, ".") {
		namespace = ns
	}
	full, namespace := fullName(name, namespace)
	if !validFullName(full) {
		return nil, "", schemaErrorf(path, "%q is no valid name for a type", full)
	}
	if _, ok := primitives[full]; ok {
		return nil, "", schemaErrorf(path, "a type must not be named like the primitive type %q", full)
	}
	if _, ok := p.named[full]; ok {
		return nil, "", &SchemaError{Path: path, Msg: fmt.Sprintf("type %s is defined twice", full), Twice: []int{p.origin[full], p.current}}
	}
	aliases, err := names(o["aliases"], path)
	if err != nil {
		return nil, "", err
	}
	for i, a := range aliases {
		aliases[i], _ = fullName(a, namespace)
	}
	s := &Schema{Type: t, Name: full, Aliases: aliases}
	p.named[full], p.origin[full] = s, p.current
	return s, namespace, nil
}

// fullName joins a name and a namespace; a dotted name brings its own namespace.
func fullName(name, namespace string) (full, ns string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return strings.TrimPrefix(name, "."), name[:i]
	}
	if namespace == "" {
		return name, ""
	}
	return namespace + "." + name, namespace
}

func logical(o map[string]any) Logical {
	name, ok := o["logicalType"].(string)
	if !ok {
		return Logical{}
	}
	l := Logical{Name: name, Precision: -1}
	if n, ok := wholeNumber(o["precision"]); ok {
		l.Precision = n
	}
	if v, given := o["scale"]; given {
		if n, ok := wholeNumber(v); ok {
			l.Scale = n
		} else {
			l.Scale = -1
		}
	}
	return l
}

func wholeNumber(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return int(i), err == nil && i >= math.MinInt32 && i <= math.MaxInt32
}

func names(v any, path string) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, schemaErrorf(path, "aliases are no array")
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		name, ok := e.(string)
		if !ok {
			return nil, schemaErrorf(path, "alias %s is no string", jsonText(e))
		}
		out = append(out, name)
	}
	return out, nil
}

func validFullName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !validName(part) {
			return false
		}
	}
	return true
}

// validName is the rule of Avro's Java: a letter of any script or an underscore, and then letters, digits and underscores. The specification has ASCII only, and
// topics that Java has written do not keep to that.
func validName(name string) bool {
	for i, c := range name {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return name != ""
}

// jsonText renders a value for an error message, short.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	s := strings.TrimSpace(b.String())
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
