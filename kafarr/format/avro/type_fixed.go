package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// fixed is as many bytes as the schema says.
func fixedLeaf(s *Schema) leaf {
	t := &arrow.FixedSizeBinaryType{ByteWidth: s.Size}
	return leaf{dtype: t, code: opFixed, size: s.Size, make: func() column.Column { return column.NewFixed(t, s.Size) }}
}
