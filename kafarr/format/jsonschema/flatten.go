package jsonschema

import (
	"math"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// flat is a schema without its references: what it says itself, and what those say that it refers to or is composed of (allOf).
type flat struct {
	own     []*value        // the schemas whose keywords count, all of them
	choices []choice        // of which one counts each
	maybe   []*value        // schemas that count for some values: then, else, dependentSchemas
	never   bool            // nothing is a value of it
	entered map[*value]bool // false: what it refers to is being looked at

	// What the outermost schema says counts.
	title    string
	name     string // of the type, where there is no title: the last part of a $ref
	index    int    // connect.index
	nullable bool
	tags     []string
}

// choice is an anyOf or a oneOf.
type choice []*value

// noIndex is that of fields without a connect.index, which come after the others.
const noIndex = math.MaxInt

// flatten makes the flat schema of several that count together.
func (c *compiler) flatten(schemas []*value, path string) (*flat, error) {
	f := &flat{entered: map[*value]bool{}, index: noIndex}
	for _, s := range schemas {
		if err := c.add(f, s, path); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// add adds what a schema says.
func (c *compiler) add(f *flat, s *value, path string) error {
	if err := c.step(1, path); err != nil {
		return err
	}
	if s.kind == isBoolean {
		f.never = f.never || !s.yes
		return nil
	}
	if s.kind != isObject {
		return schemaErrorf(path, "a schema is an object, true or false, not %s", format.ShortName(s.String()))
	}
	if done, twice := f.entered[s]; twice {
		if !done {
			return schemaErrorf(path, "the schema is composed of itself: its $ref, allOf, anyOf or oneOf leads back to it")
		}
		return nil
	}
	if c.depth++; c.depth > c.limits.SchemaDepth {
		return c.tooDeep(path)
	}
	f.entered[s] = false
	err := c.keywords(f, s, path)
	f.entered[s] = true
	c.depth--
	return err
}

// keywords adds a schema's keywords in the order of the text, as that of the members follows from it.
func (c *compiler) keywords(f *flat, s *value, path string) error {
	annotate(f, s)
	ref := s.get("$ref")
	if ref != nil && s.within.draft < draft2019 { // what stands beside it does not count
		return c.refer(f, s, ref, path)
	}
	counts := false
	for _, m := range s.members {
		var err error
		switch m.name {
		case "$ref":
			err = c.refer(f, s, m.value, path)
		case "$dynamicRef", "$recursiveRef":
			err = c.referDynamically(f, s, m, path)
		case "allOf":
			err = c.all(f, m.value, path)
		case "anyOf", "oneOf":
			err = c.choose(f, m, path)
		case "then", "else":
			f.maybe = append(f.maybe, m.value)
		case "dependentSchemas", "dependencies":
			for _, d := range m.value.members {
				if d.value.kind == isObject {
					f.maybe = append(f.maybe, d.value)
				}
			}
		case "properties", "type", "required", "additionalProperties", "patternProperties", "items", "prefixItems", "enum", "const", "format", "connect.type":
			if !counts {
				counts = true
				f.own = append(f.own, s)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// annotate notes what a schema says about itself, where no outer one has said it.
func annotate(f *flat, s *value) {
	if f.title == "" {
		f.title = s.word("title")
	}
	if index := s.get("connect.index"); index != nil && f.index == noIndex {
		if n, err := strconv.Atoi(index.text); err == nil {
			f.index = n
		}
	}
	f.nullable = f.nullable || s.is("nullable")
	if tags := s.get("confluent:tags"); tags != nil && f.tags == nil {
		for _, tag := range tags.items { // as tolerantly as serializers
			if tag.kind == isString {
				f.tags = append(f.tags, tag.text)
			}
		}
	}
}

func (c *compiler) refer(f *flat, s, ref *value, path string) error {
	if ref.kind != isString {
		return schemaErrorf(path, "$ref is %s, and no string", format.ShortName(ref.String()))
	}
	target, err := c.library.target(ref.text, s, path)
	if err != nil {
		return err
	}
	if f.name == "" {
		f.name = lastPart(ref.text)
	}
	return c.add(f, target, path)
}

// referDynamically follows a $dynamicRef or $recursiveRef. Where more than one schema answers to it, which one counts depends on the way that led to it: any value is taken then.
func (c *compiler) referDynamically(f *flat, s *value, ref member, path string) error {
	l := c.library
	if ref.value.kind != isString {
		return schemaErrorf(path, "%s is %s, and no string", ref.name, format.ShortName(ref.value.String()))
	}
	if ref.name == "$recursiveRef" && l.reenter > 1 || ref.name == "$dynamicRef" && l.dynamic[lastPart(ref.value.text)] > 1 {
		return nil
	}
	return c.refer(f, s, ref.value, path)
}

func (c *compiler) all(f *flat, list *value, path string) error {
	if list.kind != isArray {
		return schemaErrorf(path, "allOf is %s, and no array of schemas", format.ShortName(list.String()))
	}
	for _, s := range list.items {
		if err := c.add(f, s, path); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) choose(f *flat, m member, path string) error {
	if m.value.kind != isArray || len(m.value.items) == 0 {
		return schemaErrorf(path, "%s is %s, and no array of schemas", m.name, format.ShortName(m.value.String()))
	}
	f.choices = append(f.choices, m.value.items)
	return nil
}

// lastPart is the last part of a reference: what a person would call it.
func lastPart(ref string) string {
	end := len(ref)
	for end > 0 && (ref[end-1] == '#' || ref[end-1] == '/') {
		end--
	}
	begin := end
	for begin > 0 && ref[begin-1] != '/' && ref[begin-1] != '#' {
		begin--
	}
	return ref[begin:end]
}
