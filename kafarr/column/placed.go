package column

import (
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// Rows are placed columns that have their rows in common: those of a batch, or the items of one list. A row begins as zeros, or nulls. Its values are then stored in any order, and as often as
// they come: the last one stays. A struct's members lie in the rows of the struct; only the items of a list have rows of their own.
//
// A row is written by Begin, by storing into columns at the row that Begin returns, and by Seal.
type Rows struct {
	n        int  // sealed
	begun    bool // row n is being written
	ready    int  // rows below it are zero where nothing was stored
	capacity int
	hint     int // rows that there were the last time
	open     int // columns that hold memory
	width    int // bytes of a row, but for texts and items
	columns  []placed
	texts    []*PlacedVarlen
	lists    []*PlacedList
	budget   *Budget
}

// Placed is a column whose values are stored at a row.
type Placed interface {
	Column
	// Rows are those that the column's values lie in.
	Rows() *Rows
	// Mark notes that there is a value at a row. Only columns that are Nullable need it, and their Put methods do it.
	Mark(row int)
	// Clear takes back what was stored at the row that is being written.
	Clear()
	// SetNull makes the row that is being written a null, in a column that may hold some.
	SetNull()
}

// Nulls says which nulls there are in a placed column.
type Nulls int

const (
	// NotNull has none: rows begin as zeros.
	NotNull Nulls = iota
	// Nullable rows begin as nulls.
	Nullable
	// Defaulted rows begin as zeros, and some are made nulls.
	Defaulted
)

// placed is what Rows ask of their columns.
type placed interface {
	Placed
	common() *placedCommon
	// grow makes room for so many rows, of which the first used are kept.
	grow(used, capacity int)
	// zero makes the rows [from, to) zeros and nulls.
	zero(from, to int)
}

// NewRows returns rows without columns. A column joins them when it is made.
func NewRows() *Rows { return &Rows{} }

// readyRows is how many rows are zeroed at once: short before they are written, so that they are still in the cache then.
const readyRows = 256

// Len returns the number of sealed rows.
func (r *Rows) Len() int { return r.n }

// Begin makes room for the next row and returns its number.
func (r *Rows) Begin() int {
	if r.n >= r.ready {
		r.extend(1)
	}
	r.begun = true
	return r.n
}

// Seal ends the row that is being written.
func (r *Rows) Seal() {
	end := r.n<<2 + 4
	for _, c := range r.texts {
		*(*int32)(unsafe.Add(c.offsets, end)) = int32(c.bytes) //nolint:gosec // Fits keeps bytes within 32 bits
		c.start = c.bytes
	}
	for _, c := range r.lists {
		*(*int32)(unsafe.Add(c.offsets, end)) = int32(c.Items.n) //nolint:gosec // who appends items keeps them within 32 bits
	}
	r.n++
	r.begun = false
}

// Extend seals n rows at once, and returns the first one. Who calls it stores their values. It is meant for items that are one number each: texts and lists have no values then.
func (r *Rows) Extend(n int) (first int) {
	if r.n+n > r.ready {
		r.extend(n)
	}
	first = r.n
	r.n += n
	return first
}

// extend makes room for n more rows and zeroes them.
func (r *Rows) extend(n int) {
	need := r.n + n
	if need > r.capacity {
		capacity := r.budget.capacity(r.capacity, need, r.hint)
		r.budget.grows((capacity-r.capacity)*r.width, n*r.width)
		for _, c := range r.columns {
			c.grow(r.ready, capacity)
			if common := c.common(); !common.open {
				common.open = true
				r.open++
			}
		}
		r.capacity = capacity
	}
	to := max(need, min(r.capacity, r.ready+readyRows))
	for _, c := range r.columns {
		c.zero(r.ready, to)
	}
	r.ready = to
}

// used is how many rows hold anything, the one that is being written included.
func (r *Rows) used() int { return min(r.n+1, r.ready) }

// Truncate drops the rows after the first n, and what was stored at the row that is being written.
func (r *Rows) Truncate(n int) {
	if n == r.n && !r.begun {
		return
	}
	used := r.used()
	for _, c := range r.texts {
		c.start = offset(c.offsets, n)
		c.bytes = c.start
	}
	for _, c := range r.lists {
		c.Items.Truncate(offset(c.offsets, n))
	}
	for _, c := range r.columns {
		c.zero(n, used)
	}
	r.n, r.begun = n, false
}

// closed notes that a column has given its memory away. Once all have, the rows are none.
func (r *Rows) closed(c *placedCommon) {
	if !c.open {
		return
	}
	c.open = false
	if r.open--; r.open == 0 {
		r.hint = r.n
		r.n, r.ready, r.capacity, r.begun = 0, 0, 0, false
	}
}

// placedCommon is what all placed columns have.
type placedCommon struct {
	rows  *Rows
	valid unsafe.Pointer // a bit for each row; nil where nothing is null
	nulls Nulls
	open  bool // it holds memory
}

func (c *placedCommon) common() *placedCommon { return c }

// join makes a column one of the rows', of so many bytes a row.
func (r *Rows) join(c placed, nulls Nulls, width int) {
	common := c.common()
	common.rows, common.nulls = r, nulls
	r.columns = append(r.columns, c)
	r.width += width + 1 // and the bit
}

// Len implements Column.
func (c *placedCommon) Len() int { return c.rows.n }

// Rows implements Placed.
func (c *placedCommon) Rows() *Rows { return c.rows }

// Truncate implements Column, for all columns of the rows.
func (c *placedCommon) Truncate(n int) { c.rows.Truncate(n) }

// Mark implements Placed.
func (c *placedCommon) Mark(row int) {
	if c.valid != nil {
		setBit(c.valid, row)
	}
}

func (c *placedCommon) growValid(used, capacity int) {
	if c.nulls != NotNull {
		c.valid = cmem.Resize(c.valid, bitBytes(used), bitBytes(capacity))
	}
}

func (c *placedCommon) zeroValid(from, to int) {
	switch c.nulls {
	case Nullable:
		fillBits(c.valid, from, to, 0)
	case Defaulted:
		fillBits(c.valid, from, to, 0xFF)
	}
}

// unmark makes the row that is being written what it was when it began.
func (c *placedCommon) unmark() {
	switch c.nulls {
	case Nullable:
		clearBit(c.valid, c.rows.n)
	case Defaulted:
		setBit(c.valid, c.rows.n)
	}
}

// setNull is the mark of SetNull.
func (c *placedCommon) setNull() { clearBit(c.valid, c.rows.n) }

// finishValid hands the bitmap over; nil where nothing is null, as of other columns.
func (c *placedCommon) finishValid(n int) (*memory.Buffer, int) {
	nulls := 0
	if c.valid != nil {
		nulls = n - countBits(c.valid, n)
	}
	if nulls == 0 {
		c.releaseValid()
		return nil, 0
	}
	b := buffer(c.valid, bitBytes(n))
	clearTail(c.valid, n)
	c.valid = nil
	return b, nulls
}

func (c *placedCommon) releaseValid() {
	cmem.Release(c.valid)
	c.valid = nil
}

func bitBytes(n int) int { return (n + 7) / 8 }

// fillBits makes the bits [from, to) those of a byte of zeros or of ones. Those of the last byte that lie after them are filled as well: nothing was stored there yet.
func fillBits(p unsafe.Pointer, from, to int, fill byte) {
	if from&7 != 0 && from < to {
		first, above := (*byte)(unsafe.Add(p, from>>3)), byte(0xFF)<<(from&7)
		*first = *first&^above | fill&above
		from = (from + 7) &^ 7
	}
	if from < to {
		rest := unsafe.Slice((*byte)(unsafe.Add(p, from>>3)), bitBytes(to)-from>>3)
		for i := range rest {
			rest[i] = fill
		}
	}
}

// countBits counts the ones among the first n bits.
func countBits(p unsafe.Pointer, n int) (ones int) {
	full := unsafe.Slice((*byte)(p), n>>3)
	for ; len(full) >= 8; full = full[8:] {
		ones += bits.OnesCount64(*(*uint64)(unsafe.Pointer(unsafe.SliceData(full))))
	}
	for _, b := range full {
		ones += bits.OnesCount8(b)
	}
	if rest := n & 7; rest != 0 {
		ones += bits.OnesCount8(*(*byte)(unsafe.Add(p, n>>3)) & byte(1<<rest-1))
	}
	return ones
}
