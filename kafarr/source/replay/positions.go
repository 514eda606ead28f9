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
		k := key(p)
		switch p.Offset {
		case source.Stored, source.Beginning:
			continue
		case source.End:
			p.Offset = s.end(k)
		}
		s.wait = slices.DeleteFunc(s.wait, func(m Message) bool { return keyOf(m) == k && m.Offset < p.Offset })
	}
}

// end is the offset behind a partition's last message. s.mu is held.
func (s *Source) end(k source.Position) int64 {
	end := int64(0)
	for _, m := range s.all {
		if keyOf(m) == k {
			end = max(end, m.Offset+1)
		}
	}
	return end
}

// Seek implements source.Positioner: messages that were read come again, behind those that wait.
func (s *Source) Seek(_ context.Context, positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		k := key(p)
		s.wait = slices.DeleteFunc(s.wait, func(m Message) bool { return keyOf(m) == k })
		for _, m := range s.all {
			if keyOf(m) == k && m.Offset >= p.Offset {
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
		s.paused[key(p)] = true
	}
	return nil
}

// Resume implements source.Positioner.
func (s *Source) Resume(positions []source.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range positions {
		delete(s.paused, key(p))
	}
	return nil
}

// Paused implements source.Positioner.
func (s *Source) Paused(positions []source.Position) []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]bool, len(positions))
	for i, p := range positions {
		out[i] = s.paused[key(p)]
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
		k := key(p)
		out[i].Offset = s.end(k)
		if p.Offset == source.End {
			continue
		}
		for _, m := range s.all {
			if keyOf(m) == k && (p.Offset == source.Beginning || m.Timestamp >= p.Offset) {
				out[i].Offset = min(out[i].Offset, m.Offset)
			}
		}
	}
	return out, nil
}

func key(p source.Position) source.Position {
	return source.Position{Topic: p.Topic, Partition: p.Partition}
}

func keyOf(m Message) source.Position {
	return source.Position{Topic: m.Topic, Partition: m.Partition}
}
