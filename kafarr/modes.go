package kafarr

// Content says what values, or keys, are.
type Content int

const (
	// Usual is Avro for values, and Bytes for keys.
	Usual Content = iota
	// Avro is a body behind a framing that says which schema it was written with.
	Avro
	// Bytes are taken as they are, into a column of binary.
	Bytes
	// String is a text in UTF-8.
	String
	// Auto is Avro where there is a framing, and Bytes where there is none.
	Auto
)

// Framing is how a message says which schema it was written with.
type Framing int

const (
	// Confluent is a zero byte and the registry's id in 4 bytes, before the body.
	Confluent Framing = iota
	// Bare is nothing but the body: the schema is one of Config.Schemas.
	Bare
	// SingleObject is Avro's single-object encoding: a marker and the schema's fingerprint. The schemas are those of Config.Schemas.
	SingleObject
	// SchemaHeader is Confluent's newer form: a header that holds the schema's GUID, or its id. A message without that header is read as Confluent.
	SchemaHeader
	// Apicurio is a zero byte and the id in 8 bytes, as Apicurio's serializers write it by default up to version 2. The registry property registry.UseID says which of its ids it is.
	Apicurio
)

// asksRegistry tells whether messages so framed name schemas that a registry knows.
func (f Framing) asksRegistry() bool { return f == Confluent || f == SchemaHeader || f == Apicurio }

// Tombstones says what becomes of messages whose value is null.
type Tombstones int

const (
	// SplitTombstones makes them a message type of their own, "null", with no columns but metadata. With SplitMixed, those between rows of one type are handed over after them; a row that
	// follows a tombstone of its key comes after that.
	SplitTombstones Tombstones = iota
	// KeepTombstones makes them rows of their topic's message type, with a null in every column; all columns are nullable then.
	KeepTombstones
	// SkipTombstones leaves them out and counts them.
	SkipTombstones
)

// Mixed says what becomes of messages of several types.
type Mixed int

const (
	// SplitMixed ends the batch where the type changes, but for tombstones.
	SplitMixed Mixed = iota
	// GroupMixed gathers a batch of each type; polls return one after the other.
	GroupMixed
)

// Acknowledge says what takes rows as processed.
type Acknowledge int

const (
	// OnNextPoll takes them so when the next Poll is called, and at a clean close.
	OnNextPoll Acknowledge = iota
	// OnCommit takes them so when Commit names their batch, or none.
	OnCommit
)

// ErrorMode says what happens to messages that cannot be decoded.
type ErrorMode int

const (
	// Raise makes them the error of the Poll after the rows before them.
	Raise ErrorMode = iota
	// Skip leaves them out and counts them.
	Skip
	// Collect puts them into Batch.Rejected.
	Collect
)

// Rules says what becomes of messages whose schemas have rules of a data contract that encrypt. No other rule is executed.
type Rules int

const (
	// RaiseRules makes ciphertext in what is read an error of the option, whatever Config.Errors says: it passes nothing.
	RaiseRules Rules = iota
	// IgnoreRules reads the ciphertext as it is.
	IgnoreRules
	// DecryptRules decrypts fields of values, with keys that the registry keeps. What cannot be decrypted is an error as with RaiseRules.
	DecryptRules
)

// GivenSchema is a schema that messages do not carry.
type GivenSchema struct {
	Topic string // Bare: of which topic; empty: of all that have none of their own
	Text  string // Avro JSON
}
