package replay

import (
	"context"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Revoke takes partitions, and what was to come of them, away, as a rebalance does: with the next ServeEvents.
func (s *Source) Revoke(partitions ...source.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoke = append(s.revoke, partitions...)
}

// Lose is Revoke of partitions that another member may already own.
func (s *Source) Lose(partitions ...source.Position) {
	s.Revoke(partitions...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
}

// Regain assigns partitions that were revoked again: with the next ServeEvents.
func (s *Source) Regain(partitions ...source.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.regain = append(s.regain, partitions...)
}

// ServeEvents implements source.Source: the first call assigns all partitions.
func (s *Source) ServeEvents() error {
	if s.waiting != nil {
		return nil
	}
	s.mu.Lock()
	revoke, lost := s.revoke, s.lost
	s.revoke, s.lost = nil, false
	s.wait = slices.DeleteFunc(s.wait, func(m Message) bool { return m.of(revoke) })
	s.mu.Unlock()
	if len(revoke) > 0 {
		s.waiting = func() { s.handler.Revoked(revoke, lost) }
		if s.handler.Revoking(revoke, lost) {
			return nil
		}
		s.ConfirmRebalance()
	}
	s.assignAll()
	if s.waiting == nil {
		s.assignAgain()
	}
	return nil
}

func (s *Source) assignAll() {
	if s.assigned {
		return
	}
	s.assigned = true
	seen := map[source.TopicPartition]bool{}
	var all []source.Position
	for _, m := range s.wait {
		p := m.TopicPartition()
		if !seen[p] {
			seen[p] = true
			all = append(all, p.At(0))
		}
	}
	s.asked(all, func() {
		begin := s.handler.Assigned(all, func(p []source.Position) ([]source.Position, error) { return p, nil })
		s.mu.Lock()
		defer s.mu.Unlock()
		s.place(begin)
	})
}

// asked takes partitions, with ConfirmRebalance if the handler says so. Until then none of their messages are fetched.
func (s *Source) asked(partitions []source.Position, take func()) {
	if !s.handler.Assigning(partitions) {
		take()
		return
	}
	s.mu.Lock()
	held := s.wait
	s.wait = slices.DeleteFunc(slices.Clone(held), func(m Message) bool { return m.of(partitions) })
	s.mu.Unlock()
	s.waiting = func() {
		s.mu.Lock()
		s.wait = held
		s.mu.Unlock()
		take()
	}
}

func (s *Source) assignAgain() {
	s.mu.Lock()
	regain := s.regain
	s.regain = nil
	s.mu.Unlock()
	if len(regain) == 0 {
		return
	}
	s.asked(regain, func() {
		begin := s.handler.Assigned(regain, func(p []source.Position) ([]source.Position, error) {
			return s.CommittedOffsets(context.Background(), p)
		})
		for i, p := range begin {
			if p.Offset == source.Stored {
				begin[i].Offset = max(s.Committed(p.Topic, p.Partition), 0)
			}
		}
		_ = s.Seek(context.Background(), begin) // it never fails
	})
}

// ConfirmRebalance implements source.DeferredRebalancer.
func (s *Source) ConfirmRebalance() {
	if answer := s.waiting; answer != nil {
		s.waiting = nil
		answer()
	}
}
