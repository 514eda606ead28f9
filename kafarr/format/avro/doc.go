// Package avro turns Avro bodies into Arrow columns, and Arrow columns into Avro bodies (Apache Avro 1.12 specification,
// https://avro.apache.org/docs/1.12.0/specification/). It knows no Kafka, no network and no registry.
//
// A schema is used in four steps. Parse reads its JSON, Compile makes a Plan of it once, Plan.NewColumns makes the columns,
// and Plan.Bind joins both to an Appender, whose Append runs over bodies. Plans are immutable and may be shared;
// columns and appenders belong to one goroutine.
//
// Each type of Avro has a file: type_<x>.go holds its Arrow type, how it is compiled and how it is appended. A few types
// are appended by the loop of run.go itself, where a call would cost more than the work.
//
// Columns are written in three steps. CompileEncoding makes a writer for each column, Encoding.Bind checks the values of a
// batch and joins the writers to its memory, and Encoder.Encode writes a row. The writers are in encode_<x>.go.
package avro
