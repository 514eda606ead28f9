package kafarr

import "time"

// A poll is a sequence of rounds: serve events → decide → act. The events of a round are what the client, its topics, the dead letters and the callbacks have to say. What is decided
// depends on nothing but a situation, and decides on one action. Some actions end the poll or its slice, some end the round, and some find out more, after which next decides again:
//
//	serving ─► catchingUp ─► filling ─► fetching ─► fetch, and the next round
//	   │           │            ├─► awaitingSchema ─► the next round
//	   │           │            ├─► throttled, outOfTime, slowRecord ─► the next round
//	   │           │            └─► sealed ─► a batch
//	   └───────────┴─► a batch, an error, or the end of the slice

// stage is how far a round has come, or why the assembly of rows stopped.
type stage int

const (
	stageCatchingUp     stage = iota // the events are served; it was not asked yet what partitions wait for
	stageFilling                     // the client has caught up: records that were fetched become rows
	stageFetching                    // all records that were fetched are rows
	stageSealed                      // the batch is full, or the next record belongs to another batch
	stageRecordFailed                // the next record cannot be read, which is an error of its own
	stageAwaitingSchema              // the schema of the next record is being looked up
	stageThrottled                   // no more dead letters may be in flight
	stageOutOfTime                   // the time is over, and records are left
	stageSlowRecord                  // the next record takes long to decode, and has had its turn
)

// situation is all that decides what a poll does next. It is plain data, so that next can be tested over all of it.
type situation struct {
	stage stage

	leaving      bool // the listener is being closed
	callback     bool // a change of the assignment waits for its callback
	failed       bool // an error has come after the rows
	letterFailed bool // a dead letter could not be written
	stuck        bool // the client cannot continue until somebody changes something
	queued       bool // a sealed batch waits: a rebalance has taken rows of it away
	pending      bool // there are rows to hand over, sealed or not

	now      time.Time
	end      time.Time // of the slice
	deadline time.Time // of the poll, once it is ready
	ready    bool      // the client has caught up
	fetched  bool      // at least once since then
	ended    bool      // the source has an end, and no record comes any more

	lookupFailed bool // an attempt to look up the next record's schema has failed
	lookupLong   bool // the first attempt takes longer than a scan may wait
	lookupEnds   bool // the wait for it ends by itself
	blockable    bool // the record's partition may wait alone
}

// action is what a poll does.
type action int

const (
	raiseClosed    action = iota // the listener is being closed
	endSlice                     // the caller gets its turn, and calls again
	handOver                     // the first batch; an empty one where there is none
	raiseFailure                 // the error that has come after the rows
	raiseLetter                  // why a dead letter could not be written
	raiseStuck                   // why the client cannot continue
	raiseRecord                  // the error of the next record
	raiseOutage                  // why there is no schema for the next record yet
	endQuiet                     // the time is over: a batch, or why there is none
	endWithoutRows               // the time is over, and the record that takes long continues with the next poll
	catchUp                      // ask for what partitions wait for, and whether the client is ready
	assembleRows                 // records become rows
	blockPartition               // the next record's partition waits alone
	waitForSchema
	waitForLetters
	fetchMore
	nextRound
)

// next decides what a poll does. Rows go before the errors that came after them.
func next(s *situation) action {
	rowsBefore := func(a action) action {
		if s.pending {
			return handOver
		}
		return a
	}
	over := s.ready && !s.now.Before(s.deadline)
	switch {
	case s.leaving:
		return raiseClosed
	case s.callback:
		return endSlice
	case s.failed:
		return rowsBefore(raiseFailure)
	case s.letterFailed:
		return rowsBefore(raiseLetter)
	case s.stuck:
		return rowsBefore(raiseStuck)
	case s.queued:
		return handOver
	}
	switch s.stage {
	case stageCatchingUp:
		return catchUp
	case stageFilling:
		return assembleRows
	case stageSealed:
		return handOver
	case stageRecordFailed:
		return rowsBefore(raiseRecord) // it is met again by the next poll
	case stageAwaitingSchema:
		switch {
		case s.lookupFailed && s.blockable:
			return blockPartition
		case over && s.pending:
			return handOver
		case over && !s.lookupEnds && (s.lookupFailed || s.lookupLong):
			return raiseOutage
		}
		return waitForSchema
	case stageOutOfTime:
		if over && s.pending {
			return handOver
		}
		return s.orEndSlice(nextRound)
	case stageSlowRecord:
		if s.ready && !s.now.Before(s.deadline.Add(maxSlice)) { // it has some more time, see endOfTurn
			return rowsBefore(endWithoutRows)
		}
		return s.orEndSlice(nextRound)
	case stageThrottled:
		if over {
			return endQuiet
		}
		return s.orEndSlice(waitForLetters)
	case stageFetching:
		switch {
		case s.ended:
			return handOver
		case over && s.fetched:
			return endQuiet
		}
	}
	return s.orEndSlice(fetchMore)
}

// orEndSlice returns an action if the slice has time left for it, else endSlice.
func (s *situation) orEndSlice(a action) action {
	if !s.now.Before(s.end) {
		return endSlice
	}
	return a
}
