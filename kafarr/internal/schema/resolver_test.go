package schema

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// book is a registry that answers as the test says, a while after it was asked.
type book struct {
	answer func(id int) (registry.Schema, error)
	takes  time.Duration

	mu       sync.Mutex
	asked    map[int]int
	now      int // questions under way
	mostOnce int
}

func (b *book) SchemaByID(ctx context.Context, id int) (registry.Schema, error) {
	b.mu.Lock()
	if b.asked == nil {
		b.asked = map[int]int{}
	}
	b.asked[id]++
	b.now++
	b.mostOnce = max(b.mostOnce, b.now)
	b.mu.Unlock()
	select {
	case <-time.After(b.takes):
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
	return b.answer(id)
}

// questions is how often each id was asked for so far, also ahead: those questions may still be under way when a test reads it.
func (b *book) questions() map[int]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.asked)
}

// typeOf is a schema for each id: record x.T17 for 17.
func typeOf(id int) (registry.Schema, error) {
	return registry.Schema{ID: id, Text: fmt.Sprintf(`{"type":"record","name":"x.T%d","fields":[{"name":"n","type":"int"}]}`, id)}, nil
}

// failing answers every question with a failure of a kind until it is mended.
func failing(kind registry.Kind, mended *atomic.Bool) func(int) (registry.Schema, error) {
	return func(id int) (registry.Schema, error) {
		if mended.Load() {
			return typeOf(id)
		}
		return registry.Schema{}, &registry.Error{Kind: kind, ID: id, URL: "http://book", Err: errors.New("503")}
	}
}

func newResolver(t *testing.T, cfg Config) *Resolver {
	t.Helper()
	if cfg.Shared == nil {
		cfg.Shared = NewShared()
	}
	if cfg.Cache == nil {
		cfg.Cache = NewCache(1 << 20)
	}
	if cfg.Content == Usual {
		cfg.Content = Avro
	}
	cfg.Warn = func(_, text string) { t.Error(text) }
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// framed is a payload of a schema id.
func framed(id uint32) []byte { return append(binary.BigEndian.AppendUint32([]byte{0}, id), 2) }

// recordOf is a record of a value and a key; nil: null.
func recordOf(offset int64, value, key []byte) source.Record {
	r := source.Record{Offset: offset, ValueLen: -1, KeyLen: -1}
	if value != nil {
		r.Value, r.ValueLen = unsafe.Pointer(unsafe.SliceData(value)), int32(len(value))
	}
	if key != nil {
		r.Key, r.KeyLen = unsafe.Pointer(unsafe.SliceData(key)), int32(len(key))
	}
	return r
}

// chunkOf has a value of each id, from offset 0 on.
func chunkOf(ids ...uint32) *source.Chunk {
	c := &source.Chunk{Topic: "t"}
	for i, id := range ids {
		c.Records = append(c.Records, recordOf(int64(i), framed(id), nil))
	}
	return c
}

// at resolves record i of a chunk as it is now.
func at(t *testing.T, s *Resolver, c *source.Chunk, i int) Resolution {
	t.Helper()
	ref, _, err := s.Frame(c.Topic, &c.Records[i])
	if err != nil {
		t.Fatal(err)
	}
	return s.Resolve(c, c.Records[i:], ref)
}

// settled resolves a record and waits until there is a plan or an error.
func settled(t *testing.T, s *Resolver, c *source.Chunk, i int) Resolution {
	t.Helper()
	for {
		r := at(t, s, c, i)
		if r.Wait == nil {
			return r
		}
		r.Wait.Wait(time.Second)
	}
}

func TestASchemaIsPendingUntilTheRegistryAnswersAndIsAskedForAndCompiledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := &book{answer: typeOf, takes: time.Second}
		s, c := newResolver(t, Config{Registry: reg}), chunkOf(7, 7, 7)
		for range 3 {
			if r := at(t, s, c, 0); r.State != Pending || r.Plan != nil || r.Err != nil || r.Wait.Failed() != nil {
				t.Fatalf("%+v", r)
			}
		}
		first := settled(t, s, c, 0)
		if first.State != Ready || first.Plan.Plan.MessageType() != "x.T7" || !first.Plan.IsRegistered {
			t.Fatalf("%+v", first)
		}
		if again := at(t, s, c, 2); again.Plan != first.Plan {
			t.Error("the second payload of a schema has another plan")
		}
		if reg.questions()[7] != 1 || s.Compiled() != 1 {
			t.Errorf("asked %v, %d compiled", reg.questions(), s.Compiled())
		}
	})
}

