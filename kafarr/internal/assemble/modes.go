package assemble

// Tombstones says what becomes of messages whose value is null.
type Tombstones int

// What may become of tombstones.
const (
	SplitTombstones Tombstones = iota // a message type of their own
	KeepTombstones                    // rows of their topic's message type, with a null in every column
	SkipTombstones                    // left out, and counted
)

// Mixed says what becomes of messages of several types.
type Mixed int

// What may become of mixed types.
const (
	SplitMixed Mixed = iota // the batch ends where the type changes, but for tombstones
	GroupMixed              // a batch of each type is gathered
)

// ErrorMode says what happens to messages that cannot be decoded.
type ErrorMode int

// What may happen to bad messages.
const (
	Raise   ErrorMode = iota // their errors are delivered in their turn
	Skip                     // they are left out, and counted
	Collect                  // they go into Sealed.Rejected
)

// Stop is why no more records are taken for now.
type Stop int

// The reasons to stop. The assembler gives the first five; its caller, which has the records, gives the others.
const (
	NeedFetch     Stop = iota // all records are taken, as far as they may be
	BatchFull                 // the poll has its rows, or an error waits after them
	SchemaChanged             // the next record belongs to another batch
	SchemaPending             // the schema of the next record is being looked up
	RecordFailed              // the next record cannot be read, and not by a fault of its own: it is met again
	RecordSlow                // the next record takes long to decode
	Throttled                 // there are as many dead letters on their way as may be
	TimeOver                  // the time is over, and records are left: some take long
)
