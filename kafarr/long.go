package kafarr

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// A row that takes longer than longRow, or has more than longBytes, is decoded as a long one.
const (
	longRow   = 40 * time.Millisecond
	longBytes = 4 << 20
)

// long is a row that takes long to decode. It is decoded in a goroutine of its own, so that whoever waits for it can stop waiting; but only in the turns that are given
// to it, so that what it reads and writes may be touched by others in between.
type long struct {
	over   atomic.Bool   // the turn
	ended  atomic.Bool   // nobody wants the row any more
	parked chan struct{} // it has ended its turn
	turns  chan struct{} // it has another
	done   chan struct{}

	// Once done is closed.
	rows, outside int
	err           error
	bug           error // a panic, which is that of whoever wants the row
}

// startLong begins to decode a row. It has its turns by turn. decode calls look now and then, and leaves no trace of the row where look answers false.
func startLong(decode func(look func() bool) (rows, outside int, err error)) *long {
	g := &long{parked: make(chan struct{}), turns: make(chan struct{}), done: make(chan struct{})}
	spawn(func() {
		<-g.turns
		g.rows, g.outside, g.err = decode(g.look)
		close(g.done)
	}, func(err error) {
		g.bug = err
		close(g.done)
	})
	return g
}

// look parks the row where its turn is over. false: nobody wants it any more.
func (g *long) look() bool {
	if g.over.Load() {
		g.parked <- struct{}{}
		<-g.turns
	}
	return !g.ended.Load()
}

// turn decodes until a time, and tells whether that was all. It returns when the row is parked.
func (g *long) turn(until time.Time) bool {
	select {
	case <-g.done:
		return true
	case g.turns <- struct{}{}:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-g.done:
		return true
	case <-timer.C:
	}
	g.over.Store(true)
	defer g.over.Store(false)
	select {
	case <-g.done:
		return true
	case <-g.parked:
		return false
	}
}

// result is what became of a row that is done.
func (g *long) result() (rows, outside int, err error) {
	if g.bug != nil {
		panic(g.bug)
	}
	return g.rows, g.outside, g.err
}

// end gives the row up, and returns how many rows it has become all the same: one where it was done already.
func (g *long) end() int {
	g.ended.Store(true)
	select {
	case <-g.done:
	case g.turns <- struct{}{}:
		<-g.done
	}
	return g.rows
}

// longRecord is the record under the cursor while it takes long.
type longRecord struct {
	*long
	set  *columnSet
	at   source.Position
	body unsafe.Pointer
}

// filling is what appends rows of a pair of schemas to a set's columns.
type filling struct {
	set          *columnSet
	values, keys *avro.Appender // keys is nil where they are not asked for
}

func (l *Listener) filling(set *columnSet, p schema.Pair, topic string) filling {
	f := filling{set: set, values: l.appender(set, p.Value, set.values)}
	if p.Value.Keyrings != nil {
		f.values.Keys(p.Value.Keyrings.Of(topic))
	}
	if p.Key != nil {
		f.keys = l.appender(set, p.Key, set.keys)
	}
	return f
}

// decode appends rows until one fails, and returns how many it appended and how many of their values are out of range. look: see avro.Appender; nil: a row that takes long fails,
// with avro.ErrLong.
func (f filling) decode(bodies, keyBodies []avro.Body, look func() bool) (n, outside int, err error) {
	f.values.Look = look
	n, err = f.values.Append(bodies)
	if f.keys != nil {
		f.keys.Look = look
		k, keyErr := f.keys.Append(keyBodies[:n])
		outside = f.keys.OutOfRange(k)
		if k < n { // the values after the bad key are taken back
			f.set.values.Truncate(f.set.values.Rows() - (n - k))
			if n, err = k, keyErr; err != nil && !errors.Is(err, avro.ErrFull) && !errors.Is(err, avro.ErrLong) {
				err = schema.KeyError(wrap(err))
			}
		}
	}
	if n > 0 {
		outside += f.values.OutOfRange(n)
	}
	return n, outside, err
}

// beginLong has the record under the cursor decoded in turns: see decode.
func (l *Listener) beginLong(set *columnSet, p schema.Pair, r *rows, record int) {
	bodies, keys := []avro.Body{r.bodies[record]}, []avro.Body(nil)
	if p.Key != nil {
		keys = []avro.Body{r.keys[record]}
	}
	f := l.filling(set, p, r.topic)
	at := source.Position{Topic: r.topic, Partition: r.partition, Offset: r.records[record].Offset}
	l.long = &longRecord{set: set, at: at, body: r.records[record].Value, long: startLong(func(look func() bool) (int, int, error) {
		return f.decode(bodies, keys, look)
	})}
}

// longDone gives the record under the cursor a turn, if it takes long, and tells whether it is done.
func (l *Listener) longDone(chunk *source.Chunk, r *source.Record, end time.Time) bool {
	g := l.long
	if g == nil {
		return true
	}
	if g.at != (source.Position{Topic: chunk.Topic, Partition: chunk.Partition, Offset: r.Offset}) || g.body != r.Value {
		l.endLong()
		return true
	}
	if over := l.poll.deadline.Add(maxSlice); l.poll.ready && over.Before(end) { // a poll whose time is over has some for it, as in over
		end = over
	}
	return g.turn(end)
}

// endLong gives up the record that takes long, which is read again from its beginning. What is in its batch may be touched then.
func (l *Listener) endLong() {
	g := l.long
	if g == nil {
		return
	}
	l.long = nil
	if n := g.end(); n > 0 {
		g.set.truncate(n)
	}
}
