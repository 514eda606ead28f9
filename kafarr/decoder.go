package kafarr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
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
	cfg     DecoderConfig
	making  sync.Mutex              // of reading
	reading atomic.Pointer[reading] // nil: the first envelope brings the schema
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
	// Framing is Bare, which is the default, or, of JSON, Connect. Then Schema is one of Connect's, and bodies whose own schema gives other columns are errors; empty: that of the first
	// body.
	Framing Framing
	// MessageType is the full name of the bodies' type, where the schema has several; empty: it has one.
	MessageType string
	Options     format.Options
}

// NewDecoder compiles the schema.
func NewDecoder(cfg DecoderConfig) (*Decoder, error) {
	if _, err := cfg.Options.Limits.Resolved(); err != nil {
		return nil, errorf(ConfigError, "%w", err)
	}
	cfg.Value = cmp.Or(cfg.Value, Avro)
	switch {
	case cfg.MessageType != "" && !cfg.Value.HasTypes():
		return nil, errorf(ConfigError, "message_type is for bodies of Protobuf: the others have one type in a schema")
	case cfg.Framing != Bare && cfg.Framing != Confluent && cfg.Framing != Connect: // Confluent is the default of all framings
		return nil, errorf(ConfigError, "framing: a decoder takes bare bodies, or envelopes of Connect")
	case cfg.Framing == Connect && cfg.Value != JSON:
		return nil, errorf(ConfigError, "framing is connect: envelopes of Connect are JSON, and value is another format")
	}
	d := &Decoder{cfg: cfg}
	if cfg.Schema == "" && cfg.Framing == Connect {
		return d, nil
	}
	return d, d.compile(cfg.Schema)
}

// reading is how a Decoder reads bodies.
type reading struct {
	plan   format.Plan
	schema *arrow.Schema
	writer format.Schema
	// documents tells that bodies may be JSON from their first byte to their last.
	documents bool
}

// compile makes the Decoder read bodies of a schema.
func (d *Decoder) compile(text string) error {
	p, parsed, err := d.plan(text)
	if err == nil {
		of := d.cfg.Value
		d.reading.Store(&reading{p, arrow.NewSchema(p.Fields(), nil), parsed, of == JSON || of == JSONSchema || schema.MayBeJSON(parsed)})
	}
	return err
}

// plan makes the plan of a schema.
func (d *Decoder) plan(text string) (format.Plan, format.Schema, error) {
	cfg := &d.cfg
	if cfg.Framing == Connect {
		return schema.CompileConnect(text, cfg.Reader, cfg.Options)
	}
	return schema.CompileText(cfg.Value, text, cfg.Reader, cfg.MessageType, cfg.Options)
}

// read returns how bodies are read, of which the first brings the schema where none was given.
func (d *Decoder) read(bodies []format.Body) (*reading, error) {
	if r := d.reading.Load(); r != nil {
		return r, nil
	}
	d.making.Lock()
	defer d.making.Unlock()
	if r := d.reading.Load(); r != nil {
		return r, nil
	}
	if len(bodies) == 0 {
		return nil, errorf(ConfigError, "schema: none was given, and no envelope has come that brings one")
	}
	var split json.Envelopes
	found, err := split.Split(bodies[0])
	if err == nil {
		err = d.compile(string(unsafe.Slice((*byte)(found.Schema.Data), found.Schema.Len)))
	}
	return d.reading.Load(), err
}

// Schema returns the Arrow schema of the batches; nil: the first envelope brings it.
func (d *Decoder) Schema() *arrow.Schema {
	if r := d.reading.Load(); r != nil {
		return r.schema
	}
	return nil
}

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
	if r := d.reading.Load(); r != nil {
		for _, text := range r.plan.Warnings() {
			s.Ignored = append(s.Ignored, r.plan.MessageType()+": "+text)
		}
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
	*reading // nil: err says why
	err      error
	bodies   []format.Body
	split    json.Envelopes // Connect
	payloads []format.Body  // of the envelopes that are decoded at once
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
	g := &Decoding{decoder: d, bodies: bodies}
	if g.reading, g.err = d.read(bodies); g.err != nil {
		g.reading = nil
		return g
	}
	g.columns = g.plan.NewColumns()
	g.appender = g.plan.Bind(g.columns)
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
	if g.reading == nil {
		if len(g.bodies) == 0 {
			return nil, g.err
		}
		return nil, g.fault(g.err)
	}
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
	return &Batch{Record: batch.NewRecord(g.schema, g.columns.Finish(), len(g.bodies)), MessageType: g.plan.MessageType()}, nil
}

