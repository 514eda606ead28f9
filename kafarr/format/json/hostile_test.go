package json_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// jsonFormat is JSON to the oracle. Schemas are Arrow's, or Connect's.
type jsonFormat struct {
	parse   func(text string, limits format.Limits) (*json.Schema, error)
	options format.Options
}

type jsonColumns struct {
	*format.Columns
	appender format.Appender
}

func (f jsonFormat) Compile(schema string) (hostile.Columns, error) {
	s, err := f.parse(schema, format.Limits{})
	if err != nil {
		return nil, err
	}
	p, err := json.Compile(s, f.options)
	if err != nil {
		return nil, err
	}
	c := p.NewColumns()
	return jsonColumns{c, p.Bind(c)}, nil
}

func (c jsonColumns) Append(b []byte) error {
	_, err := c.appender.Append(bodies(string(b)))
	return err
}

func fieldsOf(n int, of string) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"f%d",%s}`, i, of)
	}
	return strings.Join(fields, ",")
}

// TestAMessageCostsNoMoreThanItsBudget has messages of 60 KB that would take gigabytes, or minutes.
func TestAMessageCostsNoMoreThanItsBudget(t *testing.T) {
	hostile.Unwatched(t)
	const n = 60_000
	wide := `{"type":"struct","fields":[` + fieldsOf(1000, `"type":"int64"`) + `]}`
	maps := `{"type":"int64"}`
	twice := "1"
	for range 12 {
		maps = `{"type":"map","items":` + maps + `}`
		twice = `{"a":` + twice + `,"a":` + twice + `}`
	}
	for _, c := range []struct{ name, schema, body, want string }{
		{"empty objects of many members", `{"type":"list","items":` + wide + `}`, `[` + strings.Repeat("{},", n/3) + `{}]`, "more "},
		{"nulls of wide objects", `{"type":"list","items":` + wide + `}`, `[` + strings.Repeat("null,", n/5) + `null]`, "more memory"},
		{"maps within maps that have each key twice", maps, twice, ""},
		{"deep arrays", `{"type":"json"}`, strings.Repeat("[", n), "deeper"},
		{"a huge exponent", `{"type":"int64"}`, "1e" + strings.Repeat("9", n), "does not fit"},
		{"many digits", `{"type":"double"}`, strings.Repeat("9", n), "does not fit"},
		{"many digits that are a whole number", `{"type":"int64"}`, "1" + strings.Repeat("0", n) + "e-" + fmt.Sprint(n), ""},
		{"a decimal of many digits", `{"type":"decimal128(38, 0)"}`, strings.Repeat("9", n), "more digits"},
		{"many members that nobody knows", `{"type":"struct","fields":[` + fieldsOf(3, `"type":"string"`) + `]}`, `{` + strings.Repeat(`"a":1,`, n/6) + `"a":1}`, ""},
		{"one member again and again", `{"type":"struct","fields":[` + fieldsOf(3, `"type":"string"`) + `]}`, `{` + strings.Repeat(`"f1":"x",`, n/10) + `"f1":""}`, ""},
		{"a wide object again and again", `{"type":"struct","fields":[{"name":"f","type":"struct","fields":[` + fieldsOf(10_000, `"type":"string"`) + `]}]}`, `{` + strings.Repeat(`"f":{},`, n/8) + `"f":{}}`, "more values"},
		{"a wide object and nulls again and again", `{"type":"struct","fields":[{"name":"f","type":"struct","fields":[` + fieldsOf(10_000, `"type":"string"`) + `]}]}`, `{` + strings.Repeat(`"f":null,`, n/10) + `"f":null}`, "more values"},
		{"many texts of one letter", `{"type":"list","items":{"type":"struct","fields":[` + fieldsOf(1000, `"type":"string"`) + `]}}`, `[{"f1":"` + strings.Repeat(`a`, n) + `"}]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := hostile.Check(t, jsonFormat{json.Parse, format.Options{}}, `{"arrow":`+c.schema+`}`, []byte(c.body))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestARowBeyondItsBudgetLeavesTheOthers has the row between two others, and the limit raised.
