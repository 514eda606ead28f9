package column_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/column"
)

// placedKind is a placed column with a way to store value i at the row that is being written.
type placedKind struct {
	name string
	make func(rows *column.Rows, nulls column.Nulls) column.Placed
	put  func(c column.Placed, row, i int)
	want func(i int) string
}

var (
	placedStruct = arrow.StructOf(arrow.Field{Name: "n", Type: itemType}, arrow.Field{Name: "l", Type: listType})
	placedKinds  = []placedKind{
		{"int32", func(r *column.Rows, n column.Nulls) column.Placed { return column.NewPlacedFixed(r, itemType, 4, n) },
			func(c column.Placed, row, i int) { c.(*column.PlacedFixed).Put32(row, uint32(i)) }, func(i int) string { return fmt.Sprint(i) }},
		{"int64", func(r *column.Rows, n column.Nulls) column.Placed {
			return column.NewPlacedFixed(r, arrow.PrimitiveTypes.Int64, 8, n)
		},
			func(c column.Placed, row, i int) { c.(*column.PlacedFixed).Put64(row, uint64(i)) }, func(i int) string { return fmt.Sprint(i) }},
		{"bits", func(r *column.Rows, n column.Nulls) column.Placed { return column.NewPlacedBits(r, n) },
			func(c column.Placed, row, i int) { c.(*column.PlacedBits).Put(row, i%3 == 1) }, func(i int) string { return fmt.Sprint(i%3 == 1) }},
		{"text", func(r *column.Rows, n column.Nulls) column.Placed {
			return column.NewPlacedVarlen(r, arrow.BinaryTypes.String, n)
		},
			func(c column.Placed, _, i int) {
				s := strings.Repeat("x", i%40)
				c.(*column.PlacedVarlen).Put(unsafe.Pointer(unsafe.StringData(s)), len(s))
			}, func(i int) string { return strings.Repeat("x", i%40) }},
		{"dictionary", func(r *column.Rows, n column.Nulls) column.Placed {
			return column.NewPlacedDictionary(r, []string{"a", "b", "c"}, n)
		},
			func(c column.Placed, row, i int) { c.(*column.PlacedDictionary).Put32(row, uint32(i%3)) }, func(i int) string { return "abc"[i%3 : i%3+1] }},
		{"list", func(r *column.Rows, n column.Nulls) column.Placed {
			return newList(r, n)
		}, putList, func(i int) string { return items(i) }},
		{"struct", func(r *column.Rows, n column.Nulls) column.Placed {
			return column.NewPlacedStruct(r, placedStruct, n, column.NewPlacedFixed(r, itemType, 4, column.NotNull), newList(r, column.NotNull))
		}, func(c column.Placed, row, i int) {
			s := c.(*column.PlacedStruct)
			s.Members[0].(*column.PlacedFixed).Put32(row, uint32(i))
			putList(s.Members[1], row, i)
			s.Mark(row)
		}, func(i int) string { return fmt.Sprintf(`{"l":%s,"n":%d}`, items(i), i) }},
	}
)

// putList makes a list of i%3 items the value.
func putList(c column.Placed, row, i int) {
	l := c.(*column.PlacedList)
	l.Clear()
	for k := range i % 3 {
		l.Items.Begin()
		number := uint32(k)
		l.Items.Truncate(l.Items.Len()) // an item that fails
		at := l.Items.Begin()
		itemColumns[l].PutBytes(at, unsafe.Pointer(&number))
		l.Items.Seal()
	}
	l.Mark(row)
}

// itemColumns are the columns of the items of lists.
var itemColumns = map[*column.PlacedList]*column.PlacedFixed{}

func newList(r *column.Rows, n column.Nulls) *column.PlacedList {
	item := column.NewPlacedFixed(column.NewRows(), itemType, 4, column.NotNull)
	l := column.NewPlacedList(r, listType, n, item)
	itemColumns[l] = item
	return l
}

func items(i int) string { return "[" + strings.TrimSuffix("0,1,"[:2*(i%3)], ",") + "]" }

