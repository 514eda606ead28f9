package avro_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// node is a random schema, as the comparison needs to know it.
type node struct {
	kind     string // Avro's name of the type
	logical  string
	name     string // full name of a named type
	goavro   string // what goavro calls it within a union
	size     int
	digits   int // of a decimal
	scale    int
	symbols  []string
	fields   []*node // of a record, named a, b, c …
	items    *node
	branches []*node
	text     any // how the schema stands in JSON where it is used
}

// note enters the types that a schema is made of: a logical type with the type it is on.
func (n *node) note(seen map[string]bool) {
	seen[strings.TrimPrefix(n.logical+" on "+n.kind, " on ")] = true
	for _, below := range slices.Concat(n.fields, n.branches) {
		below.note(seen)
	}
	if n.items != nil {
		n.items.note(seen)
	}
}

// maker makes random schemas, and values of them as goavro takes them.
type maker struct {
	*rand.Rand
	named []*node // complete, to be referred to
	count int
}

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 0))} }

func pick[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

// schemaText is the JSON of a schema.
func schemaText(n *node) string {
	text, err := json.Marshal(n.text)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// define names a type: within the enclosing namespace, in one of its own, or by a full name.
func (m *maker) define(n *node, space string) (inner string, text map[string]any) {
	m.count++
	short := fmt.Sprintf("%c%d", 'A'+m.IntN(26), m.count)
	text = map[string]any{"type": n.kind, "name": short}
	switch m.IntN(4) {
	case 0:
		space = pick(m, "x", "x.y", "long")
		text["namespace"] = space
	case 1:
		space = pick(m, "p.q", "r")
		text["name"] = space + "." + short
	}
	n.name = short
	if space != "" {
		n.name = space + "." + short
	}
	n.goavro = n.name
	n.text = text
	return space, text
}

// refer uses a type again, by the shortest name that the specification allows.
func (m *maker) refer(space string) *node {
	again := *m.named[m.IntN(len(m.named))]
	again.text = again.name
	if short, inside := strings.CutPrefix(again.name, space+"."); inside && space != "" && !strings.Contains(short, ".") && m.IntN(2) == 0 {
		again.text = short
	}
	return &again
}

func (m *maker) schema(depth int, space string, inUnion bool) *node {
	if len(m.named) > 0 && m.IntN(10) == 0 {
		return m.refer(space)
	}
	kinds := []string{"primitive", "primitive", "logical", "logical", "enum", "fixed", "decimal"}
	if depth < 4 {
		kinds = append(kinds, "record", "array", "map")
		if !inUnion {
			kinds = append(kinds, "union", "optional")
		}
	}
	switch kind := pick(m, kinds...); kind {
	case "primitive":
		of := []string{"boolean", "int", "long", "float", "double", "bytes", "string"}
		if !inUnion {
			of = append(of, "null")
		}
		return primitive(pick(m, of...))
	case "logical":
		return m.logical(space)
	case "decimal":
		return m.decimal(space)
	case "enum":
		return m.enum(space)
	case "fixed":
		return m.fixed(pick(m, 1, 4, 16, 33), "", space)
	case "record":
		return m.record(depth, space)
	case "array", "map":
		n := &node{kind: kind, goavro: kind, items: m.schema(depth+1, space, false)}
		n.text = map[string]any{"type": kind, map[string]string{"array": "items", "map": "values"}[kind]: n.items.text}
		return n
	case "optional":
		branches := []*node{primitive("null"), m.schema(depth+1, space, true)}
		m.Shuffle(2, func(i, j int) { branches[i], branches[j] = branches[j], branches[i] })
		return union(branches)
	}
	return m.union(depth, space)
}

func primitive(kind string) *node { return &node{kind: kind, goavro: kind, text: kind} }

func (m *maker) record(depth int, space string) *node {
	n := &node{kind: "record"}
	inner, text := m.define(n, space)
	fields := []any{}
	for i := range pick(m, 0, 1, 2, 2, 3, 4) {
		field := m.schema(depth+1, inner, false)
		n.fields = append(n.fields, field)
		fields = append(fields, map[string]any{"name": string(rune('a' + i)), "type": field.text})
	}
	text["fields"] = fields
	m.named = append(m.named, n)
	return n
}

func (m *maker) enum(space string) *node {
	n := &node{kind: "enum"}
	_, text := m.define(n, space)
	for i := range pick(m, 1, 2, 5, 70) {
		n.symbols = append(n.symbols, fmt.Sprintf("S%d", i))
	}
	text["symbols"] = n.symbols
	m.named = append(m.named, n)
	return n
}

func (m *maker) fixed(size int, logical, space string) *node {
	n := &node{kind: "fixed", size: size, logical: logical}
	_, text := m.define(n, space)
	text["size"] = size
	if logical != "" {
		text["logicalType"] = logical
	}
	m.named = append(m.named, n)
	return n
}

// logical is a logical type without parameters, or one that is unknown or not valid on its type, which does not count.
func (m *maker) logical(space string) *node {
	switch m.IntN(8) {
	case 0:
		return m.fixed(16, "uuid", space)
	case 1:
		return m.fixed(12, "duration", space)
	case 2:
		of := pick(m, [2]string{"long", "fortnight"}, [2]string{"long", "date"}, [2]string{"int", "time-micros"}, [2]string{"string", "big-decimal"}, [2]string{"bytes", "uuid"})
		n := primitive(of[0])
		n.text = map[string]any{"type": of[0], "logicalType": of[1]}
		return n
	}
	of := pick(m, [2]string{"int", "date"}, [2]string{"int", "time-millis"}, [2]string{"long", "time-micros"}, [2]string{"long", "timestamp-millis"},
		[2]string{"long", "timestamp-micros"}, [2]string{"long", "timestamp-nanos"}, [2]string{"long", "local-timestamp-millis"},
		[2]string{"long", "local-timestamp-micros"}, [2]string{"long", "local-timestamp-nanos"}, [2]string{"string", "uuid"}, [2]string{"bytes", "big-decimal"})
	n := &node{kind: of[0], logical: of[1], goavro: of[0], text: map[string]any{"type": of[0], "logicalType": of[1]}}
	switch n.logical {
	case "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros":
		n.goavro += "." + n.logical
	}
	return n
}

func (m *maker) decimal(space string) *node {
	n := &node{kind: "bytes", goavro: "bytes.decimal", logical: "decimal", digits: 1 + m.IntN(pick(m, 9, 38, 76))}
	text := map[string]any{"type": "bytes"}
	if m.IntN(2) == 0 {
		n.kind = "fixed"
		_, text = m.define(n, space)
		n.size = int(math.Ceil((float64(n.digits)*math.Log2(10)+1)/8)) + m.IntN(3)
		text["size"] = n.size
		m.named = append(m.named, n)
	}
	n.scale = m.IntN(n.digits + 1)
	text["logicalType"], text["precision"], text["scale"] = "decimal", n.digits, n.scale
	n.text = text
	return n
}

// union has at most one branch of each type that has no name.
func (m *maker) union(depth int, space string) *node {
	var branches []*node
	taken := map[string]bool{}
	for range 1 + m.IntN(5) {
		named := len(m.named)
		b := primitive("null")
		if m.IntN(4) > 0 {
			b = m.schema(depth+1, space, true)
		}
		key := b.kind
		if b.name != "" {
			key = b.name
		}
		if taken[key] {
			m.named = m.named[:named] // what the branch has defined goes with it
			continue
		}
		taken[key] = true
		branches = append(branches, b)
	}
	return union(branches)
}

func union(branches []*node) *node {
	n := &node{kind: "union", goavro: "union", branches: branches}
	texts := make([]any, len(branches))
	for i, b := range branches {
		texts[i] = b.text
	}
	n.text = texts
	return n
}
