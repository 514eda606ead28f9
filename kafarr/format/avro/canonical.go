package avro

import "strconv"

// Canonical is the schema's parsing canonical form ("Parsing Canonical Form for Schemas" in the specification): two
// schemas that are written the same way have the same one. A named type is spelled out where it is first met and only
// named after that, so recursive schemas end, and the form is no longer than the schema.
func (s *Schema) Canonical() string {
	c := canonical{named: map[string]bool{}}
	c.schema(s)
	return string(c.out)
}

type canonical struct {
	out   []byte
	named map[string]bool // the types spelled out already
}

func (c *canonical) schema(s *Schema) {
	if s.Name != "" && c.named[s.Name] {
		c.text(s.Name)
		return
	}
	switch s.Type {
	case Record:
		c.define(s)
		c.raw(`,"fields":[`)
		for i, f := range s.Fields {
			c.comma(i)
			c.raw(`{"name":`)
			c.text(f.Name)
			c.raw(`,"type":`)
			c.schema(f.Type)
			c.raw(`}`)
		}
		c.raw(`]}`)
	case Enum:
		c.define(s)
		c.raw(`,"symbols":[`)
		for i, symbol := range s.Symbols {
			c.comma(i)
			c.text(symbol)
		}
		c.raw(`]}`)
	case Fixed:
		c.define(s)
		c.raw(`,"size":` + strconv.Itoa(s.Size) + `}`)
	case Array:
		c.raw(`{"type":"array","items":`)
		c.schema(s.Items)
		c.raw(`}`)
	case Map:
		c.raw(`{"type":"map","values":`)
		c.schema(s.Items)
		c.raw(`}`)
	case Union:
		c.raw(`[`)
		for i, b := range s.Branches {
			c.comma(i)
			c.schema(b)
		}
		c.raw(`]`)
	default:
		c.text(s.Type.String())
	}
}

// define begins a named type. An "error" is a record here, as it is in Java.
func (c *canonical) define(s *Schema) {
	c.named[s.Name] = true
	c.raw(`{"name":`)
	c.text(s.Name)
	c.raw(`,"type":`)
	c.text(s.Type.String())
}

func (c *canonical) comma(i int) {
	if i > 0 {
		c.raw(`,`)
	}
}

// text writes a name. Names consist of letters, digits, underscores and dots: there is nothing to escape.
func (c *canonical) text(name string) {
	c.raw(`"` + name + `"`)
}

func (c *canonical) raw(json string) { c.out = append(c.out, json...) }
