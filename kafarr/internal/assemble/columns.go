package assemble

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
)

// Options say which columns batches have, and how large they may be.
type Options struct {
	Metadata         []Metadata
	NullableSchemaID bool // there may be messages without a registered schema among the others
	ColumnBytes      int  // that the columns of values, and those of keys, may hold; 0: the default
}

// Columns are the columns of one shape: those of the values, of the keys, and the metadata. They are used again by the next batch of that shape, which begins with the
// capacity that the last one came to.
type Columns struct {
	messageType string
	schema      *arrow.Schema
	values      *format.Columns
	keys        *format.Columns // nil: keys are not asked for
	appenders   map[*schema.Compiled]format.Appender
	last        appending        // what appenderOf returned last
	metadata    []filledMetadata // in their order; then the offsets, where they are none of them
	offsets     *column.Fixed    // of every row: a batch may have to be cut
	tombstones  bool             // its rows are gathered beside those of a type

	builder *Builder // of the batch that is being filled with them; nil: there is none
	size    int      // bytes that are kept of them, estimated, without what their rows take
	used    int      // the run of their last use
	dropped bool     // from Shapes
}

// appending is what a schema's rows are appended with.
type appending struct {
	of *schema.Compiled
	by format.Appender
}

// filledMetadata is a metadata column of a batch. The zero value stands for the key, whose column is one of Columns.keys.
type filledMetadata struct {
	column column.Column
	append func(column.Column, *Run, survey)
}

// NewColumns makes empty columns for the runs of a schema, and of all that have its shape.
func NewColumns(of schema.Pair, o *Options) *Columns {
	c := &Columns{messageType: of.Value.Plan.MessageType(), values: of.Value.Plan.NewColumns(), appenders: map[*schema.Compiled]format.Appender{}}
	fields := append([]arrow.Field(nil), of.Value.Plan.Fields()...)
	if of.Key != nil {
		c.keys = of.Key.Plan.NewColumns()
	}
	for _, m := range o.Metadata {
		if m.Column == Key {
			f := of.Key.Plan.Fields()[0]
			f.Name = m.Name()
			fields = append(fields, f)
			c.metadata = append(c.metadata, filledMetadata{})
			continue
		}
		t := metadataColumns[m.Column]
		made := t.make()
		c.metadata = append(c.metadata, filledMetadata{made, t.append})
		if m.Column == Offset {
			c.offsets = made.(*column.Fixed)
		}
		nullable := t.nullable || m.Column == SchemaID && (!of.Value.IsRegistered || o.NullableSchemaID)
		fields = append(fields, arrow.Field{Name: m.Name(), Type: t.dtype, Nullable: nullable})
	}
	if c.offsets == nil {
		t := metadataColumns[Offset]
		c.offsets = t.make().(*column.Fixed)
		c.metadata = append(c.metadata, filledMetadata{c.offsets, t.append})
	}
	c.values.SetMost(o.ColumnBytes)
	if c.keys != nil {
		c.keys.SetMost(o.ColumnBytes)
	}
	c.schema = arrow.NewSchema(fields, nil)
	c.size = of.Value.Plan.ColumnsSize()
	if of.Key != nil {
		c.size += of.Key.Plan.ColumnsSize()
	}
	return c
}

// MessageType is the full name of the rows' type.
func (c *Columns) MessageType() string { return c.messageType }

// Schema is the schema of the batches.
func (c *Columns) Schema() *arrow.Schema { return c.schema }

// Tombstones reports whether the rows are gathered beside those of a type.
func (c *Columns) Tombstones() bool { return c.tombstones }

// Builder is that of the batch that is being filled with the columns; nil: there is none.
func (c *Columns) Builder() *Builder { return c.builder }

// Rows returns the number of rows.
func (c *Columns) Rows() int { return c.values.Rows() }

// expect tells the columns how many rows to make room for at once. The first batch of 100,000 wide rows would else grow by doubling, and touch twice the memory.
func (c *Columns) expect(rows int) {
	c.values.Expect(rows)
	if c.keys != nil {
		c.keys.Expect(rows)
	}
	for _, m := range c.metadata {
		if m.column != nil {
			column.Expect(m.column, rows)
		}
	}
}

// bind joins a schema, which has the columns' shape, to them, and returns the bytes that this takes.
func (c *Columns) bind(s schema.Pair) int {
	bytes := c.bindPlan(s.Value, c.values)
	if s.Key != nil {
		bytes += c.bindPlan(s.Key, c.keys)
	}
	return bytes
}

func (c *Columns) bindPlan(p *schema.Compiled, to *format.Columns) int {
	if c.appenders[p] != nil {
		return 0
	}
	a := p.Plan.Bind(to)
	a.SetRowTimeout(LongRow)
	c.appenders[p] = a
	c.size += p.Plan.AppenderSize()
	return p.Plan.AppenderSize()
}

// appenderOf returns what the rows of a schema that is bound are appended with.
func (c *Columns) appenderOf(of *schema.Compiled) format.Appender {
	if c.last.of != of {
		c.last = appending{of, c.appenders[of]}
	}
	return c.last.by
}

// unbind drops what joins dropped plans to the columns, and returns its bytes.
func (c *Columns) unbind() int {
	bytes := 0
	c.last = appending{}
	for p := range c.appenders {
		if p.Dropped() {
			delete(c.appenders, p)
			bytes += p.Plan.AppenderSize()
		}
	}
	c.size -= bytes
	return bytes
}

// truncate takes back the last n rows, which have no metadata yet.
func (c *Columns) truncate(n int) {
	c.values.Truncate(c.values.Rows() - n)
	if c.keys != nil {
		c.keys.Truncate(c.keys.Rows() - n)
	}
}

// finish hands the columns over and leaves these empty.
func (c *Columns) finish() []arrow.ArrayData {
	out := c.values.Finish()
	for _, m := range c.metadata {
		switch {
		case m.column == nil:
			out = append(out, c.keys.Finish()...)
		case len(out) < c.schema.NumFields(): // not the offsets that are none of the metadata
			out = append(out, m.column.Finish())
		}
	}
	c.Release()
	return out
}

// Release drops the rows.
func (c *Columns) Release() {
	c.builder = nil
	c.values.Release()
	if c.keys != nil {
		c.keys.Release()
	}
	for _, m := range c.metadata {
		if m.column != nil {
			m.column.Release()
		}
	}
}
