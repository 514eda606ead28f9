package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// validity is a column's null bitmap, which exists only from the first null on: most nullable columns have none
// in most batches, and consumers skip work where the bitmap is absent.
type validity struct {
	bits     unsafe.Pointer
	capacity int // in bits, a multiple of 512
	nulls    int
}

// valid notes that value i is not null.
func (v *validity) valid(i int) {
	if v.bits != nil {
		v.set(i)
	}
}

func (v *validity) set(i int) {
	if i >= v.capacity {
		v.grow(i + 1)
	}
	setBit(v.bits, i)
}

// null notes that value i is null, and that all before it are valid if it is the first.
func (v *validity) null(i int) {
	if v.bits == nil || i >= v.capacity {
		v.grow(i + 1)
	}
	clearBit(v.bits, i)
	v.nulls++
}

func (v *validity) grow(need int) {
	first := v.bits == nil
	capacity := (max(2*v.capacity, need, minCapacity) + 511) &^ 511
	v.bits = cmem.Resize(v.bits, v.capacity/8, capacity/8)
	if first {
		// What was appended before the first null is valid. Bits past the end are written before they are read.
		fill := unsafe.Slice((*byte)(v.bits), capacity/8)
		for i := range fill {
			fill[i] = 0xFF
		}
	}
	v.capacity = capacity
}

// truncate forgets the values [n, length).
func (v *validity) truncate(n, length int) {
	if v.nulls == 0 {
		return
	}
	for i := n; i < length; i++ {
		if !bit(v.bits, i) {
			v.nulls--
		}
	}
}

// finish hands the bitmap over; nil when nothing is null.
func (v *validity) finish(length int) (*memory.Buffer, int) {
	nulls := v.nulls
	if nulls == 0 {
		v.release()
		return nil, 0
	}
	b := buffer(v.bits, (length+7)/8)
	clearTail(v.bits, length)
	*v = validity{}
	return b, nulls
}

func (v *validity) release() {
	cmem.Release(v.bits)
	*v = validity{}
}

func setBit(p unsafe.Pointer, i int) {
	*(*byte)(unsafe.Add(p, i>>3)) |= 1 << (i & 7)
}

func clearBit(p unsafe.Pointer, i int) {
	*(*byte)(unsafe.Add(p, i>>3)) &^= 1 << (i & 7)
}

func bit(p unsafe.Pointer, i int) bool {
	return *(*byte)(unsafe.Add(p, i>>3))&(1<<(i&7)) != 0
}

// clearTail zeroes the bits after the last value in its byte, so that equal columns are equal bytes.
func clearTail(p unsafe.Pointer, length int) {
	if rest := length & 7; rest != 0 {
		*(*byte)(unsafe.Add(p, length>>3)) &= byte(1<<rest - 1)
	}
}