func TestARegistryThatFailsIsAskedAgainUntilItHasRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		reg := &book{answer: failing(registry.Unavailable, &mended)}
		s, c := newResolver(t, Config{Registry: reg, RetryTimeout: time.Second}), chunkOf(7)
		for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(time.Second) {
			r := at(t, s, c, 0)
			if r.State == Pending {
				continue
			}
			if r.State != Retry || r.Wait.Failed() == nil || r.Wait.What() != "schema" {
				t.Fatalf("%+v", r) // an outage is no fault of a message, however long it lasts
			}
			if e := r.Wait.Outage(source.Position{Topic: "t", Partition: 3, Offset: 9}); e.Code != status.RegistryError || e.Error() != "t[3]@9: schema 7: schema registry http://book: schema 7: 503" {
				t.Fatalf("%v", e)
			}
		}
		if n := reg.questions()[7]; n < 600 || n > 1500 { // every five seconds, less up to half
			t.Errorf("asked %d times within an hour", n)
		}
		mended.Store(true)
		if r := settled(t, s, c, 0); r.State != Ready {
			t.Errorf("%+v", r)
		}
	})
}

func TestASchemaThatTheRegistryDoesNotHaveIsUnusableOnceTheTimeIsOver(t *testing.T) {
	var never atomic.Bool
	for name, c := range map[string]struct {
		cfg   Config
		kind  registry.Kind
		after time.Duration // -1: not at all
		code  status.Code
	}{
		"not found":           {Config{RetryTimeout: time.Minute}, registry.NotFound, time.Minute, status.SchemaNotFoundError},
		"of no use":           {Config{RetryTimeout: time.Minute}, registry.Invalid, time.Minute, status.RegistryError},
		"no waiting":          {Config{RetryTimeout: -1}, registry.NotFound, 0, status.SchemaNotFoundError},
		"waiting without end": {Config{RetryTimeout: time.Minute, WaitWithoutEnd: true}, registry.NotFound, -1, 0},
		"refused":             {Config{RetryTimeout: time.Minute}, registry.Unauthorized, 0, status.RegistryError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.cfg.Registry = &book{answer: failing(c.kind, &never)}
				s, chunk := newResolver(t, c.cfg), chunkOf(7)
				began := time.Now()
				for time.Since(began) < 10*time.Minute {
					r := at(t, s, chunk, 0)
					if r.State != Unusable {
						r.Wait.Wait(time.Second)
						continue
					}
					if waited := time.Since(began); c.after < 0 || waited < c.after || waited > c.after+10*time.Second {
						t.Errorf("unusable after %v, want %v", waited, c.after)
					}
					if r.Err.Code != c.code || r.Err.SchemaID != 7 {
						t.Errorf("%v %v", r.Err.Code, r.Err)
					}
					return
				}
				if c.after >= 0 {
					t.Error("it is waited for without an end")
				}
			})
		})
	}
}

func TestResolversThatShareWaitForAMissingSchemaOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var never atomic.Bool
		shared := NewShared()
		cfg := Config{Registry: &book{answer: failing(registry.NotFound, &never)}, RetryTimeout: time.Minute, Shared: shared}
		settled(t, newResolver(t, cfg), chunkOf(7), 0)
		began := time.Now()
		if r := settled(t, newResolver(t, cfg), chunkOf(7), 0); r.State != Unusable || time.Since(began) > time.Second {
			t.Errorf("%+v after %v", r, time.Since(began))
		}
	})
}

func TestAnUnusableSchemaIsRememberedAndNoNullTakesIt(t *testing.T) {
	reg := &book{answer: func(id int) (registry.Schema, error) {
		if id == 8 {
			return registry.Schema{ID: id, Type: "XSD", Text: "<schema/>"}, nil
		}
		return typeOf(id)
	}}
	s, c := newResolver(t, Config{Registry: reg, NullsHaveSchemas: true}), chunkOf(8, 7)
	for range 2 {
		if r := settled(t, s, c, 0); r.State != Unusable || r.Err.Code != status.SchemaError || r.Err.SchemaID != 8 || !IsPermanent(r.Err) {
			t.Errorf("%+v", r)
		}
	}
	if reg.questions()[8] != 1 {
		t.Errorf("asked %v", reg.questions())
	}
	null := source.Chunk{Topic: "t", Records: append([]source.Record{recordOf(5, nil, nil)}, c.Records...)}
	if ref := s.SchemaForNull("t", null.Records); ref != 7 { // the first that follows and is usable
		t.Errorf("%v", ref)
	}
	s.NoteSchema("t", 9)
	if ref := s.SchemaForNull("t", null.Records); ref != 9 { // the topic's last
		t.Errorf("%v", ref)
	}
	if ref := s.SchemaForNull("other", null.Records[:2]); ref != Null {
		t.Errorf("%v", ref)
	}
}

