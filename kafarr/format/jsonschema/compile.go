package jsonschema

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// compiler makes types of schemas. A type that leads back to itself is a circle: objects, arrays and maps of the same schemas are one type, and what lies within them waits until
// they are made.
type compiler struct {
	library *library
	limits  format.Limits
	depth   int // of what is composed of others, now
	steps   int // so far
	most    int // steps
	bytes   int // of the types, estimated
	made    map[string]*json.Type
	joined  map[string]joined
	waiting []waiting
}

// joined is the type of schemas that count together.
type joined struct {
	typ      *json.Type
	nullable bool
	flat     *flat // what they say about themselves
}

// waiting is a type whose fields are not made yet.
type waiting struct {
	typ  *json.Type
	form *form
	path string
}

// stepsPerValue, besides some for each column that there may be, bound the work: schemas that are composed of each other again and again stand for billions.
const (
	stepsPerValue  = 16
	stepsPerColumn = 20
	stepsPerField  = 8
	typeBytes      = 200
	onlyBytes      = 8 // of a value of json.Type.Only
)

// step counts work.
func (c *compiler) step(n int, path string) error {
	if c.steps += n; c.steps > c.most {
		return schemaErrorf(path, "the schema is composed of its parts in too many ways: it took more than %d steps", c.most)
	}
	return nil
}

// tooDeep is the error of a schema whose composition does not end, or not soon.
func (c *compiler) tooDeep(path string) error {
	return schemaErrorf(path, "the schema is composed of itself, or nests deeper than %d levels", c.limits.SchemaDepth)
}

// compile makes the type of the values as a whole, and of all that lies within.
func (c *compiler) compile(root *value) (joined, error) {
	whole, err := c.of([]*value{root}, nil, "")
	if err != nil {
		return joined{}, err
	}
	for len(c.waiting) > 0 {
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		if err := c.fill(next.typ, next.form, next.path); err != nil {
			return joined{}, err
		}
	}
	return whole, nil
}

// of returns the type of schemas that count together, and of which one counts each.
func (c *compiler) of(all, either []*value, path string) (joined, error) {
	key := keyOf("", all, either)
	if known, ok := c.joined[key]; ok {
		return known, nil
	}
	f, err := c.flatten(all, path)
	if err != nil {
		return joined{}, err
	}
	if len(either) > 0 {
		f.choices = append(f.choices, either)
	}
	out := joined{flat: f}
	if f.never { // no value is valid, such as the one of a member that must not be there
		out.typ, out.nullable = c.new(json.Null), true
	} else {
		forms, err := c.expand(f, path, nil)
		if err != nil {
			return joined{}, err
		}
		if out.typ, out.nullable, err = c.join(forms, path); err != nil {
			return joined{}, err
		}
	}
	out.nullable = out.nullable || f.nullable
	c.joined[key] = out
	return out, nil
}

func (c *compiler) new(k json.Kind) *json.Type {
	c.bytes += typeBytes
	return &json.Type{Kind: k}
}

// keyOf is equal for the same schemas.
func keyOf(what string, lists ...[]*value) string {
	b := []byte(what)
	for _, list := range lists {
		for _, v := range list {
			b = append(strconv.AppendInt(b, int64(v.id), 36), ' ')
		}
		b = append(b, '|')
	}
	return string(b)
}

// fill makes the fields of a type.
func (c *compiler) fill(t *json.Type, f *form, path string) error {
	switch t.Kind {
	case json.Object:
		return c.fillObject(t, f, path)
	case json.Array:
		item, err := c.of(f.items, nil, format.JoinPath(path, "item"))
		if err != nil {
			return err
		}
		t.Items = &json.Field{Name: "item", Type: item.typ, Nullable: item.nullable, Tags: item.flat.tags}
	case json.Map:
		all, either := f.others, []*value(nil)
		if len(f.patterns) > 0 {
			all, either = nil, append(f.others[:len(f.others):len(f.others)], f.patterns...)
		}
		value, err := c.of(all, either, format.JoinPath(path, "value"))
		if err != nil {
			return err
		}
		t.Items = &json.Field{Name: "value", Type: value.typ, Nullable: value.nullable, Tags: value.flat.tags}
	case json.Entries:
		for i, name := range entryNames {
			e, err := c.of(f.byName[name].all, nil, format.JoinPath(path, name))
			if err != nil {
				return err
			}
			t.Fields[i] = json.Field{Name: name, Type: e.typ, Nullable: e.nullable || !f.required[name], Optional: !f.required[name], Tags: e.flat.tags}
		}
	}
	return nil
}

func (c *compiler) fillObject(t *json.Type, f *form, path string) error {
	if err := c.step(stepsPerField*len(f.members), path); err != nil {
		return err
	}
	indices := make(map[string]int, len(f.members))
	t.Fields = make([]json.Field, 0, len(f.members))
	for _, m := range f.members {
		of, err := c.of(m.all, m.maybe, format.JoinPath(path, m.name))
		if err != nil {
			return err
		}
		c.bytes += typeBytes
		indices[m.name] = of.flat.index
		t.Fields = append(t.Fields, json.Field{Name: m.name, Type: of.typ, Nullable: of.nullable || !f.required[m.name] || m.all == nil, Optional: !f.required[m.name], Tags: of.flat.tags})
	}
	slices.SortStableFunc(t.Fields, func(a, b json.Field) int { return cmp.Compare(indices[a.Name], indices[b.Name]) })
	return nil
}

