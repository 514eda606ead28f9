package kafarr_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// letterBox takes dead letters and answers when it is told to.
type letterBox struct {
	mu      sync.Mutex
	opened  int
	closed  int
	refuse  error // the answer to what comes; nil: wait
	waiting []func(error)
	letters []*sink.Message // all that came
}

func (b *letterBox) open() (sink.Sink, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
	return b, nil
}

func (b *letterBox) Write(letter *sink.Message, done func(error)) {
	b.mu.Lock()
	b.letters = append(b.letters, letter)
	refuse := b.refuse
	if refuse == nil {
		b.waiting = append(b.waiting, done)
	}
	b.mu.Unlock()
	if refuse != nil {
		done(refuse)
	}
}

func (b *letterBox) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
}

// answer answers the first n letters that wait, and returns how many it did.
func (b *letterBox) answer(n int, err error) int {
	b.mu.Lock()
	n = min(n, len(b.waiting))
	answered := b.waiting[:n]
	b.waiting = b.waiting[n:]
	b.mu.Unlock()
	for _, done := range answered {
		done(err)
	}
	return n
}

// refusing sets the answer to what comes.
func (b *letterBox) refusing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

func (b *letterBox) came() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters)
}

func (b *letterBox) config(mode kafarr.ErrorMode, mixed kafarr.Mixed) kafarr.Config {
	return kafarr.Config{Messages: kafarr.Messages{Errors: mode, Mixed: mixed}, DeadLetterTopic: "letters", DeadLetters: b.open}
}

// listen opens a listener that does not wait for letters in the end.
func (b *letterBox) listen(t *testing.T, cfg kafarr.Config, messages ...replay.Message) (*kafarr.Listener, *replay.Source) {
	t.Helper()
	l, src := open(t, cfg, messages...)
	t.Cleanup(func() { _ = l.Abort() })
	return l, src
}

func unframed(offset int64) replay.Message {
	return replay.Message{Topic: "t", Offset: offset, Value: []byte("x")}
}

// leftOver is well framed, and has a byte too many.
func leftOver(offset int64) replay.Message {
	m := message(0, offset, 1, 0)
	m.Value = append(m.Value, 9)
	return m
}

func TestALetterIsTheMessageWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		bad := leftOver(1)
		bad.Key, bad.Headers = []byte{}, []replay.Header{{Name: "a\xff", Value: []byte("1")}, {Name: "b"}}
		l, _ := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), message(0, 0, 1, 0), bad, replay.Message{Topic: "t", Partition: 3, Offset: 7, Value: []byte("x")})
		wantPolls(t, l, 10, "x.A 0")
		if len(box.letters) != 2 {
			t.Fatalf("%d letters", len(box.letters))
		}
		first, second := box.letters[0], box.letters[1]
		if string(first.Value) != string(bad.Value) || first.Key == nil || len(first.Key) != 0 || first.Timestamp != 1001 {
			t.Errorf("value %q, key %v, timestamp %d", first.Value, first.Key, first.Timestamp)
		}
		if second.Key != nil || second.Timestamp != 0 {
			t.Errorf("key %v, timestamp %d: the message had none", second.Key, second.Timestamp)
		}
		want := "a\xff=1 b=null pykafarr.error=DecodeError pykafarr.message=t[0]@1: schema 1: 1 bytes are left over after the last field " +
			"pykafarr.topic=t pykafarr.partition=0 pykafarr.offset=1 pykafarr.schema_id=1"
		if got := headers(first); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if got := headers(second); !strings.HasPrefix(got, "pykafarr.error=FramingError ") || !strings.HasSuffix(got, "pykafarr.topic=t pykafarr.partition=3 pykafarr.offset=7") {
			t.Errorf("got %q", got)
		}
	})
}

func headers(letter *sink.Message) string {
	var out []string
	for _, h := range letter.Headers {
		value := "null"
		if h.Value != nil {
			value = string(h.Value)
		}
		out = append(out, h.Name+"="+value)
	}
	return strings.Join(out, " ")
}

// TestALetterDoesNotLookIntoTheMemoryOfTheMessage has the client take its memory back, as librdkafka does after the fetch.
func TestALetterDoesNotLookIntoTheMemoryOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		bad := replay.Message{Topic: "t", Key: []byte("key"), Value: []byte("value"), Headers: []replay.Header{{Name: "n", Value: []byte("header")}}}
		l, _ := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), bad)
		wantPolls(t, l, 10, "")
		for _, memory := range [][]byte{bad.Key, bad.Value, bad.Headers[0].Value} {
			clear(memory)
		}
		if got := fmt.Sprintf("%s %s %s", box.letters[0].Key, box.letters[0].Value, headers(box.letters[0])[:8]); got != "key value n=header" {
			t.Error(got)
		}
	})
}

