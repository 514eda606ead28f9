package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// parsed reads one batch as a reader does.
func parsed(raw []byte, headers bool) ([]row, error) {
	b, _, err := nextBatch(raw, true)
	if err != nil {
		return nil, err
	}
	body := b.records
	if b.codec() != codecNone {
		d := decompressor{bound: 1 << 20}
		if body, err = d.expand(b.codec(), body, nil); err != nil {
			return nil, err
		}
	}
	var r records
	r.begin(b, body)
	var rows []row
	out := make([]source.Record, 0, 3)
	for more := true; more; {
		var got []source.Record
		got, more, err = r.take(out, math.MinInt64, math.MaxInt64, headers)
		for i := range got {
			rows = append(rows, rowOf(&got[i]))
		}
	}
	return rows, err
}

func TestRecordsHaveAllThatProducersGave(t *testing.T) {
	raw := batchOf{
		base: 1 << 40, firstTime: 1000, lastTime: 1500, epoch: 7,
		records: []rec{
			{value: []byte("v"), key: []byte("k"), headers: [][2][]byte{{[]byte("a"), []byte("1")}, {[]byte(""), nil}}},
			{delta: 1, since: -300, value: nil, key: []byte{}},
			{delta: 70_000, since: 500, value: []byte(strings.Repeat("x", 300)), headers: [][2][]byte{{[]byte("b"), []byte{}}}},
		},
	}.bytes()
	want := []row{
		{offset: 1 << 40, key: "k", value: "v", headers: "a=1;=-;", time: 1000, timeType: 1, epoch: 7},
		{offset: 1<<40 + 1, key: "", value: "-", time: 700, timeType: 1, epoch: 7},
		{offset: 1<<40 + 70_000, key: "-", value: strings.Repeat("x", 300), headers: "b=;", time: 1500, timeType: 1, epoch: 7},
	}
	if rows, err := parsed(raw, true); err != nil || !slices.Equal(rows, want) {
		t.Errorf("%v, %v", rows, err)
	}
	for i := range want {
		want[i].headers = ""
	}
	if rows, err := parsed(raw, false); err != nil || !slices.Equal(rows, want) {
		t.Errorf("without headers: %v, %v", rows, err)
	}
}

func TestLogAppendTimeIsTheBatchs(t *testing.T) {
	raw := batchOf{firstTime: 5, lastTime: 99, attributes: logAppendTime, records: []rec{{value: []byte("v"), since: 3}}}.bytes()
	if rows, err := parsed(raw, false); err != nil || rows[0].time != 99 || rows[0].timeType != 2 {
		t.Errorf("%v, %v", rows, err)
	}
}

// of one record, whose body is given byte by byte.
func damagedBody(body ...byte) []byte {
	return batchOf{body: body, count: 1, lastDelta: 1}.bytes()
}

