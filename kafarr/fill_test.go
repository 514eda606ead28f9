package kafarr

import (
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestTheClockIsReadAfterARunThatMayTakeLongAndAfterSixteenShortOnes(t *testing.T) {
	tombstone := source.Record{ValueLen: -1, KeyLen: -1}
	for name, records := range map[string][]source.Record{
		"a long row":       {{ValueLen: 4000}},
		"a long key":       {{ValueLen: -1, KeyLen: 4000}},
		"nine rows":        make([]source.Record, 9),
		"a run of many":    make([]source.Record, 1024),
		"eight large rows": {{ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}, {ValueLen: 500}},
	} {
		if weightOf(records) < unclocked {
			t.Errorf("%s: the next run begins without a look at the clock", name)
		}
	}
	if n := unclocked / weightOf([]source.Record{tombstone}); n != 16 {
		t.Errorf("%d tombstones have one look together, want 16", n)
	}
}