// entryNames are the members of Connect's maps that are arrays.
var entryNames = []string{"key", "value"}

// branch is a type that values of some JSON types have.
type branch struct {
	takes kinds
	typ   *json.Type
	name  string // of an object
}

// join makes the type of values that have one of several forms.
func (c *compiler) join(forms []*form, path string) (typ *json.Type, nullable bool, err error) {
	if len(forms) == 0 {
		return nil, false, schemaErrorf(path, "no value fits the schema: what it demands contradicts itself")
	}
	var found []branch
	for _, f := range forms {
		nullable = nullable || f.nullable || f.types&isNull != 0
		if found, err = c.branchesOf(f, found, path); err != nil {
			return nil, false, err
		}
	}
	var takes kinds
	for _, b := range found {
		takes |= b.takes
	}
	found, distinct := c.merge(found)
	switch {
	case len(found) == 0:
		return c.new(json.Null), true, nil
	case !distinct:
		text := c.new(json.Any)
		text.Takes = takes.values()
		return text, nullable, nil
	case len(found) == 1:
		return found[0].typ, nullable, nil
	}
	union := c.new(json.Union)
	taken := map[string]bool{}
	for _, b := range found {
		name := b.word()
		for i := 2; taken[name]; i++ {
			name = b.word() + "_" + strconv.Itoa(i)
		}
		taken[name] = true
		union.Fields = append(union.Fields, json.Field{Name: name, Type: b.typ, Nullable: true})
	}
	return union, nullable, nil
}

// values are the same for a column of JSON texts, which does not tell numbers apart; 0 stands for all.
func (k kinds) values() (out json.Values) {
	for _, each := range []struct {
		kinds  kinds
		values json.Values
	}{{isObject, json.Objects}, {isArray, json.Arrays}, {isString, json.Strings}, {isNumber, json.Numbers}, {isBoolean, json.Booleans}} {
		if k&each.kinds != 0 {
			out |= each.values
		}
	}
	return out
}

// word is what a branch of a union is called.
func (b branch) word() string {
	switch b.takes {
	case isBoolean:
		return "boolean"
	case isString:
		return "string"
	case isArray:
		return "array"
	case isObject:
		return cmp.Or(b.name[strings.LastIndexByte(b.name, '.')+1:], "object")
	}
	if b.typ.Kind == json.Integer || b.typ.Kind == json.Epoch {
		return "integer"
	}
	return "number"
}

// merge makes one of branches that are not told apart by JSON's types. distinct: all are told apart.
func (c *compiler) merge(found []branch) (out []branch, distinct bool) {
next:
	for _, b := range found {
		if b.typ.Kind == json.Any {
			return found[:1], false
		}
		for i, o := range out {
			if o.takes&b.takes == 0 {
				continue
			}
			if o.typ != b.typ && o.typ.Kind == json.Object && b.typ.Kind == json.Object { // told apart by their members
				continue
			}
			if o.typ = c.both(o.typ, b.typ); o.typ == nil {
				return found[:1], false
			}
			o.takes |= b.takes
			out[i] = o
			continue next
		}
		out = append(out, b)
	}
	return out, true
}

// both is the type of values of either type; nil: there is none.
func (c *compiler) both(a, b *json.Type) *json.Type {
	switch {
	case a == b:
		return a
	case a.Kind == b.Kind && a.Kind == json.Enum:
		out := c.new(json.Enum)
		out.Symbols = slices.Clone(a.Symbols)
		for _, s := range b.Symbols {
			if !slices.Contains(out.Symbols, s) {
				out.Symbols = append(out.Symbols, s)
			}
		}
		return out
	case a.Kind == b.Kind && isScalar(a) && (a.Arrow == nil) == (b.Arrow == nil) && (a.Arrow == nil || arrow.TypeEqual(a.Arrow, b.Arrow)):
		return c.either(a, b)
	case isText(a) && isText(b):
		return c.new(json.Text)
	case a.Kind == json.Number && isWholeType(b), isWholeType(a) && b.Kind == json.Number:
		return c.new(json.Number)
	case isWholeType(a) && isWholeType(b):
		return c.new(json.Integer)
	}
	return nil
}

// either is the type of values of two types that are the same but for Only.
func (c *compiler) either(a, b *json.Type) *json.Type {
	if a.Only == nil {
		return a
	}
	out := c.new(a.Kind)
	*out = *a
	if out.Only = nil; b.Only != nil {
		out.Only = slices.Concat(a.Only, b.Only)
		c.bytes += onlyBytes * len(out.Only)
	}
	return out
}

// isScalar reports whether the kind and the Arrow type say all of a type.
func isScalar(t *json.Type) bool {
	switch t.Kind {
	case json.Boolean, json.Integer, json.Number, json.Text, json.Base64, json.DateTime, json.Date, json.Time, json.Epoch, json.UnscaledDecimal:
		return true
	}
	return false
}

