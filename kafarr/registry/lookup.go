package registry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
)

const (
	// maxReferences and maxText bound what one schema id may make us fetch and keep.
	maxReferences = 1000
	maxText       = 64 << 20
	// maxLookup bounds a look-up with its retries and references, whatever the time-outs of a request are.
	maxLookup = 5 * time.Minute
)

// lookup fetches one schema with what it refers to, through a registry client of its own.
//
// Of its own, because the client (v2.11.1) holds one lock for the time of a request, so that an id whose
// answer hangs would keep all others waiting, and because it writes its one header map while other requests
// read it: two calls of different kinds at once are a fatal concurrent map write. A client is a handful of
// empty maps; transport, token and known schemas are shared.
type lookup struct {
	client   schemaregistry.Client
	exchange *exchange

	root  name
	state map[reference]progress // of every reference met
	texts map[reference]string
	added map[named]bool // to found
	found []Referenced
	size  int
}

// named is a text by the name that refers to it.
type named struct{ name, text string }

type reference struct {
	subject string
	version int
}

type progress int

const (
	open progress = iota + 1 // on the way from the root to here
	done
)

func newLookup(ctx context.Context, config schemaregistry.Config, requests http.RoundTripper) (*lookup, error) {
	l := &lookup{state: map[reference]progress{}, texts: map[reference]string{}, added: map[named]bool{}}
	l.exchange, config = exchangeOf(ctx, config, requests)
	client, err := schemaregistry.NewClient(&config)
	l.client = client
	return l, err
}

// exchangeOf is what a look-up's requests go through, and the configuration of its client.
func exchangeOf(ctx context.Context, config schemaregistry.Config, requests http.RoundTripper) (*exchange, schemaregistry.Config) {
	e := &exchange{
		ctx:   ctx,
		base:  requests,
		limit: time.Duration(config.RequestTimeoutMs) * time.Millisecond,
	}
	config.HTTPClient = &http.Client{Transport: e, CheckRedirect: e.checkRedirect}
	config.CacheCapacity = 0      // a look-up's client forgets everything at its end
	config.CacheLatestTTLSecs = 0 // would start a goroutine that only the garbage collector ends
	return e, config
}

func (l *lookup) schema(n name) (Schema, error) {
	l.root = n
	info, err := l.ask(n)
	if err != nil {
		return Schema{}, err
	}
	return l.complete(info)
}

// complete fetches what a schema refers to. l.root is its name.
func (l *lookup) complete(info schemaregistry.SchemaInfo) (Schema, error) {
	if err := l.take(info.Schema); err != nil {
		return Schema{}, err
	}
	if err := l.follow(info.References, nil); err != nil {
		return Schema{}, err
	}
	contract, err := contractOf(info)
	if err != nil {
		return Schema{}, err
	}
	if len(contract.Encryption()) > 0 {
		contract.Subjects = l.subjects()
	}
	kind := clean(info.SchemaType)
	if kind == "" {
		kind = "AVRO" // what registries leave out
	}
	return Schema{ID: l.root.id, Type: kind, Text: info.Schema, References: l.found, Contract: contract}, nil
}

// subjects are those that the schema of the look-up is registered under, for messages: none where the registry does not tell.
func (l *lookup) subjects() []string {
	if l.root.guid != "" {
		return nil
	}
	found, err := l.client.GetSubjectsAndVersionsByID(l.root.id)
	if err != nil {
		return nil
	}
	var subjects []string
	for _, f := range found {
		if subject := clean(f.Subject); !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
		}
	}
	return subjects
}

func (l *lookup) ask(n name) (schemaregistry.SchemaInfo, error) {
	if n.guid == "" {
		return l.client.GetBySubjectAndID("", n.id)
	}
	return l.client.GetByGUID(n.guid)
}

// follow fetches references depth first, so that each text stands before those that need it. path is the
// names from the root to here.
func (l *lookup) follow(references []schemaregistry.Reference, path []string) error {
	for _, r := range references {
		at := append(path[:len(path):len(path)], fmt.Sprintf("%s (subject %s, version %d)", clean(r.Name), clean(r.Subject), r.Version))
		key := reference{r.Subject, r.Version}
		switch l.state[key] {
		case done: // and what it refers to itself is there
			if err := l.add(r, l.texts[key]); err != nil {
				return err
			}
			continue
		case open:
			return l.circle(at)
		}
		if len(l.state) >= maxReferences {
			return &invalidAnswer{fmt.Errorf("more than %d references", maxReferences)}
		}
		l.state[key] = open
		// Deleted versions too: deleting a subject softly leaves the schemas that refer to it in use.
		found, err := l.client.GetSchemaMetadataIncludeDeleted(r.Subject, r.Version, true)
		if err != nil {
			return &referenceError{at[len(at)-1], err}
		}
		if l.root.names(found) {
			return l.circle(at)
		}
		if err := l.take(found.Schema); err != nil {
			return &referenceError{at[len(at)-1], err}
		}
		if err := l.follow(found.References, at); err != nil {
			return err
		}
		if err := l.add(r, found.Schema); err != nil {
			return err
		}
		l.state[key], l.texts[key] = done, found.Schema
	}
	return nil
}

// add adds what a reference leads to. A text may be registered under several subjects, and referred to by several names.
func (l *lookup) add(r schemaregistry.Reference, text string) error {
	as := named{r.Name, text}
	if l.added[as] {
		return nil
	}
	if len(l.found) >= maxReferences {
		return &invalidAnswer{fmt.Errorf("more than %d references", maxReferences)}
	}
	l.added[as] = true
	l.found = append(l.found, Referenced{Name: r.Name, Text: text, Source: fmt.Sprintf("subject %s, version %d", clean(r.Subject), r.Version)})
	return nil
}

func (l *lookup) take(text string) error {
	if text == "" {
		return errNoSchema
	}
	if l.size += len(text); l.size > maxText {
		return &invalidAnswer{fmt.Errorf("the schema and its references are longer than %d MiB", maxText>>20)}
	}
	return nil
}

func (l *lookup) circle(path []string) error {
	if len(path) > 10 {
		path = append([]string{"…"}, path[len(path)-9:]...)
	}
	return &invalidAnswer{fmt.Errorf("references form a circle: %s", strings.Join(path, " -> "))}
}

// referenceError is a failure to fetch what a schema refers to.
type referenceError struct {
	name string
	err  error
}

func (e *referenceError) Error() string { return fmt.Sprintf("reference %s: %v", e.name, e.err) }
func (e *referenceError) Unwrap() error { return e.err }
