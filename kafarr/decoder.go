package kafarr

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// Decoder turns bare Avro bodies, without framing and broker, into batches: the same plan and the same columns as a Listener's.
// It may be used by several goroutines at once.
type Decoder struct {
	plan    *avro.Plan
	schema  *arrow.Schema
	writer  *avro.Schema
	rows    atomic.Int64
	outside atomic.Int64
}

// NewDecoder compiles the schema that the bodies were written with. reader is the schema to read them as; empty: the same.
func NewDecoder(schema, reader string, options avro.Options) (*Decoder, error) {
	if _, err := options.Limits.Resolved(); err != nil {
		return nil, errorf(ConfigError, "%w", err)
	}
	parsed, err := options.Limits.Parse(schema)
	if err != nil {
		return nil, parseFault(err, options.Limits, registry.Schema{Text: schema})
	}
	if reader != "" {
		if options.Reader, err = parseReader(registry.Schema{Text: reader}, options.Limits); err != nil {
			return nil, err
		}
	}
	p, err := avro.Compile(parsed, options)
	if err != nil {
		return nil, compileFault(err, parsed, options)
	}
	return &Decoder{plan: p, schema: arrow.NewSchema(p.Fields, nil), writer: parsed}, nil
}

// Schema returns the Arrow schema of the batches.
func (d *Decoder) Schema() *arrow.Schema { return d.schema }

// DecoderStats are counters since the decoder was made, and what of its schema is ignored.
type DecoderStats struct {
	Rows       int64    `json:"rows"`         // decoded
	OutOfRange int64    `json:"out_of_range"` // values that their Arrow types cannot hold, and that became nulls
	Ignored    []string `json:"ignored"`      // logical types that are not valid where they stand, a text for each
}

// Stats returns the counters. It may be called from any goroutine.
func (d *Decoder) Stats() DecoderStats {
	s := DecoderStats{Rows: d.rows.Load(), OutOfRange: d.outside.Load()}
	for _, text := range d.plan.Ignored {
		s.Ignored = append(s.Ignored, d.plan.MessageType+": "+text)
	}
	return s
}

// Decode decodes all bodies or none. The Offset of a DecodeError is the index of the first body that does not decode.
func (d *Decoder) Decode(bodies []avro.Body) (*Batch, error) {
	columns := d.plan.NewColumns()
	appender := d.plan.Bind(columns)
	outside := 0
	for done := 0; done < len(bodies); {
		n, err := appender.Append(bodies[done:])
		outside += appender.OutOfRange(n)
		if done += n; err != nil {
			columns.Release()
			if errors.Is(err, avro.ErrFull) {
				err = errorf(DecodeError, "the rows up to this one fill a column's 2^31-1 bytes or items, or 4 GiB of columns: decode fewer payloads at once")
			}
			e := wrap(err)
			e.Offset = int64(done)
			e.Err = fmt.Errorf("payload %d: %w", done, e.Err)
			if advice := d.advice(bodies[done]); advice != "" {
				e.Err = fmt.Errorf("%w; the first bytes look like %s", e.Err, advice)
			}
			return nil, e
		}
	}
	d.rows.Add(int64(len(bodies)))
	d.outside.Add(int64(outside))
	return &Batch{Record: newRecord(d.schema, columns.Finish(), len(bodies)), MessageType: d.plan.MessageType}, nil
}

// advice tells what a body looks like that does not decode, where it looks like one that is framed, and what to do.
func (d *Decoder) advice(b avro.Body) string {
	look := wire.Recognize(unsafe.Slice((*byte)(b.Data), b.Len))
	switch look.Form {
	case wire.ContainerFile:
		return look.Header + ": read it with a library for such files, such as fastavro or polars.read_avro; a decoder takes bodies without a container"
	case wire.Unrecognized, wire.JSONForm:
		return ""
	}
	var rest avro.Body
	rest.Data, rest.Len = wire.After(b.Data, look.HeaderLen, b.Len)
	if d.decodes(rest) {
		return fmt.Sprintf("%s, and what follows decodes: pass payload[%d:]%s", look.Header, look.HeaderLen, readTopic(look.Form))
	}
	if look.Form == wire.SingleObjectForm {
		return fmt.Sprintf("%s, and the schema given has the fingerprint %016x: pass payload[%d:] with the schema that it was written with", look.Header, d.writer.Fingerprint(), look.HeaderLen)
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

func (d *Decoder) decodes(body avro.Body) bool {
	columns := d.plan.NewColumns()
	defer columns.Release()
	n, err := d.plan.Bind(columns).Append([]avro.Body{body})
	return n == 1 && err == nil
}