func isText(t *json.Type) bool {
	switch t.Kind {
	case json.Text, json.Base64, json.Enum, json.DateTime, json.Date, json.Time:
		return true
	}
	return false
}

func isWholeType(t *json.Type) bool { return t.Kind == json.Integer || t.Kind == json.Epoch }

// branchesOf adds the types that values of a form have: one for each JSON type. Where something says nothing of them, it is the type of any value.
func (c *compiler) branchesOf(f *form, found []branch, path string) ([]branch, error) {
	if err := c.step(len(f.values), path); err != nil {
		return nil, err
	}
	types := f.types &^ isNull
	if f.limited {
		if t := c.listed(f, types); t != nil {
			return append(found, branch{takes: types, typ: t}), nil
		}
	}
	t, err := f.decimal(path)
	if err != nil {
		return nil, err
	}
	if t != nil {
		c.bytes += typeBytes
		found, types = append(found, branch{takes: types & (isNumber | isString), typ: t}), types&^(isNumber|isString)
	}
	for _, each := range []struct {
		types kinds
		make  func() (*json.Type, error)
	}{
		{isBoolean, func() (*json.Type, error) { return c.only(f, isBoolean, &json.Type{Kind: json.Boolean}), nil }},
		{isNumber, func() (*json.Type, error) { return c.only(f, isNumber, f.number()), nil }},
		{isString, func() (*json.Type, error) { return f.string(), nil }},
		{isArray, func() (*json.Type, error) { return c.array(f, path) }},
		{isObject, func() (*json.Type, error) { return c.object(f, path) }},
	} {
		if types&each.types == 0 {
			continue
		}
		if types == anything&^isNull { // all of them
			return append(found, branch{takes: types, typ: c.new(json.Any)}), nil
		}
		t, err := each.make()
		if err != nil {
			return nil, err
		}
		c.bytes += typeBytes
		found = append(found, branch{takes: each.types, typ: t, name: f.name})
	}
	return found, nil
}

// listed is the type of values of a list: an enum, if they are all strings. nil: that of any values of the JSON type that they have.
func (c *compiler) listed(f *form, types kinds) *json.Type {
	switch {
	case types == isString:
		enum := c.new(json.Enum)
		for _, v := range f.values {
			if v.kind == isString {
				enum.Symbols = append(enum.Symbols, v.text)
				c.bytes += len(v.text)
			}
		}
		return enum
	case types == 0, types == isBoolean, types&^isNumber == 0, types == isObject && len(f.members) > 0, types == isArray && len(f.items) > 0:
		return nil
	}
	return c.new(json.Any)
}

// only notes the values of an enum or a const by which objects are told apart, where they are booleans or whole numbers.
func (c *compiler) only(f *form, of kinds, t *json.Type) *json.Type {
	if !f.limited || t.Kind != json.Boolean && t.Kind != json.Integer {
		return t
	}
	var found []int64
	for _, v := range f.values {
		switch {
		case v.kind&of == 0:
		case v.kind == isBoolean && v.yes:
			found = append(found, 1)
		case v.kind == isBoolean:
			found = append(found, 0)
		default:
			n, err := strconv.ParseInt(v.text, 10, 64)
			if err != nil { // such as 1.0: it is looked at when it is read
				return t
			}
			found = append(found, n)
		}
	}
	t.Only = found
	c.bytes += onlyBytes * len(found)
	return t
}

// same returns the type of these schemas that was made before, or a new one whose fields are made later.
func (c *compiler) same(k json.Kind, f *form, path string) *json.Type {
	key := keyOf(strconv.Itoa(int(k))+" ", f.own, f.maybe)
	if made := c.made[key]; made != nil {
		return made
	}
	t := c.new(k)
	t.Name = f.name
	c.made[key] = t
	c.waiting = append(c.waiting, waiting{t, f, path})
	return t
}

func (c *compiler) object(f *form, path string) (*json.Type, error) {
	switch {
	case len(f.members) > 0:
		return c.same(json.Object, f, path), nil
	case len(f.others) > 0, f.closed && len(f.patterns) > 0:
		return c.same(json.Map, f, path), nil
	}
	return c.new(json.Any), nil
}

func (c *compiler) array(f *form, path string) (*json.Type, error) {
	if f.tuple || len(f.items) == 0 {
		return c.new(json.Any), nil
	}
	if f.connectType() != "map" {
		return c.same(json.Array, f, path), nil
	}
	flat, err := c.flatten(f.items, path)
	if err != nil {
		return nil, err
	}
	entry, err := c.form(flat.own, path)
	if err != nil {
		return nil, err
	}
	for _, name := range entryNames {
		if entry.byName[name] == nil {
			return c.same(json.Array, f, path), nil
		}
	}
	t := c.same(json.Entries, entry, path)
	if t.Fields == nil {
		t.Fields = make([]json.Field, len(entryNames))
	}
	return t, nil
}

// typeName is the message type: what the schema calls itself.
func typeName(f *flat) string { return strings.TrimSpace(f.title) }
