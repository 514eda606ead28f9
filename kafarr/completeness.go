package kafarr

import (
	"fmt"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source/scan"
)

// Completeness says what became of a range of a scan. When it has ended, every offset of [Start, Next) is accounted for: it was handed over or left out as counted here, or the log has
// none of it, which compaction leaves.
type Completeness struct {
	ScanRange
	First      int64  // the first offset that was handed over or left out; -1: none so far
	Next       int64  // the first offset that is not accounted for
	Rows       int64  // handed over
	Aborted    int64  // rows of transactions that were aborted
	Control    int64  // offsets of transaction markers
	Tombstones int64  // left out, with SkipTombstones
	Rejected   int64  // rows of Batch.Rejected
	Skipped    int64  // rows that could not be decoded, with Skip
	Gone       int64  // offsets that the log had deleted before they were read
	Ended      string // ScanComplete and so on, or "error: …"; empty: it has not
}

// Why the reading of a range ended.
const (
	ScanComplete = scan.Complete // nothing of it is missing
	ScanLogEnd   = scan.LogEnd   // the log ends before the range does
	ScanDeleted  = scan.Deleted  // records had been deleted before they were read
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

// missing says what is missing of the range; empty: nothing.
func (c *Completeness) missing() string {
	of := fmt.Sprintf("%s[%d]: of the offsets from %d up to %d", c.Topic, c.Partition, c.Start, c.End)
	switch {
	case c.Ended == ScanLogEnd:
		return fmt.Sprintf("%s the log has those before %d only", of, c.Next)
	case c.Gone > 0:
		return fmt.Sprintf("%s %d were deleted from the log before they were read", of, c.Gone)
	}
	return ""
}

// incomplete is the error of a scan that is short of its plan; nil: it is not.
func incomplete(report []Completeness) *Error {
	var texts []string
	var first *Completeness
	for i := range report {
		text := report[i].missing()
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
	e := errorf(IncompleteError, "%s (allow_partial takes what there is)", strings.TrimPrefix(strings.Join(texts, "; "), fmt.Sprintf("%s[%d]: ", first.Topic, first.Partition)))
	e.Topic, e.Partition = first.Topic, first.Partition
	return e
}
