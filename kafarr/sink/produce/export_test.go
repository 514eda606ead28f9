package produce

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrClosed is what a closed producer answers.
var ErrClosed = errClosed

// Panic lets a goroutine of the producer panic.
func (p *Producer) Panic() { p.run(func() { panic("on purpose") }) }

// Ended is closed after the producer's last goroutine.
func (p *Producer) Ended() <-chan struct{} { return p.ended }

// SetNext sets the sequence and the epoch of a partition's next batch.
func (p *Producer) SetNext(topic string, partition, sequence int32, epoch int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.topic(topic).partition(partition)
	q.base, q.epoch = sequence, epoch
}

// OpenWith opens a producer whose client has more options.
func OpenWith(settings Settings, options ...kgo.Opt) (*Producer, error) {
	set, err := settings.read()
	if err != nil {
		return nil, err
	}
	set.Options = append(set.Options, options...)
	return set.open()
}

// Age lets what is known of a topic be old.
func (p *Producer) Age(topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topic(topic)
	t.known, t.maxUntil = time.Time{}, time.Time{}
}

// Forget lets a partition be one that has acknowledged nothing for long.
func (p *Producer) Forget(topic string, partition int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topic(topic).partition(partition).heard = time.Time{}
}
