// Package jsonschema reads JSON Schema (drafts 4 to 2020-12) as the types of package json. It knows no Kafka, no network and no registry.
//
// A schema is read in four steps. A text becomes values, which keep the order of their members (document), and is entered into a library with its URIs, anchors and names (resource,
// reference). What a schema refers to and is composed of is put together (flatten), its choices are taken apart (expand), and what all keywords say together about values is one form
// of them (form). The forms become a type, which may lead back to itself (compile), with Connect's annotations (connect).
//
// Only the form of values matters: which types and members there are, not which lengths, ranges and patterns are valid.
package jsonschema
