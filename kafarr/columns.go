package kafarr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// MetadataColumn names a property of a message that may become a column.
type MetadataColumn string

// The metadata columns.
const (
	Offset        MetadataColumn = "_offset"         // int64
	Partition     MetadataColumn = "_partition"      // int32
	Topic         MetadataColumn = "_topic"          // dictionary<int32, utf8>
	Timestamp     MetadataColumn = "_timestamp"      // timestamp[ms, UTC], null where the message has none
	TimestampType MetadataColumn = "_timestamp_type" // dictionary<int32, utf8> of CreateTime and LogAppendTime, null where the message has none
	SchemaID      MetadataColumn = "_schema_id"      // int32
	LeaderEpoch   MetadataColumn = "_leader_epoch"   // int32, null where the broker told none
	Tombstone     MetadataColumn = "_tombstone"      // bool: the message has no value
	Headers       MetadataColumn = "_headers"        // list<struct<key: utf8, value: binary>>
	Key           MetadataColumn = "_key"            // as Config.Key says, null where the message has none; its columns are a plan's, not of the table below
)

// Metadata is a metadata column and its name in the batch; an empty name keeps the column's own.
type Metadata struct {
	Column MetadataColumn
	As     string
}

func (m Metadata) name() string {
	if m.As != "" {
		return m.As
	}
	return string(m.Column)
}

// rows are records of one partition and of one schema, in the order of their offsets: what is appended in one go.
type rows struct {
	topic     string
	partition int32
	ref       schema.Ref // of the values
	records   []source.Record
	bodies    []avro.Body
	keys      []avro.Body // none: keys are not asked for

	bytes         int   // that they came in
	nulls         bool  // a value is null
	timestampType int32 // of all of them, or mixedTimestamps
}

// first keeps the first n.
func (r *rows) first(n int) {
	r.records, r.bodies = r.records[:n], r.bodies[:n]
	if r.keys != nil {
		r.keys = r.keys[:n]
	}
}

// survey looks at all records once, for what several columns want to know.
func (r *rows) survey() {
	r.timestampType = r.records[0].TimestampType
	for i := range r.records {
		record := &r.records[i]
		r.bytes += int(max(record.ValueLen, 0)) + int(max(record.KeyLen, 0))
		if record.ValueLen < 0 {
			r.nulls = true
		}
		if record.TimestampType != r.timestampType {
			r.timestampType = mixedTimestamps
		}
		for _, h := range headersOf(record) {
			r.bytes += int(h.NameLen) + int(max(h.ValueLen, 0))
		}
	}
}

const mixedTimestamps = -1

// metadataColumn is one entry of the table: its type, and how a stretch of rows is appended.
type metadataColumn struct {
	dtype    arrow.DataType
	nullable bool
	make     func() column.Column
	append   func(column.Column, *rows)
}

