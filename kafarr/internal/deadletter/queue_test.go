package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/internal/deadletter"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// box is a sink that answers when the test says so.
type box struct {
	mu             sync.Mutex
	opened, closed int
	written        []*sink.Message
	waiting        []func(error)
	delivered      []int64
}

func (b *box) open() (sink.Sink, error) {
	b.opened++
	return b, nil
}

func (b *box) Write(m *sink.Message, done func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written = append(b.written, m)
	b.waiting = append(b.waiting, done)
}

func (b *box) Close() { b.closed++ }

// answer answers all messages that wait.
func (b *box) answer(err error) {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for _, done := range waiting {
		done(err)
	}
}

func (b *box) queue(most int) *deadletter.Queue {
	return deadletter.New(most, b.open, func(m *deadletter.Message) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.delivered = append(b.delivered, m.Offset)
	})
}

func rejected(offset int64, value string) *deadletter.Message {
	data := []byte(value)
	r := &source.Record{Value: unsafe.Pointer(&data[0]), ValueLen: int32(len(data)), KeyLen: -1, Offset: offset}
	return deadletter.NewMessage(source.TopicPartition{Topic: "t", Partition: 3}, r, deadletter.Reason{Error: "DecodeError", Message: "bad", SchemaID: -1})
}

func TestAQueueIsFullAtItsBytesUntilTheyAreDelivered(t *testing.T) {
	b := &box{}
	q := b.queue(2000)
	q.Send(rejected(0, "small"))
	if q.Full() {
		t.Error("full after one small message")
	}
	q.Send(rejected(1, string(make([]byte, 2000))))
	if !q.Full() || q.TakeArrived() {
		t.Error("not full, or something has arrived")
	}
	b.answer(nil)
	if q.Full() || !q.TakeArrived() || q.TakeArrived() || !slices.Equal(b.delivered, []int64{0, 1}) {
		t.Errorf("full: %v, delivered %v", q.Full(), b.delivered)
	}
}

func TestAQueueIsFullAtItsNumberOfMessages(t *testing.T) {
	b := &box{}
	q := b.queue(deadletter.MaxBytes)
	for i := range int64(deadletter.MaxMessages) {
		if q.Full() {
			t.Fatalf("full at %d messages", i)
		}
		q.Send(rejected(i, "x"))
	}
	if !q.Full() {
		t.Error("not full")
	}
}

func TestAFailureIsReturnedOnceAndItsMessageIsWrittenAgainAfterThat(t *testing.T) {
	b := &box{}
	q := b.queue(deadletter.MaxBytes)
	q.Send(rejected(7, "x"))
	cause := errors.New("no")
	b.answer(cause)
	q.Retry()
	if len(b.written) != 1 {
		t.Error("the message is written again before its failure was returned")
	}
	if f := q.TakeFailure(); !errors.Is(f.Err, cause) || f.Offset != 7 || f.Topic != "t" || f.Partition != 3 {
		t.Errorf("the failure is %v", f)
	}
	if q.Failing() || q.TakeFailure() != nil {
		t.Error("the failure is returned twice")
	}
	q.Retry()
	q.Retry()
	if len(b.written) != 2 || b.opened != 2 || b.closed != 1 {
		t.Errorf("written %d times by %d sinks, of which %d are closed", len(b.written), b.opened, b.closed)
	}
	b.answer(nil)
	if !slices.Equal(b.delivered, []int64{7}) {
		t.Errorf("delivered %v", b.delivered)
	}
}

func TestFlushWaitsForEachMessageOrItsContext(t *testing.T) {
	b := &box{}
	q := b.queue(deadletter.MaxBytes)
	q.Send(rejected(0, "x"))
	b.answer(errors.New("no"))
	q.Send(rejected(1, "x"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if f, err := q.Flush(ctx); f != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", f, err)
	}
	if len(b.written) != 3 { // what had failed is written again, though its failure was not returned
		t.Errorf("written %d times", len(b.written))
	}
	go b.answer(nil)
	if f, err := q.Flush(context.Background()); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	if len(b.delivered) != 2 {
		t.Errorf("delivered %v", b.delivered)
	}
}

func TestClosingEndsAFlushThatWaitsAndWritesNothingMore(t *testing.T) {
	b := &box{}
	q := b.queue(deadletter.MaxBytes)
	q.Send(rejected(0, "x"))
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		time.Sleep(10 * time.Millisecond)
		q.Close()
	}()
	if f, err := q.Flush(context.Background()); err != nil || f == nil || !errors.Is(f.Err, deadletter.ErrClosed) {
		t.Errorf("%v, %v", f, err)
	}
	<-closed
	q.Send(rejected(1, "x"))
	b.answer(nil) // late
	if len(b.written) != 1 || q.TakeArrived() || b.closed != 1 {
		t.Errorf("written %d times, closed %d times", len(b.written), b.closed)
	}
}

func TestAMessageThatIsTooLargeLosesItsValueAndThenItsKeyAndHeaders(t *testing.T) {
	b := &box{}
	q := b.queue(deadletter.MaxBytes)
	m := rejected(0, "value")
	m.Key = []byte("key")
	m.Headers = append(m.Headers, sink.Header{Name: "own", Value: []byte("1")})
	q.Send(m)
	var seen []string
	for range 3 {
		own := slices.ContainsFunc(m.Headers, func(h sink.Header) bool { return h.Name == "own" })
		seen = append(seen, fmt.Sprintf("%s %s %v", m.Key, m.Value, own))
		b.answer(fmt.Errorf("refused: %w", sink.ErrMessageTooLarge))
	}
	if want := []string{"key value true", "key  true", "  false"}; !slices.Equal(seen, want) {
		t.Errorf("written %q, want %q", seen, want)
	}
	if f := q.TakeFailure(); f == nil || !errors.Is(f.Err, sink.ErrMessageTooLarge) {
		t.Errorf("the failure is %v", f)
	}
}

func TestASinkThatCannotBeOpenedFailsItsMessages(t *testing.T) {
	cause := errors.New("no such property")
	q := deadletter.New(deadletter.MaxBytes, func() (sink.Sink, error) { return nil, cause }, func(*deadletter.Message) {})
	q.Send(rejected(5, "x"))
	if f := q.TakeFailure(); f == nil || !errors.Is(f.Err, cause) || f.Offset != 5 {
		t.Errorf("the failure is %v", f)
	}
}
