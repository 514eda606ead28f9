package kafarr

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// open are the listeners of this process that are members of a group. A listener that is kept alive by mistake, as by the traceback of a notebook's cell, is still a member, and the
// group waits for it as long as it does not poll.
var open = struct {
	sync.Mutex
	members map[*Listener]bool
}{members: map[*Listener]bool{}}

// register makes a member of a group known to later listeners.
func (l *Listener) register() {
	if l.cfg.Source != nil || len(l.cfg.Assign) > 0 {
		return
	}
	l.life.joined = time.Now()
	open.Lock()
	defer open.Unlock()
	open.members[l] = true
}

func (l *Listener) unregister() {
	open.Lock()
	defer open.Unlock()
	delete(open.members, l)
}

// unpolled is how long ago a listener's last poll must be for it to count as not being polled: one that is polled in turn with others may wait for them.
const unpolled = 2 * time.Second

// neighbours names the other open listeners of this group in this process that have not been polled since a wait began, and not for a while. One that is being closed does not count: it is about
// to leave, which takes seconds on a busy machine.
func (l *Listener) neighbours(since, now time.Time) string {
	if before := now.Add(-unpolled); before.Before(since) {
		since = before
	}
	open.Lock()
	defer open.Unlock()
	var times []string
	for other := range open.members {
		same := other != l && other.cfg.Cluster.Servers == l.cfg.Cluster.Servers && other.cfg.Group == l.cfg.Group
		if same && other.life.joined.Before(since) && other.life.unpolledSince(since) {
			times = append(times, other.life.joined.Format(time.TimeOnly))
		}
	}
	if len(times) == 0 {
		return ""
	}
	slices.Sort(times)
	return fmt.Sprintf("This process has another open listener of this group, opened at %s, that is not being polled: close it", strings.Join(times, " and "))
}
