package membership

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Readiness is the wait for the assignment and for the first fetch, over however many polls. The listener's lock guards it, but for waiting.
type Readiness struct {
	cfg        *Config
	source     *source.Roles
	log        Log
	neighbours func(since, now time.Time) string // names other listeners of the group that nobody polls

	opened          time.Time // the first poll
	since           time.Time // of the wait under way; zero: there is none
	logged          bool      // the log says why it waits
	missingReported bool      // an error has named the topics that do not exist
	missingLogged   bool      // likewise, the log
	readyWaived     bool      // the wait for all partitions was given up once: what there is is read

	waiting atomic.Bool
}

// logWait is when a wait is worth a line in the log: a group that forms for the first time takes 3 s by default.
const logWait = 5 * time.Second

// CaughtUp says whether a poll may begin to count its time.
type CaughtUp int

// The answers of Check.
const (
	NotYet  CaughtUp = iota
	Caught           // its time begins now
	GivenUp          // its time is over: the ready time-out has passed
)

// Begin notes that a poll begins.
func (r *Readiness) Begin(now time.Time) {
	r.waiting.Store(false)
	if r.opened.IsZero() {
		r.opened = now
	}
}

// Check tells whether a poll that began then has Caught up. After the ready time-out a wait that will end by itself ends the poll without rows, and any other is an error.
func (r *Readiness) Check(began, now time.Time) (CaughtUp, *status.Error) {
	joined, waitingFor := r.source.Ready()
	waited := now.Sub(began)
	switch {
	case waitingFor == "":
		r.since, r.logged = time.Time{}, false
		return Caught, nil
	case joined && r.readyWaived:
		return Caught, nil
	case waited < r.cfg.ReadyTimeout:
		if r.source.LivenessReporter != nil && waited >= r.cfg.ReadyTimeout/2 {
			r.source.LivenessReporter.AnsweredSince(began) // it is asked in time for the end of the wait
		}
		r.logWhy(now, joined, waitingFor)
		return NotYet, nil
	}
	r.readyWaived = true
	names := r.missing(true)
	if names != "" || !r.answers(began) {
		return NotYet, status.Errorf(r.code(), "after %v still waiting for %s%s", r.cfg.ReadyTimeout, waitingFor, names)
	}
	r.logWhy(now, joined, waitingFor)
	return GivenUp, nil
}

// CheckTopics is the error of topics that cannot be read: it is reported by one poll, whatever that brings, once the ready time-out has passed. See unreadable.
func (r *Readiness) CheckTopics(now time.Time) *status.Error {
	if r.missingReported {
		return nil
	}
	r.logMissing(now)
	err := r.unreadable(true)
	if err != nil {
		r.missingReported = true
	}
	return err
}

// unreadable is the error of topics that cannot be read, after the ready time-out: nil where there are none. It is returned once, and by every poll that gets nothing, then without
// patterns: those that match nothing yet are as they should be.
func (r *Readiness) unreadable(patterns bool) *status.Error {
	if time.Since(r.opened) < r.cfg.ReadyTimeout {
		return nil
	}
	if names := r.missing(patterns); names != "" {
		return status.Errorf(status.BrokerError, "%s", strings.TrimPrefix(names, "; "))
	}
	return nil
}

// answers tells whether the cluster has answered since a poll began: then a wait for a rebalance is not a failure.
func (r *Readiness) answers(began time.Time) bool {
	return r.source.LivenessReporter != nil && r.source.LivenessReporter.AnsweredSince(began) && r.source.LastConnectError() == nil && r.code() == status.BrokerError
}

// logWhy logs what is being waited for, once a wait.
func (r *Readiness) logWhy(now time.Time, joined bool, waitingFor string) {
	if r.since.IsZero() {
		r.since = now
	}
	if r.logged || now.Sub(r.since) < min(logWait, r.cfg.ReadyTimeout) {
		return
	}
	r.logged = true
	text := "waiting for " + waitingFor
	if !joined && len(r.cfg.Assign) == 0 && r.names(false) == "" {
		text += fmt.Sprintf(": a member that ended without leaving holds the group for session.timeout.ms (%s), and one that does not poll for max.poll.interval.ms (%s)",
			r.milliseconds("session.timeout.ms", 45*time.Second), r.milliseconds("max.poll.interval.ms", 5*time.Minute))
		if others := r.neighbours(r.since, now); others != "" {
			r.log.Warn("NEIGHBOUR", text+". "+others)
			return
		}
	}
	r.log.Warn("GROUP", text)
}

// logMissing logs, once and before the ready time-out, which topics do not exist or cannot be read: a mistyped name is not worth the whole wait. They may be created yet.
func (r *Readiness) logMissing(now time.Time) {
	waited := now.Sub(r.opened)
	if r.missingLogged || waited < min(logWait, r.cfg.ReadyTimeout) || waited >= r.cfg.ReadyTimeout {
		return
	}
	if names := r.names(false); names != "" {
		r.missingLogged = true
		r.log.Warn("TOPIC", fmt.Sprintf("topics that cannot be read: %s; they are waited for", names))
	}
}

// milliseconds is a property that has so many, for people.
func (r *Readiness) milliseconds(property string, usual time.Duration) string {
	if value, set := r.cfg.Properties[property]; set {
		return value + " ms"
	}
	return fmt.Sprintf("%.0f s", usual.Seconds())
}

// code is that of having waited too long: a login that is refused time and again is reported as such.
func (r *Readiness) code() status.Code {
	if r.source.LoginReporter != nil && r.source.LoginReporter.Refused() {
		return status.AuthenticationError
	}
	return status.BrokerError
}

// missing names the topics that cannot be read, and the patterns that match none.
func (r *Readiness) missing(patterns bool) string {
	names := r.names(patterns)
	if names == "" {
		return ""
	}
	r.missingReported = true
	return "; topics that cannot be read: " + names
}

// names are the topics that cannot be read, each with the reason.
func (r *Readiness) names(patterns bool) string {
	topics := r.source.UnavailableTopics()
	maps.DeleteFunc(topics, func(topic string, _ error) bool { return !patterns && strings.HasPrefix(topic, "^") })
	list := make([]string, 0, len(topics))
	for t, why := range topics {
		list = append(list, t+" ("+why.Error()+")")
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// SetWaiting notes whether a poll that got nothing ended while partitions, or the first fetch of some, were still waited for.
func (r *Readiness) SetWaiting() {
	_, waitingFor := r.source.Ready()
	r.waiting.Store(waitingFor != "")
}

// Waiting is what SetWaiting noted in this poll. Any goroutine may call it.
func (r *Readiness) Waiting() bool { return r.waiting.Load() }