func TestDamageIsAnErrorThatSaysWhatItIs(t *testing.T) {
	good := batchOf{records: []rec{{value: []byte("value")}, {delta: 1, value: []byte("another")}}}
	change := func(at int, with ...byte) []byte {
		raw := good.bytes()
		copy(raw[at:], with)
		return sum(raw)
	}
	wrongSum := good.bytes()
	wrongSum[len(wrongSum)-1]++
	for what, raw := range map[string][]byte{
		"the checksum":                                      wrongSum,
		"messages of format 0":                              change(magicAt, 0),
		"messages of format 1":                              change(magicAt, 1),
		"the unknown format 3":                              change(magicAt, 3),
		"less than its header":                              append(change(8, 0, 0, 0, 48), make([]byte, 48)...),
		"a record batch of -1 bytes":                        change(8, 0xff, 0xff, 0xff, 0xff),
		"last offset's distance":                            change(23, 0xff, 0, 0, 0),
		"from offset -1 on":                                 change(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"from offset 9223372036854775807":                   change(0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"claims -1 records":                                 change(57, 0xff, 0xff, 0xff, 0xff),
		"of 2 offsets claims 3 records":                     change(57, 0, 0, 0, 3),
		"bytes are left":                                    change(57, 0, 0, 0, 1),
		"claims no records and has ":                        change(57, 0, 0, 0, 0),
		"a record extends past the end of its record batch": damagedBody(100, 0, 0, 0),
		"more than its 32 or 64 bits":                       damagedBody(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"a record's offset is outside":                      damagedBody(12, 0, 0, 4, 1, 1, 0, 0),
		"a record has a length below -1":                    damagedBody(12, 0, 0, 0, 3, 1, 0, 0),
		"length is not that of its fields":                  damagedBody(14, 0, 0, 0, 1, 1, 0, 0),
		"more headers than it has bytes":                    damagedBody(12, 0, 0, 0, 1, 1, 100),
		"a header without a name":                           damagedBody(16, 0, 0, 0, 1, 1, 2, 1, 1),
		"is not what gzip makes":                            batchOf{attributes: int16(codecGzip), body: []byte("no gzip"), count: 1}.bytes(),
		"is not what snappy makes":                          batchOf{attributes: int16(codecSnappy), body: []byte("no snappy"), count: 1}.bytes(),
		"is not what lz4 makes":                             batchOf{attributes: int16(codecLZ4), body: []byte("no lz4"), count: 1}.bytes(),
		"is not what zstd makes":                            batchOf{attributes: int16(codecZstd), body: []byte("no zstd"), count: 1}.bytes(),
		"unknown compression 5":                             batchOf{attributes: 5, body: []byte("x"), count: 1}.bytes(),
		"not what snappy makes: unexpected EOF":             batchOf{attributes: int16(codecSnappy), body: append(slices.Clone(xerial), make([]byte, 10)...), count: 1}.bytes(),
		"not what gzip makes: unexpected EOF":               batchOf{attributes: int16(codecGzip), body: compressed(codecGzip, make([]byte, 100))[:15], count: 1}.bytes(),
	} {
		if _, err := parsed(raw, true); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if rows, err := parsed(good.bytes(), true); err != nil || len(rows) != 2 {
		t.Errorf("undamaged: %v, %v", rows, err)
	}
}

func TestRecordsBeforeADamagedOneAreRead(t *testing.T) {
	body := rec{value: []byte("good")}.append(nil)
	rows, err := parsed(batchOf{body: append(body, 99), count: 2, lastDelta: 1}.bytes(), false)
	if !errors.Is(err, errTruncated) || !slices.Equal(values(rows), []string{"good"}) {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestABatchThatIsNotAllThereIsLeft(t *testing.T) {
	raw := batchOf{records: []rec{{value: []byte("value")}}}.bytes()
	for n := range raw {
		if _, _, err := nextBatch(raw[:n], true); !errors.Is(err, errPartial) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestSnappyStreamsOfJavaAreRead(t *testing.T) {
	body := rec{value: []byte("one")}.append(nil)
	body = rec{delta: 1, value: []byte("two")}.append(body)
	stream := append(slices.Clone(xerial), 0, 0, 0, 1, 0, 0, 0, 1)
	for _, part := range [][]byte{body[:5], body[5:]} {
		block := compressed(codecSnappy, part)
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(block))), block...)
	}
	rows, err := parsed(batchOf{attributes: int16(codecSnappy), body: stream, count: 2, lastDelta: 1}.bytes(), false)
	if err != nil || !slices.Equal(values(rows), []string{"one", "two"}) {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestABombIsAnErrorBeforeItTakesMemory(t *testing.T) {
	bomb := make([]byte, 64<<20)
	for _, c := range []codec{codecGzip, codecSnappy, codecLZ4, codecZstd} {
		src := compressed(c, bomb)
		d := decompressor{bound: 1 << 20}
		out, err := d.expand(c, src, nil)
		if err == nil || out != nil || !strings.Contains(err.Error(), "becomes more than the 1048576 bytes") {
			t.Errorf("%v: %d bytes, %v", c, len(out), err)
		}
		if _, err := (&decompressor{bound: len(bomb)}).expand(c, src, nil); err != nil {
			t.Errorf("%v within the bound: %v", c, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = d.expand(c, src, nil)
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 16<<20 {
			t.Errorf("%v: %d bytes were taken", c, taken)
		}
	}
}

func TestALargeWindowIsNoBomb(t *testing.T) {
	var src bytes.Buffer
	w, _ := zstd.NewWriter(&src, zstd.WithWindowSize(8<<20), zstd.WithSingleSegment(false), zstd.WithEncoderConcurrency(1))
	_, _ = w.Write([]byte("some"))
	_ = w.Flush()
	_, _ = w.Write([]byte(" text"))
	_ = w.Close()
	d := decompressor{bound: 1 << 20}
	if out, err := d.expand(codecZstd, src.Bytes(), nil); err != nil || string(out) != "some text" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestADecompressorIsUsedAgain(t *testing.T) {
	d := decompressor{bound: 1 << 20}
	for _, c := range []codec{codecGzip, codecSnappy, codecLZ4, codecZstd} {
		for _, text := range []string{"", "short", strings.Repeat("long ", 10_000)} {
			out, err := d.expand(c, compressed(c, []byte(text)), make([]byte, 0, 10))
			if err != nil || string(out) != text {
				t.Errorf("%v of %d bytes: %d bytes, %v", c, len(text), len(out), err)
			}
		}
	}
}
