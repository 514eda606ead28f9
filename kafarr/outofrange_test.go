package kafarr_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// clock is a schema with a time of day, and one whose decimal is not valid.
var clock = registry.Static{
	1: {ID: 1, Text: `{"type":"record","name":"x.A","fields":[{"name":"t","type":{"type":"int","logicalType":"time-millis"}}]}`},
	2: {ID: 2, Text: `{"type":"record","name":"x.B","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}}]}`},
	3: {ID: 3, Text: `{"type":"record","name":"x.B","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}}],"doc":"the next version"}`},
}

const midnight = "\x80\xf0\xb2\x52" // 24:00

func timed(offset int64, value, key string) replay.Message {
	m := replay.Message{Topic: "t", Offset: offset, Value: append([]byte{0, 0, 0, 0, 1}, value...)}
	if key != "" {
		m.Key = append([]byte{0, 0, 0, 0, 1}, key...)
	}
	return m
}

func TestAValueOutOfRangeCostsItsRowUnlessItIsToBeANull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: clock}}, timed(0, "\x02", ""), timed(1, midnight, ""), timed(2, "\x04", ""))
		wantRendered(t, l, "x.A t=00:00:00.001 _offset=0",
			`t[0]@1: schema 1: t: time of day 86400000 is outside of 24 hours (out_of_range="null" reads such values as nulls)`, "x.A t=00:00:00.002 _offset=2")
		l, _ = open(t, kafarr.Config{Registry: kafarr.Registry{Client: clock}, Messages: kafarr.Messages{OutOfRange: format.NullOutOfRange}}, timed(0, "\x02", ""), timed(1, midnight, ""), timed(2, "\x04", ""))
		wantRendered(t, l, "x.A t=00:00:00.001,(null),00:00:00.002 _offset=0,1,2")
		if n := l.Stats().OutOfRange; n != 1 {
			t.Errorf("%d values counted", n)
		}
	})
}

// TestNullsOfKeysAreCountedOnceEach has a bad key take back the values after it, which are appended again.
func TestNullsOfKeysAreCountedOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := kafarr.Config{Registry: kafarr.Registry{Client: clock}, Messages: kafarr.Messages{OutOfRange: format.NullOutOfRange, Key: kafarr.Avro, Metadata: columns(kafarr.Key), Errors: kafarr.Skip}}
		l, _ := open(t, cfg, timed(0, midnight, midnight), timed(1, midnight, "\x02\x02"), timed(2, midnight, "\x02"), timed(3, "\x02", midnight))
		b, err := l.Poll(context.Background(), 10, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if s := l.Stats(); b.NumRows() != 3 || s.Skipped != 1 || s.OutOfRange != 4 {
			t.Errorf("%d rows, %+v", b.NumRows(), s)
		}
	})
}

func TestALogicalTypeThatIsNotValidIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		of := func(offset int64, id byte) replay.Message {
			return replay.Message{Topic: "t", Offset: offset, Value: []byte{0, 0, 0, 0, id, 2, 7}}
		}
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: clock}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, of(0, 2), of(1, 3), of(2, 2))
		wantRendered(t, l, "x.B d=Bw==,Bw==,Bw== _offset=0,1,2")
		if n := strings.Count(log.String(), "level=WARN msg=\"x.B: d: its logical type decimal is ignored, and bytes is read, as the specification says: its scale 3 exceeds its precision 2\""); n != 1 {
			t.Errorf("logged %d times: %s", n, log.String())
		}
	})
}

func TestAScanCountsValuesOutOfRangeInItsReportAndLogsASchemaOnce(t *testing.T) {
	var messages []replay.Message
	for partition := range int32(3) {
		a, b := timed(0, midnight, ""), replay.Message{Topic: "t", Offset: 1, Value: []byte{0, 0, 0, 0, 2, 2, 7}}
		a.Partition, b.Partition = partition, partition
		messages = append(messages, a, b)
	}
	var log bytes.Buffer
	cfg := scanConfig(t, &cluster{messages: messages})
	cfg.Registry.Client, cfg.Messages.OutOfRange, cfg.Logger = clock, format.NullOutOfRange, slog.New(slog.NewTextHandler(&log, nil))
	stream := plan(t, cfg).Read()
	if places, err := readAll(t, stream); err != nil || len(places) != 6 {
		t.Fatal(places, err)
	}
	for _, c := range stream.Report() {
		if c.OutOfRange != 1 || c.Rows != 2 {
			t.Errorf("%+v", c)
		}
	}
	if n := strings.Count(log.String(), "its scale 3 exceeds its precision 2"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}