func TestNothingBehindALetterIsStoredBeforeItArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range []kafarr.ErrorMode{kafarr.Skip, kafarr.Collect} {
			for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
				box := &letterBox{}
				l, src := box.listen(t, box.config(mode, mixed), message(0, 0, 1, 0), unframed(1), leftOver(2), message(0, 3, 1, 3))
				if got := poll(t, l, 10); !strings.HasPrefix(got, "x.A 0 3") {
					t.Errorf("got %q", got)
				}
				wantPolls(t, l, 10, "")
				if got := src.Stored("t", 0); got != 1 {
					t.Errorf("errors %d, mixed %d: stored %d while the letters are on their way, want 1", mode, mixed, got)
				}
				box.answer(1, nil)
				wantPolls(t, l, 10, "")
				if got := src.Stored("t", 0); got != 2 {
					t.Errorf("errors %d, mixed %d: stored %d after the first letter, want 2", mode, mixed, got)
				}
				box.answer(1, nil)
				wantPolls(t, l, 10, "")
				if got, n := src.Stored("t", 0), l.Stats().DeadLetters; got != 4 || n != 2 {
					t.Errorf("errors %d, mixed %d: stored %d after %d letters, want 4", mode, mixed, got, n)
				}
			}
		}
	})
}

func TestALetterThatArrivesWithinAPollIsStoredByIt(t *testing.T) {
	box := &letterBox{}
	l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), unframed(0))
	for begin := true; src.Stored("t", 0) != 1; begin = false {
		if _, done, err := l.PollSlice(begin, 10, time.Hour, 5*time.Millisecond); done || err != nil {
			t.Fatalf("done %v, error %v", done, err)
		}
		box.answer(1, nil)
	}
}

func TestACommitWaitsForTheLetters(t *testing.T) {
	box := &letterBox{}
	l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), message(0, 0, 1, 0), unframed(1), message(0, 2, 1, 2))
	wantPolls(t, l, 10, "x.A 0 2")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := l.Commit(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if got := src.Committed("t", 0); got > 1 {
		t.Errorf("committed %d, past a letter on its way", got)
	}
	committed := make(chan error)
	go func() { committed <- l.Commit(context.Background()) }()
	select {
	case err := <-committed:
		t.Errorf("the commit did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	box.answer(1, nil)
	if err := <-committed; err != nil {
		t.Error(err)
	}
	if got := src.Committed("t", 0); got != 3 {
		t.Errorf("committed %d, want 3", got)
	}
}

var errTooLarge = source.Errorf(status.BrokerError, "message too large")

const tooLarge = "t[0]@1: the message was rejected and could not be written to dead_letter_topic letters: message too large; it is kept and will be tried again, and no commit passes it"

func TestAFailureIsToldOnceAndTheNextPollTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{refuse: errTooLarge}
		l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), message(0, 0, 1, 0), unframed(1), message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0 2", tooLarge)
		if box.came() != 1 {
			t.Errorf("%d letters came before the failure was told", box.came())
		}
		wantPolls(t, l, 10, tooLarge)
		if got := src.Stored("t", 0); got != 1 {
			t.Errorf("stored %d, want 1", got)
		}
		box.refusing(nil)
		wantPolls(t, l, 10, "")
		box.answer(1, nil)
		wantPolls(t, l, 10, "")
		if got := src.Stored("t", 0); got != 3 || box.came() != 3 || l.Stats().DeadLetters != 1 {
			t.Errorf("stored %d after %d attempts", got, box.came())
		}
		if box.opened != 3 || box.closed != 2 {
			t.Errorf("opened %d times, closed %d times: each attempt wants a client that has not failed", box.opened, box.closed)
		}
	})
}

func TestAFailureIsAnErrorOfTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{refuse: errTooLarge}
		l, src := box.listen(t, box.config(kafarr.Collect, kafarr.SplitMixed), message(0, 0, 1, 0), unframed(1), message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0 2 rejected 1")
		for range 2 {
			var e *kafarr.Error
			if err := l.Commit(context.Background()); !errors.As(err, &e) || e.Code != kafarr.BrokerError || e.Error() != tooLarge || !errors.Is(err, errTooLarge) {
				t.Errorf("got %v", err)
			}
		}
		if got := src.Committed("t", 0); got > 1 {
			t.Errorf("committed %d, past a letter that failed", got)
		}
		wantPolls(t, l, 10, tooLarge) // tried again, in vain
	})
}

