package kafarr

import (
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/subject"
)

// encodings are the compiled encodings of a producer, by schema and columns.
type encodings struct {
	mu    sync.Mutex
	known map[encodingKey]format.Encoding
}

type encodingKey struct {
	chosen  *subject.Chosen
	columns string
	options format.EncodeOptions
}

// maxEncodings bounds what is kept: frames of ever new columns must not fill the memory.
const maxEncodings = 256

func (e *encodings) encoding(chosen *subject.Chosen, columns []arrow.Field, options format.EncodeOptions) (format.Encoding, error) {
	key := encodingKey{chosen, describe(columns), options}
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.known[key]; known != nil {
		return known, nil
	}
	made, err := chosen.Format.CompileEncoding(chosen.Schema, columns, options)
	if err != nil {
		return nil, err
	}
	if len(e.known) >= maxEncodings {
		clear(e.known)
	}
	e.known[key] = made
	return made, nil
}

// describe is equal for columns of equal names and types.
func describe(columns []arrow.Field) string {
	var b strings.Builder
	for _, f := range columns {
		b.WriteString(f.Name)
		b.WriteByte(0)
		b.WriteString(f.Type.String())
		if f.Nullable {
			b.WriteByte('?')
		}
		b.WriteByte(0)
	}
	return b.String()
}
