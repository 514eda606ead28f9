package protobuf_test

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// closeBooks fails a test that leaves column memory behind.
func closeBooks(t *testing.T) {
	t.Helper()
	before := cmem.Live()
	t.Cleanup(func() {
		if after := cmem.Live(); after != before {
			t.Errorf("%d bytes of column memory were not released", after-before)
		}
	})
}

func parse(t testing.TB, text string, references ...format.Reference) *protobuf.Schema {
	t.Helper()
	s, err := protobuf.Parse(text, references, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compile(t testing.TB, text string, options format.Options) *protobuf.Plan {
	t.Helper()
	p, err := protobuf.Compile(parse(t, text), options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func body(b []byte) format.Body {
	return format.Body{Data: unsafe.Pointer(unsafe.SliceData(b)), Len: len(b)}
}

// decode appends bodies, each of which has to be read, and returns the rows as text.
func decode(t *testing.T, p *protobuf.Plan, bodies ...string) []string {
	t.Helper()
	return rendered(t, p, columnsOf(t, p, bodies))
}

// columnsOf decodes bodies, each of which has to be read.
func columnsOf(t *testing.T, p *protobuf.Plan, bodies []string) *format.Columns {
	t.Helper()
	columns := p.NewColumns()
	list := make([]format.Body, len(bodies))
	for i, b := range bodies {
		list[i] = body([]byte(b))
	}
	if _, err := p.Bind(columns).Append(list); err != nil {
		columns.Release()
		t.Fatal(err)
	}
	return columns
}

// rendered takes the rows of columns as text: name=value, and ∅ for null.
func rendered(t *testing.T, p *protobuf.Plan, columns *format.Columns) []string {
	t.Helper()
	var out []string
	for i, d := range columns.Finish() {
		a := array.MakeFromData(d)
		d.Release()
		if err := array.ValidateFull(a); err != nil {
			t.Fatal(err)
		}
		if !arrow.TypeEqual(a.DataType(), p.Fields()[i].Type) {
			t.Fatalf("%s is %s, not %s", p.Fields()[i].Name, a.DataType(), p.Fields()[i].Type)
		}
		for row := range a.Len() {
			if len(out) <= row {
				out = append(out, "")
			}
			value := a.ValueStr(row)
			if a.IsNull(row) {
				if !p.Fields()[i].Nullable {
					t.Errorf("%s is null", p.Fields()[i].Name)
				}
				value = "∅"
			}
			out[row] = strings.TrimSpace(out[row] + " " + p.Fields()[i].Name + "=" + value)
		}
		a.Release()
	}
	return out
}

// refused appends a body that is not read, between two that are, and returns its error.
func refused(t *testing.T, p *protobuf.Plan, good, bad string) *status.Error {
	t.Helper()
	columns := p.NewColumns()
	a := p.Bind(columns)
	n, err := a.Append([]format.Body{body([]byte(good)), body([]byte(bad)), body([]byte(good))})
	var e *status.Error
	if n != 1 || !errors.As(err, &e) || e.Code != status.DecodeError {
		columns.Release()
		t.Fatalf("%d rows, %v", n, err)
	}
	if n, err := a.Append([]format.Body{body([]byte(good))}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if rows := rendered(t, p, columns); len(rows) == 2 && rows[0] != rows[1] {
		t.Errorf("the bad row left %q in %q", rows[1], rows[0])
	}
	return e
}

// wire makes a body of tags and values: field numbers with what stands there. An int is a varint, a uint64 8 bytes, a uint32 4 bytes, a string has its length.
func wire(parts ...any) string {
	var b []byte
	for i := 0; i < len(parts); i += 2 {
		number := protowire.Number(parts[i].(int))
		switch v := parts[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
		case uint64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), v)
		case uint32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, number, protowire.Fixed32Type), v)
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), v)
		case group:
			b = append(protowire.AppendTag(b, number, protowire.StartGroupType), v...)
			b = protowire.AppendTag(b, number, protowire.EndGroupType)
		}
	}
	return string(b)
}

// group is the content of a group.
type group string

func compileSchema(t testing.TB, s format.Schema, options format.Options) *protobuf.Plan {
	t.Helper()
	p, err := protobuf.Compile(s.(*protobuf.Schema), options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
