package kafarr

import "sync/atomic"

// counters are kept by the goroutine that polls and read by any.
type counters struct {
	batches, polls, rebalances, letters atomic.Int64
}

// Stats are counters since the listener was opened.
type Stats struct {
	Rows        int64 `json:"rows"`         // decoded
	Rejected    int64 `json:"rejected"`     // bad messages put into Batch.Rejected
	Skipped     int64 `json:"skipped"`      // bad messages left out
	Batches     int64 `json:"batches"`      // handed over, quiet polls not counted
	Bytes       int64 `json:"bytes"`        // of values, keys and headers of decoded rows
	Polls       int64 `json:"polls"`        // begun
	Schemas     int64 `json:"schemas"`      // schema ids that were looked up
	Rebalances  int64 `json:"rebalances"`   // assignments received
	Tombstones  int64 `json:"tombstones"`   // messages without a value that were left out
	DeadLetters int64 `json:"dead_letters"` // bad messages that are in the dead-letter topic
	OutOfRange  int64 `json:"out_of_range"` // values that their Arrow types cannot hold, and that became nulls
	// UnknownEnums are numbers of Protobuf's enums that have no name in the schema, and that became nulls.
	UnknownEnums int64 `json:"unknown_enums"`
	// UnknownMembers are members of JSON that the schema does not name, and that were passed over.
	UnknownMembers int64 `json:"unknown_members"`
	RulesNotRun    int64 `json:"rules_not_run"` // rows whose schemas have rules of a data contract that were not executed
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	c, a := &l.counters, l.assembler.Counters()
	return Stats{
		Rows: a.Rows.Load(), Rejected: a.Rejected.Load(), Skipped: a.Skipped.Load(), Batches: c.batches.Load(),
		Bytes: a.Bytes.Load(), Polls: c.polls.Load(), Schemas: l.schemas.Compiled(), Rebalances: c.rebalances.Load(), Tombstones: a.Tombstones.Load(),
		DeadLetters: c.letters.Load(), OutOfRange: a.OutOfRange.Load(), UnknownEnums: a.UnknownEnums.Load(), UnknownMembers: a.UnknownMembers.Load(), RulesNotRun: a.RulesNotRun.Load(),
	}
}
