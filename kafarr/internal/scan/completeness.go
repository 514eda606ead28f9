package scan

import (
	"fmt"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/batch"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Completeness says what became of a range of a scan. When it has ended, every offset of [Start, Next) is accounted for: it was handed over or left out as counted here, or the log has
// none of it, which compaction leaves.
type Completeness struct {
	Range
	First          int64  // the first offset that was handed over or left out; -1: none so far
	Next           int64  // the first offset that is not accounted for
	Rows           int64  // handed over
	Aborted        int64  // rows of transactions that were aborted
	Control        int64  // offsets of transaction markers
	Tombstones     int64  // left out, where they are skipped
	Rejected       int64  // rows that were rejected
	Skipped        int64  // rows that could not be decoded and were skipped
	OutOfRange     int64  // values that became nulls, where those become nulls
	UnknownEnums   int64  // numbers of enums without a name, which became nulls
	UnknownMembers int64  // members of JSON that the schema does not name, and that were passed over
	RulesNotRun    int64  // rows whose schemas have rules of a data contract that were not executed
	Deleted        int64  // offsets that the log had deleted before they were read
	Ended          string // Complete and so on, or "error: …"; empty: it has not
}

// Why the reading of a range ended.
const (
	Complete = fetch.Complete // nothing of it is missing
	LogEnd   = fetch.LogEnd   // the log ends before the range does
	Deleted  = fetch.Deleted  // records had been deleted before they were read
)

// took notes a batch of the range.
func (c *Completeness) took(b *batch.Sealed) {
	c.Rows += int64(b.NumRows())
	if b.Rejected != nil {
		c.Rejected += b.Rejected.NumRows()
	}
	for _, r := range b.Ranges() {
		if c.First < 0 || r.First < c.First {
			c.First = r.First
		}
		c.Next = max(c.Next, r.Next)
	}
}

// count takes what the decoding has left out.
func (c *Completeness) count(of *assemble.Counters) {
	c.Tombstones, c.Skipped, c.RulesNotRun = of.Tombstones.Load(), of.Skipped.Load(), of.RulesNotRun.Load()
	c.OutOfRange, c.UnknownEnums, c.UnknownMembers = of.OutOfRange.Load(), of.UnknownEnums.Load(), of.UnknownMembers.Load()
}

// missing says what is missing of the range; empty: nothing. allowPartial lets be what the log does not have, and nothing else: a range that was not read to its end is never complete.
func (c *Completeness) missing(allowPartial bool) string {
	of := fmt.Sprintf("%s[%d]: of the offsets from %d up to %d", c.Topic, c.Partition, c.Start, c.End)
	switch {
	case c.Ended == LogEnd && !allowPartial:
		return fmt.Sprintf("%s the log has those before %d only", of, c.Next)
	case c.Deleted > 0 && !allowPartial:
		return fmt.Sprintf("%s %d were deleted from the log before they were read", of, c.Deleted)
	case c.Ended == LogEnd, c.Ended == Deleted && c.Deleted > 0, c.Ended == Complete && c.Next == c.End:
		return ""
	case c.Ended == "":
		return fmt.Sprintf("%s those before %d were read, and the reading ended without a cause", of, c.Next)
	}
	return fmt.Sprintf("%s those before %d were read (%s)", of, c.Next, c.Ended)
}

// incomplete is the error of a scan that is short of its plan; nil: it is not.
func incomplete(report []Completeness, allowPartial bool) *status.Error {
	var texts []string
	var first *Completeness
	for i := range report {
		text := report[i].missing(allowPartial)
		if text == "" {
			continue
		}
		if first == nil {
			first = &report[i]
		}
		if len(texts) < 5 {
			texts = append(texts, text)
		} else if len(texts) == 5 {
			texts = append(texts, "and more")
		}
	}
	if first == nil {
		return nil
	}
	hint := " (allow_partial takes what there is)"
	if allowPartial {
		hint = ""
	}
	e := status.Errorf(status.IncompleteError, "%s%s", strings.TrimPrefix(strings.Join(texts, "; "), fmt.Sprintf("%s[%d]: ", first.Topic, first.Partition)), hint)
	e.Topic, e.Partition = first.Topic, first.Partition
	return e
}
