package schema

import "sync"

// Warnings are the warnings about schemas that were logged, each once, however many ids and ranges of one scan meet it.
type Warnings struct {
	mu    sync.Mutex
	texts map[string]bool
}

// mostWarnings bounds the memory of Warnings: what finds no room is not logged.
const mostWarnings = 1000

func newWarnings() *Warnings { return &Warnings{texts: map[string]bool{}} }

func (w *Warnings) first(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.texts[text] || len(w.texts) >= mostWarnings {
		return false
	}
	w.texts[text] = true
	return true
}

func (s *Resolver) warnOnce(facility, text string) {
	if s.cfg.Shared.Warnings.first(text) {
		s.cfg.Warn(facility, text)
	}
}
