package kafarr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// Decoder turns bare bodies, without framing and broker, into batches: the same plan and the same columns as a Listener's.
// It may be used by several goroutines at once.
type Decoder struct {
	plan    format.Plan
	schema  *arrow.Schema
	writer  format.Schema
	rows    atomic.Int64
	outside atomic.Int64
	unnamed atomic.Int64
	unknown atomic.Int64
}

// DecoderConfig says what a Decoder decodes.
type DecoderConfig struct {
	// Value names the format of the bodies. Usual: Avro.
	Value Content
	// Schema is the one that the bodies were written with, and Reader the one to read them as; empty: the same.
	Schema, Reader string
	// MessageType is the full name of the bodies' type, where the schema has several; empty: it has one.
	MessageType string
	Options     format.Options
}

// NewDecoder compiles the schema.
func NewDecoder(cfg DecoderConfig) (*Decoder, error) {
	if _, err := cfg.Options.Limits.Resolved(); err != nil {
		return nil, errorf(ConfigError, "%w", err)
	}
	value := cmp.Or(cfg.Value, Avro)
	if cfg.MessageType != "" && !value.HasTypes() {
		return nil, errorf(ConfigError, "message_type is for bodies of Protobuf: the others have one type in a schema")
	}
	p, parsed, err := schema.CompileText(value, cfg.Schema, cfg.Reader, cfg.MessageType, cfg.Options)
	if err != nil {
		return nil, err
	}
	return &Decoder{plan: p, schema: arrow.NewSchema(p.Fields(), nil), writer: parsed}, nil
}

// Schema returns the Arrow schema of the batches.
func (d *Decoder) Schema() *arrow.Schema { return d.schema }

// DecoderStats are counters since the decoder was made, and what of its schema is ignored.
type DecoderStats struct {
	Rows       int64 `json:"rows"`         // decoded
	OutOfRange int64 `json:"out_of_range"` // values that their Arrow types cannot hold, and that became nulls
	// UnknownEnums are numbers of Protobuf's enums that have no name in the schema, and that became nulls.
	UnknownEnums int64 `json:"unknown_enums"`
	// UnknownMembers are members of JSON that the schema does not name, and that were passed over.
	UnknownMembers int64    `json:"unknown_members"`
	Ignored        []string `json:"ignored"` // logical types that are not valid where they stand, a text for each
}

// Stats returns the counters. It may be called from any goroutine.
func (d *Decoder) Stats() DecoderStats {
	s := DecoderStats{Rows: d.rows.Load(), OutOfRange: d.outside.Load(), UnknownEnums: d.unnamed.Load(), UnknownMembers: d.unknown.Load()}
	for _, text := range d.plan.Warnings() {
		s.Ignored = append(s.Ignored, d.plan.MessageType()+": "+text)
	}
	return s
}

// Decode decodes all bodies or none. The Offset of a DecodeError is the index of the first body that does not decode. Where ctx ends, the error is its own.
func (d *Decoder) Decode(ctx context.Context, bodies []format.Body) (*Batch, error) {
	g := d.Start(bodies)
	defer g.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if b, err := g.Slice(maxSlice); b != nil || err != nil {
			return b, err
		}
	}
}

// Decoding is a Decode in slices, for callers that have signals to answer. The bodies are read within Slice only.
type Decoding struct {
	decoder  *Decoder
	bodies   []format.Body
	columns  *format.Columns
	appender format.Appender
	done     int // bodies
	counts   format.Counts
	long     *longBody // the next body, which takes long; nil: it does not
}

// longBody is a body that is decoded in turns.
type longBody struct {
	*async.Turns
	n      int
	counts format.Counts
	err    error
}

// Start begins to decode. The caller calls Slice until there is an answer, and Stop in the end.
func (d *Decoder) Start(bodies []format.Body) *Decoding {
	columns := d.plan.NewColumns()
	g := &Decoding{decoder: d, bodies: bodies, columns: columns, appender: d.plan.Bind(columns)}
	g.appender.SetRowTimeout(assemble.LongRow)
	return g
}

// Between two looks at the clock, at most this many bodies are decoded, and no further body once they have this many bytes.
const (
	bodiesPerLook = 1 << 12
	bytesPerLook  = 1 << 20
)

