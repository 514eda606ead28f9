// Package schema finds out which schema a message's value or key was written with, and makes the plan that reads it: a payload becomes a Ref, and a Ref a Resolution.
// A Resolver does so for the values of a listener or scan, another one for the keys.
package schema

// Ref names the schema that a value or key was written with: the registry's id, or, from 2^32 on, a number of this package's own. Above that may be a path to one of its types.
type Ref uint64

const (
	// Null is the schema of a payload that is null.
	Null Ref = 1<<32 + iota
	// Untyped is the schema of bytes or a text.
	Untyped
	// What has no number of its own, such as a GUID, is numbered from here in the order of appearance.
	firstNumbered
)

// ID returns the registry's id, if the schema is named by one.
func (r Ref) ID() (id uint32, ok bool) { return uint32(r), r.schema() < 1<<32 } //nolint:gosec // the lower half of it

// Content says what values, or keys, are.
type Content int

const (
	// Usual is Avro for values, and Bytes for keys.
	Usual Content = iota
	// Avro is a body after a framing that says which schema it was written with.
	Avro
	// Bytes are taken as they are, into a column of binary.
	Bytes
	// String is a text in UTF-8.
	String
	// Protobuf is a body after such a framing and the message indexes.
	Protobuf
	// JSON is a text without a framing, whose schema is one of those given.
	JSON
	// JSONSchema is such a text after a framing that says which schema it was written with.
	JSONSchema
	// Auto is what the registry says that the schema is of, where there is a framing, and Bytes where there is none.
	Auto
)

// IsTyped tells whether there are schemas.
func (c Content) IsTyped() bool { return c != Bytes && c != String }

// Framing is how a message says which schema it was written with.
type Framing int

const (
	// Confluent is a zero byte and the registry's id in 4 bytes, before the body.
	Confluent Framing = iota
	// Bare is nothing but the body: the schema is one of those given.
	Bare
	// SingleObject is Avro's single-object encoding: a marker and the schema's fingerprint. The schemas are those given.
	SingleObject
	// SchemaHeader is Confluent's newer form: a header that holds the schema's GUID, or its id. A message without that header is read as Confluent.
	SchemaHeader
	// Connect is an object of JSON whose members are the schema and the payload, as Connect's JsonConverter writes it with schemas.enable.
	Connect
	// Apicurio is a zero byte and the id in 8 bytes, as Apicurio's serializers write it by default up to version 2. The registry property registry.UseID says which of its ids it is.
	Apicurio
)

// AsksRegistry tells whether messages so framed name schemas that a registry has.
func (f Framing) AsksRegistry() bool { return f == Confluent || f == SchemaHeader || f == Apicurio }

// Rules says what becomes of messages whose schemas have rules of a data contract that encrypt. No other rule is executed.
type Rules int

const (
	// RaiseRules makes ciphertext in what is read an error of the option, whatever the error mode is: no message is passed for it.
	RaiseRules Rules = iota
	// IgnoreRules reads the ciphertext as it is.
	IgnoreRules
	// DecryptRules decrypts fields of values, with keys that the registry keeps. What cannot be decrypted is an error as with RaiseRules.
	DecryptRules
)

// Given is a schema that messages do not carry.
type Given struct {
	Topic string // Bare: of which topic; empty: of all that have none of their own
	Text  string // of the format that the Content says; of JSON, an Arrow schema or a JSON Schema
	// MessageType is the full name of the type, where Text has several; empty: Config.MessageType.
	MessageType string
}