// TestPlacedColumnsKeepTheLastValueOfEachRow plays one script on every kind: values, values over values, values taken back, nulls, rows that fail in the midst, and rows that are dropped
// later, far enough to grow several times, and then again in the same columns.
func TestPlacedColumnsKeepTheLastValueOfEachRow(t *testing.T) {
	for _, k := range placedKinds {
		for _, nulls := range []column.Nulls{column.NotNull, column.Nullable, column.Defaulted} {
			t.Run(fmt.Sprintf("%s %d", k.name, nulls), func(t *testing.T) {
				before := cmem.Live()
				rows := column.NewRows()
				c := k.make(rows, nulls)
				zero := map[string]string{"bits": "false", "text": "", "dictionary": "a", "list": "[]", "struct": `{"l":[],"n":0}`}[k.name]
				if strings.HasPrefix(k.name, "int") {
					zero = "0"
				}
				if nulls == column.Nullable {
					zero = array.NullValueStr
				}
				for round := range 2 {
					var want []string
					for i := range 1500 {
						row := rows.Begin()
						if row != len(want) || c.Len() != row {
							t.Fatalf("row %d, want %d", row, len(want))
						}
						value := zero
						switch i % 7 {
						case 0: // nothing is stored
						case 1:
							k.put(c, row, i+1)
							k.put(c, row, i)
							value = k.want(i)
						case 2:
							k.put(c, row, i)
							c.Clear()
						case 3:
							k.put(c, row, i)
							if value = k.want(i); nulls != column.NotNull {
								c.SetNull()
								value = array.NullValueStr
							}
						case 4: // the row fails
							k.put(c, row, i)
							rows.Truncate(row)
							continue
						default:
							k.put(c, row, i)
							value = k.want(i)
						}
						rows.Seal()
						if want = append(want, value); i%300 == 299 { // rows are dropped
							c.Truncate(len(want) - 5)
							want = want[:len(want)-5]
						}
					}
					d := c.Finish()
					a := array.MakeFromData(d)
					d.Release()
					if err := array.ValidateFull(a); err != nil {
						t.Fatal(err)
					}
					if a.NullN() == 0 && a.Data().Buffers()[0] != nil {
						t.Error("a column without nulls carries a bitmap")
					}
					for i := range want {
						if got := a.ValueStr(i); a.Len() != len(want) || got != want[i] {
							t.Fatalf("round %d, row %d of %d: got %s, want %s", round, i, a.Len(), got, want[i])
						}
					}
					a.Release()
				}
				c.Release()
				if after := cmem.Live(); after != before {
					t.Errorf("%d bytes were not released", after-before)
				}
			})
		}
	}
}

func TestPlacedColumnsFinishEmptyAndWithManyItemsAtOnce(t *testing.T) {
	before := cmem.Live()
	for _, k := range placedKinds {
		d := k.make(column.NewRows(), column.Nullable).Finish()
		if d.Len() != 0 {
			t.Errorf("%s: %d values", k.name, d.Len())
		}
		d.Release()
	}
	rows, items := column.NewRows(), column.NewRows()
	item := column.NewPlacedFixed(items, itemType, 4, column.NotNull)
	list := column.NewPlacedList(rows, listType, column.NotNull, item)
	values := make([]uint32, 5000)
	for i := range values {
		values[i] = uint32(i)
	}
	for range 2 {
		rows.Begin()
		item.PutValues(items.Extend(len(values)), unsafe.Pointer(&values[0]), len(values))
		rows.Seal()
	}
	if n := column.Size(list, 0); n < 2*4*len(values) || n > 3*4*len(values) {
		t.Errorf("the columns take %d bytes", n)
	}
	d := list.Finish()
	a := array.NewListData(d)
	if got := a.ListValues().(*array.Int32); got.Len() != 10_000 || got.Value(9_999) != 4_999 || got.Value(5_000) != 0 {
		t.Error(got.Len())
	}
	a.Release()
	d.Release()
	if after := cmem.Live(); after != before {
		t.Errorf("%d bytes were not released", after-before)
	}
}
