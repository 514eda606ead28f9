package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// ReaderUse keeps which of the schemas of Messages.Readers have been of use: one whose name no message has does nothing, and its caller believes that it does. The ranges of a scan
// share it. It is reported once: as soon as a type comes whose name is much alike, else after readerWait, or at the end.
type ReaderUse struct {
	mu     sync.Mutex
	unused map[string]bool // names of types
	others map[string]bool // types that were read as they were written
	since  time.Time       // when the first of those came
	said   bool
}

// readerWait is how long the messages of a reader's type may be late before the log says that there are none.
const readerWait = time.Minute

func newReaderUse() *ReaderUse {
	return &ReaderUse{unused: map[string]bool{}, others: map[string]bool{}}
}

// given notes a schema of Messages.Readers.
func (u *ReaderUse) given(reader format.Schema) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.said {
		u.unused[reader.TypeName()] = true
	}
}

// used notes that messages are read as a reader.
func (u *ReaderUse) used(reader format.Schema) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.unused, reader.TypeName())
}

// other notes a type that no reader is for, and returns what the log is to say of it; "": nothing yet.
func (u *ReaderUse) other(writer format.Schema) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.others) == 0 {
		u.since = time.Now()
	}
	u.others[writer.TypeName()] = true
	for name := range u.unused {
		if nearest.Name(name, []string{writer.TypeName()}) != "" {
			return u.report()
		}
	}
	return ""
}

// Overdue is what the log is to say by now of readers that were of no use; ended: no more messages come.
func (u *ReaderUse) Overdue(ended bool) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.others) == 0 || !ended && time.Since(u.since) < readerWait {
		return ""
	}
	return u.report()
}

// report is called with mu held.
func (u *ReaderUse) report() string {
	if u.said || len(u.unused) == 0 {
		return ""
	}
	u.said = true
	unused, others := slices.Sorted(maps.Keys(u.unused)), slices.Sorted(maps.Keys(u.others))
	return fmt.Sprintf("reader_schema: no message has had the type %s so far; read as they were written: %s%s",
		strings.Join(unused, ", "), strings.Join(others, ", "), nearest.Hint(unused[0], others))
}

// ReportUnusedReaders logs that readers were of no use, once it is time; ended: no more messages come.
func (s *Resolver) ReportUnusedReaders(ended bool) {
	if len(s.readers) > 0 {
		s.warnOfReaders(s.cfg.Shared.Readers.Overdue(ended))
	}
}

func (s *Resolver) warnOfReaders(text string) {
	if text != "" {
		s.cfg.Warn("SCHEMA", text)
	}
}
