package kafarr

import "github.com/pykafarr/pykafarr/kafarr/internal/assemble"

// MetadataColumn names a property of a message that may become a column.
type MetadataColumn = assemble.MetadataColumn

// Metadata is a metadata column and its name in the batch; an empty name keeps the column's own.
type Metadata = assemble.Metadata

// The metadata columns.
const (
	Offset        = assemble.Offset        // int64
	Partition     = assemble.Partition     // int32
	Topic         = assemble.Topic         // dictionary<int32, utf8>
	Timestamp     = assemble.Timestamp     // timestamp[ms, UTC], null where the message has none
	TimestampType = assemble.TimestampType // dictionary<int32, utf8> of CreateTime and LogAppendTime, null where the message has none
	SchemaID      = assemble.SchemaID      // int32
	LeaderEpoch   = assemble.LeaderEpoch   // int32, null where the broker sent none
	Tombstone     = assemble.Tombstone     // bool: the message has no value
	Headers       = assemble.Headers       // list<struct<key: utf8, value: binary>>
	Key           = assemble.Key           // as Messages.Key says, null where the message has none
)
