package avro

import (
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// enum is the index of a symbol and becomes a dictionary of all the reader's symbols in their order, whatever a batch holds: codes stay the same over batches.
func enumLeaf(s *Schema) leaf {
	symbols := s.Symbols
	return leaf{
		dtype: column.DictionaryType, code: opEnum, size: len(symbols),
		make:  func() column.Column { return column.NewDictionary(symbols) },
		shape: strings.Join(symbols, ","), // a comma is in no symbol
	}
}

// enumTable gives the reader's code for each of the writer's: its default's where it lacks the symbol, -1 where it has no default.
func enumTable(w, r *Schema) []int {
	codes := make(map[string]int, len(r.Symbols))
	for i, symbol := range r.Symbols {
		codes[symbol] = i
	}
	other, hasDefault := codes[r.Default]
	if !hasDefault {
		other = -1
	}
	table := make([]int, len(w.Symbols))
	for i, symbol := range w.Symbols {
		code, known := codes[symbol]
		if !known {
			code = other
		}
		table[i] = code
	}
	return table
}

func (a *Appender) enum(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	n, next := a.integer(32, i, base, pos, end)
	if next < 0 {
		return failed
	}
	if n < 0 || n >= int64(s.size) {
		return a.fail(faultEnum, i, n)
	}
	if table := s.more.table; table != nil {
		if table[n] < 0 {
			return a.fail(faultSymbol, i, n)
		}
		n = int64(table[n])
	}
	s.fixed.Append32(uint32(n)) //nolint:gosec // a symbol's index
	return next
}