// Stop gives up what is not decoded yet. A second call, or one after the batch, does nothing.
func (g *Decoding) Stop() {
	if g.long != nil {
		g.long.GiveUp()
		g.long = nil
	}
	if g.columns != nil {
		g.columns.Release()
	}
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
	bodies, wrong := g.good(g.bodies[g.done : g.done+n])
	if len(bodies) == 0 {
		return 0, counts, wrong
	}
	n, err = g.appender.Append(bodies)
	if err == nil && n == len(bodies) {
		err = wrong
	}
	return n, g.appender.Counts(n), err
}

// good returns what of some bodies is decoded: up to the first that is not of the format or the schema, and its error.
func (g *Decoding) good(bodies []format.Body) ([]format.Body, error) {
	if g.decoder.cfg.Framing == Connect {
		return g.unwrap(bodies)
	}
	if g.documents {
		return bodies, nil
	}
	for i := range bodies {
		if b := &bodies[i]; b.Len > 0 {
			switch *(*byte)(b.Data) {
			case '{', '[', ' ', '\t', '\n', '\r':
				if err := schema.Disguised(g.decoder.cfg.Value, *b); err != nil {
					return bodies[:i], err
				}
			}
		}
	}
	return bodies, nil
}

// unwrap takes the payloads out of envelopes, up to the first that is none or whose schema gives other columns.
func (g *Decoding) unwrap(bodies []format.Body) ([]format.Body, error) {
	g.payloads = g.payloads[:0]
	for i := range bodies {
		found, err := g.split.Split(bodies[i])
		if err == nil && !found.Known {
			err = g.fits(string(unsafe.Slice((*byte)(found.Schema.Data), found.Schema.Len)))
		}
		if err != nil {
			return g.payloads, err
		}
		g.payloads = append(g.payloads, found.Payload)
	}
	return g.payloads, nil
}

// fits returns an error where the schema of an envelope gives other columns than the Decoder's.
func (g *Decoding) fits(text string) error {
	p, _, err := g.decoder.plan(text)
	if err == nil && p.Shape() != g.plan.Shape() {
		err = errorf(DecodeError, "the envelope's schema gives a %s of other columns than the %s of the schema that was given, or that the first envelope brought: decode those of each schema by themselves", p.MessageType(), g.plan.MessageType())
	}
	return err
}

// beginLong begins to decode the next body in turns.
func (g *Decoding) beginLong() {
	body, wrong := g.good(g.bodies[g.done : g.done+1])
	long := &longBody{err: wrong}
	long.Turns = async.InTurns(func(proceed func() bool) {
		if wrong != nil {
			return
		}
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
	if advice := g.advice(g.bodies[g.done]); advice != "" {
		e.Err = fmt.Errorf("%w; the first bytes look like %s", e.Err, advice)
	}
	return e
}

// advice says what a body that does not decode looks like, if it looks as if it had a framing, and what to do.
func (g *Decoding) advice(b format.Body) string {
	look := wire.Recognize(unsafe.Slice((*byte)(b.Data), b.Len))
	switch look.Form {
	case wire.ContainerFile:
		return look.Header + ": read it with a library for such files, such as fastavro or polars.read_avro; a decoder takes bodies without a container"
	case wire.Unrecognized:
		return ""
	case wire.JSONForm, wire.EnvelopeForm:
		return g.adviceOnJSON(look)
	}
	var rest format.Body
	rest.Data, rest.Len = wire.After(b.Data, look.HeaderLen, b.Len)
	if g.decodes(rest) {
		return fmt.Sprintf("%s, and what follows decodes: pass payload[%d:]%s", look.Header, look.HeaderLen, readTopic(look.Form))
	}
	if known, ok := g.writer.(format.Fingerprinted); ok && look.Form == wire.SingleObjectForm {
		return fmt.Sprintf("%s, and the schema given has the fingerprint %016x: pass payload[%d:] with the schema that it was written with", look.Header, known.Fingerprint(), look.HeaderLen)
	}
	return fmt.Sprintf("%s: if they are, pass payload[%d:] with the schema that it was written with%s", look.Header, look.HeaderLen, readTopic(look.Form))
}

// adviceOnJSON is advice where the body looks like JSON.
func (g *Decoding) adviceOnJSON(look wire.Look) string {
	cfg := &g.decoder.cfg
	isEnvelope := look.Form == wire.EnvelopeForm
	switch {
	case cfg.Framing == Connect && isEnvelope, (cfg.Value == JSON || cfg.Value == JSONSchema) && cfg.Framing != Connect && !isEnvelope:
		return ""
	case isEnvelope:
		return look.Header + `: if they are, value="json" and framing="connect" decode them`
	}
	return look.Header + `: if they are, value="json" and a schema of it decode them`
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

func (g *Decoding) decodes(body format.Body) bool {
	if g.reading == nil {
		return false
	}
	columns := g.plan.NewColumns()
	defer columns.Release()
	n, err := g.plan.Bind(columns).Append([]format.Body{body})
	return n == 1 && err == nil
}
