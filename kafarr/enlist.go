package kafarr

import (
	"context"
	"strings"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/internal/delivery"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// commits says who commits the offsets of a listener: itself, or transactions of producers, from the first one on. A commit of its own that reaches the group after a transaction's offsets and before
// the transaction's end would win over them, and the transaction's rows would be written again.
type commits struct {
	mu            sync.Mutex
	own           int // under way
	transactional bool
}

// begin admits a commit of the listener's own. A caller that gets nil calls end.
func (c *commits) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transactional {
		return errorf(StateError, "the offsets of this listener are committed by transactions: commit this batch by one, too, which may be without rows")
	}
	c.own++
	return nil
}

func (c *commits) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own--
}

// byTransactions reports whether transactions commit.
func (c *commits) byTransactions() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.transactional
}

// hand leaves the commits to transactions.
func (c *commits) hand() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own > 0 {
		return errorf(StateError, "a commit of this listener is under way: the offsets of a listener are committed by transactions, or by commits, and not by both")
	}
	c.transactional = true
	return nil
}

// mayEnlist is the error of a listener whose offsets cannot be committed by transactions.
func (l *Listener) mayEnlist() error {
	if err := l.life.open(closed); err != nil {
		return err
	}
	property := func(name string) string { return strings.ToLower(l.cfg.Cluster.Properties[name]) }
	switch auto, level := property("enable.auto.commit"), property("isolation.level"); {
	case l.source.MemberReporter == nil:
		return errorf(ConfigError, "transactions commit offsets of consumer groups: this source is no member of one")
	case l.cfg.Acknowledge != OnCommit:
		return errorf(ConfigError, `a listener whose offsets are committed by transactions needs acknowledge="commit": otherwise its polls acknowledge rows, too`)
	case auto != "false" && auto != "f" && auto != "0":
		return errorf(ConfigError, `a listener whose offsets are committed by transactions needs config={"enable.auto.commit": False}: a commit in the background may come between`)
	case level != "" && level != "read_committed":
		return errorf(ConfigError, "a listener whose offsets are committed by transactions needs isolation.level=read_committed: it is %s, so that it may begin before the offsets of a transaction that is about to be committed", level)
	}
	return l.commits.hand()
}

// enlist gives batches to a transaction, which has others of this listener already.
func (l *Listener) enlist(ids []int64, ranges []Range, others []int64) error {
	if err := l.mayEnlist(); err != nil {
		return err
	}
	why, of := l.tracker.Enlist(ids, ranges, others)
	return obstacle(why, of, 0)
}

// cover returns who commits which offsets for batches that are enlisted.
func (l *Listener) cover(ctx context.Context, ids []int64, ranges []Range) (m source.GroupMember, offsets []source.Position, err error) {
	if err := l.life.open(closed); err != nil {
		return m, nil, err
	}
	if err := l.Broken(); err != nil {
		return m, nil, err
	}
	if err := l.flushLetters(ctx); err != nil {
		return m, nil, err
	}
	// The member comes first. If a rebalance takes the partitions away after that, the group has another generation, and does not take these offsets; if it did before, the rows are not open any more.
	if m, err = l.source.MemberReporter.Member(ctx); err != nil {
		return m, nil, wrap(err)
	}
	offsets, why, of, blocking := l.tracker.Cover(ids, ranges)
	return m, offsets, obstacle(why, of, blocking)
}

// obstacle is the error of batches that a transaction cannot acknowledge.
func obstacle(why delivery.Obstacle, of Range, blocking int64) error {
	var e *Error
	switch why {
	case delivery.NoObstacle:
		return nil
	case delivery.NotOpen:
		e = errorf(StateError, "the batch's rows from offset %d on are not open: they are acknowledged, or the listener was moved and gives them again", of.First)
	case delivery.Enlisted:
		e = errorf(StateError, "the batch is part of a transaction, which has not ended, or of which it is not known whether it was committed: if so, seek to the committed offsets, or open the listener again")
	case delivery.Lost:
		e = errorf(GroupError, "the partition was taken away after these rows were given: its new owner reads the rows from offset %d on again. Seek the partitions that this listener has to their committed offsets, where it reads on", of.First)
	case delivery.Between:
		e = errorf(StateError, "the rows before offset %d cannot be committed: the row at offset %d, of another batch, is not. Commit the batches of a partition in their order, or by one transaction", of.Next, blocking)
	}
	e.Topic, e.Partition = of.Topic, of.Partition
	return e
}
