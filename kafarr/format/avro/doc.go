// Package avro turns Avro bodies into Arrow columns (Apache Avro 1.12 specification,
// https://avro.apache.org/docs/1.12.0/specification/). It knows no Kafka, no network and no registry.
//
// The way of a schema: Parse reads its JSON, Compile makes a Plan of it once, Plan.NewColumns makes the columns, and
// Plan.Bind joins both to an Appender, whose Append runs over bodies. Plans are immutable and may be shared;
// columns and appenders belong to one goroutine.
//
// A type of Avro is a file here: type_<x>.go holds its Arrow type, how it is compiled and how it is appended, but for
// the few types whose append is spelled out in the loop of run.go, where a call would cost more than the work.
package avro
