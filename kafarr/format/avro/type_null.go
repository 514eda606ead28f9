package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// null takes no bytes and becomes Arrow's null type, which takes no memory.
func nullLeaf(*Schema) leaf {
	return leaf{dtype: arrow.Null, code: opNull, make: func() column.Column { return column.NewNull() }}
}
