// Package kafarr reads Kafka topics of Avro messages as Arrow record batches.
//
// A Listener is a member of a consumer group. Each Poll returns a Batch: rows of one message type, with a column for each Avro field and
// the metadata columns that were asked for, in C memory that Release gives back. Rows are acknowledged when the next Poll begins, by
// Commit, or by a clean Close. Rows that were not acknowledged are delivered again, to this listener's successor in the group. A scan (see Scan)
// reads known ranges of offsets without a group, and a Decoder reads bodies without a broker.
//
// A message's bytes are copied once, from librdkafka's memory to a column:
//
//	source (chunks of records, in the client's memory) ─► wire (schema id and body) ─► registry (schema, once for each id)
//	─► format (plan, once for each schema; its loop over bodies) ─► column (growable Arrow columns in C memory) ─► Batch
//
// Begin with listener.go and poll.go; ARCHITECTURE.md describes the flows. The package holds no Python and no C.
package kafarr
