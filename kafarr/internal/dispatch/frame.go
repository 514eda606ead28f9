// Package dispatch sends the rows of record batches: it checks them, routes each to its partition, and fills record batches for a sink.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Sink is what takes sealed batches: a produce.Producer.
type Sink interface {
	// Partitions is how many the topic has. fresh: the cluster is asked, whatever is known.
	Partitions(ctx context.Context, topic string, fresh bool) (int, error)
	MaxMessageBytes(ctx context.Context, topic string) (int, error)
	Send(ctx context.Context, b *produce.Batch) error
}

// Plan says how the rows of a frame become messages.
type Plan struct {
	Topic string
	// Raw takes the values of RawColumn as they are, instead of Value.
	Raw bool
	// Value writes the values; nil: each row is a tombstone. Columns are those that it was compiled for.
	Value   format.Encoding
	Columns []arrow.Field
	// Prefix is the framing before each value, and Named the headers that name the schema.
	Prefix []byte
	Named  []sink.Header
	// Key, Partition, Timestamp, Headers and Tombstone are names of columns; empty: there is none.
	Key, Partition, Timestamp, Headers, Tombstone string
	KeyForm                                       KeyForm
	// KeyValue writes keys, with KeyValues, after KeyPrefix; it was compiled for KeyColumn. KeyNamed is the header that names their schema.
	KeyValue  format.Encoding
	KeyColumn arrow.Field
	KeyPrefix []byte
	KeyNamed  []sink.Header
	// Constant are headers of each message. Outdated are the names of headers that the column is not to give: those that name the schema that a message was read by.
	Constant []sink.Header
	Outdated []string
	// Partitioner chooses the partition of rows for which Partition has none.
	Partitioner Partitioner
	// FirstRow is the number of the first row, for errors and reports: a frame may be sent in parts.
	FirstRow int64
	// Bounds and Compression are those of record batches; Bounds.Message is lowered to what the topic takes.
	Bounds      produce.Bounds
	Compression produce.Compression
	// Workers is how many goroutines fill batches; 0: 1.
	Workers int
}

// part is one record batch of a frame, checked.
type part struct {
	first     int // the number of its first row within the frame
	rows      int
	value     format.Encoder // nil: all rows are tombstones
	deleted   []bool         // which rows are tombstones; nil: none, or all where value is nil
	key       keyOf          // nil: there are no keys
	headers   headersOf      // nil: there are none but those of the plan
	timestamp intOf          // nil: now
	partition intOf          // nil: the partitioner's
	columns   []arrow.Array  // what may be long; checked
}

// bind checks a record batch.
func (p *Plan) bind(batch arrow.RecordBatch, first int) (*part, error) {
	columns := columnsOf{batch}
	made := &part{first: first, rows: int(batch.NumRows())}
	if err := p.bindColumns(made, columns); err != nil {
		return nil, p.atRow(err, first)
	}
	if p.Value == nil && !p.Raw {
		return made, nil
	}
	if p.Tombstone != "" {
		column, err := columns.named("tombstone", p.Tombstone)
		if err != nil {
			return nil, err
		}
		if made.deleted, err = readTruths("tombstone", p.Tombstone, column); err != nil {
			return nil, err
		}
		if !slices.Contains(made.deleted, true) {
			made.deleted = nil
		}
	}
	if p.Raw {
		column, err := columns.named("frame", RawColumn)
		if err != nil {
			return nil, err
		}
		made.columns = append(made.columns, column)
		return made, bindRaw(made, column)
	}
	values := columns.only(p.Columns)
	defer values.Release()
	var err error
	if made.value, err = p.Value.Bind(values, made.deleted); err != nil {
		return nil, p.atRow(err, first)
	}
	made.columns = append(made.columns, values.Columns()...)
	return made, nil
}

// bindColumns reads what is not the value.
func (p *Plan) bindColumns(to *part, columns columnsOf) error {
	if p.Key != "" {
		column, err := p.bindKey(to, columns)
		if err != nil {
			return err
		}
		to.columns = append(to.columns, column)
	}
	if p.Headers != "" {
		column, err := columns.named("headers", p.Headers)
		if err != nil {
			return err
		}
		if to.headers, err = readHeaders(p.Headers, column, p.Outdated); err != nil {
			return err
		}
		to.columns = append(to.columns, column)
	}
	if p.Timestamp != "" {
		column, err := columns.named("timestamp", p.Timestamp)
		if err != nil {
			return err
		}
		if to.timestamp, err = readTimes(p.Timestamp, column); err != nil {
			return err
		}
		if err := inTime(p.Timestamp, column.DataType(), to.timestamp, to.rows); err != nil {
			return err
		}
	}
	if p.Partition != "" {
		column, err := columns.named("partition", p.Partition)
		if err != nil {
			return err
		}
		if to.partition = readInts(column); to.partition == nil {
			return columnError("partition", p.Partition, column.DataType(), "whole numbers")
		}
	}
	return nil
}

