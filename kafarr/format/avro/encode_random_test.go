package avro_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// batchOf decodes bodies into a record batch, which the test releases.
func batchOf(t *testing.T, p *avro.Plan, bodies [][]byte) arrow.RecordBatch {
	t.Helper()
	arrays, err := decode(t, p, bodies...)
	if err != nil {
		t.Fatal(err)
	}
	batch := array.NewRecordBatch(arrow.NewSchema(p.Fields, nil), arrays, int64(len(bodies)))
	t.Cleanup(batch.Release)
	return batch
}

// encodeBatch writes all rows of a batch. The room for each grows until it suffices, as a builder's does.
func encodeBatch(s *avro.Schema, batch arrow.RecordBatch, options format.EncodeOptions) ([][]byte, error) {
	e, err := avro.CompileEncoding(s, batch.Schema().Fields(), options)
	if err != nil {
		return nil, err
	}
	encoder, err := e.Bind(batch, nil)
	if err != nil {
		return nil, err
	}
	rows := make([][]byte, batch.NumRows())
	for i := range rows {
		rows[i] = encodeRow(encoder, i)
	}
	return rows, nil
}

func encodeRow(e format.Encoder, row int) []byte {
	for size := 1; ; size *= 2 {
		dst := make([]byte, size)
		if n, ok := e.Encode(dst, row); ok {
			return dst[:n:n]
		}
	}
}

// exactBytes reports whether there is but one way to write a value: goavro writes a decimal, which it takes as a fraction, in its own way, and a big-decimal may have any scale.
func exactBytes(n *node) bool {
	seen := map[string]bool{}
	n.note(seen)
	for kind := range seen {
		if strings.Contains(kind, "decimal") {
			return false
		}
	}
	return true
}

// readByGoavro is a value as goavro reads it.
func readByGoavro(t *testing.T, s *subject, body []byte) string {
	t.Helper()
	v, rest, err := s.codec.NativeFromBinary(body)
	if err != nil || len(rest) > 0 {
		t.Fatalf("seed %d: %s: goavro does not read %x: %v", s.seed, s.text, body, err)
	}
	return fmt.Sprint(v)
}

// TestWhatIsReadIsWrittenAgainAsItWas has goavro write random values of random schemas, reads them, and writes the columns: the bytes must be the same.
func TestWhatIsReadIsWrittenAgainAsItWas(t *testing.T) {
	closeBooks(t)
	for seed := range uint64(cases) {
		s := newSubject(t, seed)
		var bodies [][]byte
		for range rows {
			bodies = append(bodies, s.encode(t))
		}
		for _, unions := range []format.Unions{format.StructUnions, format.DenseUnions} {
			plan := s.plan(t, unions)
			batch := batchOf(t, plan, bodies)
			written, err := encodeBatch(s.parsed, batch, format.EncodeOptions{})
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, s.text, err)
			}
			if exactBytes(s.schema) {
				for i, b := range written {
					if !bytes.Equal(b, bodies[i]) {
						t.Fatalf("seed %d: %s: row %d is written as\n%x, and was\n%x", seed, s.text, i, b, bodies[i])
					}
				}
			}
			if !exactBytes(s.schema) && !strings.Contains(s.text, "big-decimal") {
				for i, b := range written {
					if got, want := readByGoavro(t, s, b), readByGoavro(t, s, bodies[i]); got != want {
						t.Fatalf("seed %d: %s: goavro reads row %d as\n%s, and it is\n%s", seed, s.text, i, got, want)
					}
				}
			}
			if again := batchOf(t, plan, written); !array.RecordApproxEqual(again, batch, array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
				t.Fatalf("seed %d: %s: the values are\n%v, and were\n%v", seed, s.text, again, batch)
			}
		}
	}
}
