package schema

import (
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Pair is what decides a batch's columns: the plans of values and keys.
type Pair struct {
	Value, Key *Compiled // Key is nil where keys are not asked for
}

// Shape is equal for pairs whose columns are the same in every respect.
func (p Pair) Shape() string {
	s := p.Value.Plan.Shape()
	if !p.Value.IsRegistered {
		s += "\x02"
	}
	if p.Key != nil {
		s += "\x03" + p.Key.Plan.Shape()
	}
	return s
}

// Dropped tells whether one of the plans was dropped.
func (p Pair) Dropped() bool { return p.Value.dropped || p.Key != nil && p.Key.dropped }

// Resolvers are the Resolvers of values and of keys.
type Resolvers struct {
	Values, Keys *Resolver // Keys is nil where keys are not asked for
	Cache        *Cache    // of both, and of the columns that their plans fill
}

// PairResolution is what has become of the schemas of a record.
type PairResolution struct {
	State State
	Pair  Pair          // Ready
	Wait  *Lookup       // Pending and Retry: what is waited for
	Err   *status.Error // Unusable
	// Reframe means that the record is to be framed again: its schema turned out to have several types, or it is a null, and the schema which it had taken is unusable.
	Reframe bool
}

// Resolve finds the plans of a record's value and key. rest are the records from that one on: see Resolver.Resolve.
func (r *Resolvers) Resolve(chunk *source.Chunk, rest []source.Record, value, key Ref) PairResolution {
	v := r.Values.Resolve(chunk, rest, value)
	out := PairResolution{State: v.State, Pair: Pair{Value: v.Plan}, Wait: v.Wait, Err: v.Err, Reframe: v.State == Reframe || v.State == Unusable && r.Values.IsNull(&rest[0])}
	if v.State != Ready || r.Keys == nil {
		return out
	}
	k := r.Keys.Resolve(chunk, rest, key)
	out.State, out.Pair.Key, out.Wait, out.Err = k.State, k.Plan, k.Wait, k.Err
	out.Reframe = k.State == Reframe || k.State == Unusable && r.Keys.IsNull(&rest[0])
	return out
}

// NoteSchemas notes the schemas of a record that can be read: what the nulls after it are nulls of.
func (r *Resolvers) NoteSchemas(topic string, value, key Ref) {
	r.Values.NoteSchema(topic, value)
	if r.Keys != nil {
		r.Keys.NoteSchema(topic, key)
	}
}

// BeginRecords says that the records to be framed next are others than before: see Resolver.BeginRecords.
func (r *Resolvers) BeginRecords() {
	r.Values.BeginRecords()
	if r.Keys != nil {
		r.Keys.BeginRecords()
	}
}

// NextRun begins with the next run of records, and tells whether the Cache holds too much, so that Drop is to be called.
func (r *Resolvers) NextRun() (over bool) {
	r.Values.forgetNames()
	if r.Keys != nil {
		r.Keys.forgetNames()
	}
	return r.Cache.nextRun()
}

// Drop drops the plans and columns that have not been used for the longest time. columns gives those columns that were not used since a run.
func (r *Resolvers) Drop(columns func(before int) []Idle) {
	holders := []func(before int) []Idle{r.Values.idle, columns}
	if r.Keys != nil {
		holders = append(holders, r.Keys.idle)
	}
	r.Cache.drop(holders...)
}

// Looks tells what is to be added to a record's error: what its value, or key, looks like, where that is not what the framing says, and what to set. It costs nothing for records
// that can be read.
func (r *Resolvers) Looks(record *source.Record, err *status.Error) string {
	if err.Option != "" {
		return ""
	}
	missing := IsMissing(err) // of the value's schema, or of the key's
	var text string
	if err.Code == status.FramingError || err.Code == status.DecodeError || missing {
		text = r.Values.looks(record, err)
	}
	if r.Keys != nil && text == "" && (err.Code == status.KeyDecodeError || missing) {
		text = r.Keys.looks(record, err)
	}
	return text
}

// Compiled is how many schemas of the registry were compiled. It may be called from any goroutine.
func (r *Resolvers) Compiled() int64 {
	if r.Keys == nil {
		return r.Values.Compiled()
	}
	return r.Values.Compiled() + r.Keys.Compiled()
}
