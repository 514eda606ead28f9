package kafarr

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// registries are the registry clients that scans share, so that a task of a hundred rows does not look a schema up again that the task before it has looked up. The keys are
// digests, which hold no secret.
var registries = struct {
	sync.Mutex
	known map[[sha256.Size]byte]registry.Registry
}{known: map[[sha256.Size]byte]registry.Registry{}}

// maxRegistries bounds how many are kept: a program whose properties hold a new token each minute makes a new client each time. A scan that uses a client which is dropped continues with it.
const maxRegistries = 16

func sharedRegistry(url string, properties map[string]string, variables environ.Variables) (registry.Registry, error) {
	if variables == nil {
		variables = environ.Process() // as they are now: the next scan may find others
	}
	text, err := json.Marshal([]any{url, properties, variables}) // in the order of their names
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(text)
	registries.Lock()
	defer registries.Unlock()
	if r, ok := registries.known[key]; ok {
		return r, nil
	}
	r, err := registry.NewConfluent(url, properties, variables)
	if err != nil {
		return nil, err
	}
	if len(registries.known) >= maxRegistries {
		clear(registries.known)
	}
	registries.known[key] = r
	return r, nil
}
