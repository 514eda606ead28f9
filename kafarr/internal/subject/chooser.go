package subject

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// maxKnown bounds the choices that are remembered.
const maxKnown = 1000

// Chooser remembers what was chosen, for as long as it lives: a later version of a subject does not change what is written half-way. It may be used by several goroutines at once.
type Chooser struct {
	registry registry.Registry
	limits   format.Limits

	mu    sync.Mutex
	known map[string]*Chosen
}

// NewChooser makes one. reg is nil where there is no registry.
func NewChooser(reg registry.Registry, limits format.Limits) *Chooser {
	return &Chooser{registry: reg, limits: limits, known: map[string]*Chosen{}}
}

// Choose returns the schema of a choice. Failures are not remembered.
func (c *Chooser) Choose(ctx context.Context, choice Choice) (*Chosen, error) {
	key := fmt.Sprintf("%#v", choice)
	c.mu.Lock()
	chosen := c.known[key]
	c.mu.Unlock()
	if chosen != nil {
		return chosen, nil
	}
	chosen, err := c.choose(ctx, choice)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if earlier := c.known[key]; earlier != nil { // asked for twice at once: encodings are cached by the pointer
		return earlier, nil
	}
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[key] = chosen
	return chosen, nil
}

// Derive makes the text of a schema from the columns of a frame.
func (c *Chooser) Derive(content schema.Content, name string, columns []arrow.Field, options format.DeriveOptions) (string, error) {
	f, err := content.Deriving()
	if err != nil {
		return "", err
	}
	return f.Derive(name, columns, options)
}
