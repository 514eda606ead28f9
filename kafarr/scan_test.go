package kafarr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// cluster is a Kafka of messages in memory. Its logs begin at the first message, or at deleted, and end after the last, or at end.
type cluster struct {
	mu       sync.Mutex
	messages []replay.Message
	topics   map[string]int32 // partitions
	deleted  int64            // offsets before it, in every partition
	end      int64            // 0: after the last message
	failure  error            // of every read
	dialled  atomic.Int64
	closed   atomic.Int64
}

func (c *cluster) dial(fetch.Config) (kafarr.ScanCluster, error) {
	c.dialled.Add(1)
	return c, nil
}

func (c *cluster) Close() { c.closed.Add(1) }

func (c *cluster) Partitions(_ context.Context, topics []string) ([]source.Position, error) {
	var out []source.Position
	for _, t := range topics {
		if c.topics[t] == 0 {
			return nil, &source.Error{Code: status.BrokerError, Topic: t, Partition: -1, Offset: -1, Err: fmt.Errorf("topic %s: unknown", t)}
		}
		for p := range c.topics[t] {
			out = append(out, source.Position{Topic: t, Partition: p})
		}
	}
	return out, nil
}

func (c *cluster) Offsets(_ context.Context, asked []source.Position) ([]source.Position, error) {
	out := slices.Clone(asked)
	for i, p := range asked {
		first, end := c.bounds(p.Topic, p.Partition)
		switch out[i].Offset = end; p.Offset {
		case source.Beginning:
			out[i].Offset = first
		case source.End:
		default:
			for _, m := range c.messages {
				if m.Topic == p.Topic && m.Partition == p.Partition && m.Timestamp >= p.Offset {
					out[i].Offset = min(out[i].Offset, m.Offset)
				}
			}
		}
	}
	return out, nil
}

func (c *cluster) bounds(topic string, partition int32) (first, end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, end = c.deleted, max(c.end, c.deleted)
	for _, m := range c.messages {
		if c.end == 0 && m.Topic == topic && m.Partition == partition {
			end = max(end, m.Offset+1)
		}
	}
	return first, end
}

func (c *cluster) Read(r kafarr.ScanRange) kafarr.RangeReader {
	first, end := c.bounds(r.Topic, r.Partition)
	report := fetch.Report{Range: r, Next: min(r.End, end), Deleted: max(min(first, r.End)-r.Start, 0), Ended: fetch.Complete}
	if end < r.End {
		report.Ended = fetch.LogEnd
	}
	var list []replay.Message
	for _, m := range c.messages {
		if m.Topic == r.Topic && m.Partition == r.Partition && m.Offset >= max(r.Start, first) && m.Offset < min(r.End, end) {
			list = append(list, m)
		}
	}
	src := replay.New(list...)
	src.FetchMax = 3
	return &rangeReader{Source: src, replayed: src, left: len(list), report: report, failure: c.failure}
}

// rangeReader is a replay that knows its end, and has, as a scan's reader, no positions to move.
type rangeReader struct {
	source.Source
	replayed *replay.Source
	left     int
	report   fetch.Report
	failure  error
}

func (r *rangeReader) Open(h source.Handler) (source.Source, error) {
	_, err := r.replayed.Open(h)
	return r, err
}

func (r *rangeReader) Fetch(limit int, wait time.Duration) ([]source.Chunk, error) {
	if r.left == 0 && r.failure != nil {
		return nil, r.failure
	}
	chunks, err := r.Source.Fetch(limit, wait)
	for _, c := range chunks {
		r.left -= len(c.Records)
		r.report.Rows += int64(len(c.Records))
	}
	return chunks, err
}

func (r *rangeReader) Ended() bool          { return r.left == 0 && r.failure == nil }
func (r *rangeReader) Report() fetch.Report { return r.report }

// logged are n messages of a partition, of schema 1, from an offset on; message n has the value and, in milliseconds, the time of its offset.
func logged(partition int32, first int64, n int) []replay.Message {
	var out []replay.Message
	for i := range n {
		m := message(partition, first+int64(i), 1, byte(i%60))
		m.Timestamp = 1000 + first + int64(i)
		out = append(out, m)
	}
	return out
}

