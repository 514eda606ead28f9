package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Infer makes a schema of a name of messages, which is the same for the same ones. Its members come in the order in which they first stand there, and all of them are nullable. What of the
// messages is not JSON is passed over: it fails when it is read. The error says that nothing is.
//
// Whole numbers are int64, numbers double, and what is null throughout, or of several types, is the JSON text. If any message is an object, the schema is that of objects.
func Infer(name string, bodies []format.Body) (*Schema, error) {
	root := &guess{}
	var first error
	for _, b := range bodies {
		if b.Len < 0 {
			continue
		}
		one := &guess{}
		err := one.read(b)
		if err == nil {
			root.add(one)
		} else if first == nil {
			first = err
		}
	}
	if root.kind == unknown && !root.null {
		if first == nil {
			return nil, schemaErrorf("", "there is no message with a value to infer a schema from")
		}
		return nil, schemaErrorf("", "no message is JSON, so that there is no schema to infer: %v", first)
	}
	if root.members != nil {
		root.kind = object
	}
	t := root.resolve(0)
	s := NewSchema(name, Field{Type: t, Nullable: t.Kind != Object}, 0)
	s.text = len(s.Text())
	return s, nil
}

// guessed is what the values of a place have in common so far.
type guessed uint8

const (
	unknown guessed = iota
	truth
	whole
	fractional
	text
	object
	array
	mixed
)

// guess is what stands in one place of the messages.
type guess struct {
	kind    guessed
	null    bool     // there was one
	names   []string // of an object, in the order in which they came
	members map[string]*guess
	items   *guess
}

// read reads a body.
func (g *guess) read(b format.Body) error {
	content := bytes.TrimPrefix(format.Span(b.Data, 0, b.Len), []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := g.value(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

// value reads a value. What nests deeper than values may is no JSON to those that read it, either.
func (g *guess) value(d *json.Decoder, depth int) error {
	if depth > format.DefaultLimits.ValueDepth {
		return fmt.Errorf("the value nests deeper than %d levels", format.DefaultLimits.ValueDepth)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case nil:
		g.null = true
	case bool:
		g.is(truth)
	case string:
		g.is(text)
	case json.Number:
		g.is(numberKind(v.String()))
	case json.Delim:
		if v == '[' {
			g.is(array)
			if g.items == nil {
				g.items = &guess{}
			}
			for d.More() {
				if err := g.items.value(d, depth+1); err != nil {
					return err
				}
			}
		} else {
			g.is(object)
			if g.members == nil {
				g.members = map[string]*guess{}
			}
			for d.More() {
				name, err := d.Token()
				if err != nil {
					return err
				}
				member := &guess{}
				if err := member.value(d, depth+1); err != nil {
					return err
				}
				g.member(name.(string)).add(member)
			}
		}
		_, err = d.Token() // the closing bracket
	}
	return err
}

// numberKind is the kind of a number: a whole one beyond 64 bits, or one beyond a double, has a text only.
func numberKind(number string) guessed {
	if !strings.ContainsAny(number, ".eE") {
		if _, err := strconv.ParseInt(number, 10, 64); err != nil {
			return mixed
		}
		return whole
	}
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return mixed
	}
	return fractional
}

// member returns the guess of a member.
func (g *guess) member(name string) *guess {
	m, known := g.members[name]
	if !known {
		m = &guess{}
		if len(g.names) > maxInferredMembers { // names are data here: nothing is made of them
			return m
		}
		g.members[name] = m
		g.names = append(g.names, name)
	}
	return m
}

// is notes that there is a value of a kind.
func (g *guess) is(k guessed) {
	switch {
	case g.kind == unknown || g.kind == k:
		g.kind = k
	case g.kind == whole && k == fractional || g.kind == fractional && k == whole:
		g.kind = fractional
	default:
		g.kind = mixed
	}
}

// add adds what stands in the same place elsewhere.
func (g *guess) add(other *guess) {
	g.null = g.null || other.null
	if other.kind != unknown {
		g.is(other.kind)
	}
	if other.items != nil {
		if g.items == nil {
			g.items = &guess{}
		}
		g.items.add(other.items)
	}
	if other.members != nil && g.members == nil {
		g.members = map[string]*guess{}
	}
	for _, name := range other.names {
		g.member(name).add(other.members[name])
	}
}

// Objects of more members, whose names are data rather than names, and what nests deeper, are texts.
const (
	maxInferredMembers = 1000
	maxInferredDepth   = 30
)

// resolve makes the type of a guess.
func (g *guess) resolve(depth int) *Type {
	if depth > maxInferredDepth {
		return &Type{Kind: Any}
	}
	switch g.kind {
	case truth:
		return &Type{Kind: Boolean}
	case whole:
		return &Type{Kind: Integer, Arrow: arrow.PrimitiveTypes.Int64}
	case fractional:
		return &Type{Kind: Number, Arrow: arrow.PrimitiveTypes.Float64}
	case text:
		return &Type{Kind: Text}
	case array:
		return &Type{Kind: Array, Items: &Field{Type: g.items.resolve(depth + 1), Nullable: true}}
	case object:
		if len(g.names) == 0 || len(g.names) > maxInferredMembers {
			break
		}
		t := &Type{Kind: Object}
		for _, name := range g.names {
			t.Fields = append(t.Fields, Field{Name: name, Type: g.members[name].resolve(depth + 1), Nullable: true})
		}
		return t
	}
	return &Type{Kind: Any}
}
