package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// several is a format whose schemas have several types: their names, one in a line, of which bodies are Avro.
type several struct{}

const (
	ofSeveral    Content = 1000
	severalsType         = "SEVERAL"
)

// file is a schema of several types, standing for the first.
type file struct {
	format.Schema
	all []format.Schema
}

func (several) SchemaType() string { return severalsType }

func (several) Parse(text string, _ []format.Reference, limits format.Limits) (format.Schema, error) {
	f := &file{}
	for name := range strings.FieldsSeq(text) {
		s, err := avro.Format{}.Parse(fmt.Sprintf(`{"type":"record","name":%q,"fields":[{"name":"n","type":"int"}]}`, name), nil, limits)
		if err != nil {
			return nil, err
		}
		f.all = append(f.all, s)
	}
	f.Schema = f.all[0]
	return f, nil
}

func (several) Compile(writer format.Schema, options format.Options) (format.Plan, error) {
	if f, ok := writer.(*file); ok {
		writer = f.Schema
	}
	if f, ok := options.Reader.(*file); ok {
		options.Reader = f.Schema
	}
	return avro.Format{}.Compile(writer, options)
}

var _ format.Indexed = (*file)(nil)

// Path leads to the first type, which the file stands for.
func (f *file) Path() []int { return []int{0} }

func (f *file) At(path []int) (format.Schema, error) {
	if len(path) != 1 || path[0] >= len(f.all) {
		return nil, errors.New("there is no such type")
	}
	return f.all[path[0]], nil
}

func (f *file) Named(name string) (format.Schema, error) {
	for _, s := range f.all {
		if s.TypeName() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no type %s", name)
}

// withSeveral adds that format to those that are known, for a test.
func withSeveral(t *testing.T) {
	t.Helper()
	before := forms
	forms = append(slices.Clip(before), &form{Format: several{}, content: ofSeveral, word: "several", hasPaths: true})
	t.Cleanup(func() { forms = before })
}

// mixed is a registry of a schema of several types, 1, and one of Avro, 2.
func mixed() *book {
	return &book{answer: func(id int) (registry.Schema, error) {
		if id == 1 {
			return registry.Schema{ID: 1, Type: severalsType, Text: "x.A x.B"}, nil
		}
		return typeOf(id)
	}}
}

// indexed is a value of a schema id with message indexes.
func indexed(id uint32, indexes string) []byte {
	return append(append(binary.BigEndian.AppendUint32([]byte{0}, id), indexes...), 2)
}

func valuesOf(values ...[]byte) *source.Chunk {
	c := &source.Chunk{Topic: "t"}
	for i, v := range values {
		c.Records = append(c.Records, recordOf(int64(i), v, nil))
	}
	return c
}

// read resolves a record as a Router does, and gives the type and the body.
func read(t *testing.T, s *Resolver, c *source.Chunk, i int) (string, []byte, *status.Error) {
	t.Helper()
	for {
		ref, body, err := s.Frame(c.Topic, &c.Records[i])
		if err != nil {
			return "", nil, err
		}
		switch r := s.Resolve(c, c.Records[i:], ref); r.State {
		case Ready:
			return r.Plan.Plan.MessageType(), unsafe.Slice((*byte)(body.Data), body.Len), nil
		case Unusable:
			return "", nil, r.Err
		case Pending, Retry:
			r.Wait.Wait(time.Second)
		case Reframe:
		}
	}
}

func TestMessageIndexesSayWhichTypeOfTheSchemaAMessageIs(t *testing.T) {
	withSeveral(t)
	for name, content := range map[string]Content{"by the option": ofSeveral, "by the registry": Auto} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newResolver(t, Config{Content: content, Registry: mixed()})
				c := valuesOf(indexed(1, "\x00"), indexed(1, "\x02\x02"), indexed(1, "\x02\x00"), indexed(1, "\x00"), indexed(1, "\x02\x02"))
				for i, want := range []string{"x.A", "x.B", "x.A", "x.A", "x.B"} {
					if got, body, err := read(t, s, c, i); err != nil || got != want || string(body) != "\x02" {
						t.Errorf("record %d: %s of %q, %v", i, got, body, err)
					}
				}
				ref, _, _ := s.Frame("t", &c.Records[1])
				if id, ok := ref.ID(); id != 1 || !ok {
					t.Errorf("the id of a second type is %d, %v", id, ok)
				}
			})
		})
	}
}

