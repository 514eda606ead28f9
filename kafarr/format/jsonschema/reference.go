package jsonschema

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// target finds the schema that a $ref leads to. What neither the schema nor its references hold is an error: a network is never asked.
func (l *library) target(ref string, from *value, path string) (*value, error) {
	name, fragment, _ := strings.Cut(ref, "#")
	r := from.within
	if name != "" {
		var err error
		if r, err = l.resource(ref, name, from.within, path); err != nil {
			return nil, err
		}
	}
	if plain, err := url.PathUnescape(fragment); err == nil {
		fragment = plain
	}
	v := r.root
	switch {
	case fragment == "":
	case strings.HasPrefix(fragment, "/"):
		if v = pointed(r.root, fragment); v == nil {
			return nil, schemaErrorf(path, "$ref %q leads nowhere: there is no %s in its schema", format.ShortName(ref), format.ShortName(fragment))
		}
	default:
		if v = r.anchors[fragment]; v == nil {
			return nil, schemaErrorf(path, "$ref %q leads nowhere: its schema has no anchor %q", format.ShortName(ref), format.ShortName(fragment))
		}
	}
	if v.kind != isObject && v.kind != isBoolean {
		return nil, schemaErrorf(path, "$ref %q leads to %s, which is no schema", format.ShortName(ref), format.ShortName(v.String()))
	}
	l.enter(v, r, false)
	return v, nil
}

// resource finds the one that a $ref names. The name of a reference comes first: it is what stands in $ref.
func (l *library) resource(ref, name string, base *resource, path string) (*resource, error) {
	uri, err := base.uri.Parse(name)
	if err != nil {
		return nil, schemaErrorf(path, "$ref %q is no URI: %v", format.ShortName(ref), err)
	}
	named := l.byName[name]
	if len(named) == 0 {
		named = l.byName[uri.String()]
	}
	if len(named) == 1 {
		return named[0].root.within, nil
	}
	if len(named) > 1 {
		return nil, ambiguous(ref, named, path)
	}
	known := l.byURI[withoutFragment(uri).String()]
	if len(known) == 1 {
		return known[0], nil
	}
	if len(known) > 1 {
		texts := make([]*document, len(known))
		for i, r := range known {
			texts[i] = r.text
		}
		return nil, ambiguous(ref, texts, path)
	}
	names := make([]string, 0, len(l.byName))
	for known := range l.byName {
		names = append(names, known)
	}
	slices.Sort(names)
	have := "the schema has no references"
	if len(names) > 0 {
		have = "the schema's references are " + firstOf(names) + nearest.Hint(name, names)
	}
	return nil, schemaErrorf(path, "$ref %q leads nowhere: %s; nothing is fetched from a network: register the schema with a reference of that name", format.ShortName(ref), have)
}

// ambiguous is the error of a reference that several texts answer to.
func ambiguous(ref string, texts []*document, path string) error {
	e := &SchemaError{Path: path, Msg: fmt.Sprintf("$ref %q may be one of %d different schemas", format.ShortName(ref), len(texts))}
	for _, t := range texts {
		if !slices.Contains(e.Twice, t.number) {
			e.Twice = append(e.Twice, t.number)
		}
	}
	if len(e.Twice) < 2 { // both are in one text
		e.Twice = nil
	}
	return e
}

// pointed follows a JSON pointer; nil: it leads nowhere.
func pointed(v *value, pointer string) *value {
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		if v.kind == isArray {
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || n >= len(v.items) {
				return nil
			}
			v = v.items[n]
			continue
		}
		if v = v.get(part); v == nil {
			return nil
		}
	}
	return v
}

// firstOf lists names for an error: the first twenty.
func firstOf(names []string) string {
	const most = 20
	cut := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		cut = append(cut, format.ShortName(name))
	}
	if len(names) > most {
		cut = append(cut, "…")
	}
	return strings.Join(cut, ", ")
}
