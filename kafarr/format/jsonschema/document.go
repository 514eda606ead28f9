package jsonschema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// value is a JSON value of a schema's text. Members of an object keep the order of the text, since columns follow it.
type value struct {
	kind    kinds    // one of them
	text    string   // of a string, and of a number as it stands
	yes     bool     // of a boolean
	items   []*value // of an array
	members []member // of an object
	index   map[string]int
	id      int       // in the order of the texts
	within  *resource // that it is a schema of; nil: it stands where no schema does, so far
	json    string    // String's answer
}

type member struct {
	name  string
	value *value
}

// kinds is a set of JSON's types, where whole numbers and others are told apart.
type kinds uint8

const (
	isNull kinds = 1 << iota
	isBoolean
	isWhole
	isFraction
	isString
	isArray
	isObject
	isNumber = isWhole | isFraction
	anything = 1<<7 - 1
)

// typeNames are the words of "type".
var typeNames = map[string]kinds{
	"null": isNull, "boolean": isBoolean, "integer": isWhole, "number": isNumber, "string": isString, "array": isArray, "object": isObject,
}

// fewMembers are found without an index.
const fewMembers = 8

// get returns a member of an object; nil: there is none, or it is no object.
func (v *value) get(name string) *value {
	if len(v.members) <= fewMembers {
		for i := range v.members {
			if v.members[i].name == name {
				return v.members[i].value
			}
		}
		return nil
	}
	if i, ok := v.index[name]; ok {
		return v.members[i].value
	}
	return nil
}

// word returns a member that is a string; empty: there is none.
func (v *value) word(name string) string {
	if m := v.get(name); m != nil && m.kind == isString {
		return m.text
	}
	return ""
}

// is reports whether a member is true.
func (v *value) is(name string) bool {
	m := v.get(name)
	return m != nil && m.kind == isBoolean && m.yes
}

// String renders the value as JSON, the members of objects in their order.
func (v *value) String() string {
	if v.json == "" {
		var b strings.Builder
		v.write(&b)
		v.json = b.String()
	}
	return v.json
}

func (v *value) write(b *strings.Builder) {
	switch v.kind {
	case isNull:
		b.WriteString("null")
	case isBoolean:
		fmt.Fprint(b, v.yes)
	case isString:
		fmt.Fprintf(b, "%q", v.text)
	case isArray:
		for i, item := range v.items {
			b.WriteByte("[,"[min(i, 1)])
			item.write(b)
		}
		if len(v.items) == 0 {
			b.WriteByte('[')
		}
		b.WriteByte(']')
	case isObject:
		b.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%q:", m.name)
			m.value.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(v.text)
	}
}

// reader reads the texts of a schema and of those that it refers to.
type reader struct {
	decoder *json.Decoder
	depth   int
	most    int // that values may nest
	values  int // of all texts, so far
}

// jsonLevels is how many levels of JSON a level of a schema takes, at the most: an object, its "properties" or "anyOf", and one to spare.
const jsonLevels = 3

// read reads a text.
func (r *reader) read(text string) (*value, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	r.decoder = json.NewDecoder(strings.NewReader(text))
	r.decoder.UseNumber()
	v, err := r.next("")
	if err != nil {
		return nil, err
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, schemaErrorf("", "the schema has text after its end")
	}
	return v, nil
}

func (r *reader) token() (json.Token, error) {
	t, err := r.decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, schemaErrorf("", "the schema is not JSON: %v (at byte %d)", err, r.decoder.InputOffset())
	}
	return t, nil
}

// next reads a value. place is where it stands, as a JSON pointer.
func (r *reader) next(place string) (*value, error) {
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	r.values++
	v := &value{id: r.values}
	switch t := t.(type) {
	case nil:
		v.kind = isNull
	case bool:
		v.kind, v.yes = isBoolean, t
	case string:
		v.kind, v.text = isString, t
	case json.Number:
		v.kind, v.text = isFraction, t.String()
		if isWholeNumber(v.text) {
			v.kind = isWhole
		}
	case json.Delim:
		if r.depth++; r.depth > r.most {
			return nil, schemaErrorf("", "the schema nests deeper than %d levels, at %s", r.most, format.ShortName(place))
		}
		if t == '[' {
			v.kind = isArray
			err = r.array(v, place)
		} else {
			v.kind = isObject
			err = r.object(v, place)
		}
		r.depth--
	}
	return v, err
}

func (r *reader) array(v *value, place string) error {
	for r.decoder.More() {
		item, err := r.next(place)
		if err != nil {
			return err
		}
		v.items = append(v.items, item)
	}
	_, err := r.token()
	return err
}

func (r *reader) object(v *value, place string) error {
	v.index = map[string]int{}
	for r.decoder.More() {
		t, err := r.token()
		if err != nil {
			return err
		}
		name := t.(string) // the decoder refuses others
		if _, twice := v.index[name]; twice {
			return schemaErrorf("", "the member %q is there twice in the object at %s: which of both counts depends on who reads it", format.ShortName(name), format.ShortName(place+"/"))
		}
		below := place
		if len(below) <= format.MaxName {
			below += "/" + name
		}
		m, err := r.next(below)
		if err != nil {
			return err
		}
		v.index[name] = len(v.members)
		v.members = append(v.members, member{name, m})
	}
	if len(v.members) <= fewMembers {
		v.index = nil
	}
	_, err := r.token()
	return err
}

// isWholeNumber reports whether the text of a number has no fraction: 1.0 and 1e2 are whole, 1.5 and 1e-2 are not.
func isWholeNumber(text string) bool {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	_, digits, _ := strings.Cut(mantissa, ".")
	if !scientific {
		return strings.Trim(digits, "0") == ""
	}
	var n int
	if _, err := fmt.Sscan(exponent, &n); err != nil {
		return false
	}
	return n >= len(strings.TrimRight(digits, "0")) || n >= 0 && strings.Trim(digits, "0") == ""
}