var (
	timestampType = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	headerType    = arrow.StructOf(
		arrow.Field{Name: "key", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
	)
	headersType = arrow.ListOfNonNullable(headerType)
)

// metadataColumns is the table of all metadata columns.
var metadataColumns = map[MetadataColumn]metadataColumn{
	Offset: {
		dtype: arrow.PrimitiveTypes.Int64,
		make:  func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int64, 8) },
		append: func(c column.Column, r *rows) {
			room := c.(*column.Fixed).Extend64(len(r.records))
			for i := range room {
				room[i] = uint64(r.records[i].Offset) // bit pattern
			}
		},
	},
	Partition: {
		dtype: arrow.PrimitiveTypes.Int32,
		make:  func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		append: func(c column.Column, r *rows) {
			c.(*column.Fixed).Repeat32(uint32(r.partition), len(r.records)) // bit pattern
		},
	},
	SchemaID: {
		dtype: arrow.PrimitiveTypes.Int32,
		make:  func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		append: func(c column.Column, r *rows) {
			f := c.(*column.Fixed)
			id, ok := r.ref.ID()
			if ok && !r.nulls {
				f.Repeat32(id, len(r.records))
				return
			}
			for i := range r.records {
				if ok && r.records[i].ValueLen >= 0 {
					f.Append32(id)
				} else {
					f.AppendNull()
				}
			}
		},
	},
	Topic: {
		dtype: column.DictionaryType,
		make:  func() column.Column { return column.NewDictionary(nil) },
		append: func(c column.Column, r *rows) {
			d := c.(*column.Dictionary)
			d.Repeat32(d.Code(r.topic), len(r.records))
		},
	},
	Timestamp: {
		dtype: timestampType, nullable: true,
		make: func() column.Column { return column.NewFixed(timestampType, 8) },
		append: func(c column.Column, r *rows) {
			f := c.(*column.Fixed)
			if r.timestampType > 0 {
				room := f.Extend64(len(r.records))
				for i := range room {
					room[i] = uint64(r.records[i].Timestamp) // bit pattern
				}
				return
			}
			for i := range r.records {
				if r.records[i].TimestampType == 0 {
					f.AppendNull()
				} else {
					f.Append64(uint64(r.records[i].Timestamp)) // bit pattern
				}
			}
		},
	},
	TimestampType: {
		dtype: column.DictionaryType, nullable: true,
		make: func() column.Column { return column.NewDictionary([]string{"CreateTime", "LogAppendTime"}) },
		append: func(c column.Column, r *rows) {
			d := c.(*column.Dictionary)
			if r.timestampType > 0 { // as a topic has one type
				d.Repeat32(uint32(r.timestampType-1), len(r.records)) // 0 or 1
				return
			}
			for i := range r.records {
				if t := r.records[i].TimestampType; t == 1 || t == 2 {
					d.Append32(uint32(t - 1)) // 0 or 1
				} else {
					d.AppendNull()
				}
			}
		},
	},
	LeaderEpoch: {
		dtype: arrow.PrimitiveTypes.Int32, nullable: true,
		make: func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		append: func(c column.Column, r *rows) {
			f := c.(*column.Fixed)
			for i := range r.records {
				if e := r.records[i].LeaderEpoch; e < 0 {
					f.AppendNull()
				} else {
					f.Append32(uint32(e))
				}
			}
		},
	},
	Tombstone: {
		dtype: arrow.FixedWidthTypes.Boolean,
		make:  func() column.Column { return column.NewBits() },
		append: func(c column.Column, r *rows) {
			b := c.(*column.Bits)
			if !r.nulls {
				b.AppendZeros(len(r.records))
				return
			}
			for i := range r.records {
				if r.records[i].ValueLen < 0 {
					b.Append(1)
				} else {
					b.Append(0)
				}
			}
		},
	},
	Headers: {
		dtype: headersType,
		make: func() column.Column {
			return column.NewList(headersType, column.NewStruct(headerType,
				column.NewVarlen(arrow.BinaryTypes.String), column.NewVarlen(arrow.BinaryTypes.Binary)))
		},
		append: func(c column.Column, r *rows) {
			list := c.(*column.List)
			item := list.Items.(*column.Struct)
			name, value := item.Members[0].(*column.Varlen), item.Members[1].(*column.Varlen)
			for i := range r.records {
				for _, h := range headersOf(&r.records[i]) {
					name.Append(h.Name, int(h.NameLen))
					value.AppendNullable(h.Value, h.ValueLen)
					item.Took()
				}
				list.Took()
			}
		},
	},
}

func headersOf(r *source.Record) []source.Header {
	return r.HeaderList()
}

// headerFault returns what is wrong with a record's headers; empty when nothing is. Arrow's utf8 is taken on trust.
func headerFault(r *source.Record) string {
	for i, h := range headersOf(r) {
		if !utf8.Valid(unsafe.Slice((*byte)(h.Name), int(h.NameLen))) {
			return fmt.Sprintf("the name of header %d is not valid UTF-8", i)
		}
	}
	return ""
}

func validateMetadata(list []Metadata) error {
	seen := map[string]bool{}
	for _, m := range list {
		if _, ok := metadataColumns[m.Column]; !ok && m.Column != Key {
			known := append(make([]string, 0, len(metadataColumns)+1), string(Key))
			for c := range metadataColumns {
				known = append(known, string(c))
			}
			slices.Sort(known)
			return errorf(ConfigError, "metadata: there is no column %q; there are %s", m.Column, strings.Join(known, ", "))
		}
		if seen[m.name()] {
			return errorf(ConfigError, "metadata: two columns are named %q", m.name())
		}
		seen[m.name()] = true
	}
	return nil
}
