package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// bytes is a length and as many bytes.
func bytesLeaf(*Schema) leaf {
	t := arrow.BinaryTypes.Binary
	return leaf{dtype: t, code: opBytes, make: func() column.Column { return column.NewVarlen(t) }}
}
