package avro_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// goldenCase is an entry of testdata/golden.json, which Apache Avro's Java has written (make golden).
type goldenCase struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Bodies []struct {
		Hex   string `json:"hex"`
		Value any    `json:"value"`
	} `json:"bodies"`
}

// TestGoldenBodiesAreTheValuesThatJavaWrote decodes each body and takes Arrow's value back to Avro's JSON encoding of it.
func TestGoldenBodiesAreTheValuesThatJavaWrote(t *testing.T) {
	file, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 60 {
		t.Fatalf("the file has %d cases only", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			closeBooks(t)
			schema, err := avro.Parse(string(c.Schema))
			if err != nil {
				t.Fatal(err)
			}
			bodies := make([][]byte, len(c.Bodies))
			for i, b := range c.Bodies {
				// A byte more after it: to what is empty at the end of a body the decoder points, and does not read; the race detector would not have that.
				more, err := hex.DecodeString(b.Hex + "00")
				if err != nil {
					t.Fatal(err)
				}
				bodies[i] = more[:len(more)-1]
			}
			columns, err := decode(t, compile(t, string(c.Schema)), bodies...)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range c.Bodies {
				var got any
				if schema.Type == avro.Record {
					fields := map[string]any{}
					for k, f := range schema.Fields {
						fields[f.Name] = told(f.Type, columns[k], i)
					}
					got = fields
				} else {
					got = told(schema, columns[0], i)
				}
				if want := numbers(b.Value); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %v, want %v", b.Hex, got, want)
				}
			}
		})
	}
}

// numbers makes texts of numbers, for float64 holds fewer digits than a long.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return real64(f)
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return value
}

func real64(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, 64) // a negative zero is "-0"
}

// told is the value of a row as the file has it: bytes in hexadecimal, logical types as the number or the bytes beneath them, a union by its branch's name.
func told(s *avro.Schema, column arrow.Array, row int) any {
	if s.Type == avro.Union {
		return toldUnion(s, column, row)
	}
	switch a := column.(type) {
	case *array.Null:
		return nil
	case *array.Boolean:
		return a.Value(row)
	case *array.Float32:
		return real64(float64(a.Value(row)))
	case *array.Float64:
		return real64(a.Value(row))
	case *array.Binary:
		return hex.EncodeToString(a.Value(row))
	case *array.FixedSizeBinary:
		return hex.EncodeToString(a.Value(row))
	case array.ExtensionArray: // of a uuid
		return told(s, a.Storage(), row)
	case *array.Decimal128:
		return twosComplementHex(a.Value(row).BigInt(), s.Size)
	case *array.Decimal256:
		return twosComplementHex(a.Value(row).BigInt(), s.Size)
	case *array.MonthDayNanoInterval:
		v := a.Value(row)
		b := binary.LittleEndian.AppendUint32(nil, uint32(v.Months))
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Days))
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Nanoseconds/1_000_000))
		return hex.EncodeToString(b)
	case *array.String:
		if s.Logical.Name == "big-decimal" {
			return bigDecimalHex(a.Value(row))
		}
		return a.Value(row)
	case *array.Dictionary:
		return told(s, a.Dictionary(), a.GetValueIndex(row))
	case *array.Struct:
		fields := map[string]any{}
		for k, f := range s.Fields {
			fields[f.Name] = told(f.Type, a.Field(k), row)
		}
		return fields
	case *array.Map: // before the list that it is
		from, to := a.ValueOffsets(row)
		items := map[string]any{}
		for i := from; i < to; i++ {
			items[a.Keys().(*array.String).Value(int(i))] = told(s.Items, a.Items(), int(i))
		}
		return items
	case *array.List:
		from, to := a.ValueOffsets(row)
		items := []any{}
		for i := from; i < to; i++ {
			items = append(items, told(s.Items, a.ListValues(), int(i)))
		}
		return items
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	case *array.Int64:
		return strconv.FormatInt(a.Value(row), 10)
	case *array.Date32:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	case *array.Time32:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	case *array.Time64:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	case *array.Timestamp:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	}
	return fmt.Errorf("a column of %s", column.DataType())
}

func toldUnion(s *avro.Schema, column arrow.Array, row int) any {
	if column.IsNull(row) {
		return nil
	}
	var others []*avro.Schema
	for _, b := range s.Branches {
		if b.Type != avro.Null {
			others = append(others, b)
		}
	}
	if len(others) == 1 && len(s.Branches) <= 2 {
		return map[string]any{others[0].TypeName(): told(others[0], column, row)}
	}
	found := map[string]any{}
	for k, b := range others {
		if member := column.(*array.Struct).Field(k); member.IsValid(row) {
			found[b.TypeName()] = told(b, member, row)
		}
	}
	return found
}

// twosComplementHex is the shortest two's complement of a number, or that of so many bytes.
func twosComplementHex(n *big.Int, size int) string {
	wrapped := new(big.Int).Set(n)
	if n.Sign() < 0 {
		wrapped.Not(n) // -128 takes as many bits as 127
	}
	if size == 0 {
		size = wrapped.BitLen()/8 + 1
	}
	if n.Sign() < 0 {
		wrapped.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return hex.EncodeToString(wrapped.FillBytes(make([]byte, size)))
}

func bigDecimalHex(text string) string {
	whole, part, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+part, 10)
	if !ok {
		return "no number: " + text
	}
	digits := twosComplementHex(n, 0)
	return hex.EncodeToString(binary.AppendVarint(nil, int64(len(digits)/2))) + digits +
		hex.EncodeToString(binary.AppendVarint(nil, int64(len(part))))
}
