package kafarr_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// messages is a sink that keeps what is written, decoded.
type messages struct {
	partitions int
	added      int                                    // partitions that are there when the cluster is asked again
	most       int                                    // max.message.bytes; 0: 1,000,000
	outcome    func(b *produce.Batch) produce.Outcome // nil: written
	held       chan struct{}                          // not nil: outcomes come once it is closed
	missing    error                                  // why there is no such topic

	mu      sync.Mutex
	written map[int32][]written
	batches int
	waiting sync.WaitGroup
	calls   []string
}

type written struct {
	key, value []byte
	headers    string
	timestamp  int64
}

func (m *messages) Partitions(_ context.Context, _ string, fresh bool) (int, error) {
	if fresh {
		m.partitions += m.added
		m.added = 0
	}
	return m.partitions, m.missing
}

func (m *messages) MaxMessageBytes(context.Context, string) (int, error) {
	if m.most == 0 {
		return 1_000_000, nil
	}
	return m.most, nil
}

func (m *messages) Send(ctx context.Context, b *produce.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.written == nil {
		m.written = map[int32][]written{}
	}
	o := produce.Outcome{State: produce.Written, BaseOffset: int64(len(m.written[b.Partition])), LogAppendTime: -1}
	o.LastOffset = o.BaseOffset + int64(b.Records) - 1
	if m.outcome != nil {
		o = m.outcome(b)
	}
	if o.State == produce.Written {
		m.written[b.Partition] = append(m.written[b.Partition], decoded(b.Bytes)...)
	}
	m.batches++
	m.mu.Unlock()
	m.waiting.Add(1)
	go func() {
		defer m.waiting.Done()
		if m.held != nil {
			<-m.held
		}
		b.Done(o)
	}()
	return nil
}

func (m *messages) Flush(context.Context) error {
	m.waiting.Wait()
	return nil
}

func (m *messages) Close(context.Context) error { return nil }

func (m *messages) called(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, name)
	return nil
}

func (m *messages) Prepare(context.Context) error { return nil }

func (m *messages) Begin(context.Context) error  { return m.called("begin") }
func (m *messages) Commit(context.Context) error { return m.called("commit") }
func (m *messages) Abort(context.Context) error  { return m.called("abort") }
func (m *messages) SendOffsets(_ context.Context, g produce.GroupMember, offsets []source.Position) error {
	return m.called(fmt.Sprintf("offsets of %s: %d", g.Group, len(offsets)))
}

// decoded are the records of a record batch that is not compressed.
func decoded(b []byte) []written {
	count := int(binary.BigEndian.Uint32(b[57:]))
	first := int64(binary.BigEndian.Uint64(b[27:]))
	rest := b[61:]
	number := func() int64 {
		n, size := binary.Varint(rest)
		rest = rest[size:]
		return n
	}
	field := func() []byte {
		n := number()
		if n < 0 {
			return nil
		}
		v := append([]byte{}, rest[:n]...)
		rest = rest[n:]
		return v
	}
	var found []written
	for range count {
		number()
		rest = rest[1:]
		m := written{timestamp: first + number()}
		number()
		m.key, m.value = field(), field()
		for range number() {
			name, value := field(), field()
			m.headers += fmt.Sprintf("%s=%q;", name, value)
		}
		found = append(found, m)
	}
	return found
}

const priceSchema = `{"type":"record","name":"com.example.Price","fields":[{"name":"symbol","type":"string"},{"name":"bid","type":"double"}]}`

// priceBody is the Avro body of a Price.
func priceBody(symbol string, bid float64) []byte {
	b := binary.AppendVarint(nil, int64(len(symbol)))
	b = append(b, symbol...)
	buf := new(bytes.Buffer)
	_ = binary.Write(buf, binary.LittleEndian, bid)
	return append(b, buf.Bytes()...)
}

