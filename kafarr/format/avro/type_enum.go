package avro

import (
	"crypto/sha256"
	"slices"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/column"
)

// enum is the index of a symbol and becomes a dictionary of all the reader's symbols in their order, whatever a batch holds: codes stay the same over batches.
func enumLeaf(s *Schema) leaf {
	symbols := s.Symbols
	return leaf{
		dtype: column.DictionaryType, code: opEnum, size: len(symbols),
		make: func() column.Column { return column.NewDictionary(symbols) },
	}
}

// maxSymbolBytes bounds what the symbols of all columns take, where each has its own, as in pandas: an enum may be the type of every field. A symbol takes
// symbolBytes besides its text.
const (
	maxSymbolBytes = 64 << 20
	symbolBytes    = 16
)

// symbols counts an enum's symbols for one more column, and returns what distinguishes it from other enums.
func (l *layouter) symbols(s *Schema, path string) (string, error) {
	known, ok := l.enums[s]
	if !ok {
		hash := sha256.New()
		for _, symbol := range s.Symbols {
			hash.Write([]byte(symbol))
			hash.Write([]byte{','}) // which is in no symbol
			known.bytes += len(symbol) + symbolBytes
		}
		known.shape = string(hash.Sum(nil))
		if l.enums == nil {
			l.enums = map[*Schema]enumShape{}
		}
		l.enums[s] = known
	}
	if l.symbolBytes += known.bytes; l.symbolBytes > maxSymbolBytes {
		return "", schemaErrorf(path, "the symbols of all enum columns take more than %d bytes", maxSymbolBytes)
	}
	return known.shape, nil
}

type enumShape struct {
	shape string
	bytes int
}

// enumTable returns the table of a pair of enums, which many fields may have; nil: the symbols are the same.
func (c *compiler) enumTable(w, r *Schema) []int {
	if w == r {
		return nil
	}
	table, ok := c.enums[[2]*Schema{w, r}]
	if !ok {
		if !slices.Equal(w.Symbols, r.Symbols) {
			table = enumTable(w, r)
		}
		if c.enums == nil {
			c.enums = map[[2]*Schema][]int{}
		}
		c.enums[[2]*Schema{w, r}] = table
	}
	return table
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
