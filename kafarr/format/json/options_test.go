package json_test

import (
	"math/rand/v2"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

// TestTimesWithoutATypeAreWhatTheOptionsSay has the texts that a JSON Schema calls date-time, date and time.
func TestTimesWithoutATypeAreWhatTheOptionsSay(t *testing.T) {
	closeBooks(t)
	s := json.NewSchema("", json.Field{Type: &json.Type{Kind: json.Object, Fields: []json.Field{
		{Name: "t", Type: &json.Type{Kind: json.DateTime}}, {Name: "d", Type: &json.Type{Kind: json.Date}}, {Name: "c", Type: &json.Type{Kind: json.Time}},
	}}}, 0)
	text := `{"t":"2023-11-14T22:13:20.123456789Z","d":"2023-11-14","c":"22:13:20"}`
	check(t, compile(t, s, format.Options{}), []string{text}, "t=[1700000000123456]", "d=[2023-11-14]", "c=[80000000000]")
	check(t, compile(t, s, format.Options{Timestamps: format.NanosecondTimestamps}), []string{text}, "t=[1700000000123456789]", "d=[2023-11-14]", "c=[80000000000]")
	check(t, compile(t, s, format.Options{Formats: format.TextFormats}), []string{text}, `t=["2023-11-14T22:13:20.123456789Z"]`, `d=["2023-11-14"]`, `c=["22:13:20"]`)
	given := `{"name":"t","type":"timestamp[ms, tz=UTC]"}`
	check(t, compile(t, parse(t, given), format.Options{Formats: format.TextFormats, Timestamps: format.NanosecondTimestamps}), []string{`{"t":"2023-11-14T22:13:20.123456789Z"}`}, "t=[1700000000123]")
}

// TestTheOracleHoldsForRandomSchemas damages bodies of inferred schemas, which are read by others as well.
func TestTheOracleHoldsForRandomSchemas(t *testing.T) {
	for seed := range hostile.Rounds(100) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 11))}
		one, _ := m.value(json.Field{Type: m.kind(3)})
		other, _ := m.value(json.Field{Type: m.kind(3)})
		s, err := json.Infer("", bodies(one, other))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{one, other} {
			for range 5 {
				_ = hostile.Check(t, jsonFormat{json.Parse, format.Options{UnknownMembers: format.KeepUnknown}}, s.Text(), damaged(m.Rand, text))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, s.Text())
		}
	}
}
