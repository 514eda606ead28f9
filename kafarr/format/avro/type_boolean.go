package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// boolean is a byte, 0 or 1, and becomes a bit. Any other byte is an error: it would be read differently elsewhere.
func booleanLeaf(*Schema) leaf {
	return leaf{dtype: arrow.FixedWidthTypes.Boolean, code: opBoolean, make: func() column.Column { return column.NewBits() }}
}
