package avro

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// enum is the index of a symbol and becomes a dictionary of all the schema's symbols in their order, whatever a batch
// holds: codes stay the same over batches.
func compileEnum(s *Schema) (output, step, error) {
	symbols := s.Symbols
	return output{
		field: arrow.Field{Type: column.DictionaryType},
		make:  func() column.Column { return column.NewDictionary(symbols) },
		shape: strings.Join(symbols, ","), // a comma is in no symbol
	}, step{code: opEnum, size: len(symbols)}, nil
}
