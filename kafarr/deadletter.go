package kafarr

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/internal/deadletter"
	"github.com/pykafarr/pykafarr/kafarr/sink/linger"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func (c *Config) validateDeadLetters() error {
	switch {
	case c.DeadLetterTopic == "":
		return nil
	case c.Messages.Errors == Raise:
		return errorf(ConfigError, "dead_letter_topic is given, and errors is raise, which leaves a bad message to you: with errors skip or collect, it goes to that topic")
	case strings.ContainsRune(c.DeadLetterTopic, 0):
		return errorf(ConfigError, "dead_letter_topic must not hold a NUL character")
	case c.Source != nil && c.DeadLetters == nil:
		return errorf(ConfigError, "dead_letter_topic is given, and a Source in place of Kafka: give DeadLetters, too")
	}
	names, patterns, err := source.Topics(c.Topics)
	if err != nil {
		return wrap(err)
	}
	excluded, err := source.Excluded(c.Cluster.Properties)
	if err != nil {
		return wrap(err)
	}
	to := c.DeadLetterTopic
	if slices.Contains(names, to) || source.Finds(patterns, to) && !source.Finds(excluded, to) {
		return errorf(ConfigError, "dead_letter_topic %q is read by topics %q: each letter would be rejected again, without end", to, strings.Join(c.Topics, ", "))
	}
	if c.DeadLetters != nil {
		return nil
	}
	letters, err := c.letters()
	if err != nil {
		return err
	}
	if err := linger.Check(letters); err != nil {
		return wrap(err)
	}
	return nil
}

// deadLetter writes a rejected message to the dead-letter topic, if there is one.
func (l *Listener) deadLetter(chunk *source.Chunk, r *source.Record, why *Error) {
	if l.cfg.DeadLetterTopic == "" {
		return
	}
	k := chunk.TopicPartition()
	message := deadletter.NewMessage(k, r, deadletter.Reason{Error: why.Code.String(), Message: why.Error(), SchemaID: why.SchemaID})
	l.tracker.Hold(k, r.Offset)
	l.letters.Send(message)
}

// letterDelivered lets commits cover the row of a dead letter that was written.
func (l *Listener) letterDelivered(m *deadletter.Message) {
	l.counters.letters.Add(1)
	l.tracker.Unhold(m.TopicPartition, m.Offset)
}

// letterFault makes the error of a dead letter that could not be written.
func (l *Listener) letterFault(f *deadletter.Failure) *Error {
	if f.Message == nil { // the listener is being closed
		return errorf(ClosedError, "%w", ErrClosed)
	}
	e := errorf(BrokerError, "the message was rejected and could not be written to dead_letter_topic %s: %w; it is kept and will be tried again, and no commit passes it", l.cfg.DeadLetterTopic, f.Err)
	var mine *Error
	var coded status.Coded
	if errors.As(f.Err, &mine) || errors.As(f.Err, &coded) {
		e.Code = wrap(f.Err).Code
	}
	return e.At(f.Topic, f.Partition, f.Offset)
}

// flushLetters waits until each dead letter is written or has failed, and returns the first failure.
func (l *Listener) flushLetters(ctx context.Context) error {
	failure, err := l.letters.Flush(ctx)
	if failure != nil {
		return l.letterFault(failure)
	}
	return err
}