// frame makes a record batch of JSON, with columns besides symbol and bid.
func frame(t *testing.T, json string, more ...arrow.Field) arrow.RecordBatch {
	t.Helper()
	fields := append([]arrow.Field{{Name: "symbol", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "bid", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, more...)
	b, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func prices(t *testing.T, n int) arrow.RecordBatch {
	t.Helper()
	symbols, bids := array.NewStringBuilder(memory.DefaultAllocator), array.NewFloat64Builder(memory.DefaultAllocator)
	for i := range n {
		symbols.Append(fmt.Sprintf("S%d", i%100))
		bids.Append(float64(i))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "symbol", Type: arrow.BinaryTypes.String}, {Name: "bid", Type: arrow.PrimitiveTypes.Float64}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{symbols.NewArray(), bids.NewArray()}, int64(n))
}

func producerOf(t *testing.T, sink kafarr.ProducerSink, properties map[string]string) *kafarr.Producer {
	t.Helper()
	p, err := kafarr.OpenProducer(kafarr.ProducerConfig{Cluster: kafarr.Cluster{Properties: properties}, Sink: func(produce.Settings) (kafarr.ProducerSink, error) { return sink, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	return p
}

func bare(topic string) kafarr.SendOptions {
	return kafarr.SendOptions{Topic: topic, Framing: kafarr.Bare, Schema: kafarr.SchemaChoice{Definition: registry.Definition{Text: priceSchema}}}
}

func send(t *testing.T, p *kafarr.Producer, o kafarr.SendOptions, batches ...arrow.RecordBatch) *kafarr.SendReport {
	t.Helper()
	report, err := p.Send(t.Context(), o, batches...)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAFrameIsSentRowByRowInItsOrder(t *testing.T) {
	sink := &messages{partitions: 1}
	report := send(t, producerOf(t, sink, nil), bare("prices"), prices(t, 30_000), prices(t, 20_000))
	if report.Rows() != 50_000 || report.Written() != 50_000 {
		t.Fatal(report.Rows(), report.Written())
	}
	if got := report.Ranges(); len(got) != 1 || got[0].First != 0 || got[0].Last != 49_999 || got[0].Rows != 50_000 {
		t.Fatal(got)
	}
	for i, m := range sink.written[0] {
		row := i
		if row >= 30_000 {
			row -= 30_000
		}
		if want := priceBody(fmt.Sprintf("S%d", row%100), float64(row)); !bytes.Equal(m.value, want) || m.key != nil || m.headers != "" {
			t.Fatalf("row %d is %q", i, m.value)
		}
		if age := time.Since(time.UnixMilli(m.timestamp)); age < -time.Second || age > time.Minute {
			t.Fatal(m.timestamp)
		}
	}
}

func TestBatchesAreCompressedAsThePropertySays(t *testing.T) {
	for codec, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, property := range []string{"compression.type", "compression.codec"} {
			var attributes []byte
			sink := &messages{partitions: 1, outcome: func(b *produce.Batch) produce.Outcome {
				attributes = append(attributes, b.Bytes[22]&7)
				return produce.Outcome{State: produce.Refused, Err: errors.New("only looked at")}
			}}
			p := producerOf(t, sink, map[string]string{property: name})
			if _, err := p.Send(t.Context(), bare("prices"), prices(t, 1000)); err != nil {
				t.Fatal(err)
			}
			if len(attributes) != 1 || int(attributes[0]) != codec {
				t.Errorf("%s=%s gave batches of the codecs %v", property, name, attributes)
			}
		}
	}
}

func TestAValueThatAPropertyDoesNotTakeIsRefusedWhoeverThePropertyIsFor(t *testing.T) {
	for name, value := range map[string]string{
		"linger.ms": "x", "batch.size": "x", "partitioner": "x", "acks": "x", "compression.type": "x", "compression.level": "x", "session.timeout.ms": "x", "fetch.min.bytes": "x",
		"statistics.interval.ms": "x", "enable.auto.commit": "x", "queue.buffering.max.messages": "x",
	} {
		_, err := kafarr.OpenProducer(kafarr.ProducerConfig{Cluster: kafarr.Cluster{Servers: "127.0.0.1:9092", Properties: map[string]string{name: value}}})
		var e *kafarr.Error
		if !errors.As(err, &e) || e.Code != kafarr.ConfigError || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

func TestALevelThatTheCodecDoesNotHaveIsRefused(t *testing.T) {
	_, err := kafarr.OpenProducer(kafarr.ProducerConfig{Cluster: kafarr.Cluster{Servers: "127.0.0.1:9092", Properties: map[string]string{"compression.type": "lz4", "compression.level": "13"}}})
	if err == nil || !strings.Contains(err.Error(), "config: compression.level is 13: with compression.type=lz4 it must be from 0 to 12") {
		t.Error(err)
	}
}

func TestRowsOfAKeyStayInOnePartitionAndInTheirOrder(t *testing.T) {
	sink := &messages{partitions: 7}
	o := bare("prices")
	o.Key.Column = "symbol"
	p := producerOf(t, sink, map[string]string{"batch.size": "2000"})
	for range 3 {
		send(t, p, o, prices(t, 10_000))
	}
	where := map[string]int32{}
	total := 0
	for partition, list := range sink.written {
		last := map[string]int{}
		for i, m := range list {
			total++
			if at, ok := where[string(m.key)]; ok && at != partition {
				t.Fatalf("key %s is in partitions %d and %d", m.key, at, partition)
			}
			where[string(m.key)] = partition
			bid := int(leFloat(m.value[len(m.value)-8:]))
			if before, ok := last[string(m.key)]; ok && bid <= before && bid >= 100 {
				t.Fatalf("key %s: row %d of partition %d has %d after %d", m.key, i, partition, bid, before)
			}
			last[string(m.key)] = bid
		}
	}
	if total != 30_000 || len(where) != 100 {
		t.Fatal(total, len(where))
	}
}

func leFloat(b []byte) float64 {
	var f float64
	_ = binary.Read(bytes.NewReader(b), binary.LittleEndian, &f)
	return f
}

func TestColumnsNamedAsAListenerNamesItsMetadataAreNoFields(t *testing.T) {
	sink := &messages{partitions: 3}
	b := frame(t, `[
		{"symbol": "A", "bid": 1, "_key": "k1", "_partition": 2, "_timestamp": 1700000000123, "_tombstone": false, "_offset": 7, "_topic": "elsewhere"},
		{"symbol": null, "bid": null, "_key": "k2", "_partition": 1, "_timestamp": null, "_tombstone": true, "_offset": 8, "_topic": "elsewhere"}
	]`, arrow.Field{Name: "_key", Type: arrow.BinaryTypes.String, Nullable: true}, arrow.Field{Name: "_partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "_timestamp", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, arrow.Field{Name: "_tombstone", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		arrow.Field{Name: "_offset", Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: "_topic", Type: arrow.BinaryTypes.String})
	o := bare("prices")
	o.Extra = 1 // error
	send(t, producerOf(t, sink, nil), o, b)
	if m := sink.written[2]; len(m) != 1 || string(m[0].key) != "k1" || m[0].timestamp != 1700000000123 || !bytes.Equal(m[0].value, priceBody("A", 1)) {
		t.Fatal(m)
	}
	if m := sink.written[1]; len(m) != 1 || string(m[0].key) != "k2" || m[0].value != nil || m[0].timestamp < 1700000000123 {
		t.Fatal(m)
	}
}

func TestNothingIsSentOfAFrameWithABadValue(t *testing.T) {
	sink := &messages{partitions: 1}
	p := producerOf(t, sink, nil)
	var e *kafarr.Error
	_, err := p.Send(t.Context(), bare("prices"), prices(t, 10), frame(t, `[{"symbol": "A", "bid": 1}, {"symbol": "B", "bid": null}]`))
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	b := frame(t, `[{"symbol": "A", "bid": 1}, {"symbol": "B", "bid": null}]`)
	o := bare("prices")
	o.FirstRow = 100
	_, err = p.Send(t.Context(), o, frame(t, `[{"symbol": "A", "bid": 1}]`), b)
	if !errors.As(err, &e) || e.Code != kafarr.EncodeError || e.Offset != 102 || !strings.Contains(err.Error(), "bid: row 102: ") {
		t.Fatal(err)
	}
	if sink.batches != 0 {
		t.Fatal("rows were sent")
	}
}

func TestAPartitionThatTheTopicDoesNotHaveIsNamedBeforeAnythingIsSent(t *testing.T) {
	sink := &messages{partitions: 3}
	b := frame(t, `[{"symbol": "A", "bid": 1, "p": 2}, {"symbol": "B", "bid": 1, "p": 3}]`, arrow.Field{Name: "p", Type: arrow.PrimitiveTypes.Int64})
	o := bare("prices")
	o.Partition = "p"
	_, err := producerOf(t, sink, nil).Send(t.Context(), o, b)
	if err == nil || !strings.Contains(err.Error(), "p: row 1: 3 is no partition of the topic prices, which has 3") || sink.batches != 0 {
		t.Fatal(err, sink.batches)
	}
}

func TestAPartitionThatWasAddedSinceTheClusterWasAskedIsWrittenTo(t *testing.T) {
	sink := &messages{partitions: 3, added: 1}
	b := frame(t, `[{"symbol": "A", "bid": 1, "p": 2}, {"symbol": "B", "bid": 1, "p": 3}]`, arrow.Field{Name: "p", Type: arrow.PrimitiveTypes.Int64})
	o := bare("prices")
	o.Partition = "p"
	send(t, producerOf(t, sink, nil), o, b)
	if len(sink.written[3]) != 1 {
		t.Fatal(sink.written)
	}
}

func TestARowThatIsLargerThanTheTopicTakesIsNamedBeforeAnythingIsSent(t *testing.T) {
	sink := &messages{partitions: 1, most: 5000}
	b := frame(t, `[{"symbol": "A", "bid": 1}, {"symbol": "`+strings.Repeat("x", 6000)+`", "bid": 2}]`)
	_, err := producerOf(t, sink, nil).Send(t.Context(), bare("prices"), b)
	if err == nil || !strings.Contains(err.Error(), "row 1: the message is larger than the 5000 bytes") || sink.batches != 0 {
		t.Fatal(err, sink.batches)
	}
	send(t, producerOf(t, sink, nil), bare("prices"), frame(t, `[{"symbol": "`+strings.Repeat("x", 4800)+`", "bid": 2}]`))
}

func TestATopicIsAskedForBeforeASchemaIsRegisteredAndByACheck(t *testing.T) {
	missing := errors.New("there is no such topic")
	sink := &messages{partitions: 1, missing: missing}
	p := producerOf(t, sink, nil) // which has no registry: to ask it would be another error
	registering, checking := bare("prices"), bare("prices")
	registering.Framing, registering.Schema.Register = kafarr.Confluent, true
	checking.CheckOnly = true
	for _, o := range []kafarr.SendOptions{registering, checking} {
		if _, err := p.Send(t.Context(), o, prices(t, 1)); !errors.Is(err, missing) {
			t.Error(err)
		}
		if _, err := p.TargetSchema(t.Context(), o, prices(t, 1).Schema()); !errors.Is(err, missing) {
			t.Error(err)
		}
	}
}

func TestARowWithoutAValueIsMeasuredByItsKey(t *testing.T) {
	sink := &messages{partitions: 1, most: 5000}
	b := frame(t, `[{"symbol": "A"}, {"symbol": "`+strings.Repeat("x", 6000)+`"}]`)
	_, err := producerOf(t, sink, nil).Send(t.Context(), kafarr.SendOptions{Topic: "prices", MessageType: "null", Key: kafarr.KeyChoice{Column: "symbol"}}, b)
	if err == nil || !strings.Contains(err.Error(), "row 1: the message is larger than the 5000 bytes") || sink.batches != 0 {
		t.Fatal(err, sink.batches)
	}
}

func TestAReportNamesTheRowsThatWereNotWritten(t *testing.T) {
	refusal := errors.New("prices[1]: 87 INVALID_RECORD")
	sink := &messages{partitions: 2, outcome: func(b *produce.Batch) produce.Outcome {
		if b.Partition == 1 {
			return produce.Outcome{State: produce.Refused, Err: refusal, Records: []produce.RecordError{{Index: 1, Message: "no key"}}}
		}
		return produce.Outcome{State: produce.Written, BaseOffset: 40, LastOffset: 39 + int64(b.Records)}
	}}
	b := frame(t, `[{"symbol": "A", "bid": 1, "p": 0}, {"symbol": "B", "bid": 1, "p": 1}, {"symbol": "C", "bid": 1, "p": 1}, {"symbol": "D", "bid": 1, "p": 0}, {"symbol": "E", "bid": 1, "p": 1}]`,
		arrow.Field{Name: "p", Type: arrow.PrimitiveTypes.Int64})
	o := bare("prices")
	o.Partition, o.FirstRow = "p", 10
	p := producerOf(t, sink, nil)
	report, err := p.Send(t.Context(), o, b)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody has asked the report yet: so Flush says it.
	if err := p.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "of 5 rows 2 are written, 3 refused, the first of them row 11: "+refusal.Error()) {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal("a failure is said twice by Flush:", err)
	}
	if err := report.Wait(t.Context()); err == nil {
		t.Fatal("Wait does not say what failed")
	}
	got := report.Failures()
	if len(got) != 1 || got[0].Count != 3 || !slices.Equal(got[0].Rows, [][2]int64{{11, 12}, {14, 14}}) || got[0].Blamed[0].Row != 12 {
		t.Fatal(got)
	}
	if ranges := report.Ranges(); len(ranges) != 1 || ranges[0].First != 40 || ranges[0].Last != 41 {
		t.Fatal(ranges)
	}
}

func TestABatchThatWasCutIsReportedPartByPart(t *testing.T) {
	sink := &messages{partitions: 1, outcome: func(*produce.Batch) produce.Outcome {
		return produce.Outcome{State: produce.Refused, Parts: []produce.Part{
			{First: 0, Records: 2, Outcome: produce.Outcome{State: produce.Written, BaseOffset: 5, LastOffset: 6}},
			{First: 2, Records: 1, Outcome: produce.Outcome{State: produce.Refused, Err: errors.New("too large")}},
		}}
	}}
	report, err := producerOf(t, sink, nil).Send(t.Context(), bare("prices"), prices(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Wait(t.Context()); err == nil || report.Written() != 2 || report.Failures()[0].Rows[0] != [2]int64{2, 2} {
		t.Fatal(err, report.Failures())
	}
}

func TestASendThatIsInterruptedReportsTheRowsThatItDidNotSend(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sink := &messages{partitions: 1}
	sink.outcome = func(b *produce.Batch) produce.Outcome {
		cancel()
		return produce.Outcome{State: produce.Written, BaseOffset: 0, LastOffset: int64(b.Records) - 1}
	}
	p := producerOf(t, sink, map[string]string{"batch.size": "2000"})
	report, err := p.Send(ctx, bare("prices"), prices(t, 10_000))
	if !errors.Is(err, context.Canceled) || report == nil {
		t.Fatal(err)
	}
	<-report.Done()
	lost := 0
	for _, f := range report.Failures() {
		lost += f.Count
		if f.State != produce.NotSent {
			t.Fatal(f)
		}
	}
	if report.Written() == 0 || report.Written()+lost != 10_000 {
		t.Fatal(report.Written(), lost)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal("Flush says what the caller has given up:", err)
	}
}

func TestSmallFramesWithoutKeysTakeTurnsAmongThePartitions(t *testing.T) {
	sink := &messages{partitions: 4}
	p := producerOf(t, sink, nil)
	for range 8 {
		send(t, p, bare("prices"), prices(t, 5))
	}
	if len(sink.written) != 4 {
		t.Fatal(len(sink.written))
	}
	send(t, p, bare("prices"), prices(t, 100_000))
	for partition, list := range sink.written {
		if len(list) < 20_000 {
			t.Fatalf("partition %d has %d rows", partition, len(list))
		}
	}
}

func TestRandomFramesLoseAndRepeatNoRow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 8 {
		sink := &messages{partitions: 1 + random.IntN(9)}
		p := producerOf(t, sink, map[string]string{"batch.size": fmt.Sprint(200 + random.IntN(5000))})
		o := bare("prices")
		if round%2 == 0 {
			o.Key.Column = "symbol"
		}
		var batches []arrow.RecordBatch
		total := 0
		for range 1 + random.IntN(4) {
			n := random.IntN(12_000)
			whole := prices(t, n+10)
			from := random.IntN(10)
			batches = append(batches, whole.NewSlice(int64(from), int64(from+n)))
			total += n
		}
		report := send(t, p, o, batches...)
		found := 0
		for _, list := range sink.written {
			found += len(list)
		}
		if found != total || report.Written() != total {
			t.Fatalf("round %d: %d rows of %d are there", round, found, total)
		}
	}
}

func TestATransactionCommitsOnlyWhatWasWritten(t *testing.T) {
	sink := &messages{partitions: 1}
	p := producerOf(t, sink, map[string]string{"transactional.id": "t"})
	if _, err := p.Send(t.Context(), bare("prices"), prices(t, 1)); err == nil {
		t.Fatal("rows were sent outside of a transaction")
	}
	begin := func() *kafarr.Transaction {
		t.Helper()
		tx, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	tx := begin()
	if _, err := p.Begin(t.Context()); err == nil {
		t.Fatal("two transactions are open")
	}
	if _, err := tx.Send(t.Context(), bare("prices"), prices(t, 3)); err != nil {
		t.Fatal(err)
	}
	if err := tx.CommitOffsets(t.Context(), kafarr.GroupMember{Group: "g"}, make([]source.Position, 2)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Fatal("a transaction was committed twice")
	}
	sink.outcome = func(*produce.Batch) produce.Outcome {
		return produce.Outcome{State: produce.Refused, Err: errors.New("refused")}
	}
	tx = begin()
	if _, err := tx.Send(t.Context(), bare("prices"), prices(t, 3)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "the transaction is aborted") {
		t.Fatal(err)
	}
	if want := []string{"begin", "offsets of g: 2", "commit", "begin", "abort"}; !slices.Equal(sink.calls, want) {
		t.Fatal(sink.calls)
	}
}