func TestAnIDThatNoRegistryGivesIsNotAskedFor(t *testing.T) {
	reg := &book{answer: typeOf}
	s, c := newResolver(t, Config{Registry: reg}), chunkOf(0, 1<<31|5)
	for i := range c.Records {
		if r := at(t, s, c, i); r.State != Unusable || r.Err.Code != status.FramingError {
			t.Errorf("%+v", r)
		}
	}
	if len(reg.questions()) > 0 {
		t.Errorf("asked %v", reg.questions())
	}
}

func TestTheSchemasOfTheRecordsThatFollowAreAskedForManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var never atomic.Bool
		reg := &book{answer: failing(registry.NotFound, &never), takes: time.Second}
		var ids []uint32
		for id := range uint32(400) {
			ids = append(ids, id+1)
		}
		s, c := newResolver(t, Config{Registry: reg, RetryTimeout: time.Hour}), chunkOf(ids...)
		at(t, s, c, 0)
		time.Sleep(time.Minute) // nobody has to wait for the first one
		synctest.Wait()
		if len(reg.questions()) != 400 || reg.mostOnce > aheadAtOnce+1 || reg.mostOnce < 8 {
			t.Errorf("%d ids, %d at a time", len(reg.questions()), reg.mostOnce)
		}
		for id, n := range reg.questions() {
			if n != 1 {
				t.Errorf("id %d was asked for %d times", id, n)
			}
		}
	})
}

func TestThePlansThatWereUsedTheLongestTimeAgoAreDroppedAndCompiledAgain(t *testing.T) {
	reg := &book{answer: typeOf}
	probe := newResolver(t, Config{Registry: reg})
	one := settled(t, probe, chunkOf(1), 0).Plan.size
	cache := NewCache(5*one + one/2)
	s := newResolver(t, Config{Registry: reg, Cache: cache})
	both := Resolvers{Values: s, Cache: cache}
	none := func(int) []Idle { return nil }
	c := chunkOf(1, 2, 3, 4, 5, 6, 7, 8)
	plans := map[int]*Compiled{}
	for i := range c.Records {
		if both.NextRun() {
			both.Drop(none)
		}
		plans[i+1] = settled(t, s, c, i).Plan
		if r := settled(t, s, c, 0); r.Plan.Dropped() || r.Plan != plans[1] { // used in each run
			t.Errorf("run %d: schema 1 was dropped", i)
		}
	}
	both.NextRun()
	both.Drop(none)
	if cache.bytes > cache.most || cache.IsOver() {
		t.Errorf("%d bytes, of at most %d", cache.bytes, cache.most)
	}
	if !plans[2].Dropped() || !(Pair{Value: plans[2]}).Dropped() || plans[8].Dropped() {
		t.Error("others were dropped than the oldest")
	}
	if plans[2].Plan.MessageType() != "x.T2" { // it is good for who has it
		t.Error(plans[2].Plan.MessageType())
	}
	before := s.Compiled()
	if again := settled(t, s, c, 1); again.Plan == plans[2] || s.Compiled() != before+1 {
		t.Errorf("%+v, %d compiled", again, s.Compiled()-before)
	}
	if s.NullPlan() == nil || s.UntypedPlan() == nil {
		t.Error("plans that no registry gives were dropped")
	}
}

// TestColumnsAndPlansAreBoundTogether has what keeps columns give up the older of the two.
func TestColumnsAndPlansAreBoundTogether(t *testing.T) {
	cache := NewCache(1)
	s := newResolver(t, Config{Registry: &book{answer: typeOf}, Cache: cache})
	both := Resolvers{Values: s, Cache: cache}
	cache.Add(1 << 20)
	dropped := false
	for range 2 {
		both.NextRun()
	}
	settled(t, s, chunkOf(1), 0)
	for range 2 {
		both.NextRun()
	}
	both.Drop(func(before int) []Idle {
		return []Idle{{Used: before - 1, Bytes: 1 << 20, Drop: func() { dropped = true }}}
	})
	if !dropped || cache.bytes != 0 || len(s.plans) != 2 {
		t.Errorf("%t, %d bytes, %d plans", dropped, cache.bytes, len(s.plans))
	}
}

func TestWhatIsKeptOfGUIDsThatCannotBeHadIsBounded(t *testing.T) {
	s := newResolver(t, Config{Registry: &book{answer: typeOf}, Framing: SchemaHeader})
	for i := range mostMissing + 10 {
		ref := s.number(i)
		s.unusable[ref] = true
	}
	(&Resolvers{Values: s, Cache: s.cfg.Cache}).NextRun()
	if len(s.numbers)+len(s.names)+len(s.unusable) > mostMissing {
		t.Errorf("%d, %d, %d", len(s.numbers), len(s.names), len(s.unusable))
	}
}

