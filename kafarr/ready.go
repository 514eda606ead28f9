package kafarr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// waitingSince is a wait for the assignment or the first fetch, over however many polls.
type waitingSince struct {
	since time.Time // zero: there is none
	told  bool      // the log says why
}

// tellWait is when a wait is worth a line in the log: a group that forms for the first time takes 3 s by default.
const tellWait = 5 * time.Second

// catchUp notes when the client has caught up. After the ready time-out it ends the poll without rows where the wait will end by itself, and with an error where not.
func (l *Listener) catchUp(now time.Time) error {
	p := &l.poll
	if !p.ready {
		joined, waitingFor := l.source.Ready()
		waited := now.Sub(p.began)
		switch {
		case waitingFor == "":
			l.waits = waitingSince{}
			p.ready, p.deadline = true, now.Add(p.wait)
		case joined && l.waived:
			p.ready, p.deadline = true, now.Add(p.wait)
		case waited < l.cfg.ReadyTimeout:
			if l.member != nil && waited >= l.cfg.ReadyTimeout/2 {
				l.member.Answers(p.began) // it is asked in time for the end of the wait
			}
			l.sayWhy(now, joined, waitingFor)
		default:
			l.waived = true
			names := l.missing(true)
			if names != "" || !l.answers() {
				return l.tellOrReturn(errorf(l.notReady(), "after %v still waiting for %s%s", l.cfg.ReadyTimeout, waitingFor, names))
			}
			l.sayWhy(now, joined, waitingFor)
			p.ready, p.deadline = true, now
		}
	}
	if !l.toldNames {
		l.sayMissing(now)
		if err := l.unreadable(true); err != nil {
			l.toldNames = true
			return l.tellOrReturn(wrap(err))
		}
	}
	return nil
}

// unreadable is the error of topics that cannot be read, after the ready time-out: nil where there are none. It is returned once, and by every poll that gets nothing, then without
// patterns: those that match nothing yet are as they should be.
func (l *Listener) unreadable(patterns bool) error {
	if time.Since(l.opened) < l.cfg.ReadyTimeout {
		return nil
	}
	if names := l.missing(patterns); names != "" {
		return errorf(BrokerError, "%s", strings.TrimPrefix(names, "; "))
	}
	return nil
}

// answers tells whether the cluster has answered in this poll: then a wait for a rebalance is not a failure.
func (l *Listener) answers() bool {
	return l.member != nil && l.member.Answers(l.poll.began) && l.source.Down() == nil && l.notReady() == BrokerError
}

// sayWhy logs what is being waited for, once a wait.
func (l *Listener) sayWhy(now time.Time, joined bool, waitingFor string) {
	w := &l.waits
	if w.since.IsZero() {
		w.since = now
	}
	if w.told || now.Sub(w.since) < min(tellWait, l.cfg.ReadyTimeout) {
		return
	}
	w.told = true
	text := "waiting for " + waitingFor
	if !joined && len(l.cfg.Assign) == 0 && l.names(false) == "" {
		text += fmt.Sprintf(": a member that ended without leaving holds the group for session.timeout.ms (%s), and one that does not poll for max.poll.interval.ms (%s)",
			l.milliseconds("session.timeout.ms", 45*time.Second), l.milliseconds("max.poll.interval.ms", 5*time.Minute))
		if others := l.neighbours(w.since, now); others != "" {
			l.log.pass(4, "NEIGHBOUR", text+". "+others, 0)
			return
		}
	}
	l.log.warn("GROUP", text)
}

// sayMissing logs, once and before the ready time-out, which topics do not exist or cannot be read: a mistyped name is not worth the whole wait. They may be created yet.
func (l *Listener) sayMissing(now time.Time) {
	waited := now.Sub(l.opened)
	if l.saidNames || waited < min(tellWait, l.cfg.ReadyTimeout) || waited >= l.cfg.ReadyTimeout {
		return
	}
	if names := l.names(false); names != "" {
		l.saidNames = true
		l.log.warn("TOPIC", fmt.Sprintf("topics that cannot be read: %s; they are waited for", names))
	}
}

// milliseconds is a property that has so many, for people.
func (l *Listener) milliseconds(property string, usual time.Duration) string {
	if value, set := l.cfg.Properties[property]; set {
		return value + " ms"
	}
	return fmt.Sprintf("%.0f s", usual.Seconds())
}

// stuck is why a poll can get nothing until somebody changes something.
func (l *Listener) stuck() error {
	if l.member == nil {
		return nil
	}
	_, err := l.member.Stuck()
	if err == nil {
		return nil
	}
	return wrap(err)
}

// Broken returns the error after which this listener can never continue, such as that another member of the group has the same group.instance.id; nil as long as it may. Every call
// returns it, but for Assignment, Stats, Close and Abort: close the listener and open another one.
func (l *Listener) Broken() error {
	if l.member == nil {
		return nil
	}
	if fatal, err := l.member.Stuck(); fatal {
		return wrap(err)
	}
	return nil
}

// Waiting tells that the last poll ended without rows while this listener was still waiting for partitions, or for the first fetch of some: that is no end of the rows.
func (l *Listener) Waiting() bool { return l.unready.Load() }

// notReady is the code of having waited too long: a login that is refused time and again is told as such.
func (l *Listener) notReady() Code {
	if s, ok := l.source.(interface{ Refused() bool }); ok && s.Refused() {
		return AuthenticationError
	}
	return BrokerError
}

// tellOrReturn keeps the error for the next poll where there are rows to return first.
func (l *Listener) tellOrReturn(err *Error) error {
	if !l.assembler.Pending() {
		return err
	}
	l.fail(err)
	return nil
}

// missing names the topics that cannot be read, and the patterns that match none.
func (l *Listener) missing(patterns bool) string {
	names := l.names(patterns)
	if names == "" {
		return ""
	}
	l.toldNames = true
	return "; topics that cannot be read: " + names
}

// names are the topics that cannot be read, each with the reason.
func (l *Listener) names(patterns bool) string {
	topics := l.source.Missing()
	maps.DeleteFunc(topics, func(topic string, _ error) bool { return !patterns && strings.HasPrefix(topic, "^") })
	list := make([]string, 0, len(topics))
	for t, why := range topics {
		list = append(list, t+" ("+why.Error()+")")
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
