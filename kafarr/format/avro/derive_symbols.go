package avro

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Symbols implements format.Writing: the values of a dictionary column, for DeriveOptions.Enums.
func (Format) Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	return frame.Symbols(batch, path)
}
