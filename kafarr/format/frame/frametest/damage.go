//go:build unix

package frametest

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"
)

// Guards are pages that must not be touched: each buffer ends where one begins.
type Guards struct{ maps [][]byte }

// NewGuards makes some, which are unmapped when the test ends.
func NewGuards(t *testing.T) *Guards {
	g := &Guards{}
	t.Cleanup(func() {
		for _, m := range g.maps {
			if err := unix.Munmap(m); err != nil {
				t.Error(err)
			}
		}
	})
	return g
}

// Buffer is a copy of bytes that ends where a page begins that must not be touched.
func (g *Guards) Buffer(t *testing.T, b []byte) *memory.Buffer {
	t.Helper()
	page := unix.Getpagesize()
	n := (len(b) + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, n+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	g.maps = append(g.maps, m)
	if err := unix.Mprotect(m[n:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	copy(m[n-len(b):n], b)
	return memory.NewBufferBytes(m[n-len(b) : n : n])
}

// Raw is an array's data, to be changed.
type Raw struct {
	Type       arrow.DataType
	N, Offset  int
	Buffers    [][]byte // nil: none
	Kids       []*Raw
	Dictionary *Raw
	NullCount  int
}

// RawOf copies an array's data. Buffers are cut to the length that the values need, as far as that is known without their content.
func RawOf(d arrow.ArrayData) *Raw {
	r := &Raw{Type: d.DataType(), N: d.Len(), Offset: d.Offset(), NullCount: d.NullN()}
	for _, b := range d.Buffers() {
		var bytes []byte
		if b != nil {
			bytes = slices.Clone(b.Bytes())
			if bytes == nil {
				bytes = []byte{}
			}
		}
		r.Buffers = append(r.Buffers, bytes)
	}
	for _, kid := range d.Children() {
		r.Kids = append(r.Kids, RawOf(kid))
	}
	if dictionary, ok := d.Dictionary().(*array.Data); ok && dictionary != nil {
		r.Dictionary = RawOf(dictionary)
	}
	return r
}

func (r *Raw) all() (out []*Raw) {
	out = append(out, r)
	for _, kid := range r.Kids {
		out = append(out, kid.all()...)
	}
	if r.Dictionary != nil {
		out = append(out, r.Dictionary.all()...)
	}
	return out
}

func (r *Raw) data(t *testing.T, g *Guards) *array.Data {
	buffers := make([]*memory.Buffer, len(r.Buffers))
	for i, b := range r.Buffers {
		if b != nil {
			buffers[i] = g.Buffer(t, b)
		}
	}
	var kids []arrow.ArrayData
	for _, kid := range r.Kids {
		kids = append(kids, kid.data(t, g))
	}
	if r.Dictionary != nil {
		return array.NewDataWithDictionary(r.Type, r.N, buffers, r.NullCount, r.Offset, r.Dictionary.data(t, g))
	}
	return array.NewData(r.Type, r.N, buffers, kids, r.NullCount, r.Offset)
}

// Made is the array, or nil where arrow-go itself refuses it, which it does by a panic.
func (r *Raw) Made(t *testing.T, g *Guards) (a arrow.Array) {
	defer func() {
		if recover() != nil {
			a = nil
		}
	}()
	return array.MakeFromData(r.data(t, g))
}

// Damage changes one thing of one of the arrays.
func (r *Raw) Damage(random *rand.Rand) {
	all := r.all()
	at := all[random.IntN(len(all))]
	extreme := []uint64{0, 1, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}[random.IntN(11)]
	if len(at.Buffers) > 0 && random.IntN(6) > 0 {
		b := at.Buffers[random.IntN(len(at.Buffers))]
		if len(b) == 0 {
			return
		}
		switch random.IntN(3) {
		case 0:
			b[random.IntN(len(b))] = byte(random.Uint32())
		case 1:
			if place := random.IntN(len(b)/4+1) * 4; place+4 <= len(b) {
				binary.LittleEndian.PutUint32(b[place:], uint32(extreme))
			}
		case 2:
			if place := random.IntN(len(b)/8+1) * 8; place+8 <= len(b) {
				binary.LittleEndian.PutUint64(b[place:], extreme)
			}
		}
		return
	}
	switch random.IntN(5) {
	case 0:
		if k := random.IntN(len(at.Buffers) + 1); k < len(at.Buffers) && len(at.Buffers[k]) > 0 {
			at.Buffers[k] = at.Buffers[k][:random.IntN(len(at.Buffers[k]))]
		}
	case 1:
		at.N += random.IntN(7) - 3
	case 2:
		at.Offset += random.IntN(7) - 3
	case 3:
		if len(at.Kids) > 0 {
			at.Kids = at.Kids[:len(at.Kids)-1]
		}
	case 4:
		at.NullCount = random.IntN(3) - 1
	}
}

// Foreign makes the columns of a batch of a foreign program: laid out in random ways, with damages, and with buffers that end at a page that must not be touched. nil: they are none.
func Foreign(t *testing.T, r *rand.Rand, batch arrow.RecordBatch, damages int) arrow.RecordBatch {
	t.Helper()
	g := NewGuards(t)
	fields := slices.Clone(batch.Schema().Fields())
	columns := make([]arrow.Array, len(fields))
	for i := range columns {
		disguised := Disguise(r, batch.Column(i))
		fields[i] = WithField(fields[i], disguised.DataType())
		raw := RawOf(disguised.Data())
		for range damages {
			raw.Damage(r)
		}
		if columns[i] = raw.Made(t, g); columns[i] == nil || int64(columns[i].Len()) != batch.NumRows() {
			return nil
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
}
