package kafarr

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// deadLetters are the rejected messages on their way to Config.DeadLetterTopic. The tracker holds the row of each, until the brokers have it: so no
// commit, of whoever and whenever, covers a message that is in neither topic, and a poll need not wait for letters. A letter that fails is kept; the failure is an
// error of the poll, or of the commit, under way, and the next one writes the letter again.
type deadLetters struct {
	topic   string
	most    int // bytes on their way
	open    func() (source.DeadLetters, error)
	settled func(*letter) // the brokers have it

	full    atomic.Bool // reject no more until some are delivered
	arrived atomic.Bool // some were, since this was last asked

	mu      sync.Mutex
	to      source.DeadLetters // nil: to be opened
	flying  map[*letter]bool   // handed to it, without an answer
	failed  []*letter
	bytes   int           // of both
	failure *Error        // the first that nobody was told of
	changed chan struct{} // closed at the next answer
	closed  bool
}

// What may be on its way at once. A run of records may go over it, by less than assemble.RunRecords letters.
const (
	maxLetters     = 10_000
	maxLetterBytes = 64 << 20
)

// letter is a rejected message, and where it comes from.
type letter struct {
	source.TopicPartition
	offset int64
	bytes  int
	source.Letter
	cut cut
}

// cut is what was left out of a letter that the brokers refuse for good as it is: without an end to that, its partition could never be committed.
type cut int

const (
	whole      cut = iota
	valueCut       // the value, whose place in the topic it came from is in the headers
	contentCut     // the key and the headers that it came with, too
)

// adapt makes of a refused letter one that the brokers may take, and tells whether there is anything that can be changed.
func (l *letter) adapt(why error) bool {
	note := func(name, value string) {
		l.Headers = append(l.Headers, source.LetterHeader{Name: "pykafarr." + name, Value: []byte(value)})
	}
	switch {
	case errors.Is(why, source.ErrTimestampRefused) && l.Timestamp != 0:
		note("timestamp", strconv.FormatInt(l.Timestamp, 10))
		l.Timestamp = 0
	case errors.Is(why, source.ErrMessageTooLarge) && l.cut == whole:
		note("truncated", fmt.Sprintf("the value of %d bytes is left out: with it, the letter is larger than the topic takes", len(l.Value)))
		l.Value, l.cut = nil, valueCut
	case errors.Is(why, source.ErrMessageTooLarge) && l.cut == valueCut:
		l.Headers = slices.DeleteFunc(l.Headers, func(h source.LetterHeader) bool { return !strings.HasPrefix(h.Name, "pykafarr.") })
		note("truncated", fmt.Sprintf("the key of %d bytes and the headers are left out", len(l.Key)))
		l.Key, l.cut = nil, contentCut
	default:
		return false
	}
	return true
}

func (c *Config) validateDeadLetters() error {
	switch {
	case c.DeadLetterTopic == "":
		return nil
	case c.Errors == Raise:
		return errorf(ConfigError, "dead_letter_topic is given, and errors is raise, which leaves a bad message to you: with errors skip or collect, it goes to that topic")
	case strings.ContainsRune(c.DeadLetterTopic, 0):
		return errorf(ConfigError, "dead_letter_topic must not hold a NUL character")
	case c.Source != nil && c.DeadLetters == nil:
		return errorf(ConfigError, "dead_letter_topic is given, and a Source in place of Kafka: give DeadLetters, too")
	}
	names, patterns, err := source.Topics(c.Topics)
	if err != nil {
		return wrap(err)
	}
	excluded, err := source.Excluded(c.Properties)
	if err != nil {
		return wrap(err)
	}
	to := c.DeadLetterTopic
	if slices.Contains(names, to) || source.Finds(patterns, to) && !source.Finds(excluded, to) {
		return errorf(ConfigError, "dead_letter_topic %q is read by topics %q: each letter would be rejected again, without end", to, strings.Join(c.Topics, ", "))
	}
	return nil
}

func newDeadLetters(topic string, most int, open func() (source.DeadLetters, error), settled func(*letter)) *deadLetters {
	return &deadLetters{topic: topic, most: most, open: open, settled: settled, flying: map[*letter]bool{}, changed: make(chan struct{})}
}

// deadLetter writes a rejected message to the dead-letter topic, if there is one.
func (l *Listener) deadLetter(chunk *source.Chunk, r *source.Record, why *Error) {
	if l.letters.topic == "" {
		return
	}
	letter := newLetter(chunk, r, why)
	l.tracker.Hold(letter.TopicPartition, letter.offset)
	l.letters.send(letter)
}

// letterSettled opens the way for commits.
func (l *Listener) letterSettled(letter *letter) {
	l.counters.letters.Add(1)
	l.tracker.Unhold(letter.TopicPartition, letter.offset)
}

