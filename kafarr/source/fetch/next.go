package fetch

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// nextWait is how long one turn of the wait for a record is.
const nextWait = 100 * time.Millisecond

// Next finds the first record from a position on that a consumer would be given; where there is none yet, it is the end of what can be read. Transaction markers, rows of aborted transactions and
// offsets that compaction has left empty are passed. An offset that the log does not hold is an error.
func (c *Client) Next(ctx context.Context, from source.Position) (int64, error) {
	ends, err := c.Offsets(ctx, []source.Position{{Topic: from.Topic, Partition: from.Partition, Offset: source.End}})
	if err != nil {
		return 0, err
	}
	if ends[0].Offset <= from.Offset {
		return from.Offset, nil
	}
	r := c.Read(Range{Topic: from.Topic, Partition: from.Partition, Start: from.Offset, End: ends[0].Offset})
	defer func() { _ = r.Close() }()
	for ctx.Err() == nil {
		chunks, err := r.Fetch(1, nextWait)
		switch {
		case err != nil:
			return 0, err
		case len(chunks) > 0:
			return chunks[0].Records[0].Offset, nil
		case r.Ended():
			return r.Report().Next, nil
		}
		r.Release()
	}
	return 0, ctx.Err()
}
