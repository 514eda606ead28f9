package avro

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// array is a list; map is Arrow's map, keys in the order in which they were written and as often as they were. Both are written as blocks: a count, for
// a negative one also the block's size in bytes, and as many items; a count of 0 ends them.
func (l *layouter) array(s *Schema, path string, selection *format.Selection) (*layout, error) {
	item, err := l.of(s.Items, "item", format.JoinPath(path, "item"), selection)
	if err != nil {
		return nil, err
	}
	t := arrow.ListOfField(item.field)
	return listLayout(t, item), nil
}

func (l *layouter) mapping(s *Schema, path string, selection *format.Selection) (*layout, error) {
	l.maps++
	defer func() { l.maps-- }()
	if err := l.deeper(1, path); err != nil { // the entries
		return nil, err
	}
	value, err := l.of(s.Items, "value", format.JoinPath(path, "value"), selection)
	if err != nil {
		return nil, err
	}
	text := stringLeaf(nil)
	key := &layout{
		field: arrow.Field{Name: "key", Type: text.dtype}, code: text.code, schema: &Schema{Type: String},
		build: func([]column.Column) column.Column { return text.make() },
	}
	t := arrow.MapOfFields(key.field, value.field)
	entryType := t.ElemField().Type.(*arrow.StructType)
	entry := &layout{
		field: t.ElemField(), kids: []*layout{key, value},
		build: func(kids []column.Column) column.Column { return column.NewStruct(entryType, kids...) },
	}
	return listLayout(t, entry), nil
}

func listLayout(t arrow.DataType, item *layout) *layout {
	return &layout{
		field: arrow.Field{Type: t}, kids: []*layout{item},
		build: func(kids []column.Column) column.Column { return column.NewList(t, kids[0]) },
	}
}

// blocks adds the steps of an array or map: one that reads the blocks, and those of an item below it.
func (c *compiler) blocks(w *Schema, l *layout, path string, null int8) error {
	i := c.add(step{code: opArray, null: null, column: l.id, most: fitting(l.kids), path: path})
	item := l.kids[0]
	if w.Type == Array {
		if err := c.value(w.Items, item, format.JoinPath(path, "item")); err != nil {
			return err
		}
	} else {
		key, value := item.kids[0], item.kids[1]
		if err := c.value(key.schema, key, format.JoinPath(path, "key")); err != nil {
			return err
		}
		if err := c.value(w.Items, value, format.JoinPath(path, "value")); err != nil {
			return err
		}
		c.close(c.add(step{code: opRecordEnd, null: notNullable, column: item.id, path: path}))
	}
	c.steps[i].size = w.itemBytes()
	c.steps[i].more = emptyWeight(itemWork(c.steps[i+1:]))
	c.close(i)
	return nil
}

// maxItemBytes is as much as is to be known of an item's least size.
const maxItemBytes = 200

// minBytes is the least number of bytes that a value takes: it bounds how many items a block can hold. budget bounds the search, since a record may hold
// the same records again and again; what it does not reach counts as nothing.
func (s *Schema) minBytes(budget *int) int {
	if *budget--; *budget < 0 {
		return 0
	}
	switch s.Type {
	case Null:
		return 0
	case Fixed:
		return s.Size
	case Float:
		return 4
	case Double:
		return 8
	case Record:
		n := 0
		for _, f := range s.Fields {
			n = min(n+f.Type.minBytes(budget), maxItemBytes)
		}
		return n
	}
	return 1
}

// itemBytes is minBytes of an array's or map's item.
func (s *Schema) itemBytes() int {
	budget := 1000
	n := s.Items.minBytes(&budget)
	if s.Type == Map {
		n++
	}
	return n
}

// emptyWeight is as how many an item of no bytes counts: an item may be a record of ten thousand nulls.
func emptyWeight(work int) int { return 1 + work/16 }

// itemWork is what reading an item takes: its steps, and the bytes of its defaults.
func itemWork(steps []step) int {
	n := len(steps)
	for i := range steps {
		n += len(steps[i].body)
	}
	return n
}

// array reads blocks, running the steps [lo, hi) for each item. It returns the position after them, or failed.
func (a *Appender) array(s *boundStep, lo, hi int, base unsafe.Pointer, pos, end int) int {
	items := s.list.Items
	for {
		count, size, next := blockHeader(base, pos, end)
		if next < 0 {
			return a.fail(varintFault(next), lo-1, 0)
		}
		pos = next
		if count == 0 {
			s.list.Took()
			return pos
		}
		if f := a.checkBlock(s, count, size, end-pos); f != ok {
			if f == faultBlockSize {
				count = size
			}
			return a.fail(f, lo-1, count)
		}
		if items.Len()+int(count) > int(s.most) {
			return a.fail(faultFull, lo-1, 0)
		}
		from := pos
		if only := &a.steps[lo]; hi == lo+1 && only.code == opDouble && only.null == notNullable {
			if uint64(count) > uint64(end-pos)/8 { //nolint:gosec // count is positive
				return a.fail(faultShort, lo, 0)
			}
			only.fixed.AppendValues(unsafe.Add(base, pos), int(count))
			pos += 8 * int(count)
		} else {
			for left := int(count); left > 0; {
				n := left
				if n*(hi-lo) > itemStepsPerLook {
					n = max(1, itemStepsPerLook/(hi-lo))
				}
				left -= n
				for range n {
					if pos = a.run(lo, hi, base, pos, end); pos < 0 {
						return pos
					}
				}
				if pos > a.effort.LookAt {
					a.effort.Passed(pos)
				}
			}
		}
		if size >= 0 && int64(pos-from) != size {
			return a.fail(faultBlockSize, lo-1, size)
		}
	}
}

// blockHeader reads a block's count, and its size in bytes where it has one; else -1. A failure to read is a negative position.
func blockHeader(base unsafe.Pointer, pos, end int) (count, size int64, next int) {
	u, next := format.Varint(base, pos, end)
	if next < 0 {
		return 0, 0, next
	}
	count = format.Zigzag(u)
	if count >= 0 {
		return count, -1, next
	}
	if u, next = format.Varint(base, next, end); next < 0 {
		return 0, 0, next
	}
	if count == math.MinInt64 || format.Zigzag(u) < 0 {
		return math.MaxInt64, math.MaxInt64, next // refused by checkBlock
	}
	return -count, format.Zigzag(u), next
}

// checkBlock reports whether a block can be what its header says.
func (a *Appender) checkBlock(s *boundStep, count, size int64, left int) fault {
	minBytes := int(s.size)
	if size > int64(left) {
		return faultBlockSize
	}
	if minBytes > 0 && count > int64(left/minBytes) {
		return faultCount
	}
	if minBytes == 0 {
		weight := int64(s.more.more)
		if count > (int64(a.limits.EmptyItems)-a.emptyItems)/weight {
			return faultEmptyItems
		}
		a.emptyItems += count * weight
	}
	if count > int64(a.limits.BlockItems) {
		return faultBlockItems
	}
	if !a.effort.Spend(count * int64(s.more.work)) {
		return faultSteps
	}
	return ok
}
