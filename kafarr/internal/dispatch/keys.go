package dispatch

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// keyOf gives the key of a row; nil: it has none. The key is valid until the next call with the same scratch, which may be used and must be kept.
type keyOf func(scratch *[]byte, row int) []byte

// KeyForm says how the values of a key column become keys.
type KeyForm int

const (
	// KeyBytes takes texts and bytes as they are.
	KeyBytes KeyForm = iota
	// KeyTexts takes whole numbers, too, as decimal texts.
	KeyTexts
	// KeyValues writes values by a schema.
	KeyValues
)

// readKeys reads texts and bytes as they are, and whole numbers, where they are asked for, as decimal texts.
func readKeys(form KeyForm, name string, column arrow.Array) (keyOf, error) {
	if read := readBytes(column); read != nil {
		return func(_ *[]byte, row int) []byte {
			key, _ := read(row)
			return key
		}, nil
	}
	read := readInts(column)
	if form != KeyTexts || read == nil {
		wanted := "texts or bytes"
		if form == KeyTexts {
			wanted += ", or whole numbers"
		} else {
			wanted += `; key={"column": …, "format": "string"} makes texts of whole numbers, and "avro" writes values by a schema`
		}
		return nil, columnError("key", name, column.DataType(), wanted)
	}
	return func(scratch *[]byte, row int) []byte {
		n, ok := read(row)
		if !ok {
			return nil
		}
		*scratch = strconv.AppendInt((*scratch)[:0], n, 10)
		return *scratch
	}, nil
}

// maxKey bounds a key that is written by a schema: a broker takes no message as large.
const maxKey = 1 << 30

// encodeKeys writes the values of a key column by a schema, after its framing.
func encodeKeys(encoding format.Encoding, prefix []byte, batch arrow.RecordBatch, column arrow.Array) (keyOf, error) {
	absent := nulls(column)
	encoder, err := encoding.Bind(batch, absent)
	if err != nil {
		return nil, err
	}
	return func(scratch *[]byte, row int) []byte {
		if absent != nil && absent[row] {
			return nil
		}
		for {
			buf := (*scratch)[:cap(*scratch)]
			if len(buf) > len(prefix) {
				copy(buf, prefix)
				if n, ok := encoder.Encode(buf[len(prefix):], row); ok {
					return buf[:len(prefix)+n]
				}
			}
			if len(buf) > maxKey {
				panic(status.Errorf(status.InternalError, "a key of more than 1 GiB"))
			}
			*scratch = make([]byte, max(2*len(buf), format.EncodeMargin+256))
		}
	}, nil
}

// nulls tells which rows are null; nil: none.
func nulls(column arrow.Array) []bool {
	if column.NullN() == 0 && column.DataType().ID() != arrow.NULL {
		return nil
	}
	absent := make([]bool, column.Len())
	for row := range absent {
		absent[row] = column.IsNull(row)
	}
	return absent
}
