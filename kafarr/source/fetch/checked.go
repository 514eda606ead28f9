package fetch

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/internal/cluster"
)

// checkedFetch is a Fetch whose answer is walked through before it is decoded.
type checkedFetch struct {
	*kmsg.FetchRequest
	newest int16
}

// MaxVersion is the last one that may be used.
func (f checkedFetch) MaxVersion() int16 { return f.newest }

// ResponseKind is what the answer is read into.
func (f checkedFetch) ResponseKind() kmsg.Response {
	return &checkedFetched{f.FetchRequest.ResponseKind().(*kmsg.FetchResponse)}
}

// Timeout is how long the broker may wait before it answers, besides the time-out of any request.
func (f checkedFetch) Timeout() int32 { return f.MaxWaitMillis }

type checkedFetched struct{ *kmsg.FetchResponse }

// ReadFrom reads an answer's body.
func (f *checkedFetched) ReadFrom(body []byte) error {
	if err := cluster.Walk(kmsg.Fetch.Int16(), body, f.Version); err != nil {
		return err
	}
	return f.FetchResponse.ReadFrom(body)
}
