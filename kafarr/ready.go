package kafarr

import (
	"slices"
	"strings"
	"time"
)

// catchUp notes when the client has caught up, and gives up waiting after the ready time-out.
func (l *Listener) catchUp(now time.Time) error {
	p := &l.poll
	if !p.ready {
		joined, waitingFor := l.source.Ready()
		if waitingFor == "" || joined && l.waived {
			p.ready = true
			p.deadline = now.Add(p.wait)
		} else if now.Sub(p.began) >= l.cfg.ReadyTimeout {
			l.waived = true
			return l.tellOrReturn(errorf(l.notReady(), "after %v still waiting for %s%s", l.cfg.ReadyTimeout, waitingFor, l.missing()))
		}
	}
	if !l.toldNames && now.Sub(l.opened) >= l.cfg.ReadyTimeout {
		if names := l.missing(); names != "" {
			l.toldNames = true
			return l.tellOrReturn(errorf(BrokerError, "%s", strings.TrimPrefix(names, "; ")))
		}
	}
	return nil
}

// notReady is the code of having waited too long: a login that is refused time and again is told as such.
func (l *Listener) notReady() Code {
	if s, ok := l.source.(interface{ Refused() bool }); ok && s.Refused() {
		return AuthenticationError
	}
	return BrokerError
}

// tellOrReturn keeps the error for the next poll where there are rows to return first.
func (l *Listener) tellOrReturn(err *Error) error {
	if !l.pending() {
		return err
	}
	l.fail(err)
	return nil
}

// missing names the topics that cannot be read.
func (l *Listener) missing() string {
	topics := l.source.Missing()
	if len(topics) == 0 {
		return ""
	}
	l.toldNames = true
	list := make([]string, 0, len(topics))
	for t, why := range topics {
		list = append(list, t+" ("+why.Error()+")")
	}
	slices.Sort(list)
	return "; topics that cannot be read: " + strings.Join(list, ", ")
}