func TestARowBeyondItsBudgetLeavesTheOthers(t *testing.T) {
	hostile.Unwatched(t)
	closeBooks(t)
	s := parse(t, `{"name":"l","type":"list","items":{"type":"struct","fields":[`+fieldsOf(1000, `"type":"int64"`)+`]}}`)
	good, bad := `{"l":[null,null]}`, `{"l":[`+strings.Repeat("null,", 20_000)+`null]}`
	for _, c := range []struct{ limit, want int }{{0, 2}, {1 << 30, 3}} {
		p := compile(t, s, format.Options{Limits: format.Limits{MessageBytes: c.limit, MessageSteps: 1 << 30}})
		columns := p.NewColumns()
		a := p.Bind(columns)
		n := 0
		for _, b := range []string{good, bad, good} {
			taken, err := a.Append(bodies(b))
			if n += taken; err != nil && taken != 0 {
				t.Error(err)
			}
		}
		if n != c.want || columns.Rows() != n {
			t.Errorf("%d rows with a limit of %d, want %d", n, c.limit, c.want)
		}
		for _, d := range columns.Finish() {
			if d.Len() != n {
				t.Errorf("%d values of %d rows", d.Len(), n)
			}
			d.Release()
		}
	}
}

// TestABatchEndsWhereItsColumnsAreFull bounds the columns of many small messages.
func TestABatchEndsWhereItsColumnsAreFull(t *testing.T) {
	closeBooks(t)
	p := plan(t, fieldsOf(1000, `"type":"int64"`))
	columns := p.NewColumns()
	defer columns.Release()
	columns.SetMost(16 << 20)
	list := make([]format.Body, 10_000)
	for i := range list {
		list[i] = body(`{}`)
	}
	a, n := p.Bind(columns), 0
	var err error
	for err == nil && n < len(list) {
		var more int
		more, err = a.Append(list[n:])
		n += more
	}
	if !errors.Is(err, format.ErrFull) || n < 500 || n > 4200 {
		t.Errorf("%d rows of 8 KB, %v", n, err)
	}
}

// damaged changes a few bytes of a text.
func damaged(r *rand.Rand, text string) []byte {
	b := []byte(text)
	for range r.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := r.IntN(len(b))
		switch r.IntN(4) {
		case 0:
			b[i] = `{}[]",:\0eu`[r.IntN(11)]
		case 1:
			b[i] = byte(r.IntN(256))
		case 2:
			b = append(b[:i], b[i+1:]...)
		case 3:
			k := i + r.IntN(len(b)-i)
			b = append(b[:k:k], append(append([]byte{}, b[i:k]...), b[k:]...)...)
		}
	}
	return b
}

// FuzzBody appends any bytes, as a row of every type, before and after a good row: nothing crashes, the good rows stay, all memory comes back.
func FuzzBody(f *testing.F) {
	s, good := everyKind(f)
	p, kept := compile(f, s, format.Options{}), compile(f, s, format.Options{UnknownMembers: format.KeepUnknown, OutOfRange: format.NullOutOfRange, Whole: true})
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)-1]))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(damaged(r, good))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range []*json.Plan{p, kept} {
			before := cmem.Live()
			c := p.NewColumns()
			a := p.Bind(c)
			want := 2
			if n, err := a.Append(bodies(good)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			n, err := a.Append(bodies(string(data)))
			if n == 1 {
				want = 3
			}
			var e *status.Error
			if n == 0 && (!errors.As(err, &e) || e.Code != status.DecodeError || strings.Contains(err.Error(), "does not fit its schema")) {
				t.Errorf("%v", err)
			}
			if n, err := a.Append(bodies(good)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			sameEnds(t, c.Finish(), want)
			if after := cmem.Live(); after != before {
				t.Errorf("%d bytes were not released", after-before)
			}
		}
	})
}

// FuzzOracle decodes any bytes by any schema, within the oracle's bounds.
func FuzzOracle(f *testing.F) {
	s, good := everyKind(f)
	f.Add(s.Text(), []byte(good))
	f.Add(`{"arrow":{"type":"map","items":{"type":"list","items":{"type":"json"}}}}`, []byte(`{"a":[1,{}],"a":null}`))
	f.Fuzz(func(t *testing.T, schema string, data []byte) {
		if len(schema) <= hostile.MaxSchema && len(data) <= hostile.MaxBody {
			_ = hostile.Check(t, jsonFormat{json.Parse, format.Options{UnknownMembers: format.KeepUnknown}}, schema, data)
		}
	})
}
