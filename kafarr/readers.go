package kafarr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// readerUse keeps which of the schemas of Config.Readers have been of use: one whose name no message has does nothing, and its caller believes that it does. The listeners of a scan
// share it. It is said once: as soon as a type comes whose name is much alike, else after readerWait, or at the end.
type readerUse struct {
	mu     sync.Mutex
	unused map[string]bool // names of types
	others map[string]bool // types that were read as they were written
	since  time.Time       // when the first of those came
	told   bool
}

// readerWait is how long the messages of a reader's type may be late before the log says that there are none.
const readerWait = time.Minute

func newReaderUse() *readerUse {
	return &readerUse{unused: map[string]bool{}, others: map[string]bool{}}
}

// given notes a schema of Config.Readers.
func (u *readerUse) given(reader *avro.Schema) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.told {
		u.unused[reader.TypeName()] = true
	}
}

// used notes that messages are read as a reader.
func (u *readerUse) used(reader *avro.Schema) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.unused, reader.TypeName())
}

// other notes a type that no reader is for, and returns what the log is to say of it; "": nothing yet.
func (u *readerUse) other(writer *avro.Schema) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.others) == 0 {
		u.since = time.Now()
	}
	u.others[writer.TypeName()] = true
	for name := range u.unused {
		if nearest.Name(name, []string{writer.TypeName()}) != "" {
			return u.tell()
		}
	}
	return ""
}

// overdue is what the log is to say by now of readers that were of no use; ended: no more messages come.
func (u *readerUse) overdue(ended bool) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.others) == 0 || !ended && time.Since(u.since) < readerWait {
		return ""
	}
	return u.tell()
}

// tell is called with mu held.
func (u *readerUse) tell() string {
	if u.told || len(u.unused) == 0 {
		return ""
	}
	u.told = true
	unused, others := slices.Sorted(maps.Keys(u.unused)), slices.Sorted(maps.Keys(u.others))
	return fmt.Sprintf("reader_schema: no message has had the type %s so far; read as they were written: %s%s",
		strings.Join(unused, ", "), strings.Join(others, ", "), nearest.Hint(unused[0], others))
}

// tellReaders logs that readers were of no use.
func (l *Listener) tellReaders(text string) {
	if text != "" {
		l.log.warn("SCHEMA", text)
	}
}
