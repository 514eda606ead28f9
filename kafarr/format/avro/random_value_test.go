package avro_test

import (
	"math"
	"math/big"
	"time"

	"github.com/linkedin/goavro/v2"
)

// value is a random value of a schema, as goavro takes it.
func (m *maker) value(n *node) any {
	switch n.kind {
	case "null":
		return nil
	case "boolean":
		return m.IntN(2) == 0
	case "int", "long":
		return m.integer(n)
	case "float":
		return math.Float32frombits(m.Uint32())
	case "double":
		return math.Float64frombits(m.Uint64())
	case "string":
		return m.text()
	case "bytes", "fixed":
		return m.bytes(n)
	case "enum":
		return pick(m, n.symbols...)
	case "record":
		fields := map[string]any{}
		for i, f := range n.fields {
			fields[string(rune('a'+i))] = m.value(f)
		}
		return fields
	case "array":
		items := make([]any, pick(m, 0, 1, 2, 3, 7))
		for i := range items {
			items[i] = m.value(n.items)
		}
		return items
	case "map":
		entries := map[string]any{}
		for range pick(m, 0, 1, 2, 3, 7) {
			entries[m.text()] = m.value(n.items)
		}
		return entries
	}
	b := pick(m, n.branches...)
	return goavro.Union(b.goavro, m.value(b))
}

func (m *maker) integer(n *node) any {
	wide := int64(m.Uint64()) >> m.IntN(64)
	switch n.logical {
	case "date":
		return time.Unix(int64(int32(wide))*86400, 0).UTC()
	case "time-millis":
		return time.Duration(m.Int64N(86_400_000)) * time.Millisecond
	case "time-micros":
		return time.Duration(m.Int64N(86_400_000_000)) * time.Microsecond
	case "timestamp-millis":
		return time.UnixMilli(wide).UTC()
	case "timestamp-micros":
		return time.UnixMicro(wide).UTC()
	}
	if n.kind == "int" {
		return int32(wide)
	}
	return wide
}

func (m *maker) text() string {
	letters := make([]rune, pick(m, 0, 1, 3, 8, 17, 100))
	for i := range letters {
		letters[i] = pick(m, 'a', 'z', '0', '\x00', 'ü', '€', '𝄞')
	}
	return string(letters)
}

func (m *maker) bytes(n *node) any {
	switch n.logical {
	case "decimal":
		limit := tenTo(1 + m.IntN(n.digits))
		unscaled := m.below(limit)
		if n.kind == "fixed" && unscaled.Sign() == 0 {
			unscaled.SetInt64(1) // goavro writes the zero of a fixed as one byte, and refuses it
		}
		if m.IntN(2) == 0 {
			unscaled.Neg(unscaled)
		}
		return new(big.Rat).SetFrac(unscaled, tenTo(n.scale))
	case "big-decimal":
		digits := m.random(m.IntN(20))
		inner := append(zigzag(int64(len(digits))), digits...)
		return append(inner, zigzag(int64(m.IntN(60)-30))...)
	case "duration": // months and days have a sign in Arrow, and none here
		b := m.random(12)
		b[3] &= 0x7f
		b[7] &= 0x7f
		return b
	}
	if n.kind == "fixed" {
		return m.random(n.size)
	}
	return m.random(pick(m, 0, 1, 5, 40))
}

func (m *maker) below(limit *big.Int) *big.Int {
	n := new(big.Int).SetBytes(m.random(len(limit.Bytes()) + 8))
	return n.Mod(n, limit)
}

func (m *maker) random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

// zigzag is a long as Avro writes it.
func zigzag(n int64) []byte {
	u := uint64(n)<<1 ^ uint64(n>>63)
	var b []byte
	for ; u > 127; u >>= 7 {
		b = append(b, byte(u)|0x80)
	}
	return append(b, byte(u))
}
