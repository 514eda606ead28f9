package assemble

import (
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Long decodes one record that takes long, in turns. Between them, its columns and its batch may be touched.
type Long struct {
	turns   *async.Turns
	columns *Columns
	run     Run // of the one record
	offset  int64
	value   unsafe.Pointer // where the record's value lies
	result  Result
}

// DecodeLong begins to decode a record of a run.
func DecodeLong(to *Columns, r *Run, record int) *Long {
	g := &Long{columns: to, run: *r, offset: r.Records[record].Offset, value: r.Records[record].Value}
	g.run.Records = r.Records[record : record+1]
	g.run.Values = []format.Body{r.Values[record]}
	if r.Schema.Key != nil {
		g.run.Keys = []format.Body{r.Keys[record]}
	}
	g.turns = async.InTurns(func(proceed func() bool) { g.result = to.appendPayloads(&g.run, proceed) })
	return g
}

// Is reports whether this is the record that is being decoded. Another one may have its offset: then what it lies in is elsewhere.
func (g *Long) Is(k source.TopicPartition, r *source.Record) bool {
	return g.run.TopicPartition == k && g.offset == r.Offset && g.value == r.Value
}

// Turn decodes until a time, and reports whether the record is done.
func (g *Long) Turn(until time.Time) bool { return g.turns.Turn(until) }

// Result is what became of the record, which is done. It is the first of a run that was made of it meanwhile.
func (g *Long) Result(r *Run) Result {
	g.turns.Join()
	g.columns.complete(r, &g.result)
	return g.result
}

// GiveUp takes the record back, which is read again from its beginning.
func (g *Long) GiveUp() {
	g.turns.GiveUp()
	if g.result.Rows > 0 {
		g.columns.truncate(g.result.Rows)
	}
}
