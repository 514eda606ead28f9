package dispatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// texts has values of 0, 1, …, 199 bytes, and one of a thousand, in a column of some type.
func texts(t arrow.DataType) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for i := range 200 {
		value := strings.Repeat("x", i)
		if i == 130 {
			value = strings.Repeat("y", 1000)
		}
		if err := b.AppendValueFromString(value); err != nil {
			panic(err)
		}
	}
	return b.NewArray()
}

func TestNoValueIsLongerThanTheLongestOfItsStretch(t *testing.T) {
	for _, of := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView} {
		whole := texts(of)
		for _, bounds := range [][2]int64{{0, 200}, {0, 1}, {3, 67}, {100, 131}, {131, 200}, {7, 7}} {
			column := array.NewSlice(whole, bounds[0], bounds[1])
			want := 0
			for i := range column.Len() {
				want = max(want, len(column.ValueStr(i)))
			}
			exact := longest(column, 1)
			if exact != want+perValue {
				t.Errorf("%s %v: the longest is %d, and not %d", of, bounds, want, exact-perValue)
			}
			for _, together := range []int{2, 64, 1000} {
				if got := longest(column, together); got < exact {
					t.Errorf("%s %v: %d together have %d, and one has %d", of, bounds, together, got, exact)
				}
			}
			column.Release()
		}
		whole.Release()
	}
}

// BenchmarkLongest is for the values of a flat frame: `together` 1 looks at each of them.
func BenchmarkLongest(b *testing.B) {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range 100_000 {
		builder.Append(fmt.Sprint("symbol ", i))
	}
	column := builder.NewArray()
	for _, together := range []int{1, stretch} {
		b.Run(fmt.Sprint(together, " together"), func(b *testing.B) {
			for b.Loop() {
				longest(column, together)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(column.Len()), "ns/row")
		})
	}
}
