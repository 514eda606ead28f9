package kafarr

import (
	"fmt"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
)

// Completeness says what became of a range of a scan. When it has ended, every offset of [Start, Next) is accounted for: it was handed over or left out as counted here, or the log has
// none of it, which compaction leaves.
type Completeness struct {
	ScanRange
	First       int64  // the first offset that was handed over or left out; -1: none so far
	Next        int64  // the first offset that is not accounted for
	Rows        int64  // handed over
	Aborted     int64  // rows of transactions that were aborted
	Control     int64  // offsets of transaction markers
	Tombstones  int64  // left out, with SkipTombstones
	Rejected    int64  // rows of Batch.Rejected
	Skipped     int64  // rows that could not be decoded, with Skip
	OutOfRange  int64  // values that became nulls, with NullOutOfRange
	RulesNotRun int64  // rows whose schemas have rules of a data contract that were not executed
	Deleted     int64  // offsets that the log had deleted before they were read
	Ended       string // ScanComplete and so on, or "error: …"; empty: it has not
}

// Why the reading of a range ended.
const (
	ScanComplete = fetch.Complete // nothing of it is missing
	ScanLogEnd   = fetch.LogEnd   // the log ends before the range does
	ScanDeleted  = fetch.Deleted  // records had been deleted before they were read
)

// took notes a batch of the range.
func (c *Completeness) took(b *Batch) {
	c.Rows += b.NumRows()
	if b.Rejected != nil {
		c.Rejected += b.Rejected.NumRows()
	}
	for _, r := range b.Ranges {
		if c.First < 0 || r.First < c.First {
			c.First = r.First
		}
		c.Next = max(c.Next, r.Next)
	}
}

// missing says what is missing of the range; empty: nothing. allowPartial lets be what the log does not have, and nothing else: a range that was not read to its end is never complete.
func (c *Completeness) missing(allowPartial bool) string {
	of := fmt.Sprintf("%s[%d]: of the offsets from %d up to %d", c.Topic, c.Partition, c.Start, c.End)
	switch {
	case c.Ended == ScanLogEnd && !allowPartial:
		return fmt.Sprintf("%s the log has those before %d only", of, c.Next)
	case c.Deleted > 0 && !allowPartial:
		return fmt.Sprintf("%s %d were deleted from the log before they were read", of, c.Deleted)
	case c.Ended == ScanLogEnd, c.Ended == ScanDeleted && c.Deleted > 0, c.Ended == ScanComplete && c.Next == c.End:
		return ""
	case c.Ended == "":
		return fmt.Sprintf("%s those before %d were read, and the reading ended without a cause", of, c.Next)
	}
	return fmt.Sprintf("%s those before %d were read (%s)", of, c.Next, c.Ended)
}

// incomplete is the error of a scan that is short of its plan; nil: it is not.
func incomplete(report []Completeness, allowPartial bool) *Error {
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
	e := errorf(IncompleteError, "%s%s", strings.TrimPrefix(strings.Join(texts, "; "), fmt.Sprintf("%s[%d]: ", first.Topic, first.Partition)), hint)
	e.Topic, e.Partition = first.Topic, first.Partition
	return e
}
