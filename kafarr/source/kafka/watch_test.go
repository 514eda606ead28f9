package kafka

import (
	"errors"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/fetch"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// there is an answer of the cluster that has the topic t, with this id.
func (t *topics) there(id byte, at time.Time) bool {
	return t.take("t", fetch.Description{ID: [16]byte{id}}, at)
}

// unknown is an answer that does not have it.
func (t *topics) unknown(at time.Time) bool {
	return t.take("t", fetch.Description{Unknown: true, Err: errors.New("unknown")}, at)
}

func TestATopicIsGoneWhenTwoAnswersDoNotHaveIt(t *testing.T) {
	topics, now := newTopics(), time.Now()
	topics.there(1, now)
	topics.unknown(now)
	if len(topics.gone) > 0 || !topics.next.Equal(now.Add(topicDoubt)) {
		t.Errorf("%v after one answer, asked again at %v", topics.gone, topics.next)
	}
	topics.unknown(now)
	var e *source.Error
	if !errors.As(topics.gone["t"], &e) || e.Code != status.TopicNotFoundError || e.Topic != "t" {
		t.Errorf("%v", topics.gone)
	}
	if !topics.there(1, now) || len(topics.gone) > 0 || len(topics.recreated) > 0 {
		t.Errorf("%v, re-created %v", topics.gone, topics.recreated)
	}
}

func TestATopicThatWasNeverThereIsNotGone(t *testing.T) {
	topics := newTopics()
	for range 3 {
		topics.unknown(time.Now())
	}
	if len(topics.gone) > 0 {
		t.Errorf("%v", topics.gone)
	}
}

func TestATopicWithAnotherIDIsRecreated(t *testing.T) {
	topics, first := newTopics(), time.Now()
	topics.there(0, first) // a broker without ids
	topics.there(1, first)
	topics.there(1, first)
	if len(topics.recreated) > 0 {
		t.Errorf("%v", topics.recreated)
	}
	if !topics.there(2, first.Add(time.Second)) || !topics.recreated["t"].Equal(first) {
		t.Errorf("%v", topics.recreated)
	}
}