// newLetter copies a message, which belongs to the client, and says why it was rejected.
func newLetter(chunk *source.Chunk, r *source.Record, why *Error) *letter {
	out := &letter{TopicPartition: chunk.TopicPartition(), offset: r.Offset}
	out.Key, out.Value = copied(r.Key, r.KeyLen), copied(r.Value, r.ValueLen)
	if r.TimestampType != 0 {
		out.Timestamp = r.Timestamp
	}
	for _, h := range r.HeaderList() {
		out.Headers = append(out.Headers, source.LetterHeader{Name: string(copied(h.Name, h.NameLen)), Value: copied(h.Value, h.ValueLen)})
	}
	add := func(name, value string) {
		out.Headers = append(out.Headers, source.LetterHeader{Name: "pykafarr." + name, Value: []byte(value)})
	}
	add("error", why.Code.String())
	add("message", why.Error())
	add("topic", chunk.Topic)
	add("partition", strconv.Itoa(int(chunk.Partition)))
	add("offset", strconv.FormatInt(r.Offset, 10))
	if why.SchemaID >= 0 {
		add("schema_id", strconv.FormatInt(why.SchemaID, 10))
	}
	out.bytes = len(out.Key) + len(out.Value)
	for _, h := range out.Headers {
		out.bytes += len(h.Name) + len(h.Value)
	}
	return out
}

// copied is nil for null.
func copied(from unsafe.Pointer, n int32) []byte {
	if n < 0 {
		return nil
	}
	return append([]byte{}, unsafe.Slice((*byte)(from), n)...)
}

// send hands letters over, and opens the way there with the first.
func (d *deadLetters) send(letters ...*letter) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	for _, one := range letters {
		d.flying[one] = true
		d.bytes += one.bytes
	}
	d.measure()
	var err error
	if d.to == nil {
		if d.to, err = d.open(); err != nil {
			d.to = nil // and not an interface that holds a nil
		}
	}
	to := d.to
	d.mu.Unlock()
	for _, one := range letters {
		if err != nil {
			d.answer(one, err)
		} else {
			to.Write(&one.Letter, func(err error) { d.answer(one, err) })
		}
	}
}

// answer notes what became of a letter.
func (d *deadLetters) answer(one *letter, err error) {
	if err == nil {
		d.settled(one)
	}
	d.mu.Lock()
	if to := d.to; err != nil && to != nil && d.flying[one] && one.adapt(err) {
		d.mu.Unlock() // Write may answer at once
		to.Write(&one.Letter, func(err error) { d.answer(one, err) })
		return
	}
	defer d.mu.Unlock()
	if !d.flying[one] { // given up by close
		return
	}
	delete(d.flying, one)
	if err == nil {
		d.bytes -= one.bytes
		d.arrived.Store(true)
	} else {
		d.failed = append(d.failed, one)
		if d.failure == nil {
			d.failure = d.explain(one, err)
		}
	}
	d.measure()
	close(d.changed)
	d.changed = make(chan struct{})
}

// measure keeps full up to date. d.mu is held.
func (d *deadLetters) measure() {
	d.full.Store(len(d.flying)+len(d.failed) >= maxLetters || d.bytes >= d.most)
}

func (d *deadLetters) explain(one *letter, err error) *Error {
	e := errorf(BrokerError, "the message was rejected and could not be written to dead_letter_topic %s: %w; it is kept and will be tried again, and no commit passes it", d.topic, err)
	var placed *source.Error
	if errors.As(err, &placed) {
		e.Code = wrap(err).Code
	}
	return e.At(one.Topic, one.Partition, one.offset)
}

// failing tells that fault has something to tell.
func (d *deadLetters) failing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure != nil
}

// fault returns a failure that nobody was told of, once.
func (d *deadLetters) fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == nil {
		return nil
	}
	err := d.failure
	d.failure = nil
	return err
}

// again writes what failed once more. untold: even if nobody was told yet that it did.
func (d *deadLetters) again(untold bool) {
	d.mu.Lock()
	if len(d.failed) == 0 || d.failure != nil && !untold {
		d.mu.Unlock()
		return
	}
	d.failure = nil
	letters := d.failed
	d.failed = nil
	for _, one := range letters {
		d.bytes -= one.bytes
	}
	var old source.DeadLetters
	if len(d.flying) == 0 { // a client that has failed for good, or that remembers that there is no such topic, is of no use any more
		old, d.to = d.to, nil
	}
	d.mu.Unlock()
	if old != nil {
		old.Close()
	}
	d.send(letters...)
}

// settle waits until each letter there is now is with the brokers or has failed, and tells a failure.
func (d *deadLetters) settle(ctx context.Context) error {
	d.again(true)
	d.mu.Lock()
	letters := slices.Collect(maps.Keys(d.flying))
	d.mu.Unlock()
	for _, one := range letters {
		for {
			d.mu.Lock()
			flying, changed := d.flying[one], d.changed
			d.mu.Unlock()
			if !flying {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return d.fault()
}

// wait returns at the next answer, or after the longest.
func (d *deadLetters) wait(longest time.Duration) {
	d.mu.Lock()
	changed := d.changed
	d.mu.Unlock()
	select {
	case <-changed:
	case <-time.After(longest):
	}
}

// close gives up all letters. What they stand for is not committed, and so rejected again by whoever reads it next.
func (d *deadLetters) close() {
	d.mu.Lock()
	to, waiting := d.to, len(d.flying) > 0
	d.closed, d.to = true, nil
	clear(d.flying)
	d.failed = nil
	if waiting {
		d.failure = errorf(ClosedError, "%w", ErrClosed) // for a commit that waits
	}
	close(d.changed)
	d.changed = make(chan struct{})
	d.mu.Unlock()
	if to != nil {
		to.Close()
	}
}
