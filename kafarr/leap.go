package kafarr

import (
	"errors"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// leap is what happened when a partition went on elsewhere than where it was, by a seek or by Config.Start.
type leap struct {
	committed int64 // by the group, before it; below 0: nothing
	back      bool  // nothing has been committed yet since it went back
}

// leaps notes a leap.
func (l *Listener) leaps(to source.Position, committed int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leapt[keyOf(to)] = leap{committed: committed, back: to.Offset < committed}
}

// behind returns the positions that are the first to be committed after a leap back. l.mu is held.
func (l *Listener) behind(positions []source.Position) []source.Position {
	var out []source.Position
	for _, p := range positions {
		if at := l.leapt[keyOf(p)]; at.back {
			at.back = false
			l.leapt[keyOf(p)] = at
			out = append(out, p)
		}
	}
	return out
}

// commitBack commits in the background what the client's own background commit passes over: it never goes back. Once one commit has, those
// that follow are forward from there.
func (l *Listener) commitBack(positions []source.Position) {
	switch strings.ToLower(l.cfg.Properties["enable.auto.commit"]) {
	case "false", "f", "0":
		return
	}
	if len(positions) == 0 {
		return
	}
	failed := func(err error) {
		if !errors.Is(err, l.ctx.Err()) {
			l.log.client(4, "COMMIT", "going back to where the listener was moved: "+err.Error())
		}
	}
	spawn(func() {
		if err := l.source.Commit(l.ctx, positions); err != nil {
			failed(err)
		}
	}, failed)
}
