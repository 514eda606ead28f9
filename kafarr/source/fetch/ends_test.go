package fetch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestARangeEndsAtMarkersAndAbortedRows(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	txn := func(producer int64, texts ...string) {
		b := batchOf{producer: producer, attributes: transactional}
		for i, text := range texts {
			b.records = append(b.records, rec{delta: int64(i), value: []byte(text)})
		}
		log.add(b.bytes())
	}
	const abort, commit = 0, 1
	txn(1, "a", "b")                                                   // 0, 1 committed
	txn(2, "never", "never")                                           // 2, 3 aborted
	log.add(batchOf{records: []rec{{value: []byte("plain")}}}.bytes()) // 4
	log.add(marked(1, commit).bytes())                                 // 5
	txn(2, "never")                                                    // 6 of the same aborted transaction
	log.add(marked(2, abort).bytes())                                  // 7
	txn(2, "c")                                                        // 8 the producer's next transaction
	txn(3, "never")                                                    // 9 aborted
	log.add(marked(2, commit).bytes())                                 // 10
	log.add(marked(3, abort).bytes())                                  // 11
	log.add(marked(4, 5).bytes())                                      // 12, of some kind that is not of transactions
	log.aborted = []abortedUpTo{{aborted{first: 9, producer: 3}, 11}, {aborted{first: 2, producer: 2}, 7}}
	for _, size := range []int{100, 100_000} { // answers of one batch, and of all
		cfg := impatient()
		cfg.FetchBytes = size
		rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 13})
		if err != nil || !slices.Equal(values(rows), []string{"a", "b", "plain", "c"}) {
			t.Errorf("%v, %v", values(rows), err)
		}
		if want := (Report{Range: Range{"t", 0, 0, 13}, Next: 13, Rows: 4, Aborted: 4, Control: 5, Ended: Complete}); report != want {
			t.Errorf("%+v", report)
		}
	}
	cfg := impatient()
	cfg.Properties["isolation.level"] = "read_uncommitted"
	rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 13})
	if err != nil || len(rows) != 8 || report.Aborted != 0 || report.Control != 5 || report.Ended != Complete {
		t.Errorf("uncommitted: %v, %v, %+v", values(rows), err, report)
	}
	for end := int64(0); end < 13; end++ { // wherever the range ends
		rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, end})
		if err != nil || report.Ended != Complete || report.Next != end || report.Rows+report.Aborted+report.Control != end || int64(len(rows)) != report.Rows {
			t.Errorf("up to %d: %v, %v, %+v", end, values(rows), err, report)
		}
	}
}

func TestCompactionLeavesGapsAnywhere(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.end = 5 // the first offsets are gone, though the log begins before them
	log.add(batchOf{records: []rec{{delta: 3, value: []byte("8")}, {delta: 7, value: []byte("12")}}, lastDelta: 9}.bytes())
	log.end = 40
	log.add(batchOf{lastDelta: 4, producer: 9}.bytes()) // all of its records are gone
	log.end = 50
	log.add(batchOf{records: []rec{{value: []byte("50")}}}.bytes())
	log.end = 60 // nothing is left after it
	c := dial(t, f, impatient())
	for r, want := range map[Range][]string{
		{"t", 0, 0, 60}:  {"8", "12", "50"},
		{"t", 0, 9, 12}:  nil,
		{"t", 0, 9, 13}:  {"12"},
		{"t", 0, 13, 50}: nil,
		{"t", 0, 41, 51}: {"50"},
		{"t", 0, 51, 60}: nil,
		{"t", 0, 52, 55}: nil,
	} {
		rows, report, err := readAll(t, c, r)
		if err != nil || !slices.Equal(values(rows), want) {
			t.Errorf("%v: %v, %v", r, values(rows), err)
		}
		if want := (Report{Range: r, Next: r.End, Rows: int64(len(want)), Ended: Complete}); report != want {
			t.Errorf("%+v", report)
		}
	}
}

func TestRecordsInAnotherStoreAreWaitedFor(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(10)
	slow := 8
	f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
		switch req := req.(type) {
		case *kmsg.FetchRequest: // empty, though there is something, as while it is being brought
			if slow--; slow > 0 {
				resp := f.from(0, req).(*kmsg.FetchResponse)
				resp.Topics[0].Partitions[0].RecordBatches = nil
				return resp
			}
		case *kmsg.ListOffsetsRequest:
			if req.Topics[0].Partitions[0].Timestamp == earliestLocal {
				f.mu.Lock()
				defer f.mu.Unlock()
				resp := f.offsets(0, req).(*kmsg.ListOffsetsResponse)
				resp.Topics[0].Partitions[0].Offset = 90
				return resp
			}
		}
		return nil
	}
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 100}, Report{})
}

