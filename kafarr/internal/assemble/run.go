// Package assemble makes batches of records: runs of one schema are decoded into columns, which builders seal.
package assemble

import (
	"errors"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// RunRecords is the number of records that are framed, decoded and given their metadata in one go, so that they are still in the
// cache when the next of these three steps comes to them.
const RunRecords = 1024

// RunBytes bounds the messages of a run, so that polls are answered between large ones, too: a message of 1 MB may take a tenth of a second. A full run of messages of
// 1 KB is not cut by it.
const RunBytes = 1 << 20

// A row that takes longer than LongRow, or has more than LongBytes, is decoded as a long one: in turns.
const (
	LongRow   = 40 * time.Millisecond
	LongBytes = 4 << 20
)

// sameColumns reports whether the rows of both go into the same columns.
func sameColumns(a, b schema.Pair) bool {
	if a.Value.IsRegistered != b.Value.IsRegistered || a.Value.Plan.Shape() != b.Value.Plan.Shape() {
		return false
	}
	return a.Key == b.Key || a.Key != nil && b.Key != nil && a.Key.Plan.Shape() == b.Key.Plan.Shape()
}

// Refs are the schemas of a record's value and key.
type Refs struct{ Value, Key schema.Ref }

// Run is records of one partition and of one schema, in the order of their offsets: what is decoded in one go.
type Run struct {
	source.TopicPartition
	Refs    Refs
	Schema  schema.Pair // of the Refs
	Records []source.Record
	Values  []format.Body
	Keys    []format.Body // none: keys are not asked for

	memory memory
}

// memory is what a run of records that were sorted out of others lies in. It is used again.
type memory struct {
	records      []source.Record
	values, keys []format.Body
}

// After drops the first n records.
func (r *Run) After(n int) {
	r.Records, r.Values = r.Records[n:], r.Values[n:]
	if r.Schema.Key != nil {
		r.Keys = r.Keys[n:]
	}
}

// First keeps the first n records.
func (r *Run) First(n int) {
	r.Records, r.Values = r.Records[:n], r.Values[:n]
	if r.Schema.Key != nil {
		r.Keys = r.Keys[:n]
	}
}

// Result is what became of the records of a run.
type Result struct {
	Rows   int           // that were appended
	Bytes  int           // of their values, keys and headers
	Counts format.Counts // of their values and keys
	Err    error         // of the record after them; nil: all were appended
	OfKey  bool          // Err is that of the record's key
}

// Decode appends the records of a run to columns up to the first that fails. It touches these columns alone: runs of other columns may be decoded at the same time. A record that takes
// long fails with format.ErrLong, unless patient.
func Decode(to *Columns, r *Run, patient bool) Result {
	var proceed func() bool
	if patient {
		proceed = always
	} else if r.Values[0].Len > LongBytes || r.Schema.Key != nil && r.Keys[0].Len > LongBytes {
		return Result{Err: format.ErrLong}
	}
	out := to.appendPayloads(r, proceed)
	to.complete(r, &out)
	return out
}

// always lets a row take as long as it takes.
func always() bool { return true }

// appendPayloads appends values and keys until one fails; proceed is as in format.Appender.
func (c *Columns) appendPayloads(r *Run, proceed func() bool) Result {
	var out Result
	values := c.appenderOf(r.Schema.Value)
	if r.Schema.Value.Keyrings != nil {
		values.SetKeys(r.Schema.Value.Keyrings.Of(r.Topic))
	}
	values.SetContinue(proceed)
	out.Rows, out.Err = values.Append(r.Values)
	if r.Schema.Key != nil {
		keys := c.appenders[r.Schema.Key]
		keys.SetContinue(proceed)
		n, err := keys.Append(r.Keys[:out.Rows])
		out.Counts = keys.Counts(n)
		if n < out.Rows { // the values after the bad key are taken back
			c.values.Truncate(c.values.Rows() - (out.Rows - n))
			out.Rows, out.Err = n, err
			out.OfKey = err != nil && !errors.Is(err, format.ErrFull) && !errors.Is(err, format.ErrLong)
		}
	}
	if out.Rows > 0 {
		out.Counts = out.Counts.Plus(values.Counts(out.Rows))
	}
	return out
}

// complete gives the rows that were appended their metadata.
func (c *Columns) complete(r *Run, out *Result) {
	if out.Rows == 0 {
		return
	}
	s := surveyOf(r, out.Rows)
	out.Bytes = s.bytes
	for i := range c.metadata {
		if m := &c.metadata[i]; m.append != nil {
			m.append(m.column, r, s)
		}
	}
}

// Sample decodes a run into columns of its own, which are empty again when it returns: what is wanted is how rows look, and whether these are any. proceed is asked now and then whether
// the caller still waits.
func Sample(r *Run, o *Options, proceed func() bool) (*Columns, Result) {
	c := NewColumns(r.Schema, o)
	defer c.Release()
	c.bind(r.Schema)
	return c, c.appendPayloads(r, proceed)
}
