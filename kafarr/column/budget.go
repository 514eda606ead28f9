package column

import "unsafe"

// Budget bounds what a set of columns takes together. They tell it when they grow, which is rare: appending a value costs nothing. nil: no bound.
type Budget struct {
	// Settle is called when the columns have grown by what it had last returned. It looks at what they hold (Size) and returns by how much they may grow until
	// the next look, or panics, which leaves the columns as they were before the value that is being appended. pending: the bytes of that value.
	Settle func(pending int) int
	left   int
	shared map[*string]*dictionary // by the first of its texts
	least  int                     // values that a column first makes room for
}

// Finished gives up what the columns of a batch had in common, once all of them are finished.
func (b *Budget) Finished() {
	for _, d := range b.shared {
		if d.values != nil {
			d.values.Release()
			d.values = nil
		}
	}
}

// Share gives columns one budget, and dictionaries of the same list of texts one Arrow dictionary. Where they are many, each makes room for few values at first.
func Share(columns []Column, b *Budget) {
	b.least = max(8, min(minCapacity, sharedCapacity/max(len(columns), 1)))
	for _, c := range columns {
		switch c := c.(type) {
		case *Fixed:
			c.budget = b
		case *Dictionary:
			c.budget = b
			c.shared = b.dictionary(c.texts)
		case *PlacedDictionary:
			c.rows.budget = b
			c.shared = b.dictionary(c.texts)
		case *PlacedVarlen:
			c.rows.budget, c.budget = b, b
		case placed:
			c.common().rows.budget = b
		case *Bits:
			c.budget = b
		case *Varlen:
			c.budget = b
		case *List:
			c.budget = b
		case *DenseUnion:
			c.ids.budget, c.offsets.budget = b, b
		}
	}
}

// dictionary is that of all columns whose texts are the same list.
func (b *Budget) dictionary(texts []string) *dictionary {
	first := unsafe.SliceData(texts)
	if b.shared[first] == nil {
		if b.shared == nil {
			b.shared = map[*string]*dictionary{}
		}
		b.shared[first] = &dictionary{texts: texts}
	}
	return b.shared[first]
}

// sharedCapacity is how many values all the columns of a set together make room for at first, where each then has fewer than minCapacity.
const sharedCapacity = 1 << 18

// grows informs the budget that a column is about to grow by so many bytes, for a value of pending ones.
func (b *Budget) grows(bytes, pending int) {
	if b == nil || b.Settle == nil {
		return
	}
	if b.left -= bytes; b.left < 0 {
		b.left = b.Settle(pending)
	}
}

// capacity is the next capacity of a column that holds at least need values. The first one is that of the last batch, since batches tend
// to be alike: growing and copying were a quarter of the decoding of 100,000 flat rows.
func (b *Budget) capacity(capacity, need, hint int) int {
	if capacity > 0 {
		return max(2*capacity, need)
	}
	least := minCapacity
	if b != nil {
		least = b.least
	}
	return max(hint, need, least)
}

// Size returns the bytes that the values of a column from the first-th on take, those below it included.
func Size(c Column, first int) int {
	switch c := c.(type) {
	case *Fixed:
		return (c.n - first) * c.width
	case *Dictionary:
		return (c.n - first) * c.width
	case *Bits:
		return (c.n - first) / 8
	case *Varlen:
		return (c.n-first)*offsetBytes + c.bytes - offset(c.offsets, first)
	case *List:
		return (c.n-first)*offsetBytes + Size(c.Items, offset(c.offsets, first))
	case *Struct:
		n := 0
		for _, m := range c.Members {
			n += Size(m, first)
		}
		return n
	case *DenseUnion:
		n := (c.Len() - first) * (1 + offsetBytes)
		lengths := c.lengths(first)
		for k, m := range c.Members {
			n += Size(m, lengths[k])
		}
		return n
	case *PlacedFixed:
		return (c.rows.used() - first) * c.width
	case *PlacedDictionary:
		return (c.rows.used() - first) * c.width
	case *PlacedBits:
		return (c.rows.used() - first) / 8
	case *PlacedVarlen:
		return (c.rows.used()-first)*offsetBytes + c.bytes - offset(c.offsets, first)
	case *PlacedList:
		return (c.rows.used()-first)*offsetBytes + Size(c.item, offset(c.offsets, first))
	case *PlacedStruct:
		n := 0
		for _, m := range c.Members {
			n += Size(m, first)
		}
		return n
	}
	return 0 // nulls
}

const offsetBytes = 4

// offset is the n-th of a column's offsets.
func offset(offsets unsafe.Pointer, n int) int {
	if offsets == nil {
		return 0
	}
	return int(*(*int32)(unsafe.Add(offsets, n<<2)))
}
