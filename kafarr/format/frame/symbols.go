package frame

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Symbols are the values of a dictionary column of texts, whose path is as in format.DeriveOptions.Enums.
func Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	fail := func(text string, args ...any) ([]string, error) {
		e := status.Errorf(status.SchemaError, text, args...)
		e.Path = path
		return nil, e
	}
	name, rest, _ := strings.Cut(path, ".")
	at, twice := Named(batch.Schema().Fields(), name)
	if at < 0 {
		return fail("the frame has no such column")
	}
	data := batch.Column(at).Data()
	for rest != "" && !twice {
		name, rest, _ = strings.Cut(rest, ".")
		child := -1
		switch t := Storage(data.DataType()).(type) {
		case *arrow.StructType:
			child, twice = Named(t.Fields(), name)
		case *arrow.MapType:
			if name == "value" && len(data.Children()) == 1 {
				data, child = data.Children()[0], 1
			}
		case arrow.ListLikeType:
			if name == "item" {
				child = 0
			}
		}
		if child < 0 || child >= len(data.Children()) {
			return fail("the frame has no such column")
		}
		data = data.Children()[child]
	}
	if twice {
		return fail("there are two columns of this name: rename one")
	}
	dictionary := (&Segment{Data: data}).Dictionary()
	if _, ok := Storage(data.DataType()).(*arrow.DictionaryType); !ok || dictionary == nil || !IsText(dictionary.DataType()) {
		return fail("the column is no dictionary of texts, but of the Arrow type %s", data.DataType())
	}
	values, err := Read(path, Segment{Data: dictionary, Off: dictionary.Offset(), N: dictionary.Len(), Row: func(int) int { return -1 }})
	if err != nil {
		return nil, err
	}
	symbols := make([]string, 0, values.N)
	err = values.Each(func(i int) error {
		text := values.Bytes(i)
		if !utf8.Valid(text) {
			return values.Wrong(i, ShortBytes(text), "is not UTF-8, which symbols must be")
		}
		symbols = append(symbols, string(text))
		return nil
	})
	return symbols, err
}
