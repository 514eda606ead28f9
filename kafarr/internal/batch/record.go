package batch

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// record is a record batch whose arrays are built when a program in Go first asks for one. The way to C and Python needs their data only, and arrow-go
// builds what lies in a map twice, which doubles with each map that lies in another.
type record struct {
	schema *arrow.Schema
	data   []arrow.ArrayData
	rows   int64

	references atomic.Int64
	build      sync.Once
	built      arrow.RecordBatch
}

// NewRecord makes a record batch of columns and takes over the caller's references to them.
func NewRecord(schema *arrow.Schema, columns []arrow.ArrayData, rows int) arrow.RecordBatch {
	r := &record{schema: schema, data: columns, rows: int64(rows)}
	r.references.Store(1)
	return r
}

// arrays is arrow-go's own record batch of the columns.
func (r *record) arrays() arrow.RecordBatch {
	r.build.Do(func() {
		arrays := make([]arrow.Array, len(r.data))
		for i, d := range r.data {
			arrays[i] = array.MakeFromData(d)
			defer arrays[i].Release()
		}
		r.built = array.NewRecordBatch(r.schema, arrays, r.rows)
	})
	return r.built
}

// ColumnData returns what column i is made of, and builds nothing.
func (r *record) ColumnData(i int) arrow.ArrayData { return r.data[i] }

// These implement arrow.RecordBatch.

func (r *record) Schema() *arrow.Schema        { return r.schema }
func (r *record) NumRows() int64               { return r.rows }
func (r *record) NumCols() int64               { return int64(len(r.data)) }
func (r *record) ColumnName(i int) string      { return r.schema.Field(i).Name }
func (r *record) Columns() []arrow.Array       { return r.arrays().Columns() }
func (r *record) Column(i int) arrow.Array     { return r.arrays().Column(i) }
func (r *record) MarshalJSON() ([]byte, error) { return r.arrays().MarshalJSON() }
func (r *record) Retain()                      { r.references.Add(1) }

func (r *record) SetColumn(i int, column arrow.Array) (arrow.RecordBatch, error) {
	return r.arrays().SetColumn(i, column)
}

func (r *record) String() string {
	return r.arrays().(interface{ String() string }).String()
}

func (r *record) NewSlice(i, j int64) arrow.RecordBatch {
	columns := make([]arrow.ArrayData, len(r.data))
	for k, d := range r.data {
		columns[k] = array.NewSliceData(d, i, j)
	}
	return NewRecord(r.schema, columns, int(j-i))
}

func (r *record) Release() {
	if r.references.Add(-1) > 0 {
		return
	}
	for _, d := range r.data {
		d.Release()
	}
	if r.built != nil {
		r.built.Release()
	}
	r.data, r.built = nil, nil
}
