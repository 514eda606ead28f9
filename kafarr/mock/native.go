package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/linkedin/goavro/v2"
)

// native lays out a plain JSON value the way goavro wants a value of this type.
func (n *node) native(value any) (any, error) {
	switch n.kind {
	case "null":
		if value == nil {
			return nil, nil
		}
	case "boolean":
		if value, ok := value.(bool); ok {
			return value, nil
		}
	case "int":
		return nativeInteger(value, 32)
	case "long":
		return nativeInteger(value, 64)
	case "float":
		return nativeFloat(value, 32)
	case "double":
		return nativeFloat(value, 64)
	case "string":
		if value, ok := value.(string); ok {
			return value, nil
		}
	case "bytes":
		return nativeBytes(value)
	case "fixed":
		bytes, err := nativeBytes(value)
		if err == nil && int64(len(bytes)) != n.size {
			err = fmt.Errorf("%d bytes, and %s has %d", len(bytes), n.name, n.size)
		}
		return bytes, err
	case "enum":
		if symbol, ok := value.(string); ok && slices.Contains(n.symbols, symbol) {
			return symbol, nil
		}
		return nil, fmt.Errorf("%s is not one of %s's symbols", shown(value), n.name)
	case "array":
		if list, ok := value.([]any); ok {
			return n.nativeArray(list)
		}
	case "map":
		if object, ok := value.(map[string]any); ok {
			return n.nativeMap(object)
		}
	case "record":
		if object, ok := value.(map[string]any); ok {
			return n.nativeRecord(object)
		}
	case "union":
		return n.nativeUnion(value)
	}
	return nil, fmt.Errorf("%s is not %s", shown(value), article(n.kind))
}

func (n *node) nativeArray(list []any) (any, error) {
	natives := make([]any, len(list))
	for i, value := range list {
		var err error
		if natives[i], err = n.items.native(value); err != nil {
			return nil, within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return natives, nil
}

func (n *node) nativeMap(object map[string]any) (any, error) {
	natives := make(map[string]any, len(object))
	for key, value := range object {
		var err error
		if natives[key], err = n.items.native(value); err != nil {
			return nil, within(fmt.Sprintf("[%q]", key), err)
		}
	}
	return natives, nil
}

func (n *node) nativeRecord(object map[string]any) (any, error) {
	natives := make(map[string]any, len(n.fields))
	given := 0
	for _, f := range n.fields {
		value, ok := object[f.name]
		if ok {
			given++
		} else if !f.hasDefault {
			return nil, within(f.name, errors.New("missing, and it has no default"))
		} else {
			value = f.fallback
		}
		var err error
		if natives[f.name], err = f.kind.native(value); err != nil {
			return nil, within(f.name, err)
		}
	}
	if given < len(object) {
		for name := range object {
			if _, ok := natives[name]; !ok {
				return nil, within(name, fmt.Errorf("%s has no such field", n.name))
			}
		}
	}
	return natives, nil
}

// nativeUnion takes the first branch that the value fits. Only where there is none, {"branch": value} is looked
// at, so that records and maps are not taken for it.
func (n *node) nativeUnion(value any) (any, error) {
	var misfits []error
	for _, branch := range n.branches {
		native, err := branch.native(value)
		if err == nil {
			return branch.wrap(native), nil
		}
		misfits = append(misfits, err)
	}
	if object, ok := value.(map[string]any); ok && len(object) == 1 {
		for name, inner := range object {
			for _, branch := range n.branches {
				if branch.called(name) {
					native, err := branch.native(inner)
					return branch.wrap(native), err
				}
			}
		}
	}
	// The reason of a union of null and one type is that type's.
	if len(misfits) == 2 && slices.ContainsFunc(n.branches, func(b *node) bool { return b.kind == "null" }) {
		for i, branch := range n.branches {
			if branch.kind != "null" {
				return nil, misfits[i]
			}
		}
	}
	return nil, fmt.Errorf("%s fits no branch of the union: %w", shown(value), errors.Join(misfits...))
}

func (n *node) called(name string) bool {
	if n.name == "" {
		return n.kind == name
	}
	_, last := cutLast(n.name)
	return n.name == name || last == name
}

// wrap gives a value of a union's branch to goavro.
func (n *node) wrap(native any) any {
	switch {
	case n.kind == "null":
		return nil
	case n.alias != "":
		return goavro.Union(n.alias, native)
	}
	return goavro.Union(n.kind, native)
}

func nativeInteger(value any, bits int) (any, error) {
	number, ok := value.(json.Number)
	if !ok {
		return nil, fmt.Errorf("%s is not a number", shown(value))
	}
	whole, err := strconv.ParseInt(number.String(), 10, bits)
	if err == nil {
		return whole, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%s is beyond %d bits", number, bits)
	}
	// 1.0 and 1e3 are whole numbers too, as far as floats are exact.
	if float, err := number.Float64(); err == nil && float == math.Trunc(float) && math.Abs(float) <= 1<<53 {
		return nativeInteger(json.Number(strconv.FormatInt(int64(float), 10)), bits)
	}
	return nil, fmt.Errorf("%s is not a whole number", number)
}

func nativeFloat(value any, bits int) (any, error) {
	switch value := value.(type) {
	case json.Number:
		number, err := strconv.ParseFloat(value.String(), bits)
		if err != nil {
			return nil, fmt.Errorf("%s is beyond %d bits", value, bits)
		}
		return number, nil
	case string:
		switch value {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
	}
	return nil, fmt.Errorf("%s is not a number", shown(value))
}

func nativeBytes(value any) ([]byte, error) {
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%s is not a string of bytes", shown(value))
	}
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xFF {
			return nil, fmt.Errorf("%q is not a byte: each character from U+0000 to U+00FF stands for one", r)
		}
		bytes = append(bytes, byte(r)) //nolint:gosec // bounds proved above
	}
	return bytes, nil
}

// misfit is a value that does not fit the schema at path.
type misfit struct {
	path string
	err  error
}

func (m *misfit) Error() string { return m.path + ": " + m.err.Error() }
func (m *misfit) Unwrap() error { return m.err }

// within puts a step before an error's path: "customer", then "[2]", gives "customer[2]".
func within(step string, err error) error {
	inner, ok := err.(*misfit) //nolint:errorlint // the outermost only: what a union has joined keeps its own paths
	switch {
	case !ok:
		return &misfit{step, err}
	case inner.path[0] == '[':
		return &misfit{step + inner.path, inner.err}
	}
	return &misfit{step + "." + inner.path, inner.err}
}

func shown(value any) string {
	text, _ := json.Marshal(value)
	if len(text) > 60 {
		return string(text[:60]) + "…"
	}
	return string(text)
}

func article(kind string) string {
	switch kind {
	case "null":
		return kind
	case "array":
		return "an " + kind
	}
	return "a " + kind
}
