package kafarr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// costly is a schema of which a message of manyItems takes some tenths of a second within the default limits: each item has 30 values, most of which take no byte.
var costly = func() string {
	nulls := make([]string, 29)
	for i := range nulls {
		nulls[i] = fmt.Sprintf(`{"name":"f%d","type":"null"}`, i)
	}
	item := `{"type":"record","name":"Item","fields":[{"name":"b","type":"boolean"},` + strings.Join(nulls, ",") + `]}`
	return `{"type":"record","name":"x.L","fields":[{"name":"n","type":"int"},{"name":"l","type":{"type":"array","items":` + item + `}}]}`
}()

// costlyBody has so many items.
func costlyBody(n byte, items int) []byte {
	out := binary.AppendUvarint([]byte{2 * n}, uint64(2*items))
	for range items {
		out = append(out, 1)
	}
	return append(out, 0)
}

var manyItems = hostile.Rounds(1_000_000)

// costlyLine is messages with so many items each, {n: offset}.
func costlyLine(items ...int) []replay.Message {
	var out []replay.Message
	for i, n := range items {
		m := message(0, int64(i), 10, 0)
		m.Value = append(m.Value[:5:5], costlyBody(byte(i), n)...)
		out = append(out, m)
	}
	return out
}

func openCostly(t *testing.T, cfg kafarr.Config, messages ...replay.Message) *kafarr.Listener {
	t.Helper()
	cfg.Registry.Client = registry.Static{10: {ID: 10, Text: costly}}
	l, _ := open(t, cfg, messages...)
	return l
}

// pending makes slices of a poll until one row takes long.
func pending(t *testing.T, l *kafarr.Listener) {
	t.Helper()
	for i := range 3 { // the first one has its schema to ask for
		if _, done, err := l.PollSlice(i == 0, 100, time.Hour, time.Millisecond); done || err != nil {
			t.Fatalf("slice %d: done %v, error %v", i, done, err)
		}
	}
}

func TestARowThatTakesLongIsDecodedInSlicesAndStaysInItsBatch(t *testing.T) {
	l := openCostly(t, kafarr.Config{}, costlyLine(1, manyItems, 1)...)
	slices := 0
	for {
		b, done, err := l.PollSlice(slices == 0, 3, time.Hour, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			if got := text(b); got != "x.L 0 1 2" {
				t.Errorf("got %q", got)
			}
			b.Release()
			break
		}
		slices++
	}
	if slices < 5 {
		t.Errorf("a row of some tenths of a second, in slices of a millisecond, was waited for %d times", slices)
	}
}

func TestAPollWhoseTimeIsOverReturnsWithinARowThatTakesLong(t *testing.T) {
	l := openCostly(t, kafarr.Config{}, costlyLine(1, manyItems, 1)...)
	got, empty := "", 0
	for strings.Count(got, " ") < 3 {
		b, err := l.Poll(context.Background(), 100, 0)
		if err != nil {
			t.Fatal(err)
		}
		if b.NumRows() == 0 {
			empty++
		} else {
			got += strings.TrimPrefix(text(b), "x.L")
		}
		b.Release()
		if empty > 10_000 {
			t.Fatal("the row never comes")
		}
	}
	if got != " 0 1 2" || empty == 0 {
		t.Errorf("got %q and %d polls without rows", got, empty)
	}
}

func TestARowThatTakesLongIsGivenUpByASeekAndByClosing(t *testing.T) {
	l := openCostly(t, kafarr.Config{}, costlyLine(1, manyItems)...)
	pending(t, l)
	seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtEarliest})
	if b, err := l.Poll(t.Context(), 2, time.Hour); err != nil || text(b) != "x.L 0 1" {
		t.Errorf("%v, %v", b, err)
	} else {
		b.Release()
	}
	seek(t, l, 0, kafarr.OffsetSpec{Kind: kafarr.AtEarliest})
	pending(t, l)
	if err := l.Abort(); err != nil { // open looks whether its memory is free
		t.Error(err)
	}
}

func TestARowThatTakesLongAndIsBadCostsItself(t *testing.T) {
	long := costlyLine(1, manyItems, 1)
	long[1].Value = long[1].Value[:len(long[1].Value)-1] // it ends before its last byte
	l := openCostly(t, kafarr.Config{Messages: kafarr.Messages{Errors: kafarr.Skip}}, long...)
	b, err := l.Poll(t.Context(), 2, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	if got := text(b); got != "x.L 0 2" || l.Stats().Skipped != 1 {
		t.Errorf("got %q and %d skipped", got, l.Stats().Skipped)
	}
}

func TestAKeyThatTakesLongIsDecodedInSlicesLikewise(t *testing.T) {
	m := costlyLine(1, 1)
	m[1].Key, m[0].Key = costlyLine(manyItems)[0].Value, costlyLine(1)[0].Value
	l := openCostly(t, kafarr.Config{Messages: kafarr.Messages{Key: kafarr.Avro, Metadata: []kafarr.Metadata{{Column: kafarr.Key}}}}, m...)
	slices := 0
	for ; ; slices++ {
		b, done, err := l.PollSlice(slices == 0, 2, time.Hour, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			if got := text(b); got != "x.L 0 1" || slices < 5 {
				t.Errorf("got %q after %d slices", got, slices)
			}
			b.Release()
			return
		}
	}
}

func TestRowsOfSeveralTypesThatTakeLongComeWhole(t *testing.T) {
	l := openCostly(t, kafarr.Config{Messages: kafarr.Messages{Mixed: kafarr.GroupMixed}}, costlyLine(1, manyItems, 1)...)
	if b, err := l.Poll(t.Context(), 3, time.Hour); err != nil || text(b) != "x.L 0 1 2" {
		t.Errorf("%v, %v", b, err)
	} else {
		b.Release()
	}
}

func TestADecodingIsGivenUpInTheMidstOfABodyAndTheDecoderStaysOfUse(t *testing.T) {
	before := cmem.Live()
	d, err := kafarr.NewDecoder(kafarr.DecoderConfig{Schema: costly})
	if err != nil {
		t.Fatal(err)
	}
	body := func(items int) format.Body {
		b := costlyBody(1, items)
		return format.Body{Data: unsafe.Pointer(unsafe.SliceData(b)), Len: len(b)}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if b, err := d.Decode(ctx, []format.Body{body(1), body(manyItems), body(1)}); b != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", b, err)
	}
	g := d.Start([]format.Body{body(1), body(manyItems)})
	for range 3 {
		if b, err := g.Slice(time.Millisecond); b != nil || err != nil {
			t.Errorf("%v, %v", b, err)
		}
	}
	g.Stop()
	if rows := d.Stats().Rows; rows != 0 {
		t.Errorf("%d rows count as decoded", rows)
	}
	b, err := d.Decode(t.Context(), []format.Body{body(1), body(manyItems), body(1)})
	if err != nil || b.NumRows() != 3 {
		t.Fatal(b, err)
	}
	b.Release()
	if after := cmem.Live(); after != before {
		t.Errorf("%d bytes are left", after-before)
	}
}
