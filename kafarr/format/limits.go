package format

import "fmt"

// Limits bound what schemas and bodies, which come from outside, may ask for. A limit of 0 is its default.
type Limits struct {
	// SchemaDepth is how deep a schema may nest.
	SchemaDepth int `json:"schema_depth"`
	// Columns are how many columns a schema may stand for, those of all levels counted: named types may be used again and again, so that a short
	// schema can stand for billions.
	Columns int `json:"columns"`
	// ValueDepth is how deep a value of a recursive type may nest, read as JSON or skipped.
	ValueDepth int `json:"value_depth"`
	// BlockItems are the items that one block of an array or map may hold.
	BlockItems int `json:"block_items"`
	// EmptyItems are the items of a message that take no bytes of it, such as nulls: the message's length does not bound their number.
	EmptyItems int `json:"empty_items"`
	// MessageBytes is the memory that the columns of a message may take, besides 96 bytes for each of its own.
	MessageBytes int `json:"message_bytes"`
	// MessageSteps are the values that a message may have, besides 64 for each of its bytes (4 beyond the first MiB): those of no bytes are values, too.
	MessageSteps int `json:"message_steps"`
}

// DefaultLimits are the limits that hold where none are given.
var DefaultLimits = Limits{SchemaDepth: 200, Columns: 20_000, ValueDepth: 256, BlockItems: 1 << 24, EmptyItems: 1 << 16, MessageBytes: 24 << 20, MessageSteps: 10_000_000}

// The depths bound recursion, and Go cannot recover from a stack that overflows: at the most a thousand levels of some hundred bytes each are far from that.
var maxLimits = Limits{SchemaDepth: 1000, Columns: 1_000_000, ValueDepth: 1000, BlockItems: 1<<31 - 1, EmptyItems: 1 << 24, MessageBytes: 1<<31 - 1, MessageSteps: 1<<31 - 1}

// Lowered reports whether a limit that schemas are measured by is lower than its default.
func (l Limits) Lowered() bool {
	lowered := func(given, def int) bool { return given > 0 && given < def }
	return lowered(l.SchemaDepth, DefaultLimits.SchemaDepth) || lowered(l.Columns, DefaultLimits.Columns)
}

// Loosened are the limits with at least the defaults of those that schemas are measured by.
func (l Limits) Loosened() Limits {
	l.SchemaDepth, l.Columns = max(l.SchemaDepth, DefaultLimits.SchemaDepth), max(l.Columns, DefaultLimits.Columns)
	return l
}

// Resolved fills in the defaults. The error names a limit that is out of its range.
func (l Limits) Resolved() (Limits, error) {
	for _, f := range []struct {
		name      string
		value     *int
		def, most int
	}{
		{"schema_depth", &l.SchemaDepth, DefaultLimits.SchemaDepth, maxLimits.SchemaDepth},
		{"columns", &l.Columns, DefaultLimits.Columns, maxLimits.Columns},
		{"value_depth", &l.ValueDepth, DefaultLimits.ValueDepth, maxLimits.ValueDepth},
		{"block_items", &l.BlockItems, DefaultLimits.BlockItems, maxLimits.BlockItems},
		{"empty_items", &l.EmptyItems, DefaultLimits.EmptyItems, maxLimits.EmptyItems},
		{"message_bytes", &l.MessageBytes, DefaultLimits.MessageBytes, maxLimits.MessageBytes},
		{"message_steps", &l.MessageSteps, DefaultLimits.MessageSteps, maxLimits.MessageSteps},
	} {
		if *f.value == 0 {
			*f.value = f.def
		}
		if *f.value < 1 || *f.value > f.most {
			return l, fmt.Errorf("limits: %s must be from 1 to %d, not %d", f.name, f.most, *f.value)
		}
	}
	return l, nil
}
