package scan

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAnAnswerThatDoesNotNameTheTopicIsNotAskedForWithoutAPause(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t")
	f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
		if m, ok := req.(*kmsg.MetadataRequest); ok && len(m.Topics) > 0 {
			m.Topics = []kmsg.MetadataRequestTopic{}
			return f.metadata(m)
		}
		return nil
	}
	c := dial(t, f, Config{Patience: 300 * time.Millisecond})
	_, _, err := readAll(t, c, Range{Topic: "t", End: 1})
	if !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
	if n := f.count(kmsg.Metadata.Int16()); n > 20 {
		t.Errorf("%d requests within 300 ms", n)
	}
}
