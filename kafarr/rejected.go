package kafarr

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// rejectedSchema is the schema of Batch.Rejected.
var rejectedSchema = arrow.NewSchema([]arrow.Field{
	{Name: "topic", Type: arrow.BinaryTypes.String},
	{Name: "partition", Type: arrow.PrimitiveTypes.Int32},
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64},
	{Name: "timestamp", Type: timestampType, Nullable: true},
	{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "error", Type: arrow.BinaryTypes.String},   // the class, "DecodeError"
	{Name: "message", Type: arrow.BinaryTypes.String}, // the whole sentence
}, nil)

// rejected collects messages that could not be decoded. They are few: nothing here is on the hot path.
type rejected struct {
	topic, key, value, class, message *column.Varlen
	partition, offset, timestamp      *column.Fixed
}

func newRejected() *rejected {
	text := func() *column.Varlen { return column.NewVarlen(arrow.BinaryTypes.String) }
	binary := func() *column.Varlen { return column.NewVarlen(arrow.BinaryTypes.Binary) }
	return &rejected{
		topic: text(), key: binary(), value: binary(), class: text(), message: text(),
		partition: column.NewFixed(arrow.PrimitiveTypes.Int32, 4),
		offset:    column.NewFixed(arrow.PrimitiveTypes.Int64, 8),
		timestamp: column.NewFixed(timestampType, 8),
	}
}

// columns are in the order of rejectedSchema.
func (r *rejected) columns() []column.Column {
	return []column.Column{r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.class, r.message}
}

func (r *rejected) append(chunk *source.Chunk, record *source.Record, err *Error) {
	appendText(r.topic, chunk.Topic)
	r.partition.Append32(uint32(chunk.Partition)) //nolint:gosec // bit pattern
	r.offset.Append64(uint64(record.Offset))      //nolint:gosec // bit pattern
	if record.TimestampType == 0 {
		r.timestamp.AppendNull()
	} else {
		r.timestamp.Append64(uint64(record.Timestamp)) //nolint:gosec // bit pattern
	}
	appendBytes(r.key, record.Key, record.KeyLen)
	appendBytes(r.value, record.Value, record.ValueLen)
	appendText(r.class, err.Code.String())
	appendText(r.message, err.Error())
}

func (r *rejected) finish() arrow.RecordBatch {
	n := r.topic.Len()
	columns := make([]arrow.ArrayData, 0, rejectedSchema.NumFields())
	for _, c := range r.columns() {
		columns = append(columns, c.Finish())
	}
	return newRecord(rejectedSchema, columns, n)
}

func (r *rejected) release() {
	for _, c := range r.columns() {
		c.Release()
	}
}

// rejectedWithout copies what was rejected of other partitions than this one; nil: nothing was.
func rejectedWithout(all arrow.RecordBatch, k source.TopicPartition) arrow.RecordBatch {
	topics, partitions := all.Column(0).(*array.String), all.Column(1).(*array.Int32)
	kept := newRejected()
	defer kept.release()
	for i := range int(all.NumRows()) {
		if (source.TopicPartition{Topic: topics.Value(i), Partition: partitions.Value(i)}) == k {
			continue
		}
		appendText(kept.topic, topics.Value(i))
		kept.partition.Append32(uint32(partitions.Value(i)))                //nolint:gosec // bit pattern
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
	return kept.finish()
}

func appendText(c *column.Varlen, text string) {
	c.Append(unsafe.Pointer(unsafe.StringData(text)), len(text))
}
