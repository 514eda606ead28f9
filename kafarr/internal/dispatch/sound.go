package dispatch

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// sound looks at all offsets and indices of a column that is read as it is: of keys, headers and values without a schema. Where these lead out of their memory, reading a row
// would panic, as ValidateFull of the Arrow library does. Columns of fields are looked at by their encoding.
func sound(column arrow.Array) error {
	switch c := column.(type) {
	case *array.String:
		return within(c.ValueOffsets(), dataLen(c))
	case *array.Binary:
		return within(c.ValueOffsets(), dataLen(c))
	case *array.LargeString:
		return within(c.ValueOffsets(), dataLen(c))
	case *array.LargeBinary:
		return within(c.ValueOffsets(), dataLen(c))
	case array.ViewLike:
		return viewsWithin(c)
	case *array.Dictionary:
		for row := range c.Len() {
			if i := c.GetValueIndex(row); c.IsValid(row) && (i < 0 || i >= c.Dictionary().Len()) {
				return fmt.Errorf("the index %d of row %d is outside of a dictionary of %d values", i, row, c.Dictionary().Len())
			}
		}
		return sound(c.Dictionary())
	case *array.Struct:
		for i := range c.NumField() {
			if err := sound(c.Field(i)); err != nil {
				return err
			}
		}
	case array.ListLike:
		last := int64(0)
		for row := range c.Len() {
			from, to := c.ValueOffsets(row)
			if from < last || to < from || to > int64(c.ListValues().Len()) {
				return fmt.Errorf("row %d is from item %d to item %d of %d", row, from, to, c.ListValues().Len())
			}
			last = to
		}
		return sound(c.ListValues())
	}
	return nil
}

// dataLen is how many bytes there are for the values of texts or bytes.
func dataLen(column arrow.Array) int64 {
	if data := column.Data().Buffers()[2]; data != nil {
		return int64(data.Len())
	}
	return 0
}

// within looks whether offsets ascend and stay in their data.
func within[T int32 | int64](offsets []T, length int64) error {
	last := T(0)
	for row, offset := range offsets {
		if offset < last || int64(offset) > length {
			return fmt.Errorf("the offset %d, number %d, follows %d in data of %d bytes", offset, row, last, length)
		}
		last = offset
	}
	return nil
}

// viewsWithin looks whether the values of views stay in the buffers that they name.
func viewsWithin(column array.ViewLike) error {
	buffers := column.Data().Buffers()[2:]
	for row := range column.Len() {
		view := column.ValueHeader(row)
		if column.IsNull(row) || view.Len() >= 0 && view.IsInline() {
			continue
		}
		at, from := int(view.BufferIndex()), int64(view.BufferOffset())
		if view.Len() < 0 || at < 0 || at >= len(buffers) || from < 0 || from+int64(view.Len()) > int64(buffers[at].Len()) {
			return fmt.Errorf("the view of row %d leads out of its buffers", row)
		}
	}
	return nil
}
