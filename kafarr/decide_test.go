package kafarr

import (
	"testing"
	"time"
)

// at are times around those that decide: a slice ends at 100 ms, and a poll has its rows for 60 ms.
func at(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }

// after is a situation that a change was made to: within its slice and its time, caught up and fetching, and nothing to hand over.
func after(s stage, change func(*situation)) situation {
	out := situation{stage: s, now: at(10), end: at(100), ready: true, fetched: true, deadline: at(60), blockable: true}
	if change != nil {
		change(&out)
	}
	return out
}

func over(s *situation) { s.now = at(70) }

func sliceOver(s *situation) { s.now, s.deadline = at(100), at(200) }

func TestAPollDecidesByItsSituationAlone(t *testing.T) {
	and := func(changes ...func(*situation)) func(*situation) {
		return func(s *situation) {
			for _, change := range changes {
				change(s)
			}
		}
	}
	pending := func(s *situation) { s.pending = true }
	notReady := func(s *situation) { s.ready, s.fetched, s.deadline = false, false, time.Time{} }
	for _, c := range []struct {
		name   string
		stage  stage
		change func(*situation)
		want   action
	}{
		{"a listener that is being closed", stageCatchingUp, and(func(s *situation) { s.leaving, s.callback = true, true }, pending), raiseClosed},
		{"a rebalance that waits for its callback", stageCatchingUp, and(func(s *situation) { s.callback, s.failed = true, true }, pending), endSlice},
		{"an error after no rows", stageCatchingUp, func(s *situation) { s.failed = true }, raiseFailure},
		{"an error after rows", stageCatchingUp, and(func(s *situation) { s.failed = true }, pending), handOver},
		{"a dead letter that failed", stageCatchingUp, func(s *situation) { s.letterFailed = true }, raiseLetter},
		{"a dead letter that failed, and rows", stageCatchingUp, and(func(s *situation) { s.letterFailed = true }, pending), handOver},
		{"a client that is stuck", stageCatchingUp, func(s *situation) { s.stuck = true }, raiseStuck},
		{"a client that is stuck, and rows", stageCatchingUp, and(func(s *situation) { s.stuck = true }, pending), handOver},
		{"a batch that a rebalance has ended", stageCatchingUp, func(s *situation) { s.queued, s.pending = true, true }, handOver},
		{"nothing but events", stageCatchingUp, nil, catchUp},
		{"nothing but events, after the time", stageCatchingUp, over, catchUp},

		{"caught up", stageFilling, nil, assembleRows},
		{"not caught up", stageFilling, notReady, assembleRows},
		{"a full batch", stageSealed, pending, handOver},
		{"a record of another batch", stageSealed, nil, handOver},
		{"a record that cannot be read", stageRecordFailed, nil, raiseRecord},
		{"a record that cannot be read, and rows", stageRecordFailed, pending, handOver},

		{"all is assembled", stageFetching, nil, fetchMore},
		{"all is assembled, rows included", stageFetching, pending, fetchMore},
		{"all is assembled, before the client has caught up", stageFetching, notReady, fetchMore},
		{"all is assembled, and the time is over", stageFetching, over, endQuiet},
		{"the time is over before the first fetch", stageFetching, and(over, func(s *situation) { s.fetched = false }), fetchMore},
		{"all is assembled, and the slice is over", stageFetching, sliceOver, endSlice},
		{"the slice is over before the client has caught up", stageFetching, and(sliceOver, notReady), endSlice},
		{"a range has ended", stageFetching, func(s *situation) { s.ended = true }, handOver},
		{"a range has ended with the slice", stageFetching, and(sliceOver, func(s *situation) { s.ended = true }), handOver},

		{"a schema is looked up", stageAwaitingSchema, nil, waitForSchema},
		{"a schema is looked up, and rows wait", stageAwaitingSchema, pending, waitForSchema},
		{"a schema is looked up for longer than the time", stageAwaitingSchema, over, waitForSchema},
		{"a schema is looked up for longer than the time, and rows wait", stageAwaitingSchema, and(over, pending), handOver},
		{"a schema is looked up for longer than a scan may wait", stageAwaitingSchema, and(over, func(s *situation) { s.lookupLong = true }), raiseOutage},
		{"a look-up has failed", stageAwaitingSchema, func(s *situation) { s.lookupFailed = true }, blockPartition},
		{"a look-up has failed after the time, and rows wait", stageAwaitingSchema, and(over, pending, func(s *situation) { s.lookupFailed = true }), blockPartition},
		{"a look-up has failed where no partition can be blocked", stageAwaitingSchema, func(s *situation) { s.lookupFailed, s.blockable = true, false }, waitForSchema},
		{"likewise, after the time", stageAwaitingSchema, and(over, func(s *situation) { s.lookupFailed, s.blockable = true, false }), raiseOutage},
		{"likewise, and rows wait", stageAwaitingSchema, and(over, pending, func(s *situation) { s.lookupFailed, s.blockable = true, false }), handOver},
		{"likewise, where the wait ends by itself", stageAwaitingSchema, and(over, func(s *situation) { s.lookupFailed, s.blockable, s.lookupEnds = true, false, true }), waitForSchema},

		{"too many dead letters", stageThrottled, nil, waitForLetters},
		{"too many dead letters, and the time is over", stageThrottled, over, endQuiet},
		{"too many dead letters, and the slice is over", stageThrottled, sliceOver, endSlice},

		{"records are left at the end of the slice", stageOutOfTime, sliceOver, endSlice},
		{"records are left at the end of the time", stageOutOfTime, and(over, pending), handOver},
		{"records are left at the end of the time, none of which is a row yet", stageOutOfTime, over, nextRound},

		{"a record takes long", stageSlowRecord, nil, nextRound},
		{"a record takes longer than the slice", stageSlowRecord, sliceOver, endSlice},
		{"a record takes longer than the time, and has some more", stageSlowRecord, and(over, pending), nextRound},
		{"a record takes much longer than the time", stageSlowRecord, func(s *situation) { s.now = at(60).Add(maxSlice) }, endWithoutRows},
		{"a record takes much longer than the time, and rows wait", stageSlowRecord, and(pending, func(s *situation) { s.now = at(60).Add(maxSlice) }), handOver},
	} {
		s := after(c.stage, c.change)
		if got := next(&s); got != c.want {
			t.Errorf("%s: action %d, want %d", c.name, got, c.want)
		}
	}
}

