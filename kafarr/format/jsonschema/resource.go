package jsonschema

import (
	"net/url"
	"strings"
)

// draft is a version of JSON Schema. Versions differ in few points that matter to columns.
type draft int

const (
	draft4 draft = 4
	draft6 draft = 6
	draft7 draft = 7
	// From here on, what stands beside a $ref counts.
	draft2019 draft = 2019
	draft2020 draft = 2020
)

// drafts finds a version by a part of what stands in $schema.
var drafts = []struct {
	part string
	draft
}{{"draft-04", draft4}, {"draft-06", draft6}, {"draft-07", draft7}, {"2019-09", draft2019}, {"2020-12", draft2020}}

// draftOf returns the version that a text names, and draft 7 where it names none, as Confluent's serializers do.
func draftOf(schema *value, otherwise draft) draft {
	name := schema.word("$schema")
	for _, d := range drafts {
		if strings.Contains(name, d.part) {
			return d.draft
		}
	}
	return otherwise
}

// resource is a schema that has a URI of its own: a text, or a part of one with an $id.
type resource struct {
	uri     *url.URL // without a fragment
	root    *value
	text    *document // that it stands in
	draft   draft
	anchors map[string]*value
}

// nowhere is the base of texts without an $id. Names of references are relative to it, too. It is only compared, never asked.
var nowhere = &url.URL{Scheme: "schema", Path: "/"}

// Where schemas stand within schemas.
var (
	schemaKeywords = []string{
		"additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
	}
	listKeywords = []string{"allOf", "anyOf", "oneOf", "items", "prefixItems"}
	mapKeywords  = []string{"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)

// library holds the resources of all texts. Nothing is ever fetched.
type library struct {
	byURI   map[string][]*resource // more than one: nobody knows which is meant
	byName  map[string][]*document // by the names of references
	draft   draft                  // of texts that do not name theirs
	dynamic map[string]int         // how many schemas have a $dynamicAnchor of a name
	reenter int                    // how many have a $recursiveAnchor
}

// document is a text that was read.
type document struct {
	root   *value
	number int // in the references; their number, for the schema itself
}

// add enters a text under the name that refers to it; empty: it is the schema itself.
func (l *library) add(t *document, name string) {
	uri := nowhere
	if name != "" {
		l.byName[name] = append(l.byName[name], t)
		if parsed, err := nowhere.Parse(name); err == nil {
			uri = withoutFragment(parsed)
		}
	}
	r := t.root.within
	if r == nil {
		r = &resource{uri: uri, root: t.root, text: t, draft: draftOf(t.root, l.draft), anchors: map[string]*value{}}
		l.enter(t.root, r, true)
	}
	if name != "" {
		l.know(uri, r)
	}
}

// know enters a resource under a URI.
func (l *library) know(uri *url.URL, r *resource) {
	for _, other := range l.byURI[uri.String()] {
		if other.root == r.root {
			return
		}
	}
	l.byURI[uri.String()] = append(l.byURI[uri.String()], r)
}

// enter notes which resource a schema and those within it belong to. Only what stands where schemas stand can have a URI or an anchor: in an enum, $id is a member like others.
func (l *library) enter(v *value, r *resource, known bool) {
	if v.within != nil || v.kind != isObject && v.kind != isBoolean {
		return
	}
	if v.kind == isObject {
		r = l.identify(v, r, known)
	}
	v.within = r
	for _, k := range schemaKeywords {
		if s := v.get(k); s != nil {
			l.enter(s, r, known)
		}
	}
	for _, k := range listKeywords {
		if list := v.get(k); list != nil {
			for _, s := range list.items {
				l.enter(s, r, known)
			}
		}
	}
	for _, k := range mapKeywords {
		if of := v.get(k); of != nil {
			for _, m := range of.members {
				l.enter(m.value, r, known)
			}
		}
	}
}

// identify reads the URI and the anchors of a schema, and returns the resource that it belongs to.
func (l *library) identify(v *value, r *resource, known bool) *resource {
	keyword := "$id"
	if draftOf(v, r.draft) == draft4 {
		keyword = "id"
	}
	if id := v.word(keyword); id != "" && (r.draft >= draft2019 || v == r.root || v.get("$ref") == nil) { // beside a $ref, older versions pass over it
		if parsed, err := r.uri.Parse(id); err == nil {
			if !strings.HasPrefix(id, "#") {
				anchors := map[string]*value{}
				if v == r.root { // what it is known as by a reference's name is the same resource
					anchors = r.anchors
				}
				r = &resource{uri: withoutFragment(parsed), root: v, text: r.text, draft: draftOf(v, r.draft), anchors: anchors}
				if known {
					l.know(r.uri, r)
				}
			}
			if parsed.Fragment != "" {
				r.anchors[parsed.Fragment] = v
			}
		}
	}
	if anchor := v.word("$anchor"); anchor != "" {
		r.anchors[anchor] = v
	}
	if anchor := v.word("$dynamicAnchor"); anchor != "" {
		r.anchors[anchor] = v
		l.dynamic[anchor]++
	}
	if v.is("$recursiveAnchor") {
		l.reenter++
	}
	return r
}

func withoutFragment(u *url.URL) *url.URL {
	out := *u
	out.Fragment, out.RawFragment = "", ""
	return &out
}
