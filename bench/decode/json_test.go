package decode

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
)

// contestant is a plan, and bodies that it reads batch after batch.
type contestant struct {
	columns  *format.Columns
	appender format.Appender
	bodies   []format.Body
	took     time.Duration
}

func newContestant(b *testing.B, f format.Format, schema string, bodies []format.Body) *contestant {
	b.Helper()
	s, err := f.Parse(schema, nil, format.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := f.Compile(s, format.Options{})
	if err != nil {
		b.Fatal(err)
	}
	columns := plan.NewColumns()
	return &contestant{columns: columns, appender: plan.Bind(columns), bodies: bodies}
}

// run reads all bodies once.
func (c *contestant) run(b *testing.B) {
	b.Helper()
	began := processorTime(b)
	for start := 0; start < len(c.bodies); start += 8192 {
		if _, err := c.appender.Append(c.bodies[start:min(start+8192, len(c.bodies))]); err != nil {
			b.Fatal(err)
		}
	}
	for _, data := range c.columns.Finish() {
		data.Release()
	}
	c.took += processorTime(b) - began
}

// processorTime is what the process has had of the processors: other processes take time, and none of this.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// besideAvro reads JSON in turns with the flat record in Avro: the machine's speed changes, and the ratio does not.
func besideAvro(b *testing.B, arrowSchema, avroSchema string, record func(*rand.Rand) map[string]any, shuffled bool) {
	const rows = 50_000
	inTurns(b, newContestant(b, json.Format{}, arrowSchema, messages.JSONBodies(b, avroSchema, rows, record, shuffled)))
}

// inTurns reads messages in turns with as many of the flat record in Avro.
func inTurns(b *testing.B, mine *contestant) {
	b.Helper()
	rows := len(mine.bodies)
	yard := newContestant(b, avro.Format{}, messages.FlatSchema, messages.Bodies(b, messages.FlatSchema, rows, messages.FlatRecord))
	defer mine.columns.Release()
	defer yard.columns.Release()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		yard.run(b)
		mine.run(b)
	}
	b.ReportMetric(float64(mine.took.Nanoseconds())/float64(b.N*rows), "ns/msg")
	b.ReportMetric(float64(mine.took)/float64(yard.took), "x-avro-flat")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkJSONFlat(b *testing.B) {
	besideAvro(b, messages.FlatArrow, messages.FlatSchema, messages.FlatRecord, false)
}

func BenchmarkJSONFlatShuffled(b *testing.B) {
	besideAvro(b, messages.FlatArrow, messages.FlatSchema, messages.FlatRecord, true)
}

func BenchmarkJSONWide(b *testing.B) {
	besideAvro(b, messages.WideArrow, messages.WideSchema, messages.WideRecord, false)
}