// scanConfig is a scan of a cluster. Its test fails where column memory is left.
func scanConfig(t *testing.T, c *cluster) kafarr.ScanConfig {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes of column memory are left", after-before)
		}
		if c.dialled.Load() != c.closed.Load() {
			t.Errorf("%d clients, %d closed", c.dialled.Load(), c.closed.Load())
		}
	})
	if c.topics == nil {
		c.topics = map[string]int32{"t": 3}
	}
	return kafarr.ScanConfig{
		Topics: []string{"t"}, Registry: kafarr.Registry{Client: schemas},
		Messages: kafarr.Messages{Metadata: []kafarr.Metadata{{Column: kafarr.Offset}, {Column: kafarr.Partition}}},
		Dial:     c.dial,
	}
}

func plan(t *testing.T, cfg kafarr.ScanConfig) *kafarr.Plan {
	t.Helper()
	p, err := kafarr.Scan(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readAll reads a stream to its end: "partition@offset" of each row.
func readAll(t *testing.T, s *kafarr.Stream) (places []string, err error) {
	t.Helper()
	defer s.Close()
	defer func() { slices.Sort(places) }()
	last := map[int32]int64{}
	for b, err := range s.All(t.Context()) {
		if err != nil {
			return places, err
		}
		if b.Record != nil {
			n := int(b.Record.NumCols())
			offsets, partitions := b.Record.Column(n-2).(*array.Int64), b.Record.Column(n-1).(*array.Int32)
			for i := range offsets.Len() {
				offset, partition := offsets.Value(i), partitions.Value(i)
				if before, any := last[partition]; any && offset <= before {
					t.Errorf("of partition %d, offset %d came after %d", partition, offset, before)
				}
				last[partition] = offset
				places = append(places, fmt.Sprintf("%d@%d", partition, offset))
			}
		}
		b.Release()
	}
	return places, nil
}

func want(t *testing.T, got []string, err error, lists ...[]replay.Message) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for _, list := range lists {
		for _, m := range list {
			wanted = append(wanted, fmt.Sprintf("%d@%d", m.Partition, m.Offset))
		}
	}
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("got %v, want %v", got, wanted)
	}
}

// wantCode returns the error as this library's.
func wantCode(t *testing.T, err error, code kafarr.Code, text string) *kafarr.Error {
	t.Helper()
	var e *kafarr.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Error(), text) {
		t.Fatalf("got %v, want a %v with %q", err, code, text)
	}
	return e
}

func TestAScanReadsWhatIsThereWhenItIsPlanned(t *testing.T) {
	zero, one := logged(0, 0, 20), logged(1, 0, 7)
	c := &cluster{messages: slices.Concat(zero, one)}
	p := plan(t, scanConfig(t, c))
	c.messages = append(c.messages, logged(1, 7, 5)...)
	if p.Rows() != 27 {
		t.Errorf("%d rows, want 27", p.Rows())
	}
	s := p.Read()
	got, err := readAll(t, s)
	want(t, got, err, zero, one)
	for i, r := range s.Report() {
		if r.Ended != kafarr.ScanComplete || r.Next != r.End || r.Rows != []int64{20, 7, 0}[i] || (r.First < 0) != (r.Rows == 0) {
			t.Errorf("report %+v", r)
		}
	}
	got, err = readAll(t, p.Read())
	want(t, got, err, zero, one)
}