func TestEachMessageIsReadByTheFormatOfItsSchema(t *testing.T) {
	withSeveral(t)
	synctest.Test(t, func(t *testing.T) {
		s := newResolver(t, Config{Content: Auto, Registry: mixed()})
		c := valuesOf(indexed(1, "\x02\x02"), framed(2), indexed(1, "\x00"), []byte("no framing"))
		for i, want := range []string{"x.B", "x.T2", "x.A", "bytes"} {
			if got, _, err := read(t, s, c, i); err != nil || got != want {
				t.Errorf("record %d: %s, %v", i, got, err)
			}
		}
		for ref, p := range s.plans { // as the bounds of memory have it
			if !p.given {
				delete(s.plans, ref)
			}
		}
		if got, body, err := read(t, s, c, 0); err != nil || got != "x.B" || string(body) != "\x02" {
			t.Errorf("after the plans were dropped: %s of %q, %v", got, body, err)
		}
	})
}

func TestIndexesThatLeadNowhereAreTheErrorOfTheMessagesThatHaveThem(t *testing.T) {
	withSeveral(t)
	for name, content := range map[string]Content{"by the option": ofSeveral, "by the registry": Auto} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newResolver(t, Config{Content: content, Registry: mixed()})
				bad := []string{"\x01\x01", "\x02\x01", "\x02\x04", "\x04\x00\x00", "\x42", ""}
				for _, indexes := range bad {
					c := valuesOf(indexed(1, indexes), indexed(1, "\x02\x02"))
					if indexes == "" {
						c = valuesOf(framed(1)[:5], indexed(1, "\x02\x02"))
					}
					if _, _, err := read(t, s, c, 0); err == nil || err.Code != status.FramingError || err.SchemaID != 1 {
						t.Errorf("%q: %v", indexes, err)
					}
					if got, _, err := read(t, s, c, 1); err != nil || got != "x.B" {
						t.Errorf("the one after %q: %s, %v", indexes, got, err)
					}
				}
			})
		})
	}
}

func TestASchemaOfAnotherFormatIsTheErrorOfTheOptionThatNamesAnother(t *testing.T) {
	withSeveral(t)
	for _, c := range []struct {
		content Content
		isKey   bool
		value   []byte
		want    string
	}{
		{Avro, false, indexed(1, "\x00"), `its schema is of type SEVERAL: set value="several", or value="auto" for messages of several formats`},
		{Avro, true, indexed(1, "\x00"), `its schema is of type SEVERAL: set key="several", or key="auto" for messages of several formats`},
		{ofSeveral, false, framed(2), `its schema is of type AVRO: set value="avro", or value="auto" for messages of several formats`},
		{ofSeveral, false, append(framed(2)[:5], 1), `its schema is of type AVRO: set value="avro", or value="auto" for messages of several formats`},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newResolver(t, Config{Content: c.content, IsKey: c.isKey, Registry: mixed()})
			chunk := &source.Chunk{Topic: "t", Records: []source.Record{recordOf(0, c.value, c.value)}}
			_, _, err := read(t, s, chunk, 0)
			if err == nil || err.Code != status.ConfigError || err.Option == "" || IsPermanent(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestAMessageTypeIsReadWhateverTheIndexesSay(t *testing.T) {
	withSeveral(t)
	synctest.Test(t, func(t *testing.T) {
		s := newResolver(t, Config{Content: ofSeveral, MessageType: "x.B", Registry: mixed()})
		c := valuesOf(indexed(1, "\x00"), indexed(1, "\x02\x02"), indexed(1, "\x02\x10"), indexed(1, "\x01\x01"))
		for i := range 3 {
			if got, _, err := read(t, s, c, i); err != nil || got != "x.B" {
				t.Errorf("record %d: %s, %v", i, got, err)
			}
		}
		if _, _, err := read(t, s, c, 3); err == nil || err.Code != status.FramingError {
			t.Errorf("indexes that do not say where the body begins: %v", err)
		}
		s = newResolver(t, Config{Content: ofSeveral, MessageType: "x.C", Registry: mixed()})
		if _, _, err := read(t, s, c, 0); err == nil || err.Option != "message_type" || IsPermanent(err) {
			t.Errorf("a type that the schema does not have: %v", err)
		}
	})
}

// TestIndexesFollowTheNameInAHeader has the body bare, so that bytes of it are no indexes.
func TestIndexesFollowTheNameInAHeader(t *testing.T) {
	withSeveral(t)
	for name, content := range map[string]Content{"by the option": ofSeveral, "by the registry": Auto} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newResolver(t, Config{Content: content, Framing: SchemaHeader, Registry: mixed()})
				for indexes, want := range map[string]string{"\x00": "x.A", "\x02\x02": "x.B", "": ""} {
					header, of := []byte(wire.ValueSchemaHeader), append([]byte{0, 0, 0, 0, 1}, indexes...)
					c := valuesOf([]byte{2})
					c.Records[0].HeaderCount, c.Records[0].Headers = 1, &source.Header{
						Name: unsafe.Pointer(&header[0]), NameLen: int32(len(header)), Value: unsafe.Pointer(&of[0]), ValueLen: int32(len(of)),
					}
					got, body, err := read(t, s, c, 0)
					if want == "" {
						if err == nil || err.Code != status.FramingError {
							t.Errorf("without indexes: %s, %v", got, err)
						}
					} else if err != nil || got != want || string(body) != "\x02" {
						t.Errorf("%s of %q, %v, want %s", got, body, err, want)
					}
				}
			})
		})
	}
}

