package kafarr

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
)

// Content says what values, or keys, are.
type Content = schema.Content

// What values, or keys, may be.
const (
	Usual      = schema.Usual      // Avro for values, and Bytes for keys
	Avro       = schema.Avro       // a body after a framing that says which schema it was written with
	Bytes      = schema.Bytes      // taken as they are, into a column of binary
	String     = schema.String     // a text in UTF-8
	Protobuf   = schema.Protobuf   // such a body after the message indexes
	JSON       = schema.JSON       // a text without a framing: its schema is one of Messages.Schemas, or inferred
	JSONSchema = schema.JSONSchema // such a text after a framing that says which JSON Schema it was written with
	Auto       = schema.Auto       // what the registry says that the schema is of, where there is a framing, and Bytes where there is none
)

// Framing is how a message says which schema it was written with.
type Framing = schema.Framing

// The framings.
const (
	Confluent    = schema.Confluent    // a zero byte and the registry's id in 4 bytes, before the body
	Bare         = schema.Bare         // nothing but the body: the schema is one of Messages.Schemas
	SingleObject = schema.SingleObject // Avro's single-object encoding: a marker and the schema's fingerprint. The schemas are those of Messages.Schemas
	SchemaHeader = schema.SchemaHeader // Confluent's newer form: a header that holds the schema's GUID, or its id. A message without that header is read as Confluent
	Connect      = schema.Connect      // of JSON: an object with the schema and the payload, as Connect's JsonConverter writes it with schemas.enable
	Apicurio     = schema.Apicurio     // a zero byte and the id in 8 bytes, as Apicurio's serializers write it by default up to version 2; the registry property registry.UseID says which id it is
)

// Tombstones says what becomes of messages whose value is null.
type Tombstones = assemble.Tombstones

// What may become of tombstones.
const (
	// SplitTombstones makes them a message type of their own, "null", with no columns but metadata. With SplitMixed, those between rows of one type are delivered after them; a row that
	// follows a tombstone of its key comes after that.
	SplitTombstones = assemble.SplitTombstones
	// KeepTombstones makes them rows of their topic's message type, with a null in every column; all columns are nullable then.
	KeepTombstones = assemble.KeepTombstones
	// SkipTombstones leaves them out and counts them.
	SkipTombstones = assemble.SkipTombstones
)

// Mixed says what becomes of messages of several types.
type Mixed = assemble.Mixed

// What may become of mixed types.
const (
	// SplitMixed ends the batch where the type changes, but for tombstones.
	SplitMixed = assemble.SplitMixed
	// GroupMixed gathers a batch of each type; polls return one after the other.
	GroupMixed = assemble.GroupMixed
)

// Acknowledge says what takes rows as processed.
type Acknowledge int

const (
	// OnNextPoll takes rows as processed when the next Poll is called, and at a clean close.
	OnNextPoll Acknowledge = iota
	// OnCommit takes rows as processed when Commit names their batch, or names none.
	OnCommit
)

// ErrorMode says what happens to messages that cannot be decoded.
type ErrorMode = assemble.ErrorMode

// What may happen to bad messages.
const (
	// Raise makes them the error of the Poll after the rows before them.
	Raise = assemble.Raise
	// Skip leaves them out and counts them.
	Skip = assemble.Skip
	// Collect puts them into Batch.Rejected.
	Collect = assemble.Collect
)

// Rules says what becomes of messages whose schemas have rules of a data contract that encrypt. No other rule is executed.
type Rules = schema.Rules

// What may become of such messages.
const (
	RaiseRules   = schema.RaiseRules   // ciphertext in what is read is an error of the option, whatever Messages.Errors says: it passes nothing
	IgnoreRules  = schema.IgnoreRules  // the ciphertext is read as it is
	DecryptRules = schema.DecryptRules // fields of values are decrypted, with keys that the registry keeps. What cannot be decrypted is an error as with RaiseRules
)

// GivenSchema is a schema that messages do not carry.
type GivenSchema = schema.Given