func TestStartAndEndAreWhatTheirFormsSay(t *testing.T) {
	every := func(kind kafarr.OffsetKind, value int64) []kafarr.PartitionOffset {
		return []kafarr.PartitionOffset{{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kind, Value: value}}}
	}
	exact := []kafarr.PartitionOffset{
		{Topic: "t", Partition: 1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 4}},
		{Topic: "t", Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 3}},
		{Partition: 0, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2}},
		{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 9}},
	}
	messages := slices.Concat(logged(0, 0, 10), logged(1, 0, 10), logged(2, 0, 10))
	for name, c := range map[string]struct {
		start, end []kafarr.PartitionOffset
		want       [3][2]int64
	}{
		"nothing":            {nil, nil, [3][2]int64{{0, 10}, {0, 10}, {0, 10}}},
		"words":              {every(kafarr.AtEarliest, 0), every(kafarr.AtLatest, 0), [3][2]int64{{0, 10}, {0, 10}, {0, 10}}},
		"offsets":            {every(kafarr.AtOffset, 2), every(kafarr.AtOffset, 7), [3][2]int64{{2, 7}, {2, 7}, {2, 7}}},
		"times":              {every(kafarr.AtTime, 1003), every(kafarr.AtTime, 1006), [3][2]int64{{3, 6}, {3, 6}, {3, 6}}},
		"times past the end": {every(kafarr.AtTime, 5000), every(kafarr.AtTime, 6000), [3][2]int64{{10, 10}, {10, 10}, {10, 10}}},
		"the most exact":     {exact, nil, [3][2]int64{{3, 10}, {4, 10}, {3, 10}}},
		"by partition":       {exact[2:], nil, [3][2]int64{{2, 10}, {9, 10}, {9, 10}}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := scanConfig(t, &cluster{messages: messages})
			cfg.Start, cfg.End = c.start, c.end
			for i, r := range plan(t, cfg).Partitions {
				if got := [2]int64{r.Start, r.End}; got != c.want[i] {
					t.Errorf("partition %d: got %v, want %v", i, got, c.want[i])
				}
			}
		})
	}
}

func TestAPlanRefusesWhatCannotBeMeant(t *testing.T) {
	at := func(topic string, partition int32, kind kafarr.OffsetKind, value int64) []kafarr.PartitionOffset {
		return []kafarr.PartitionOffset{{Topic: topic, Partition: partition, Offset: kafarr.OffsetSpec{Kind: kind, Value: value}}}
	}
	for text, change := range map[string]func(*kafarr.ScanConfig){
		"start names t[7], which is not scanned": func(c *kafarr.ScanConfig) { c.Start = at("t", 7, kafarr.AtOffset, 0) },
		"end names other, which is not scanned":  func(c *kafarr.ScanConfig) { c.End = at("other", -1, kafarr.AtOffset, 0) },
		"is after the end": func(c *kafarr.ScanConfig) {
			c.Start, c.End = at("", -1, kafarr.AtOffset, 5), at("", -1, kafarr.AtOffset, 4)
		},
		"start is the time 1005, which is after the end, 1002": func(c *kafarr.ScanConfig) {
			c.Start, c.End = at("", -1, kafarr.AtTime, 1005), at("", -1, kafarr.AtTime, 1002)
		},
		`start is "committed"`: func(c *kafarr.ScanConfig) { c.Start = at("", -1, kafarr.AtCommitted, 0) },
		"topics is empty":      func(c *kafarr.ScanConfig) { c.Topics = nil },
		`reader_schema is "latest"`: func(c *kafarr.ScanConfig) {
			c.ReadLatest, c.Messages.Value, c.Messages.Framing = true, kafarr.Bytes, kafarr.Confluent
		},
		"give the one or the other":     func(c *kafarr.ScanConfig) { c.ReadLatest, c.Messages.Readers = true, []string{`"int"`} },
		"memory_limit must be 16777216": func(c *kafarr.ScanConfig) { c.Memory.Limit = 1 },
	} {
		t.Run(text, func(t *testing.T) {
			cfg := scanConfig(t, &cluster{messages: slices.Concat(logged(0, 0, 10), logged(1, 0, 10), logged(2, 0, 10))})
			change(&cfg)
			_, err := kafarr.Scan(t.Context(), cfg)
			code := kafarr.ConfigError
			if strings.Contains(text, "is after the end") {
				code = kafarr.RangeError
			}
			wantCode(t, err, code, text)
		})
	}
}

func TestOffsetsOutsideTheLogAreAnErrorUnlessAPartIsEnough(t *testing.T) {
	messages := slices.Concat(logged(0, 5, 5), logged(1, 5, 5), logged(2, 5, 5))
	c := &cluster{messages: messages, deleted: 5}
	cfg := scanConfig(t, c)
	cfg.Start = []kafarr.PartitionOffset{{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 2}}}
	cfg.End = []kafarr.PartitionOffset{{Partition: -1, Offset: kafarr.OffsetSpec{Kind: kafarr.AtOffset, Value: 10}}}
	_, err := kafarr.Scan(t.Context(), cfg)
	if e := wantCode(t, err, kafarr.IncompleteError, "t[0]: start is 2: the log goes from 5 to 10"); e.Topic != "t" || e.Partition != 0 {
		t.Errorf("the place is %s[%d]", e.Topic, e.Partition)
	}
	cfg.AllowPartial = true
	s := plan(t, cfg).Read()
	got, err := readAll(t, s)
	want(t, got, err, messages)
	if r := s.Report()[2]; r.Deleted != 3 || r.Ended != kafarr.ScanDeleted || r.Next != 10 || r.First != 5 {
		t.Errorf("report %+v", r)
	}
}

