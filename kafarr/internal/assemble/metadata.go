package assemble

import (
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
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
	LeaderEpoch   MetadataColumn = "_leader_epoch"   // int32, null where the broker sent none
	Tombstone     MetadataColumn = "_tombstone"      // bool: the message has no value
	Headers       MetadataColumn = "_headers"        // list<struct<key: utf8, value: binary>>
	Key           MetadataColumn = "_key"            // as Messages.Key says, null where the message has none; its column is that of the keys' schema, not of the table below
)

// Metadata is a metadata column and its name in the batch; an empty name keeps the column's own.
type Metadata struct {
	Column MetadataColumn
	As     string
}

// Name is the column's name in the batch.
func (m Metadata) Name() string {
	if m.As != "" {
		return m.As
	}
	return string(m.Column)
}

// survey is what a look at the records of a run tells, of which several columns need a part.
type survey struct {
	records       []source.Record
	values        []format.Body
	bytes         int   // of values, keys and headers
	nulls         bool  // a value is null
	timestampType int32 // of all of them, or mixedTimestamps
}

const mixedTimestamps = -1

// surveyOf looks at the first n records of a run: one at least.
func surveyOf(r *Run, n int) survey {
	records := r.Records[:n]
	s := survey{records: records, values: r.Values[:n], timestampType: records[0].TimestampType}
	for i := range records {
		record := &records[i]
		s.bytes += int(max(record.ValueLen, 0)) + int(max(record.KeyLen, 0))
		if s.values[i].Len < 0 {
			s.nulls = true
		}
		if record.TimestampType != s.timestampType {
			s.timestampType = mixedTimestamps
		}
		for _, h := range record.HeaderList() {
			s.bytes += int(h.NameLen) + int(max(h.ValueLen, 0))
		}
	}
	return s
}

// metadataColumn is one entry of the table: its type, and how the rows of a run are appended.
type metadataColumn struct {
	dtype    arrow.DataType
	nullable bool
	make     func() column.Column
	append   func(column.Column, *Run, survey)
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
		append: func(c column.Column, _ *Run, s survey) {
			room := c.(*column.Fixed).Extend64(len(s.records))
			for i := range room {
				room[i] = uint64(s.records[i].Offset) // bit pattern
			}
		},
	},
	Partition: {
		dtype: arrow.PrimitiveTypes.Int32,
		make:  func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		append: func(c column.Column, r *Run, s survey) {
			c.(*column.Fixed).Repeat32(uint32(r.Partition), len(s.records)) // bit pattern
		},
	},
	SchemaID: {
		dtype: arrow.PrimitiveTypes.Int32,
		make:  func() column.Column { return column.NewFixed(arrow.PrimitiveTypes.Int32, 4) },
		append: func(c column.Column, r *Run, s survey) {
			f := c.(*column.Fixed)
			id, ok := r.Refs.Value.ID()
			if ok && !s.nulls {
				f.Repeat32(id, len(s.records))
				return
			}
			for i := range s.records {
				if ok && s.values[i].Len >= 0 {
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
		append: func(c column.Column, r *Run, s survey) {
			d := c.(*column.Dictionary)
			d.Repeat32(d.Code(r.Topic), len(s.records))
		},
	},
	Timestamp: {
		dtype: timestampType, nullable: true,
		make: func() column.Column { return column.NewFixed(timestampType, 8) },
		append: func(c column.Column, _ *Run, s survey) {
			f := c.(*column.Fixed)
			if s.timestampType > 0 {
				room := f.Extend64(len(s.records))
				for i := range room {
					room[i] = uint64(s.records[i].Timestamp) // bit pattern
				}
				return
			}
			for i := range s.records {
				if s.records[i].TimestampType == 0 {
					f.AppendNull()
				} else {
					f.Append64(uint64(s.records[i].Timestamp)) // bit pattern
				}
			}
		},
	},
	TimestampType: {
		dtype: column.DictionaryType, nullable: true,
		make: func() column.Column { return column.NewDictionary([]string{"CreateTime", "LogAppendTime"}) },
		append: func(c column.Column, _ *Run, s survey) {
			d := c.(*column.Dictionary)
			if s.timestampType > 0 { // as a topic has one type
				d.Repeat32(uint32(s.timestampType-1), len(s.records)) // 0 or 1
				return
			}
			for i := range s.records {
				if t := s.records[i].TimestampType; t == 1 || t == 2 {
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
		append: func(c column.Column, _ *Run, s survey) {
			f := c.(*column.Fixed)
			for i := range s.records {
				if e := s.records[i].LeaderEpoch; e < 0 {
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
		append: func(c column.Column, _ *Run, s survey) {
			b := c.(*column.Bits)
			if !s.nulls {
				b.AppendZeros(len(s.records))
				return
			}
			for i := range s.records {
				if s.values[i].Len < 0 {
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
		append: func(c column.Column, _ *Run, s survey) {
			list := c.(*column.List)
			item := list.Items.(*column.Struct)
			name, value := item.Members[0].(*column.Varlen), item.Members[1].(*column.Varlen)
			for i := range s.records {
				for _, h := range s.records[i].HeaderList() {
					name.Append(h.Name, int(h.NameLen))
					value.AppendNullable(h.Value, h.ValueLen)
					item.Took()
				}
				list.Took()
			}
		},
	},
}

// HeadersFault is the error of a record whose headers are no text; nil: they are. Arrow's utf8 is taken on trust.
func HeadersFault(r *source.Record) *status.Error {
	for i, h := range r.HeaderList() {
		if !utf8.Valid(unsafe.Slice((*byte)(h.Name), int(h.NameLen))) {
			fault := status.Errorf(status.DecodeError, "the name of header %d is not valid UTF-8", i)
			fault.Path = string(Headers)
			return fault
		}
	}
	return nil
}

// ValidateMetadata returns what is wrong with a list of columns.
func ValidateMetadata(list []Metadata) error {
	seen := map[string]bool{}
	for _, m := range list {
		if _, ok := metadataColumns[m.Column]; !ok && m.Column != Key {
			known := append(make([]string, 0, len(metadataColumns)+1), string(Key))
			for c := range metadataColumns {
				known = append(known, string(c))
			}
			slices.Sort(known)
			return status.Errorf(status.ConfigError, "metadata: there is no column %q; there are %s", m.Column, strings.Join(known, ", "))
		}
		if seen[m.Name()] {
			return status.Errorf(status.ConfigError, "metadata: two columns are named %q", m.Name())
		}
		seen[m.Name()] = true
	}
	return nil
}
