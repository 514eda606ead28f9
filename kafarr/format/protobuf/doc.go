// Package protobuf turns bodies of Protocol Buffers (proto2, proto3 and editions) into Arrow columns. It knows no Kafka, no network and no registry.
//
// A schema is used in four steps. Parse reads the text of a .proto file, or a descriptor, and links it with the files that it imports. Compile makes a
// Plan of one of its messages, Plan.NewColumns makes the columns, and Plan.Bind joins both to an Appender, whose Append runs over bodies.
//
// Fields come in any order and as often as they like, so values are stored at the row's place in columns (column.Rows): the last one wins, and a
// message that comes in pieces is merged without more ado. A message is read by one loop over a table of its fields, which expects the field after
// the last one.
package protobuf
