// Package kafarr reads Kafka topics of Avro messages as Arrow record batches.
//
// A Listener is a member of a consumer group. Each Poll brings a Batch: rows of one message type, a column per Avro field and the
// metadata columns that were asked for, in C memory that Release gives up. Rows are acknowledged when the next Poll begins, by
// Commit, or by a clean Close; what was not acknowledged is delivered again to whoever reads the group next.
//
// A message goes from librdkafka's memory to a column in one copy:
//
//	source (chunks of records, in the client's memory) ─► wire (schema id and body) ─► registry (schema, once per id)
//	─► avro (plan, once per schema; its loop over bodies) ─► column (growable Arrow columns in C memory) ─► Batch
//
// Read listener.go for the states of a poll and assemble.go for the way of a record. The package holds no Python and no C.
package kafarr
