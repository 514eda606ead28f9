// Package json turns bodies of JSON (RFC 8259) into Arrow columns. It knows no Kafka, no network and no registry.
//
// A Type says what a value becomes. It comes of a schema: of Arrow's as a text (Parse), of messages (Infer), of Connect's
// envelopes, or of JSON Schema, in the package jsonschema. Compile makes a Plan of it, and the Plan's Appender runs over
// bodies. As a message is not read twice, members are looked up by name where they do not come in the schema's order, and
// values are stored at the row's place in columns: absent members cost nothing, and the last of equal ones wins.
package json