func TestDeletedRecordsAreAnErrorUnlessTheyMayBePassed(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(100)
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n == 3 {
			f.change(func() { log.start, log.batches = 500, log.batches[50:] })
		}
		return nil
	})
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000})
	at := int64(len(rows))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("t[0]: offsets %d up to 500 are gone: the log begins at 500", at)) || at == 0 {
		t.Errorf("%d rows, %v", at, err)
	}
	if want := (Report{Range: report.Range, Next: at, Rows: at, Ended: Deleted}); report != want {
		t.Errorf("%+v", report)
	}
	cfg := impatient()
	cfg.SkipDeleted = true
	for r, want := range map[Range]Report{
		{"t", 0, 0, 1000}:   {Next: 1000, Rows: 500, Deleted: 500, Ended: Complete},
		{"t", 0, 100, 300}:  {Next: 300, Deleted: 200, Ended: Complete},
		{"t", 0, 450, 510}:  {Next: 510, Rows: 10, Deleted: 50, Ended: Complete},
		{"t", 0, 900, 1200}: {Next: 1000, Rows: 100, Ended: LogEnd},
	} {
		rows, report, err := readAll(t, dial(t, f, cfg), r)
		want.Range = r
		if err != nil || report != want || int64(len(rows)) != want.Rows {
			t.Errorf("%d rows, %v, %+v, want %+v", len(rows), err, report, want)
		}
	}
}

func TestARangeBeyondTheLogEndsWithIt(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(10)
	f.topic("empty")
	for r, next := range map[Range]int64{{"t", 0, 90, 200}: 100, {"t", 0, 100, 200}: 100, {"t", 0, 150, 200}: 150, {"empty", 0, 0, 5}: 0} {
		rows, report, err := readAll(t, dial(t, f, impatient()), r)
		want := Report{Range: r, Next: next, Rows: next - r.Start, Ended: LogEnd}
		if err != nil || report != want || int64(len(rows)) != want.Rows {
			t.Errorf("%d rows, %v, %+v", len(rows), err, report)
		}
	}
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"empty", 0, 0, 0})
	if err != nil || rows != nil || report.Ended != Complete {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestATruncatedLogIsAnError(t *testing.T) {
	for name, truncate := range map[string]func(*fakeLog){
		"shorter":                  func(l *fakeLog) { l.end, l.batches = 20, l.batches[:2] },
		"written on by the leader": func(l *fakeLog) { l.epoch, l.epochEnds = 6, 20 },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			log := f.topic("t")
			log.fill(100)
			f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
				if n == 6 {
					f.change(func() { truncate(log) })
				}
				return nil
			})
			rows, _, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000})
			if want := fmt.Sprintf("the log ends at offset 20, and offsets up to %d had been in it: it was truncated", len(rows)); err == nil || !strings.Contains(err.Error(), want) || len(rows) < 21 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
		})
	}
}

func TestALeaderThatHasTheLogIsBelieved(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(100)
	log.epochEnds = 1000
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n == 6 {
			f.change(func() { log.epoch++ })
		}
		return nil
	})
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 1000}, Report{})
	if f.count(23) != 1 {
		t.Errorf("asked %d times", f.count(23))
	}
}

func TestAnOpenTransactionIsWaitedFor(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(10)
	log.stable = 50
	go func() {
		time.Sleep(200 * time.Millisecond)
		f.change(func() { log.stable = -1 })
	}()
	whole(t, dial(t, f, impatient()), Range{"t", 0, 0, 100}, Report{})
	f.change(func() { log.stable = 50 })
	cfg := impatient()
	cfg.RetryTimeout = 200 * time.Millisecond
	rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 100})
	if err == nil || !strings.Contains(err.Error(), "a transaction is open") || len(rows) != 50 || report.Next != 50 {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}

// replaced answers requests of a kind by what do makes of the usual answer; nil keeps that.
func replaced[Q kmsg.Request, A kmsg.Response](f *fake, do func(Q, A) kmsg.Response) {
	f.answer = func(broker int32, req kmsg.Request) kmsg.Response {
		if asked, ok := req.(Q); ok {
			return do(asked, f.usual(broker, req).(A))
		}
		return nil
	}
}