// each calls f with every situation there is, as far as it makes a difference.
func each(f func(situation)) {
	for bits := range 1 << 13 {
		is := func(bit int) bool { return bits>>bit&1 == 1 }
		for s := stageCatchingUp; s <= stageSlowRecord; s++ {
			for _, now := range []time.Time{at(10), at(70), at(60).Add(maxSlice), at(300)} {
				f(situation{
					stage: s, now: now, end: at(100), deadline: at(60),
					leaving: is(0), callback: is(1), failed: is(2), letterFailed: is(3), stuck: is(4), queued: is(5), pending: is(5) || is(6),
					ready: is(7), fetched: is(7) && is(8), ended: is(9), lookupFailed: is(10), lookupLong: is(11), lookupEnds: is(11) && is(12), blockable: is(12),
				})
			}
		}
	}
}

func TestRowsGoBeforeErrorsInEverySituation(t *testing.T) {
	each(func(s situation) {
		switch a := next(&s); a {
		case raiseFailure, raiseLetter, raiseStuck, raiseRecord, raiseOutage, endWithoutRows:
			if s.pending {
				t.Fatalf("%+v: action %d, and there are rows", s, a)
			}
		}
	})
}

func TestASliceThatIsOverWaitsForNothing(t *testing.T) {
	each(func(s situation) {
		s.now = at(300)
		switch a := next(&s); a {
		case fetchMore, waitForLetters, nextRound:
			t.Fatalf("%+v: action %d", s, a)
		}
	})
}

func TestAPollWithoutATimeYetIsNotEnded(t *testing.T) {
	each(func(s situation) {
		s.ready, s.fetched = false, false
		switch a := next(&s); a {
		case endQuiet, endWithoutRows, raiseOutage:
			t.Fatalf("%+v: action %d", s, a)
		}
	})
}

func TestEachRoundComesToAnEnd(t *testing.T) {
	// What catchUp, assemble, blockPartition, raiseLetter and raiseStuck lead to is another situation: none of them may be decided on twice in a row.
	each(func(s situation) {
		switch a := next(&s); a {
		case raiseLetter:
			s.letterFailed = false
			if next(&s) == a {
				t.Fatalf("%+v: again", s)
			}
		case raiseStuck:
			s.stuck = false
			if next(&s) == a {
				t.Fatalf("%+v: again", s)
			}
		case blockPartition:
			s.blockable = false
			if next(&s) == a {
				t.Fatalf("%+v: again", s)
			}
		case catchUp:
			s.stage = stageFilling
			if next(&s) != assembleRows {
				t.Fatalf("%+v: not assembled", s)
			}
		case assembleRows:
			for s.stage = stageFetching; s.stage <= stageSlowRecord; s.stage++ {
				if a := next(&s); a == catchUp || a == assembleRows {
					t.Fatalf("%+v: action %d", s, a)
				}
			}
		}
	})
}
