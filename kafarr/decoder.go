package kafarr

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/avro"
)

// Decoder turns bare Avro bodies, without framing and broker, into batches: the same plan and the same columns as a Listener's.
// It may be used by several goroutines at once.
type Decoder struct {
	plan   *avro.Plan
	schema *arrow.Schema
}

// NewDecoder compiles the schema that the bodies were written with. reader is the schema to read them as; empty: the same.
func NewDecoder(schema, reader string, options avro.Options) (*Decoder, error) {
	if _, err := options.Limits.Resolved(); err != nil {
		return nil, errorf(ConfigError, "%w", err)
	}
	parsed, err := options.Limits.Parse(schema)
	if err != nil {
		return nil, parseFault(err, options.Limits, schema)
	}
	if reader != "" {
		if options.Reader, err = parseReader(reader, options.Limits); err != nil {
			return nil, err
		}
	}
	p, err := avro.Compile(parsed, options)
	if err != nil {
		return nil, compileFault(err, parsed, options)
	}
	return &Decoder{plan: p, schema: arrow.NewSchema(p.Fields, nil)}, nil
}

// Schema returns the Arrow schema of the batches.
func (d *Decoder) Schema() *arrow.Schema { return d.schema }

// Decode decodes all bodies or none. The Offset of a DecodeError is the index of the first body that does not decode.
func (d *Decoder) Decode(bodies []avro.Body) (*Batch, error) {
	columns := d.plan.NewColumns()
	for done := 0; done < len(bodies); {
		n, err := d.plan.Bind(columns).Append(bodies[done:])
		if done += n; err != nil {
			columns.Release()
			if errors.Is(err, avro.ErrFull) {
				err = errorf(DecodeError, "the rows up to this one fill a column's 2^31-1 bytes or items, or 4 GiB of columns: decode fewer payloads at once")
			}
			e := wrap(err)
			e.Offset = int64(done)
			e.Err = fmt.Errorf("payload %d: %w", done, e.Err)
			return nil, e
		}
	}
	return &Batch{Record: newRecord(d.schema, columns.Finish(), len(bodies)), MessageType: d.plan.MessageType}, nil
}