func TestAReaderOfSeveralTypesReadsEachAsItsOwn(t *testing.T) {
	withSeveral(t)
	synctest.Test(t, func(t *testing.T) {
		s := newResolver(t, Config{Content: ofSeveral, Registry: mixed(), Latest: []registry.Schema{{Type: severalsType, Text: "x.C x.B x.A"}}})
		c := valuesOf(indexed(1, "\x00"), indexed(1, "\x02\x02"))
		for i, want := range []string{"x.A", "x.B"} {
			if got, _, err := read(t, s, c, i); err != nil || got != want {
				t.Errorf("%s, %v", got, err)
			}
		}
	})
}

func TestAGivenSchemaOfSeveralTypesNeedsTheNameOfOne(t *testing.T) {
	withSeveral(t)
	cfg := Config{
		Content: ofSeveral, Framing: Bare, Given: []Given{{Text: "x.A x.B"}}, Shared: NewShared(), Cache: NewCache(1 << 20),
	}
	if _, err := New(t.Context(), cfg); err == nil || status.Wrap(err).Option != "message_type" {
		t.Errorf("without a name: %v", err)
	}
	cfg.MessageType = "x.B"
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, body, err := read(t, s, valuesOf([]byte{2}), 0); err != nil || got != "x.B" || len(body) != 1 {
		t.Errorf("%s of %q, %v", got, body, err)
	}
}

// TestAnyNumberOfPathsTakesBoundedMemory has a producer that writes paths that nobody has written before.
func TestAnyNumberOfPathsTakesBoundedMemory(t *testing.T) {
	p := newPaths()
	kept, _ := p.read([]byte{2, 2})
	for i := range int64(mostMissing + 10) {
		p.read(binary.AppendVarint([]byte{2}, i+2))
	}
	p.forget(map[Ref]bool{kept: true})
	if len(p.known) != 1 || len(p.places) != 2 {
		t.Errorf("%d paths and %d places are left", len(p.known), len(p.places))
	}
	if again, n := p.read([]byte{2, 2}); again != kept || n != 2 {
		t.Errorf("the path that is needed is another one")
	}
}

func BenchmarkFrame(b *testing.B) {
	before := forms
	forms = append(slices.Clip(before), &form{Format: several{}, content: ofSeveral, word: "several", hasPaths: true})
	defer func() { forms = before }()
	for name, value := range map[string][]byte{"first": indexed(1, "\x00"), "nested": indexed(1, "\x04\x02\x00")} {
		for content, word := range map[Content]string{Avro: "avro", ofSeveral: "indexed"} {
			b.Run(name+" "+word, func(b *testing.B) {
				s, err := New(b.Context(), Config{Content: content, Shared: NewShared(), Cache: NewCache(1 << 20)})
				if err != nil {
					b.Fatal(err)
				}
				r := recordOf(0, value, nil)
				for b.Loop() {
					_, _, _ = s.Frame("t", &r)
				}
			})
		}
	}
}
