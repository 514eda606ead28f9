package avro

import (
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// uuid is text on a string, as it was written, and Arrow's canonical extension type on a fixed of 16 bytes.
func uuidLeaf(s *Schema) (leaf, bool) {
	if s.Type == String {
		return stringLeaf(s), true
	}
	t := extensions.NewUUIDType()
	return leaf{dtype: t, code: opFixed, size: 16, make: func() column.Column { return column.NewFixed(t, 16) }}, s.Type == Fixed && s.Size == 16
}
