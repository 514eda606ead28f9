package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// node is a type of an Avro schema.
type node struct {
	kind     string // "null" to "string", "record", "enum", "fixed", "array", "map" or "union"
	name     string // full name of a record, enum or fixed
	alias    string // what goavro knows it as
	fields   []field
	symbols  []string
	size     int64
	items    *node // of an array or a map
	branches []*node
}

type field struct {
	name       string
	kind       *node
	fallback   any // the default, as JSON
	hasDefault bool
}

var primitives = map[string]bool{
	"null": true, "boolean": true, "int": true, "long": true, "float": true, "double": true, "bytes": true, "string": true,
}

// parser reads a schema's JSON. It trusts goavro to refuse what it lets pass, such as names that are not Avro's.
type parser struct {
	named map[string]*node
}

func (p *parser) parse(schema any, namespace string) (*node, error) {
	switch schema := schema.(type) {
	case string:
		return p.byName(schema, namespace)
	case []any:
		union := &node{kind: "union"}
		for _, one := range schema {
			branch, err := p.parse(one, namespace)
			if err != nil {
				return nil, err
			}
			union.branches = append(union.branches, branch)
		}
		return union, nil
	case map[string]any:
		return p.complex(schema, namespace)
	}
	return nil, fmt.Errorf("%v is not a type", schema)
}

func (p *parser) byName(name, namespace string) (*node, error) {
	if primitives[name] {
		return &node{kind: name}, nil
	}
	if found := p.named[fullName(name, namespace)]; found != nil {
		return found, nil
	}
	if found := p.named[name]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%q is neither a type nor the name of one before it", name)
}

func (p *parser) complex(schema map[string]any, namespace string) (*node, error) {
	kind, ok := schema["type"].(string)
	if !ok { // {"type": {"type": …}} and {"type": [...]}
		return p.parse(schema["type"], namespace)
	}
	switch kind {
	case "array", "map":
		key := map[string]string{"array": "items", "map": "values"}[kind]
		items, err := p.parse(schema[key], namespace)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", key, kind, err)
		}
		return &node{kind: kind, items: items}, nil
	case "record", "error", "enum", "fixed":
	default:
		return p.byName(kind, namespace)
	}

	name, _ := schema["name"].(string)
	if name == "" {
		return nil, fmt.Errorf("a %s without a name", kind)
	}
	if own, ok := schema["namespace"].(string); ok {
		namespace = own
	}
	n := &node{kind: kind, name: fullName(name, namespace), alias: fmt.Sprintf("T%d", len(p.named))}
	if p.named[n.name] != nil {
		return nil, fmt.Errorf("%s is defined twice", n.name)
	}
	p.named[n.name] = n // before its fields, which may name it
	namespace, _ = cutLast(n.name)
	switch kind {
	case "enum":
		return n, n.parseSymbols(schema["symbols"])
	case "fixed":
		return n, n.parseSize(schema["size"])
	}
	n.kind = "record"
	return n, p.parseFields(n, schema["fields"], namespace)
}

func (p *parser) parseFields(n *node, fields any, namespace string) error {
	list, ok := fields.([]any)
	if !ok {
		return fmt.Errorf("record %s has no list of fields", n.name)
	}
	for _, one := range list {
		described, _ := one.(map[string]any)
		name, _ := described["name"].(string)
		if name == "" {
			return fmt.Errorf("record %s has a field without a name", n.name)
		}
		kind, err := p.parse(described["type"], namespace)
		if err != nil {
			return fmt.Errorf("field %s of %s: %w", name, n.name, err)
		}
		f := field{name: name, kind: kind}
		f.fallback, f.hasDefault = described["default"]
		n.fields = append(n.fields, f)
	}
	return nil
}

func (n *node) parseSymbols(symbols any) error {
	list, _ := symbols.([]any)
	for _, one := range list {
		symbol, ok := one.(string)
		if !ok {
			return fmt.Errorf("enum %s: %v is not a symbol", n.name, one)
		}
		n.symbols = append(n.symbols, symbol)
	}
	if len(n.symbols) == 0 {
		return fmt.Errorf("enum %s has no symbols", n.name)
	}
	return nil
}

func (n *node) parseSize(size any) error {
	number, ok := size.(json.Number)
	if !ok {
		return fmt.Errorf("fixed %s has no size", n.name)
	}
	var err error
	if n.size, err = number.Int64(); err != nil || n.size < 0 {
		return errors.Join(fmt.Errorf("fixed %s: %v is not a size", n.name, size), err)
	}
	return nil
}

// bare is the schema for goavro: no logical types, no defaults, and names that no namespace has a say in.
func (n *node) bare(written map[*node]bool) any {
	if n.name != "" {
		if written[n] {
			return n.alias
		}
		written[n] = true
	}
	switch n.kind {
	case "record":
		fields := make([]any, len(n.fields))
		for i, f := range n.fields {
			fields[i] = map[string]any{"name": f.name, "type": f.kind.bare(written)}
		}
		return map[string]any{"type": "record", "name": n.alias, "fields": fields}
	case "enum":
		return map[string]any{"type": "enum", "name": n.alias, "symbols": n.symbols}
	case "fixed":
		return map[string]any{"type": "fixed", "name": n.alias, "size": n.size}
	case "array":
		return map[string]any{"type": "array", "items": n.items.bare(written)}
	case "map":
		return map[string]any{"type": "map", "values": n.items.bare(written)}
	case "union":
		branches := make([]any, len(n.branches))
		for i, branch := range n.branches {
			branches[i] = branch.bare(written)
		}
		return branches
	}
	return n.kind
}

func fullName(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return name
	}
	return namespace + "." + name
}

// cutLast cuts a full name into its namespace and its last part.
func cutLast(name string) (namespace, last string) {
	i := strings.LastIndex(name, ".")
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}
