package fetch

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Description is what the cluster says of a topic.
type Description struct {
	ID      [16]byte // zero: the broker has none
	Unknown bool     // the cluster does not have it, or does not show it
	Err     error    // it says nothing else
}

// Describe asks about topics, once, and creates none.
func (c *Client) Describe(ctx context.Context, names []string) (map[string]Description, error) {
	resp, err := c.metadata(ctx, names)
	if err != nil {
		return nil, c.failure(err)
	}
	out := map[string]Description{}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil {
			continue
		}
		err := kerr.ErrorForCode(t.ErrorCode)
		out[*t.Topic] = Description{ID: t.TopicID, Unknown: errors.Is(err, kerr.UnknownTopicOrPartition), Err: err}
	}
	return out, nil
}