func TestACleanCloseTriesAgainAndCommitsWhatLiesBeforeAFailure(t *testing.T) {
	for _, refuse := range []error{nil, errTooLarge} {
		box := &letterBox{refuse: errTooLarge}
		l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), message(0, 0, 1, 0), unframed(1), message(0, 2, 1, 2))
		wantPolls(t, l, 10, "x.A 0 2")
		box.refusing(refuse)
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		if refuse == nil {
			for box.answer(1, nil) == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		err := <-closed
		if refuse == nil && err != nil || refuse != nil && (err == nil || err.Error() != tooLarge) {
			t.Errorf("got %v", err)
		}
		if got, want := src.Committed("t", 0), map[error]int64{nil: 3, errTooLarge: 1}[refuse]; got != want {
			t.Errorf("committed %d, want %d", got, want)
		}
		if box.opened != box.closed {
			t.Errorf("opened %d times, closed %d times", box.opened, box.closed)
		}
	}
}

func TestAnAbortWaitsForNoLetterAndEndsACommitThatDoes(t *testing.T) {
	box := &letterBox{}
	l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), message(0, 0, 1, 0), unframed(1))
	wantPolls(t, l, 10, "x.A 0")
	committed := make(chan error)
	go func() { committed <- l.Commit(context.Background()) }()
	time.Sleep(10 * time.Millisecond)
	if err := l.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := <-committed; !errors.Is(err, kafarr.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if got := src.Committed("t", 0); got > 1 {
		t.Errorf("committed %d", got)
	}
	if got := box.answer(1, nil); got != 1 {
		t.Errorf("%d answers too late", got)
	}
}

func TestLettersOnTheirWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, over = 10_000, 1024
		for _, mixed := range []kafarr.Mixed{kafarr.SplitMixed, kafarr.GroupMixed} {
			box := &letterBox{}
			var messages []replay.Message
			for i := range int64(2 * most) {
				messages = append(messages, leftOver(i))
			}
			l, src := box.listen(t, box.config(kafarr.Skip, mixed), append(messages, message(0, 2*most, 1, 5))...)
			wantPolls(t, l, 3*most, "", "")
			if got := box.came(); got < most || got > most+over {
				t.Fatalf("mixed %d: %d letters on their way", mixed, got)
			}
			for got := ""; got != "x.A 5"; got = poll(t, l, 3*most) {
				box.answer(5000, nil)
			}
			box.answer(3*most, nil)
			wantPolls(t, l, 3*most, "")
			if got := src.Stored("t", 0); got != 2*most+1 {
				t.Errorf("mixed %d: stored %d", mixed, got)
			}
		}
	})
}

func TestBytesOnTheirWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		value := slices.Repeat([]byte("x"), 20<<20)
		var messages []replay.Message
		for i := range int64(6) {
			messages = append(messages, replay.Message{Topic: "t", Offset: i, Value: value})
		}
		l, _ := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), messages...)
		wantPolls(t, l, 10, "")
		if got := box.came(); got != 4 {
			t.Errorf("%d letters of 20 MiB on their way, want 4", got)
		}
		box.answer(4, nil)
		wantPolls(t, l, 10, "")
		if got := box.came(); got != 6 {
			t.Errorf("%d letters came, want 6", got)
		}
	})
}

// TestALetterOfALostPartitionHoldsUpNoOther takes a partition away whose letter never arrives.
func TestALetterOfALostPartitionHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		l, src := box.listen(t, box.config(kafarr.Skip, kafarr.SplitMixed), unframed(0), message(1, 0, 1, 1))
		wantPolls(t, l, 10, "x.A 1")
		src.Revoke(source.Position{Topic: "t", Partition: 0})
		wantPolls(t, l, 10, "")
		if kept, lost := src.Stored("t", 1), src.Stored("t", 0); kept != 1 || lost > 0 {
			t.Errorf("stored %d of the partition that stays, %d of the one that was lost", kept, lost)
		}
	})
}

func TestAProducerThatCannotBeOpenedIsAFailureOfTheLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &letterBox{}
		cfg := box.config(kafarr.Skip, kafarr.SplitMixed)
		broken := true
		cfg.DeadLetters = func() (sink.Sink, error) {
			if broken {
				return nil, source.Errorf(status.ConfigError, "config: no such codec")
			}
			return box.open()
		}
		l, _ := box.listen(t, cfg, unframed(0))
		_, err := l.Poll(context.Background(), 10, 10*time.Millisecond)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.Contains(err.Error(), "dead_letter_topic letters: config: no such codec") {
			t.Errorf("got %v", err)
		}
		broken = false
		wantPolls(t, l, 10, "")
		if box.answer(1, nil) != 1 {
			t.Error("the letter is lost")
		}
	})
}

