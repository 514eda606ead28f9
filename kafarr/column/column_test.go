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

// kind is a column type with a way to append value i, so that every test runs over all types.
type kind struct {
	name   string
	make   func() column.Column
	append func(c column.Column, i int)
	want   func(i int) string
}

func text(c *column.Varlen, s string) {
	c.Append(unsafe.Pointer(unsafe.StringData(s)), len(s))
}

var (
	itemType   = arrow.PrimitiveTypes.Int32
	listType   = arrow.ListOf(itemType)
	structType = arrow.StructOf(arrow.Field{Name: "n", Type: itemType, Nullable: true}, arrow.Field{Name: "s", Type: arrow.BinaryTypes.String})
)

var kinds = []kind{
	{"int32", func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		func(c column.Column, i int) { c.(*column.Fixed).Append32(uint32(i)) }, func(i int) string { return fmt.Sprint(i) }},
	{"int64", func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int64, 8) },
		func(c column.Column, i int) { c.(*column.Fixed).Append64(uint64(i)) }, func(i int) string { return fmt.Sprint(i) }},
	{"fixed", func() column.Column { return column.NewFixed(&arrow.FixedSizeBinaryType{ByteWidth: 2}, 2) },
		func(c column.Column, i int) {
			b := [2]byte{'a', byte('a' + i%26)}
			c.(*column.Fixed).AppendBytes(unsafe.Pointer(&b))
		},
		func(i int) string { return fmt.Sprintf("%q", "a"+string(rune('a'+i%26))) }},
	{"bits", func() column.Column { return column.NewBits() },
		func(c column.Column, i int) { c.(*column.Bits).Append(byte(i % 3 & 1)) }, func(i int) string { return fmt.Sprint(i%3 == 1) }},
	{"varlen", func() column.Column { return column.NewVarlen(arrow.BinaryTypes.String) },
		func(c column.Column, i int) { text(c.(*column.Varlen), strings.Repeat("x", i%40)) }, func(i int) string { return fmt.Sprintf("%q", strings.Repeat("x", i%40)) }},
	{"list", func() column.Column { return column.NewList(listType, column.NewFixed(itemType, 4)) },
		func(c column.Column, i int) {
			l := c.(*column.List)
			for k := range i % 3 {
				l.Items.(*column.Fixed).Append32(uint32(k))
			}
			l.Took()
		}, func(i int) string { return "[" + strings.TrimSpace("0 1"[:max(2*(i%3)-1, 0)]) + "]" }},
	{"struct", func() column.Column {
		return column.NewStruct(structType, column.NewFixed(itemType, 4), column.NewVarlen(arrow.BinaryTypes.String))
	},
		func(c column.Column, i int) {
			s := c.(*column.Struct)
			s.Members[0].(*column.Fixed).Append32(uint32(i))
			text(s.Members[1].(*column.Varlen), "s")
			s.Took()
		}, func(i int) string { return fmt.Sprintf("{%d \"s\"}", i) }},
}

// values renders a finished column, value by value.
func values(t *testing.T, c column.Column) []string {
	t.Helper()
	data := c.Finish()
	a := array.MakeFromData(data)
	data.Release()
	defer a.Release()
	nulls := 0
	for i := range a.Len() {
		if a.IsNull(i) {
			nulls++
		}
	}
	if nulls != a.NullN() {
		t.Errorf("%d nulls in the bitmap, %d counted", nulls, a.NullN())
	}
	if nulls == 0 && a.Data().Buffers()[0] != nil {
		t.Error("a column without nulls carries a bitmap")
	}
	out := make([]string, a.Len())
	for i := range out {
		s := array.NewSlice(a, int64(i), int64(i+1))
		out[i] = strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(s), "["), "]")
		if _, ok := a.(*array.Struct); ok && !a.IsNull(i) {
			st := a.(*array.Struct)
			out[i] = fmt.Sprintf("{%s %q}", st.Field(0).ValueStr(i), st.Field(1).ValueStr(i))
		}
		if a.IsNull(i) {
			out[i] = "null"
		}
		s.Release()
	}
	return out
}

// TestColumnsKeepWhatIsAppendedTruncatedAndNulled plays the same script on every type: values, nulls at all places, rows taken back,
// far enough to grow several times, and then again in the same column.
func TestColumnsKeepWhatIsAppendedTruncatedAndNulled(t *testing.T) {
	for _, k := range kinds {
		for _, nullEvery := range []int{0, 1, 7, 300} {
			t.Run(fmt.Sprintf("%s with a null every %d", k.name, nullEvery), func(t *testing.T) {
				before := cmem.Live()
				c := k.make()
				for round := range 2 {
					var want []string
					for i := range 700 {
						if nullEvery > 0 && i%nullEvery == nullEvery-1 {
							c.AppendNull()
							want = append(want, "null")
						} else {
							k.append(c, i)
							want = append(want, k.want(i))
						}
						if i%11 == 10 { // take back what a bad row would leave behind
							k.append(c, i)
							c.AppendNull()
							c.Truncate(i - 1)
							want = want[:i-1]
							k.append(c, i+1)
							k.append(c, i+2)
							want = append(want, k.want(i+1), k.want(i+2))
						}
						if c.Len() != len(want) {
							t.Fatalf("%d values, want %d", c.Len(), len(want))
						}
					}
					got := values(t, c)
					for i := range want {
						if got[i] != want[i] {
							t.Fatalf("round %d, value %d: got %s, want %s", round, i, got[i], want[i])
						}
					}
				}
				c.Release()
				if after := cmem.Live(); after != before {
					t.Errorf("%d bytes were not released", after-before)
				}
			})
		}
	}
}

func TestAnEmptyColumnFinishesToAnEmptyArray(t *testing.T) {
	for _, k := range append(kinds, kind{name: "null", make: func() column.Column { return column.NewNull() }}) {
		before := cmem.Live()
		d := k.make().Finish()
		if d.Len() != 0 {
			t.Errorf("%s: %d values", k.name, d.Len())
		}
		d.Release()
		if after := cmem.Live(); after != before {
			t.Errorf("%s: %d bytes were not released", k.name, after-before)
		}
	}
}

func TestADictionaryKeepsItsCodesOverBatches(t *testing.T) {
	c := column.NewDictionary([]string{"A", "B"})
	for _, want := range []string{`["A" "B"]`, `["A" "B" "C"]`} {
		c.Append32(c.Code("B"))
		d := c.Finish()
		a := array.NewDictionaryData(d)
		if got := a.Dictionary().String(); got != want || a.GetValueIndex(0) != 1 {
			t.Errorf("got %s with code %d", got, a.GetValueIndex(0))
		}
		a.Release()
		d.Release()
		c.Code("C")
	}
	c.Release()
}