func TestKeysAreResolvedApartFromValues(t *testing.T) {
	reg := &book{answer: typeOf}
	cache, shared := NewCache(1<<20), NewShared()
	keyed := Config{Registry: reg, Cache: cache, Shared: shared, IsKey: true, NullsHaveSchemas: true}
	keyed.Options.Whole, keyed.Options.Nullable = true, true
	both := Resolvers{Values: newResolver(t, Config{Registry: reg, Cache: cache, Shared: shared}), Keys: newResolver(t, keyed), Cache: cache}
	c := &source.Chunk{Topic: "t", Records: []source.Record{recordOf(0, framed(1), framed(1)), recordOf(1, framed(1), nil), recordOf(2, framed(1), []byte("k"))}}
	var got PairResolution
	for got.Pair.Key == nil {
		got = both.Resolve(c, c.Records, 1, 1)
		if got.Wait != nil {
			got.Wait.Wait(time.Second)
		}
	}
	if v, k := got.Pair.Value.Plan.Fields(), got.Pair.Key.Plan.Fields(); v[0].Name != "n" || v[0].Nullable || k[0].Type.ID().String() != "STRUCT" || !k[0].Nullable {
		t.Errorf("%v, %v", v, k)
	}
	if both.Compiled() != 2 {
		t.Errorf("%d were compiled", both.Compiled())
	}
	both.NoteSchemas("t", 1, 1)
	if ref, body, err := both.Keys.Frame("t", &c.Records[1]); err != nil || ref != Null || body.Len != -1 || both.Keys.SchemaForNull("t", c.Records[1:]) != 1 {
		t.Errorf("%v %v %v", ref, body, err)
	}
	if _, _, err := both.Keys.Frame("t", &c.Records[2]); err == nil || err.Code != status.KeyDecodeError || err.Path != "_key" {
		t.Errorf("%v", err)
	}
	if _, _, err := both.Values.Frame("t", &c.Records[2]); err != nil {
		t.Errorf("%v", err)
	}
}

func TestEveryFramingNamesASchema(t *testing.T) {
	const text = `{"type":"record","name":"x.A","fields":[{"name":"n","type":"int"}]}`
	guid := append([]byte{1}, make([]byte, 16)...)
	withHeader := recordOf(0, []byte{2}, nil)
	name, header := []byte("__value_schema_id"), source.Header{ValueLen: 17}
	header.Name, header.NameLen, header.Value = unsafe.Pointer(&name[0]), int32(len(name)), unsafe.Pointer(&guid[0])
	withHeader.Headers, withHeader.HeaderCount = &header, 1
	single := newResolver(t, Config{Framing: SingleObject, Given: []Given{{Text: text}}})
	for i, c := range []struct {
		s      *Resolver
		record source.Record
		ref    Ref
		body   int
	}{
		{newResolver(t, Config{}), recordOf(0, framed(7), nil), 7, 1},
		{newResolver(t, Config{Framing: Apicurio}), recordOf(0, []byte{0, 0, 0, 0, 0, 0, 0, 0, 9, 2}, nil), 9, 1},
		{newResolver(t, Config{Framing: Bare, Given: []Given{{Text: text}}}), recordOf(0, []byte{2}, nil), firstNumbered, 1},
		{newResolver(t, Config{Framing: SchemaHeader}), withHeader, firstNumbered, 1},
		{newResolver(t, Config{Framing: SchemaHeader}), recordOf(0, framed(7), nil), 7, 1},
		{newResolver(t, Config{Content: Bytes}), recordOf(0, framed(7), nil), Untyped, 6},
		{newResolver(t, Config{Content: Auto}), recordOf(0, []byte("text"), nil), Untyped, 4},
		{newResolver(t, Config{Content: Auto}), recordOf(0, framed(7), nil), 7, 1},
		{single, recordOf(0, single.singleObject(), nil), firstNumbered, 1},
	} {
		ref, body, err := c.s.Frame("t", &c.record)
		if err != nil || ref != c.ref || body.Len != c.body {
			t.Errorf("%d: schema %d, %d bytes, %v", i, ref, body.Len, err)
		}
	}
}

// singleObject is a message of the schema that was given first.
func (s *Resolver) singleObject() []byte {
	out := []byte{0xc3, 0x01}
	return append(binary.LittleEndian.AppendUint64(out, s.names[firstNumbered].(uint64)), 2)
}