func TestADeadLetterTopicThatCannotWorkIsRefused(t *testing.T) {
	for want, cfg := range map[string]kafarr.Config{
		"dead_letter_topic is given, and errors is raise":            {DeadLetterTopic: "d"},
		`dead_letter_topic "b" is read by topics "a, b"`:             {Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "b", Topics: []string{"a", "b"}},
		`dead_letter_topic "in.dead" is read by topics "^in\\..*"`:   {Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "in.dead", Topics: []string{`^in\..*`}},
		"dead_letter_topic is given, and a Source in place of Kafka": {Messages: kafarr.Messages{Errors: kafarr.Collect}, DeadLetterTopic: "d", Source: replay.New().Open},
		"config: ssl.cipher.suites is not supported in the producer of dead letters: ": {
			Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "d", Cluster: kafarr.Cluster{Properties: map[string]string{"ssl.cipher.suites": "DEFAULT"}},
		},
		`config: linger.ms is "long": it wants a number from 0 to 900000`: {
			Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "d", Cluster: kafarr.Cluster{Properties: map[string]string{"linger.ms": "long"}},
		},
	} {
		cfg.Cluster.Servers, cfg.Group, cfg.Registry.URL = "s:1", "g", "http://r"
		if cfg.Topics == nil {
			cfg.Topics = []string{"t"}
		}
		_, err := kafarr.Open(cfg)
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// boundBox refuses what is larger than a bound, and timestamps.
type boundBox struct {
	letterBox
	most        int
	noTimestamp bool
	taken       []sink.Message
}

func (b *boundBox) open() (sink.Sink, error) { return b, nil }

func (b *boundBox) Write(letter *sink.Message, done func(error)) {
	size := len(letter.Key) + len(letter.Value)
	for _, h := range letter.Headers {
		size += len(h.Name) + len(h.Value)
	}
	switch {
	case b.noTimestamp && letter.Timestamp != 0:
		done(fmt.Errorf("%w: said the broker", sink.ErrTimestampRefused))
	case size > b.most:
		done(fmt.Errorf("%w: said the broker", sink.ErrMessageTooLarge))
	default:
		b.taken = append(b.taken, *letter)
		done(nil)
	}
}

func TestALetterThatIsTooLargeIsWrittenWithoutItsContent(t *testing.T) {
	for _, c := range []struct {
		name               string
		most, value, extra int
		want               string
	}{
		{"without the value", 1000, 2000, 10, "key 3, value nil, 1 headers besides: the value of 2000 bytes is left out: with it, the letter is larger than the topic takes"},
		{"without the key and headers, too", 1000, 2000, 900, "key nil, value nil, 0 headers besides: the value of 2000 bytes is left out: with it, the letter is larger than the topic takes; the key of 3 bytes and the headers are left out"},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			box := &boundBox{most: c.most}
			bad := unframed(1)
			bad.Key, bad.Value, bad.Headers = []byte("key"), []byte(strings.Repeat("x", c.value)), []replay.Header{{Name: "h", Value: make([]byte, c.extra)}}
			l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "letters", DeadLetters: box.open}, message(0, 0, 1, 0), bad, message(0, 2, 1, 2))
			wantPolls(t, l, 10, "x.A 0 2", "")
			if got := src.Stored("t", 0); got != 3 || len(box.taken) != 1 {
				t.Fatalf("stored %d with %d letters", got, len(box.taken))
			}
			if got := shape(&box.taken[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func shape(letter *sink.Message) string {
	length := func(b []byte) string {
		if b == nil {
			return "nil"
		}
		return strconv.Itoa(len(b))
	}
	besides, notes := 0, []string(nil)
	for _, h := range letter.Headers {
		switch {
		case h.Name == "pykafarr.truncated":
			notes = append(notes, string(h.Value))
		case !strings.HasPrefix(h.Name, "pykafarr."):
			besides++
		}
	}
	return fmt.Sprintf("key %s, value %s, %d headers besides: %s", length(letter.Key), length(letter.Value), besides, strings.Join(notes, "; "))
}

func TestALetterWhoseTimestampIsRefusedKeepsItInAHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &boundBox{most: 1000, noTimestamp: true}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "letters", DeadLetters: box.open}, leftOver(1))
		wantPolls(t, l, 10, "", "")
		if got := src.Stored("t", 0); got != 2 || len(box.taken) != 1 || !strings.HasSuffix(headers(&box.taken[0]), " pykafarr.timestamp=1001") {
			t.Errorf("stored %d, %d letters", got, len(box.taken))
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestALetterThatIsTooLargeEvenWithoutItsContentIsAnErrorEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &boundBox{most: 10}
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}, DeadLetterTopic: "letters", DeadLetters: box.open}, unframed(1))
		for range 3 {
			if _, err := l.Poll(context.Background(), 10, 100*time.Millisecond); !errors.Is(err, sink.ErrMessageTooLarge) {
				t.Errorf("got %v", err)
			}
		}
		if got := src.Stored("t", 0); got > 1 {
			t.Errorf("stored %d", got)
		}
		_ = l.Abort()
	})
}