func TestAnEmptyAnswerIsNoEndUntilTheLeaderSaysSo(t *testing.T) {
	for name, answer := range map[string]func(*kmsg.ListOffsetsResponseTopicPartition){
		"an error that no try mends": func(p *kmsg.ListOffsetsResponseTopicPartition) { p.ErrorCode = kerr.UnknownServerError.Code },
		"an unknown error":           func(p *kmsg.ListOffsetsResponseTopicPartition) { p.ErrorCode = 12345 },
		"another partition":          func(p *kmsg.ListOffsetsResponseTopicPartition) { p.Partition = 7 },
		"an offset below zero":       func(p *kmsg.ListOffsetsResponseTopicPartition) { p.Offset = -1 },
		"the lowest of all offsets":  func(p *kmsg.ListOffsetsResponseTopicPartition) { p.Offset = math.MinInt64 },
		"undecodable":                nil,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			log := f.topic("t")
			log.fill(10)
			replaced(f, func(asked *kmsg.ListOffsetsRequest, usual *kmsg.ListOffsetsResponse) kmsg.Response {
				if asked.Topics[0].Partitions[0].Timestamp != earliestLocal {
					return nil
				}
				if answer == nil {
					return undecodable{usual}
				}
				answer(&usual.Topics[0].Partitions[0])
				return usual
			})
			f.change(func() { log.batches = log.batches[:5] }) // the broker is slow to bring the others
			cfg := impatient()
			cfg.RetryTimeout = 200 * time.Millisecond
			rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 100})
			if err == nil || len(rows) != 50 || report.Next != 50 || report.Ended == Complete || !strings.Contains(err.Error(), "t[0]: at offset 50: offsets to broker 0") {
				t.Errorf("%d rows, %v, %+v", len(rows), err, report)
			}
		})
	}
}

func TestAnOlderBrokerIsNotAskedWhatItHoldsItself(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(10)
	f.change(func() { f.maxAPI[2], log.batches = knowsLocal-1, log.batches[:5] }) // compaction took the others
	replaced(f, func(asked *kmsg.ListOffsetsRequest, usual *kmsg.ListOffsetsResponse) kmsg.Response {
		if asked.Topics[0].Partitions[0].Timestamp == earliestLocal {
			usual.Topics[0].Partitions[0].Offset = -1 // no record has that time or a later one
		}
		return usual
	})
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 100})
	if err != nil || len(rows) != 50 || report.Ended != Complete {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}

func TestABrokerThatDoesNotKnowWhatItHoldsItselfIsBelieved(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(10)
	replaced(f, func(asked *kmsg.ListOffsetsRequest, usual *kmsg.ListOffsetsResponse) kmsg.Response {
		if asked.Topics[0].Partitions[0].Timestamp == earliestLocal {
			usual.Topics[0].Partitions[0].ErrorCode = kerr.UnsupportedVersion.Code
		}
		return usual
	})
	f.change(func() { log.batches = log.batches[:5] }) // compaction took the others
	rows, report, err := readAll(t, dial(t, f, impatient()), Range{"t", 0, 0, 100})
	if err != nil || len(rows) != 50 || report.Ended != Complete {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}

// newLeader has another epoch of the log after six answers, of which the leader says what answer makes of the usual.
func newLeader(t *testing.T, answer func(*kmsg.OffsetForLeaderEpochResponse) kmsg.Response) (rows []row, report Report, err error) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.fill(100)
	log.epochEnds = 1000
	var fetches atomic.Int64
	f.answer = func(broker int32, req kmsg.Request) kmsg.Response {
		switch req.(type) {
		case *kmsg.FetchRequest:
			if fetches.Add(1) == 6 {
				f.change(func() { log.epoch++ })
			}
		case *kmsg.OffsetForLeaderEpochRequest:
			return answer(f.usual(broker, req).(*kmsg.OffsetForLeaderEpochResponse))
		}
		return nil
	}
	cfg := impatient()
	cfg.RetryTimeout = 200 * time.Millisecond
	return readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 1000})
}

func TestANewLeaderIsNotBelievedWithoutAnAnswerAboutThePartition(t *testing.T) {
	for name, answer := range map[string]func(*kmsg.OffsetForLeaderEpochResponse) kmsg.Response{
		"an error that no try mends": func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response {
			r.Topics[0].Partitions[0].ErrorCode = kerr.UnknownServerError.Code
			return r
		},
		"of another partition": func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response {
			r.Topics[0].Partitions[0].Partition = 7
			return r
		},
		"of another topic": func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response {
			r.Topics[0].Topic = "x"
			return r
		},
		"undecodable": func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response { return undecodable{r} },
	} {
		t.Run(name, func(t *testing.T) {
			rows, report, err := newLeader(t, answer)
			if err == nil || int64(len(rows)) != report.Next || report.Ended == Complete || !strings.Contains(err.Error(), "epoch to broker 0") {
				t.Errorf("%d rows, %v, %+v", len(rows), err, report)
			}
		})
	}
	for _, code := range []int16{kerr.UnsupportedVersion.Code, kerr.TopicAuthorizationFailed.Code} { // it cannot tell, or not this user
		rows, report, err := newLeader(t, func(r *kmsg.OffsetForLeaderEpochResponse) kmsg.Response {
			r.Topics[0].Partitions[0].ErrorCode = code
			return r
		})
		if err != nil || len(rows) != 1000 || report.Ended != Complete {
			t.Errorf("%d: %d rows, %v, %+v", code, len(rows), err, report)
		}
	}
}
