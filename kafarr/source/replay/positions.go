package replay

import (
	"context"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

var _ source.Positioner = (*Source)(nil)

// place takes the messages that come before the positions out of those that wait. s.mu is held.
func (s *Source) place(positions []source.Position) {
	for _, p := range positions {
		k := p.TopicPartition()
		switch p.Offset {
		case source.Stored, source.Beginning:
			continue
		case source.End:
			p.Offset = s.end(k)
		}
		s.wait = slices.DeleteFunc(s.wait, func(m Message) bool { return m.TopicPartition() == k && m.Offset < p.Offset })
	}
}

// end is the offset after a partition's last message. s.mu is held.
func (s *Source) end(k source.TopicPartition) int64 {
	end := int64(0)
	for _, m := range s.all {
		if m.TopicPartition() == k {
			end = max(end, m.Offset+1)
		}
	}
	return end
}

// Seek implements source.Positioner: messages that were read come again, after those that wait.
func (s *Source) Seek(_ context.Context, positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		k := p.TopicPartition()
		s.wait = slices.DeleteFunc(s.wait, func(m Message) bool { return m.TopicPartition() == k })
		for _, m := range s.all {
			if m.TopicPartition() == k && m.Offset >= p.Offset {
				s.wait = append(s.wait, m)
			}
		}
	}
	return nil
}

// Pause implements source.Positioner.
func (s *Source) Pause(positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		s.paused[p.TopicPartition()] = true
	}
	return nil
}

// Resume implements source.Positioner.
func (s *Source) Resume(positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		delete(s.paused, p.TopicPartition())
	}
	return nil
}

// Paused implements source.Positioner.
func (s *Source) Paused(positions []source.Position) []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]bool, len(positions))
	for i, p := range positions {
		out[i] = s.paused[p.TopicPartition()]
	}
	return out
}

// CommittedOffsets implements source.Positioner.
func (s *Source) CommittedOffsets(_ context.Context, positions []source.Position) ([]source.Position, error) {
	out := slices.Clone(positions)
	for i, p := range out {
		out[i].Offset = s.Committed(p.Topic, p.Partition)
	}
	return out, nil
}

// ListOffsets implements source.Positioner.
func (s *Source) ListOffsets(_ context.Context, positions []source.Position) ([]source.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(positions)
	for i, p := range out {
		k := p.TopicPartition()
		out[i].Offset = s.end(k)
		if p.Offset == source.End {
			continue
		}
		for _, m := range s.all {
			if m.TopicPartition() == k && (p.Offset == source.Beginning || m.Timestamp >= p.Offset) {
				out[i].Offset = min(out[i].Offset, m.Offset)
			}
		}
	}
	return out, nil
}
