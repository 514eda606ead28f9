package kafarr

import (
	"strings"
	"testing"
	"time"
)

// member is a listener that is registered as an open member of a group, and nothing else.
func member(t *testing.T, group string) *Listener {
	t.Helper()
	l := &Listener{cfg: Config{Cluster: Cluster{Servers: "kafka:9092"}, Group: group}}
	l.register()
	t.Cleanup(l.unregister)
	return l
}

func TestOnlyAListenerThatNobodyHasPolledSinceTheWaitBeganIsNamed(t *testing.T) {
	waits, other := member(t, t.Name()), member(t, t.Name())
	member(t, t.Name()+" of others")
	began := time.Now()
	named := func() bool {
		text := waits.neighbours(began, began.Add(time.Minute))
		if text != "" && (!strings.Contains(text, other.life.joined.Format(time.TimeOnly)) || strings.Contains(text, " and ")) {
			t.Errorf("it names %q", text)
		}
		return text != ""
	}
	if !named() {
		t.Error("a listener that nobody has polled is not named")
	}
	other.life.lastPoll.Store(began.Add(-time.Second).UnixNano())
	if !named() {
		t.Error("a listener that nobody has polled since the wait began is not named")
	}
	other.life.lastPoll.Store(began.Add(time.Millisecond).UnixNano())
	if named() {
		t.Error("a listener that was polled during the wait is named: its owner may be busy with the rows")
	}
	other.life.lastPoll.Store(began.Add(-time.Second).UnixNano())
	if text := waits.neighbours(began, began.Add(unpolled/4)); text != "" {
		t.Errorf("it names %q: a listener that is polled in turn with others may wait for them", text)
	}
	other.life.lastPoll.Store(0)
	other.life.polled.Store(true)
	if named() {
		t.Error("a listener whose poll is under way is named")
	}
	other.life.polled.Store(false)
	other.life.phase.Store(int32(leaving))
	if named() {
		t.Error("a listener that is being closed is named")
	}
}

func TestAListenerThatWasOpenedDuringTheWaitIsNotNamed(t *testing.T) {
	waits := member(t, t.Name())
	began := time.Now()
	time.Sleep(time.Millisecond)
	member(t, t.Name())
	if text := waits.neighbours(began, began.Add(time.Minute)); text != "" {
		t.Errorf("it names %q", text)
	}
}
