package frame

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
)

// Storage is the type that an extension type is stored as, and any other type itself.
func Storage(t arrow.DataType) arrow.DataType {
	for {
		e, ok := t.(arrow.ExtensionType)
		if !ok {
			return t
		}
		t = e.StorageType()
	}
}

// IsUUID reports whether a type is Arrow's of UUIDs.
func IsUUID(t arrow.DataType) bool {
	_, ok := t.(*extensions.UUIDType)
	return ok
}

// IsBool8 reports whether a type is Arrow's of booleans of a byte.
func IsBool8(t arrow.DataType) bool {
	_, ok := t.(*extensions.Bool8Type)
	return ok
}

// IsText reports whether values of a type are UTF-8.
func IsText(t arrow.DataType) bool {
	switch Storage(t).ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return true
	}
	return false
}

// IsBinary reports whether values of a type are bytes of any length.
func IsBinary(t arrow.DataType) bool {
	switch Storage(t).ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return true
	}
	return false
}

// SameLayout reports whether values of two types lie in memory in the same way. Whether they may be null, and how the items of lists are called, makes no difference.
func SameLayout(a, b arrow.DataType) bool {
	if arrow.TypeEqual(a, b) {
		return true
	}
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.DictionaryType:
		b := b.(*arrow.DictionaryType)
		return a.IndexType.ID() == b.IndexType.ID() && SameLayout(a.ValueType, b.ValueType)
	case *arrow.FixedSizeListType:
		if a.Len() != b.(*arrow.FixedSizeListType).Len() {
			return false
		}
	case arrow.UnionType:
		if !slices.Equal(a.TypeCodes(), b.(arrow.UnionType).TypeCodes()) {
			return false
		}
	}
	nested, ok := a.(arrow.NestedType)
	other, both := b.(arrow.NestedType)
	_, list := a.(arrow.ListLikeType)
	return ok && both && slices.EqualFunc(nested.Fields(), other.Fields(), func(x, y arrow.Field) bool {
		return (list || x.Name == y.Name) && SameLayout(x.Type, y.Type)
	})
}

// Names are those of columns.
func Names(columns []arrow.Field) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// Named finds the column of a name. at is -1 where there is none; twice tells that there are two.
func Named(columns []arrow.Field, name string) (at int, twice bool) {
	at = -1
	for i, c := range columns {
		if c.Name != name {
			continue
		}
		if at >= 0 {
			return at, true
		}
		at = i
	}
	return at, false
}
