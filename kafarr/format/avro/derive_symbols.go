package avro

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// Symbols implements format.Writing: the values of a dictionary column, for DeriveOptions.Enums.
func (Format) Symbols(batch arrow.RecordBatch, path string) ([]string, error) {
	name, rest, _ := strings.Cut(path, ".")
	at, err := columnNamed(batch.Schema().Fields(), name, "")
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, schemaErrorf(path, "the frame has no such column")
	}
	data := batch.Column(at).Data()
	for rest != "" {
		name, rest, _ = strings.Cut(rest, ".")
		child := 0
		switch t := frame.Storage(data.DataType()).(type) {
		case *arrow.StructType:
			child, err = columnNamed(t.Fields(), name, "")
		case *arrow.MapType:
			if name != "value" {
				child = -1
			} else if len(data.Children()) == 1 {
				data, child = data.Children()[0], 1
			}
		case arrow.ListLikeType:
			if name != "item" {
				child = -1
			}
		default:
			child = -1
		}
		if err != nil || child < 0 || child >= len(data.Children()) {
			return nil, schemaErrorf(path, "the frame has no such column")
		}
		data = data.Children()[child]
	}
	dictionary := (&frame.Segment{Data: data}).Dictionary()
	if _, ok := frame.Storage(data.DataType()).(*arrow.DictionaryType); !ok || dictionary == nil || !frame.IsText(dictionary.DataType()) {
		return nil, schemaErrorf(path, "the column is no dictionary of texts, but of the Arrow type %s", data.DataType())
	}
	s := frame.Segment{Data: dictionary, Off: dictionary.Offset(), N: dictionary.Len(), Row: func(int) int { return -1 }}
	source := spanWriter{target: target{path: path, schema: mapKey, null: nullAbove}, layout: spanLayout(dictionary.DataType()), utf8: true, size: -1}
	o, err := source.check(&binder{}, &s)
	if err != nil {
		return nil, err
	}
	symbols := make([]string, 0, s.N)
	for i := range s.N {
		if !o.isNull(i) {
			base, from, n, _ := o.span(i)
			symbols = append(symbols, string(format.Span(base, from, n)))
		}
	}
	return symbols, nil
}