func TestWhatIsMissingIsToldAtTheEnd(t *testing.T) {
	messages := slices.Concat(logged(0, 0, 10), logged(1, 0, 10), logged(2, 0, 10))
	for text, of := range map[string]struct {
		change func(*cluster)
		rows   int
	}{
		"t[0]: of the offsets from 0 up to 10 4 were deleted from the log before they were read; t[1]: of":  {func(c *cluster) { c.deleted = 4 }, 18},
		"t[0]: of the offsets from 0 up to 10 the log has those before 7 only; t[1]: of the offsets from 0": {func(c *cluster) { c.end = 7 }, 21},
	} {
		t.Run(text, func(t *testing.T) {
			c := &cluster{messages: messages}
			cfg := scanConfig(t, c)
			p := plan(t, cfg)
			of.change(c)
			s := p.Read()
			got, err := readAll(t, s)
			wantCode(t, err, kafarr.IncompleteError, text)
			if len(got) != of.rows {
				t.Errorf("rows %v", got)
			}
			cfg.AllowPartial = true
			partial, err := kafarr.PlanOf(cfg, p.Partitions, nil)
			if err != nil {
				t.Fatal(err)
			}
			again, err := readAll(t, partial.Read())
			if err != nil || !slices.Equal(again, got) {
				t.Errorf("%v and %v", again, err)
			}
		})
	}
}

func TestTasksOfAnySizeGiveTheSameRows(t *testing.T) {
	messages := slices.Concat(logged(0, 0, 23), logged(2, 0, 5))
	for _, most := range []int64{0, 1, 7, 100_000} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			p := plan(t, scanConfig(t, &cluster{messages: messages}))
			var got []string
			tasks := p.Tasks(most)
			slices.Reverse(tasks)
			for _, task := range tasks {
				rows, err := readAll(t, task.Read())
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, rows...)
			}
			slices.Sort(got)
			want(t, got, nil, messages)
		})
	}
}

