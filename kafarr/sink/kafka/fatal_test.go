package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/sink"
)

func TestAMessageOfAProducerThatCannotContinueNamesTheCauseEachTime(t *testing.T) {
	p, err := Open(Config{Topic: "letters", Servers: "127.0.0.1:1", Log: func(int, string, string) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	answers := make(chan error, 3)
	write := func() { p.Write(&sink.Message{Value: []byte("v")}, func(err error) { answers <- err }) }
	write() // it is on its way when the error strikes
	p.client.TestFatalError(kafka.ErrOutOfOrderSequenceNumber, "the log has lost what was written")
	for range 2 {
		write()
	}
	for range cap(answers) {
		select {
		case err := <-answers:
			if err == nil || !strings.Contains(err.Error(), "the log has lost what was written") {
				t.Errorf("got %v", err)
			}
		case <-time.After(40 * time.Second):
			t.Fatal("no answer")
		}
	}
}