// Slice decodes for a while. Without a batch and an error it is not done yet.
func (g *Decoding) Slice(slice time.Duration) (*Batch, error) {
	for end := time.Now().Add(slice); g.done < len(g.bodies); {
		if g.long != nil && !g.long.Turn(end) {
			return nil, nil
		}
		n, counts, err := g.decode()
		g.counts = g.counts.Plus(counts)
		g.done += n
		switch {
		case errors.Is(err, format.ErrLong):
			g.beginLong()
		case err != nil:
			return nil, g.fault(err)
		}
		if time.Now().After(end) {
			return nil, nil
		}
	}
	d := g.decoder
	d.rows.Add(int64(len(g.bodies)))
	d.outside.Add(int64(g.counts.OutOfRange))
	d.unnamed.Add(int64(g.counts.UnknownEnums))
	d.unknown.Add(int64(g.counts.UnknownMembers))
	return &Batch{Record: batch.NewRecord(d.schema, g.columns.Finish(), len(g.bodies)), MessageType: d.plan.MessageType()}, nil
}

// Stop gives up what is not decoded yet. A second call, or one after the batch, does nothing.
func (g *Decoding) Stop() {
	if g.long != nil {
		g.long.GiveUp()
		g.long = nil
	}
	g.columns.Release()
}

// decode appends the next bodies.
func (g *Decoding) decode() (n int, counts format.Counts, err error) {
	if done := g.long; done != nil {
		g.long = nil
		done.Join()
		return done.n, done.counts, done.err
	}
	for bytes := 0; n < bodiesPerLook && bytes < bytesPerLook && g.done+n < len(g.bodies); n++ {
		bytes += g.bodies[g.done+n].Len
	}
	if g.bodies[g.done].Len > assemble.LongBytes {
		return 0, counts, format.ErrLong
	}
	n, err = g.appender.Append(g.bodies[g.done : g.done+n])
	return n, g.appender.Counts(n), err
}

// beginLong begins to decode the next body in turns.
func (g *Decoding) beginLong() {
	body := g.bodies[g.done : g.done+1]
	long := &longBody{}
	long.Turns = async.InTurns(func(proceed func() bool) {
		g.appender.SetContinue(proceed)
		defer func() { g.appender.SetContinue(nil) }()
		long.n, long.err = g.appender.Append(body)
		long.counts = g.appender.Counts(long.n)
	})
	g.long = long
}

// fault makes the error of the next body.
func (g *Decoding) fault(err error) *Error {
	if errors.Is(err, format.ErrFull) {
		err = errorf(DecodeError, "the rows up to this one fill a column's 2^31-1 bytes or items, or 4 GiB of columns: decode fewer payloads at once")
	}
	e := wrap(err)
	e.Offset = int64(g.done)
	e.Err = fmt.Errorf("payload %d: %w", g.done, e.Err)
	if advice := g.decoder.advice(g.bodies[g.done]); advice != "" {
		e.Err = fmt.Errorf("%w; the first bytes look like %s", e.Err, advice)
	}
	return e
}

// advice says what a body that does not decode looks like, if it looks as if it had a framing, and what to do.
func (d *Decoder) advice(b format.Body) string {
	look := wire.Recognize(unsafe.Slice((*byte)(b.Data), b.Len))
	switch look.Form {
	case wire.ContainerFile:
		return look.Header + ": read it with a library for such files, such as fastavro or polars.read_avro; a decoder takes bodies without a container"
	case wire.Unrecognized:
		return ""
	case wire.JSONForm:
		if _, isJSON := d.writer.(*json.Schema); isJSON {
			return ""
		}
		return look.Header + `: if they are, value="json" and a schema of it decode them`
	}
	var rest format.Body
	rest.Data, rest.Len = wire.After(b.Data, look.HeaderLen, b.Len)
	if d.decodes(rest) {
		return fmt.Sprintf("%s, and what follows decodes: pass payload[%d:]%s", look.Header, look.HeaderLen, readTopic(look.Form))
	}
	if known, ok := d.writer.(format.Fingerprinted); ok && look.Form == wire.SingleObjectForm {
		return fmt.Sprintf("%s, and the schema given has the fingerprint %016x: pass payload[%d:] with the schema that it was written with", look.Header, known.Fingerprint(), look.HeaderLen)
	}
	return fmt.Sprintf("%s: if they are, pass payload[%d:] with the schema that it was written with%s", look.Header, look.HeaderLen, readTopic(look.Form))
}

// readTopic says what reads topics of such messages as they are.
func readTopic(form wire.Form) string {
	switch form {
	case wire.ConfluentForm:
		return ", or read the topic with a listener or a scan, which asks the registry for the schema"
	case wire.ApicurioForm:
		return ", or read the topic with a listener or a scan and framing \"apicurio\", which asks the registry for the schema"
	case wire.SingleObjectForm:
		return ", or read the topic with a listener or a scan and framing \"single_object\""
	}
	return ""
}

func (d *Decoder) decodes(body format.Body) bool {
	columns := d.plan.NewColumns()
	defer columns.Release()
	n, err := d.plan.Bind(columns).Append([]format.Body{body})
	return n == 1 && err == nil
}
