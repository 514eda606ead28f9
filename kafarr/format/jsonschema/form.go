package jsonschema

import "github.com/pykafarr/pykafarr/kafarr/format"

// form is what the keywords of a flat schema say together about the form of values. What they say about lengths, ranges and patterns of values is not looked at.
type form struct {
	types    kinds
	stated   bool // they say so: by type, enum or const
	members  []*memberForm
	byName   map[string]*memberForm
	required map[string]bool
	others   []*value // additionalProperties: what members must be that are not named
	closed   bool     // additionalProperties: false
	patterns []*value // of patternProperties
	items    []*value
	tuple    bool
	values   []*value // enum and const
	limited  bool     // they are the only values
	format   string
	connect  *value // the schema with Connect's annotations; nil: there are none
	logical  string // a title that is the name of a logical type
	own      []*value
	maybe    []*value
	name     string // of the type, as a branch of a union
	nullable bool
}

// memberForm is a member of an object: what counts for it always, and what may count for it. Only one of both is there.
type memberForm struct {
	name  string
	all   []*value
	maybe []*value
}

// form makes the form of schemas that count together.
func (c *compiler) form(own []*value, path string) (*form, error) {
	f := &form{types: anything, byName: map[string]*memberForm{}, required: map[string]bool{}, own: own}
	for _, s := range own {
		if err := c.step(1+len(s.members), path); err != nil {
			return nil, err
		}
		for _, m := range s.members {
			if err := c.keyword(f, s, m, path); err != nil {
				return nil, err
			}
		}
		if title := s.word("title"); f.logical == "" && isLogical(title) {
			f.logical = title
			f.connect = s
		}
	}
	if !f.stated {
		f.infer()
	}
	return f, nil
}

// infer gives schemas without "type" that of the values that they tell something of: strictly, others are valid, too.
func (f *form) infer() {
	objects := len(f.members) > 0 || len(f.others) > 0 || len(f.patterns) > 0
	arrays := len(f.items) > 0 || f.tuple
	switch {
	case objects && !arrays:
		f.types = isObject
	case arrays && !objects:
		f.types = isArray
	}
}

// isBare reports whether it says nothing about the type of values.
func (f *form) isBare() bool {
	return !f.stated && f.types == anything && f.connect == nil
}

func (c *compiler) keyword(f *form, s *value, m member, path string) error {
	v := m.value
	switch m.name {
	case "type":
		types, err := typesOf(v, path)
		if err != nil {
			return err
		}
		f.types &= types
		f.stated = true
	case "properties":
		return c.members(f, v, path)
	case "required":
		for _, name := range v.items {
			if name.kind == isString {
				f.required[name.text] = true
			}
		}
	case "additionalProperties":
		if v.kind == isBoolean {
			f.closed = f.closed || !v.yes
		} else if !isEmpty(v) {
			f.others = append(f.others, v)
		}
	case "patternProperties":
		for _, p := range v.members {
			f.patterns = append(f.patterns, p.value)
		}
	case "prefixItems":
		f.tuple = f.tuple || len(v.items) > 0
	case "items":
		switch {
		case v.kind == isArray:
			f.tuple = true
		case !isEmpty(v):
			f.items = append(f.items, v)
		}
	case "enum", "const":
		if err := c.step(len(v.items), path); err != nil {
			return err
		}
		return f.limit(m, path)
	case "format":
		if f.format == "" && v.kind == isString {
			f.format = v.text
		}
	case "connect.type":
		if f.connect == nil {
			f.connect = s
		}
	}
	return nil
}

// isEmpty reports whether a schema says nothing at all.
func isEmpty(v *value) bool {
	return v.kind == isBoolean && v.yes || v.kind == isObject && len(v.members) == 0
}

func typesOf(v *value, path string) (types kinds, err error) {
	list := []*value{v}
	if v.kind == isArray {
		list = v.items
	}
	for _, t := range list {
		known, ok := typeNames[t.text]
		if !ok || t.kind != isString {
			return 0, schemaErrorf(path, "the type %s is unknown: types are null, boolean, integer, number, string, array and object", format.ShortName(t.String()))
		}
		types |= known
	}
	return types, nil
}

func (c *compiler) members(f *form, properties *value, path string) error {
	if properties.kind != isObject {
		return schemaErrorf(path, "properties is %s, and no object", format.ShortName(properties.String()))
	}
	for _, p := range properties.members {
		known := f.member(p.name)
		known.all = append(known.all, p.value)
	}
	return c.step(len(properties.members), path)
}

// member returns the member of a name, which is a new one where there is none.
func (f *form) member(name string) *memberForm {
	m := f.byName[name]
	if m == nil {
		m = &memberForm{name: name}
		f.byName[name] = m
		f.members = append(f.members, m)
	}
	return m
}

// limit takes the values of an enum or a const.
func (f *form) limit(m member, path string) error {
	values := []*value{m.value}
	if m.name == "enum" {
		if values = m.value.items; m.value.kind != isArray {
			return schemaErrorf(path, "enum is %s, and no array", format.ShortName(m.value.String()))
		}
	}
	before := map[string]bool{}
	for _, v := range f.values {
		before[v.String()] = true
	}
	var both []*value
	var types kinds
	seen := map[string]bool{}
	for _, v := range values {
		text := v.String()
		if seen[text] || f.limited && !before[text] {
			continue
		}
		seen[text] = true
		both = append(both, v)
		types |= v.kind
	}
	f.values, f.limited, f.stated = both, true, true
	f.types &= types
	return nil
}

// mayHave adds the members of schemas that count for some values only. What is named elsewhere is not repeated: of that, more is known there.
func (c *compiler) mayHave(f *form, schemas []*value, path string) error {
	seen := map[*value]bool{}
	for _, s := range schemas {
		if err := c.mayHaveOf(f, s, seen, path); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) mayHaveOf(f *form, s *value, seen map[*value]bool, path string) error {
	if s.kind != isObject || seen[s] {
		return nil
	}
	seen[s] = true
	if c.depth++; c.depth > c.limits.SchemaDepth {
		return c.tooDeep(path)
	}
	defer func() { c.depth-- }()
	flat, err := c.flatten([]*value{s}, path)
	if err != nil {
		return err
	}
	for _, own := range flat.own {
		properties := own.get("properties")
		if properties == nil {
			continue
		}
		if err := c.step(len(properties.members), path); err != nil {
			return err
		}
		for _, p := range properties.members {
			known := f.member(p.name)
			if known.all == nil && (p.value.kind != isBoolean || p.value.yes) {
				known.maybe = append(known.maybe, p.value)
			}
		}
	}
	more := flat.maybe
	for _, of := range flat.choices {
		more = append(more, of...)
	}
	for _, s := range more {
		if err := c.mayHaveOf(f, s, seen, path); err != nil {
			return err
		}
	}
	return nil
}
