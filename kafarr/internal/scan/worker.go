package scan

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// take gives the next range that nobody reads.
func (s *Stream) take() (*Completeness, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.report) {
		return nil, false
	}
	s.next++
	return &s.report[s.next-1], true
}

// work reads ranges until there are no more.
func (s *Stream) work() error {
	var cluster Cluster
	defer func() {
		if cluster != nil {
			cluster.Close()
		}
	}()
	for {
		c, ok := s.take()
		if !ok || s.ctx.Err() != nil {
			return nil
		}
		if c.Start >= c.End {
			s.note(func() { c.Ended = Complete })
			continue
		}
		if cluster == nil {
			var err error
			if cluster, err = s.cfg.Dial(); err != nil {
				return s.broken(c, err)
			}
		}
		if err := s.readRange(cluster.Read(c.Range), c); err != nil {
			return err
		}
	}
}

// note changes the report.
func (s *Stream) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// broken notes the error that ends the reading of a range, and returns it.
func (s *Stream) broken(c *Completeness, err error) error {
	s.note(func() { c.Ended = "error: " + err.Error() })
	return err
}

// readRange reads one range to its end.
func (s *Stream) readRange(reader RangeReader, c *Completeness) error {
	of, err := s.openRange(reader, c.Range)
	if err != nil {
		return s.broken(c, err)
	}
	defer of.close()
	for {
		b, err := of.next(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			if b != nil {
				b.Release()
			}
			return nil
		case err != nil:
			s.note(func() { c.count(of.assembler.Counters()) })
			return s.broken(c, status.Wrap(err))
		case b == nil:
			return s.readAll(of, c)
		}
		s.note(func() { c.took(b) })
		select {
		case s.out <- b:
		case <-s.ctx.Done():
			b.Release()
			return nil
		}
	}
}

// readAll closes the books of a range, which have to agree.
func (s *Stream) readAll(read *rangeScan, c *Completeness) (err error) {
	of := read.reader.Report()
	s.note(func() {
		c.count(read.assembler.Counters())
		c.Aborted, c.Control, c.Deleted, c.Next, c.Ended = of.Aborted, of.Control, of.Deleted, of.Next, of.Ended
		if c.Deleted > 0 && c.Ended == Complete {
			c.Ended = Deleted
		}
		if sum := c.Rows + c.Tombstones + c.Rejected + c.Skipped; sum != of.Rows {
			wrong := status.Errorf(status.InternalError, "%d rows were read and %d are accounted for", of.Rows, sum)
			wrong.Topic, wrong.Partition = c.Topic, c.Partition
			err = wrong
			c.Ended = fmt.Sprintf("error: %v", err)
		}
	})
	return err
}
