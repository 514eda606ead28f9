package batch

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// rejectedSchema is the schema of Sealed.Rejected.
var rejectedSchema = arrow.NewSchema([]arrow.Field{
	{Name: "topic", Type: arrow.BinaryTypes.String},
	{Name: "partition", Type: arrow.PrimitiveTypes.Int32},
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64},
	{Name: "timestamp", Type: rejectedTimestamp, Nullable: true},
	{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "error", Type: arrow.BinaryTypes.String},   // the class, "DecodeError"
	{Name: "message", Type: arrow.BinaryTypes.String}, // the whole sentence
}, nil)

var rejectedTimestamp = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}

// Rejected collects messages that could not be decoded. They are few: nothing here is on the hot path.
type Rejected struct {
	topic, key, value, class, message *column.Varlen
	partition, offset, timestamp      *column.Fixed
}

// NewRejected returns an empty table.
func NewRejected() *Rejected {
	text := func() *column.Varlen { return column.NewVarlen(arrow.BinaryTypes.String) }
	binary := func() *column.Varlen { return column.NewVarlen(arrow.BinaryTypes.Binary) }
	return &Rejected{
		topic: text(), key: binary(), value: binary(), class: text(), message: text(),
		partition: column.NewFixed(arrow.PrimitiveTypes.Int32, 4),
		offset:    column.NewFixed(arrow.PrimitiveTypes.Int64, 8),
		timestamp: column.NewFixed(rejectedTimestamp, 8),
	}
}

// columns are in the order of rejectedSchema.
func (r *Rejected) columns() []column.Column {
	return []column.Column{r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.class, r.message}
}

// Append adds a message of a partition, with the class and the text of its error.
func (r *Rejected) Append(from source.TopicPartition, record *source.Record, class, message string) {
	appendText(r.topic, from.Topic)
	r.partition.Append32(uint32(from.Partition)) //nolint:gosec // bit pattern
	r.offset.Append64(uint64(record.Offset))     //nolint:gosec // bit pattern
	if record.TimestampType == 0 {
		r.timestamp.AppendNull()
	} else {
		r.timestamp.Append64(uint64(record.Timestamp)) //nolint:gosec // bit pattern
	}
	r.key.AppendNullable(record.Key, record.KeyLen)
	r.value.AppendNullable(record.Value, record.ValueLen)
	appendText(r.class, class)
	appendText(r.message, message)
}

// Finish hands the messages over as a record batch.
func (r *Rejected) Finish() arrow.RecordBatch {
	n := r.topic.Len()
	columns := make([]arrow.ArrayData, 0, rejectedSchema.NumFields())
	for _, c := range r.columns() {
		columns = append(columns, c.Finish())
	}
	return NewRecord(rejectedSchema, columns, n)
}

// Release gives up what was not handed over.
func (r *Rejected) Release() {
	for _, c := range r.columns() {
		c.Release()
	}
}

// rejectedWithout copies what was rejected of other partitions than this one; nil: nothing was.
func rejectedWithout(all arrow.RecordBatch, k source.TopicPartition) arrow.RecordBatch {
	kept := NewRejected()
	defer kept.Release()
	for i := range int(all.NumRows()) {
		from := rejectedFrom(all, i)
		if from == k {
			continue
		}
		appendText(kept.topic, from.Topic)
		kept.partition.Append32(uint32(from.Partition))                     //nolint:gosec // bit pattern
		kept.offset.Append64(uint64(all.Column(2).(*array.Int64).Value(i))) //nolint:gosec // bit pattern
		if at := all.Column(3).(*array.Timestamp); at.IsNull(i) {
			kept.timestamp.AppendNull()
		} else {
			kept.timestamp.Append64(uint64(at.Value(i))) //nolint:gosec // bit pattern
		}
		for j, c := range []*column.Varlen{kept.key, kept.value} {
			if bytes := all.Column(4 + j).(*array.Binary); bytes.IsNull(i) {
				c.AppendNull()
			} else {
				appendText(c, bytes.ValueString(i))
			}
		}
		appendText(kept.class, all.Column(6).(*array.String).Value(i))
		appendText(kept.message, all.Column(7).(*array.String).Value(i))
	}
	if kept.topic.Len() == 0 {
		return nil
	}
	return kept.Finish()
}

// rejectedFrom is the partition of row i.
func rejectedFrom(all arrow.RecordBatch, i int) source.TopicPartition {
	return source.TopicPartition{Topic: all.Column(0).(*array.String).Value(i), Partition: all.Column(1).(*array.Int32).Value(i)}
}

func appendText(c *column.Varlen, text string) {
	c.Append(unsafe.Pointer(unsafe.StringData(text)), len(text))
}
