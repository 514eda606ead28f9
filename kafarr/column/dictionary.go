package column

import (
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Dictionary is a column of codes into a list of texts that is known beforehand.
type Dictionary struct {
	Fixed
	texts  []string
	shared *dictionary // nil: its own, for each array
}

// dictionary is the Arrow dictionary of all the columns of a set whose texts are the same list: an enum may be the type of thousands of fields.
type dictionary struct {
	texts  []string
	values arrow.ArrayData // nil until the first column of a batch is finished
}

// retained returns the dictionary, of which the caller has a reference.
func (d *dictionary) retained() arrow.ArrayData {
	if d.values == nil {
		d.values = dictionaryOf(d.texts)
	}
	d.values.Retain()
	return d.values
}

// DictionaryType is the Arrow type of every Dictionary column.
var DictionaryType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// NewDictionary returns an empty column whose codes 0, 1, … stand for texts. Codes are appended with Append32.
func NewDictionary(texts []string) *Dictionary {
	return &Dictionary{Fixed: *NewFixed(arrow.PrimitiveTypes.Int32, 4), texts: texts}
}

// Code returns the code of a text, which joins the list if it is not in it. It is meant for short lists.
func (c *Dictionary) Code(text string) uint32 {
	i := slices.Index(c.texts, text)
	if i < 0 {
		i = len(c.texts)
		c.texts = append(c.texts, text)
	}
	return uint32(i) //nolint:gosec // no list gets that long
}

// Finish implements Column. Each array carries the whole list, so codes mean the same in every batch.
func (c *Dictionary) Finish() arrow.ArrayData { return coded(c.Fixed.Finish(), c.texts, c.shared) }

// coded makes codes, which it takes over, a dictionary array.
func coded(codes arrow.ArrayData, texts []string, shared *dictionary) arrow.ArrayData {
	defer codes.Release()
	var values arrow.ArrayData
	if shared != nil {
		values = shared.retained()
	} else {
		values = dictionaryOf(texts)
	}
	defer values.Release()
	return array.NewDataWithDictionary(DictionaryType, codes.Len(), codes.Buffers(), codes.NullN(), 0, values.(*array.Data))
}

func dictionaryOf(texts []string) arrow.ArrayData {
	column := NewVarlen(arrow.BinaryTypes.String)
	for _, t := range texts {
		column.Append(unsafe.Pointer(unsafe.StringData(t)), len(t))
	}
	return column.Finish()
}
