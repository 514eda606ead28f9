package scan

import (
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

func TestARangeIsCompleteOnlyWhereAllOfItIsAccountedFor(t *testing.T) {
	read := func(next, deleted int64, ended string) Completeness {
		return Completeness{Range: fetch.Range{Topic: "t", Partition: 2, Start: 10, End: 20}, Next: next, Deleted: deleted, Ended: ended}
	}
	for name, c := range map[string]struct {
		of           Completeness
		whole, parts string // what is missing, and what is where a part is enough; empty: nothing
	}{
		"read to its end":               {read(20, 0, Complete), "", ""},
		"ended before its end":          {read(19, 0, Complete), "those before 19 were read", "those before 19 were read"},
		"without a cause":               {read(20, 0, ""), "ended without a cause", "ended without a cause"},
		"the log is shorter":            {read(15, 0, LogEnd), "the log has those before 15 only", ""},
		"rows were deleted":             {read(20, 4, Deleted), "4 were deleted", ""},
		"nothing was deleted after all": {read(20, 0, Deleted), "those before 20 were read (deleted)", "those before 20 were read (deleted)"},
		"an error":                      {read(12, 0, "error: is gone"), "(error: is gone)", "(error: is gone)"},
	} {
		for partial, want := range map[bool]string{false: c.whole, true: c.parts} {
			got := c.of.missing(partial)
			if (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%s, a part is enough: %v: got %q, want %q", name, partial, got, want)
			}
		}
	}
}

func TestTheErrorOfAScanNamesTheFirstRangeAndFewOthers(t *testing.T) {
	var report []Completeness
	for partition := range int32(20) {
		report = append(report, Completeness{Range: fetch.Range{Topic: "t", Partition: partition, End: 5}, Ended: LogEnd})
	}
	report[0].Ended, report[0].Next = Complete, 5
	e := incomplete(report, false)
	if e == nil || e.Topic != "t" || e.Partition != 1 || strings.Count(e.Error(), "of the offsets") != 5 || !strings.Contains(e.Error(), "and more (allow_partial takes what there is)") {
		t.Errorf("got %v", e)
	}
	if e := incomplete(report, true); e != nil {
		t.Errorf("a part is enough: %v", e)
	}
}