func TestAStreamThatIsClosedEarlyFreesAll(t *testing.T) {
	cfg := scanConfig(t, &cluster{messages: slices.Concat(logged(0, 0, 50), logged(1, 0, 50), logged(2, 0, 50))})
	cfg.BatchRows = 3
	s := plan(t, cfg).Read()
	b, ok, err := s.Next(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	b.Release()
	s.Close()
	s.Close()
	_, _, err = s.Next(t.Context())
	wantCode(t, err, kafarr.ClosedError, "the stream is closed")
}

func TestTheEndOfAStreamIsToldEachTime(t *testing.T) {
	s := plan(t, scanConfig(t, &cluster{})).Read()
	defer s.Close()
	for range 3 {
		if _, ok, err := s.Next(t.Context()); ok || err != nil {
			t.Errorf("a batch: %v; error: %v", ok, err)
		}
		if b, done, err := s.NextSlice(time.Minute); b != nil || !done || err != nil {
			t.Errorf("batch %v, done: %v, error %v", b, done, err)
		}
	}
}

// A connection that is hung up is io.EOF, and a time-out is the one of a context: neither is the end of what was planned.
func TestAFailureFromBelowIsNeverTakenForTheEndOfAStream(t *testing.T) {
	for _, below := range []error{io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, context.Canceled} {
		t.Run(below.Error(), func(t *testing.T) {
			c := &cluster{messages: logged(0, 0, 5), failure: &source.Error{Code: status.BrokerError, Topic: "t", Partition: 0, Offset: 5, Err: fmt.Errorf("fetch: %w", below)}}
			s := plan(t, scanConfig(t, c)).Read()
			got, err := readAll(t, s)
			wantCode(t, err, kafarr.BrokerError, "t[0]@5: fetch: "+below.Error())
			want(t, got, nil, logged(0, 0, 5))
		})
		t.Run("registry: "+below.Error(), func(t *testing.T) {
			cfg := scanConfig(t, &cluster{messages: logged(0, 0, 5)})
			cfg.Registry.Client, cfg.Timeout = hungUp{below}, 50*time.Millisecond
			s := plan(t, cfg).Read()
			defer s.Close()
			for range 2 {
				_, done, err := s.NextSlice(time.Minute)
				if !done {
					t.Error("an error is not the end of a slice")
				}
				wantCode(t, err, kafarr.RegistryError, below.Error())
			}
		})
	}
}

// hungUp is a registry that answers nothing.
type hungUp struct{ err error }

func (r hungUp) SchemaByID(context.Context, int) (registry.Schema, error) {
	return registry.Schema{}, &registry.Error{Kind: registry.Unavailable, Err: r.err}
}

func TestAPanicOfOneWhoReadsIsTheStreamsErrorAndNotItsEnd(t *testing.T) {
	cfg := scanConfig(t, &cluster{messages: logged(0, 0, 5)})
	dial := cfg.Dial
	cfg.Dial = func(c fetch.Config) (kafarr.ScanCluster, error) {
		made, err := dial(c)
		return panicking{made}, err
	}
	for range 20 {
		_, err := readAll(t, plan(t, cfg).Read())
		wantCode(t, err, kafarr.InternalError, "panic: no reader")
	}
}

type panicking struct{ kafarr.ScanCluster }

func (panicking) Read(kafarr.ScanRange) kafarr.RangeReader { panic("no reader") }

func TestARangeThatWasNotReadToItsEndIsAnErrorWhateverItsReaderSays(t *testing.T) {
	for _, partial := range []bool{false, true} {
		cfg := scanConfig(t, &cluster{messages: logged(0, 0, 5)})
		cfg.AllowPartial = partial
		dial := cfg.Dial
		cfg.Dial = func(c fetch.Config) (kafarr.ScanCluster, error) {
			made, err := dial(c)
			return forgetful{made}, err
		}
		_, err := readAll(t, plan(t, cfg).Read())
		wantCode(t, err, kafarr.IncompleteError, "t[0]: of the offsets from 0 up to 5 those before 5 were read, and the reading ended without a cause")
	}
}

// forgetful has readers that end and do not say why.
type forgetful struct{ kafarr.ScanCluster }

func (c forgetful) Read(r kafarr.ScanRange) kafarr.RangeReader {
	made := c.ScanCluster.Read(r).(*rangeReader)
	made.report.Ended = ""
	return made
}

func TestAFailureOfTheClusterEndsTheStream(t *testing.T) {
	c := &cluster{messages: logged(0, 0, 5), failure: &source.Error{Code: status.BrokerError, Topic: "t", Partition: 0, Offset: 5, Err: errors.New("is gone")}}
	s := plan(t, scanConfig(t, c)).Read()
	got, err := readAll(t, s)
	wantCode(t, err, kafarr.BrokerError, "t[0]@5: is gone")
	want(t, got, nil, logged(0, 0, 5))
	if r := s.Report()[0]; r.Ended != "error: t[0]@5: is gone" || r.Next != 5 || r.Rows != 5 {
		t.Errorf("report %+v", r)
	}
}

func TestABadMessageIsDealtWithAsTheListenerDoes(t *testing.T) {
	messages := logged(0, 0, 6)
	messages[3].Value = messages[3].Value[:5]
	for mode, expect := range map[kafarr.ErrorMode]kafarr.Completeness{
		kafarr.Skip: {Rows: 5, Skipped: 1}, kafarr.Collect: {Rows: 5, Rejected: 1},
	} {
		cfg := scanConfig(t, &cluster{messages: messages})
		cfg.Messages.Errors = mode
		s := plan(t, cfg).Read()
		got, err := readAll(t, s)
		want(t, got, err, messages[:3], messages[4:])
		if r := s.Report()[0]; r.Rows != expect.Rows || r.Skipped != expect.Skipped || r.Rejected != expect.Rejected || r.Ended != kafarr.ScanComplete {
			t.Errorf("report %+v", r)
		}
	}
	s := plan(t, scanConfig(t, &cluster{messages: messages})).Read()
	got, err := readAll(t, s)
	if e := wantCode(t, err, kafarr.DecodeError, "t[0]@3: "); e.Offset != 3 {
		t.Errorf("the offset is %d", e.Offset)
	}
	want(t, got, nil, messages[:3])
}

func TestASchemaThatCannotBeHadEndsTheStreamAfterTheTimeOut(t *testing.T) {
	unknown := message(0, 0, 99, 1)
	for text, c := range map[string]struct {
		of   registry.Registry
		code kafarr.Code
	}{
		"not one of its schemas": {schemas, kafarr.SchemaNotFoundError},
		"no answer":              {failing{}, kafarr.RegistryError},
	} {
		cfg := scanConfig(t, &cluster{messages: []replay.Message{unknown}})
		cfg.Registry.Client, cfg.Timeout = c.of, 300*time.Millisecond
		_, err := readAll(t, plan(t, cfg).Read())
		wantCode(t, err, c.code, text)
	}
}

// failing is a registry that is down.
type failing struct{}

func (failing) SchemaByID(_ context.Context, id int) (registry.Schema, error) {
	return registry.Schema{}, &registry.Error{Kind: registry.Unavailable, ID: id, Err: errors.New("no answer")}
}

func TestTombstonesThatAreSkippedAreAccountedFor(t *testing.T) {
	messages := logged(0, 0, 4)
	messages[1].Value, messages[3].Value = nil, nil
	cfg := scanConfig(t, &cluster{messages: messages})
	cfg.Messages.Tombstones = kafarr.SkipTombstones
	s := plan(t, cfg).Read()
	got, err := readAll(t, s)
	want(t, got, err, messages[:1], messages[2:3])
	if r := s.Report()[0]; r.Tombstones != 2 || r.Rows != 2 || r.Ended != kafarr.ScanComplete {
		t.Errorf("report %+v", r)
	}
}

func TestALogThatEndsBeforeItBeginsIsAnErrorAndNotEmpty(t *testing.T) {
	c := &contradicting{cluster{messages: logged(0, 0, 20)}}
	cfg := scanConfig(t, &c.cluster)
	cfg.Dial = func(fetch.Config) (kafarr.ScanCluster, error) {
		c.dialled.Add(1)
		return c, nil
	}
	_, err := kafarr.Scan(t.Context(), cfg)
	wantCode(t, err, kafarr.BrokerError, "the log begins at offset 100 and ends at ")
}

// contradicting is a cluster whose topic is created again between two questions.
type contradicting struct{ cluster }

func (c *contradicting) Offsets(ctx context.Context, asked []source.Position) ([]source.Position, error) {
	out, err := c.cluster.Offsets(ctx, asked)
	for i := range out {
		if asked[i].Offset == source.Beginning {
			out[i].Offset = 100
		}
	}
	return out, err
}

// TestTheFirstOfSeveralWrongOptionsIsNamed asks often: in the order of a map, the answer would be another one now and then.
func TestTheFirstOfSeveralWrongOptionsIsNamed(t *testing.T) {
	elsewhere := kafarr.OffsetSpec{Kind: kafarr.AtCommitted}
	for range 20 {
		cfg := scanConfig(t, &cluster{messages: logged(0, 0, 5)})
		cfg.BatchRows, cfg.ReadLatest, cfg.Messages.Readers, cfg.Timeout = -1, true, []string{`"int"`}, -1
		_, err := kafarr.Scan(t.Context(), cfg)
		wantCode(t, err, kafarr.ConfigError, "num_messages is -1")
		cfg = scanConfig(t, &cluster{messages: logged(0, 0, 5)})
		cfg.Start, cfg.End = []kafarr.PartitionOffset{{Partition: -1, Offset: elsewhere}}, []kafarr.PartitionOffset{{Partition: -1, Offset: elsewhere}}
		_, err = kafarr.Scan(t.Context(), cfg)
		wantCode(t, err, kafarr.ConfigError, "start is")
		cfg.Start, cfg.End = []kafarr.PartitionOffset{{Topic: "t", Partition: 7}}, []kafarr.PartitionOffset{{Topic: "t", Partition: 8}}
		_, err = kafarr.Scan(t.Context(), cfg)
		wantCode(t, err, kafarr.ConfigError, "start names t[7]")
	}
}