// bindKey reads the keys.
func (p *Plan) bindKey(to *part, columns columnsOf) (column arrow.Array, err error) {
	if p.KeyForm != KeyValues {
		if column, err = columns.named("key", p.Key); err == nil {
			to.key, err = readKeys(p.KeyForm, p.Key, column)
		}
		return column, err
	}
	if column, err = columns.found("key", p.Key); err != nil {
		return nil, err
	}
	only := columns.only([]arrow.Field{p.KeyColumn})
	defer only.Release()
	to.key, err = encodeKeys(p.KeyValue, p.KeyPrefix, only, column) // which looks at the memory
	return column, err
}

// mostMillis is far ahead of any calendar's time, and far below what brokers' arithmetic with times can overflow.
const mostMillis = 1 << 53

// inTime checks that each timestamp is one that a broker takes.
func inTime(name string, t arrow.DataType, millis intOf, rows int) error {
	for row := range rows {
		n, ok := millis(row)
		if !ok || n >= 0 && n <= mostMillis {
			continue
		}
		wrong := "milliseconds are before 1970, from which on brokers take times"
		if n > 0 {
			wrong = "milliseconds are more than 285,000 years after 1970"
			if arrow.IsInteger(t.ID()) {
				wrong += ": divide numbers of another unit, such as microseconds or nanoseconds, or make them timestamps with a time zone"
			}
		}
		return &format.ValueError{Row: row, Path: name, Value: fmt.Sprint(n), Msg: wrong}
	}
	return nil
}

// atRow makes the error of a row of a batch that of the frame's row.
func (p *Plan) atRow(err error, first int) error {
	var value *format.ValueError
	if !errors.As(err, &value) {
		return err
	}
	moved := *value
	moved.Path = "" // which stands before the cause
	e := status.New(status.EncodeError, &moved)
	e.Path = value.Path
	if value.Row >= 0 {
		moved.Row += first + int(p.FirstRow)
		e.Offset = int64(moved.Row)
	}
	return e
}

// columnsOf finds the columns of a batch.
type columnsOf struct{ batch arrow.RecordBatch }

// found is the column of a name.
func (c columnsOf) found(option, name string) (arrow.Array, error) {
	indices := c.batch.Schema().FieldIndices(name)
	if len(indices) != 1 {
		return nil, NotOne(option, name, c.batch.Schema())
	}
	return c.batch.Column(indices[0]), nil
}

// NotOne is the error of a name that a frame has no column of, or several.
func NotOne(option, name string, columns *arrow.Schema) *status.Error {
	e := status.Errorf(status.ConfigError, "%s: the frame has two columns of the name %q", option, name)
	if !columns.HasField(name) {
		names := make([]string, columns.NumFields())
		for i, f := range columns.Fields() {
			names[i] = f.Name
		}
		e = status.Errorf(status.ConfigError, "%s: the frame has no column %q%s", option, name, nearest.Hint(name, names))
	}
	e.Option = option
	return e
}

// named is the column of a name, whose memory can be read.
func (c columnsOf) named(option, name string) (arrow.Array, error) {
	column, err := c.found(option, name)
	if err != nil {
		return nil, err
	}
	if err := sound(column); err != nil {
		e := status.Errorf(status.ConfigError, "%s: the column %q is damaged: %w", option, name, err)
		e.Path, e.Option = name, option
		return nil, e
	}
	return column, nil
}

// only makes a batch of some columns, which are there.
func (c columnsOf) only(fields []arrow.Field) arrow.RecordBatch {
	arrays := make([]arrow.Array, len(fields))
	for i, f := range fields {
		arrays[i] = c.batch.Column(c.batch.Schema().FieldIndices(f.Name)[0])
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, c.batch.NumRows())
}

// now is the timestamp of rows that have none.
func now() int64 { return time.Now().UnixMilli() }
