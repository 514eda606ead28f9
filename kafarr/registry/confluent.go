package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/redact"
)

// remember is how long an answer that will not soon change is given again without asking, so that a thousand
// messages of one unknown id make one request.
const remember = 5 * time.Second

// NewConfluent returns the registry at url, which speaks the REST interface of Confluent's Schema Registry.
// url may be several URLs of one registry, separated by commas, of which the next is tried when one fails,
// and may hold user and password. properties are named as Confluent's clients name them, such as
// basic.auth.user.info. variables say which proxies and authorities its requests use, those to a token endpoint
// among them. It does not wait for the network.
//
// What is wrong with url or properties is a *ConfigError, a failed look-up an *Error. Known schemas are kept
// (ids are never given twice), up to 64 MiB and to cache.capacity in number if that is set, those asked for last;
// unknown and unusable ones for five seconds, other failures not at all. All callers that ask for one id at once share one request.
//
// The registry is an io.Closer too: Close ends the requests that are under way.
func NewConfluent(url string, properties map[string]string, variables environ.Variables) (Registry, error) {
	where, wrong := parseAddress(url)
	if wrong != nil {
		return nil, wrong
	}
	config := schemaregistry.NewConfig(where.text)
	if wrong := applyProperties(config, properties); wrong != nil {
		return nil, wrong
	}
	useID := properties[UseID]
	if useID != "" {
		where.text = compatible(where.text)
		config.SchemaRegistryURL = where.text
	}
	transport, wrong := newTransport(config, variables)
	if wrong != nil {
		return nil, wrong
	}
	if wrong := applyLogin(config, where.user, transport); wrong != nil {
		return nil, wrong
	}
	c := &confluent{
		url:        where.text,
		config:     *config,
		transport:  transport,
		requests:   transport,
		known:      newKnown(config.CacheCapacity),
		keys:       map[KeyName]Key{},
		failed:     map[name]failure{},
		running:    map[name]*call{},
		secrets:    secretsOf(config, variables),
		failedKeys: map[KeyName]failure{},
	}
	if useID == useGlobalID {
		c.requests = globalIDs{transport}
	}
	c.alive, c.end = context.WithCancel(context.Background())
	// Fails for what the checks above missed, rather than at the first message.
	if _, err := newLookup(c.alive, c.config, c.requests); err != nil {
		return nil, &ConfigError{Property: "url", Err: c.secrets.Error(err)}
	}
	return c, nil
}

type confluent struct {
	url       string
	config    schemaregistry.Config
	transport *http.Transport
	requests  http.RoundTripper // transport, or what asks it otherwise
	secrets   *redact.Secrets
	alive     context.Context // until Close
	end       context.CancelFunc

	mu         sync.Mutex
	known      *known
	keys       map[KeyName]Key
	failed     map[name]failure
	running    map[name]*call
	failedKeys map[KeyName]failure
}

// call is a look-up under way; schema and err may be read when done is closed.
type call struct {
	done   chan struct{}
	schema Schema
	err    error
}

type failure struct {
	err   error
	until time.Time
}

// SchemaByID returns when the schema is there or ctx is done. In the latter case the request continues in the
// background, bounded by its own time-outs, and serves the next who asks.
func (c *confluent) SchemaByID(ctx context.Context, id int) (Schema, error) {
	return c.byName(ctx, name{id: id})
}

func (c *confluent) byName(ctx context.Context, n name) (Schema, error) {
	c.mu.Lock()
	if schema, ok := c.known.get(n); ok {
		c.mu.Unlock()
		return schema, nil
	}
	if f, ok := c.failed[n]; ok && time.Now().Before(f.until) {
		c.mu.Unlock()
		return Schema{}, f.err
	}
	running := c.running[n]
	if running == nil && ctx.Err() == nil {
		running = &call{done: make(chan struct{})}
		c.running[n] = running
		go c.run(n, running)
	}
	c.mu.Unlock()
	if running == nil {
		return Schema{}, c.notYet(ctx, n)
	}
	select {
	case <-running.done:
		return running.schema, running.err
	case <-ctx.Done():
		return Schema{}, c.notYet(ctx, n)
	}
}

func (c *confluent) notYet(ctx context.Context, n name) error {
	return n.failed(Unavailable, c.url, fmt.Errorf("no answer yet: %w", ctx.Err()))
}

// run is the goroutine of one look-up.
func (c *confluent) run(n name, running *call) {
	defer close(running.done)
	schema, err := c.fetch(n)

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, n)
	running.schema = schema
	if err == nil {
		c.known.put(n, schema)
		return
	}
	running.err = err
	if err.Kind == NotFound || err.Kind == Invalid {
		c.rememberFailure(n, err)
	}
}

// fetch asks the registry. A panic in the client or in what it calls must not end the process: it becomes
// the look-up's error.
func (c *confluent) fetch(n name) (schema Schema, err *Error) {
	defer func() {
		if p := recover(); p != nil {
			err = n.failed(Invalid, c.url, c.secrets.Error(fmt.Errorf("panic: %v\n%s", p, debug.Stack())))
		}
	}()
	ctx, cancel := context.WithTimeout(c.alive, maxLookup)
	defer cancel()
	l, failed := newLookup(ctx, c.config, c.requests)
	if failed == nil {
		// Look-ups are rare: no connection, and so no goroutine, is kept between them.
		defer c.transport.CloseIdleConnections()
		schema, failed = l.schema(n)
	}
	if failed == nil {
		return schema, nil
	}
	kind, cause := judge(failed, l.exchange)
	var inReference *referenceError
	if errors.As(failed, &inReference) {
		cause = &referenceError{inReference.name, cause}
	} else if noSuchAddress(failed) {
		kind, cause = n.elsewhere(kind, cause)
	}
	return Schema{}, n.failed(kind, c.url, c.secrets.Error(cause))
}

// rememberFailure is called with mu held.
func (c *confluent) rememberFailure(n name, err error) {
	now := time.Now()
	if len(c.failed) >= 1000 { // a topic of random ids must not fill the memory
		for other, f := range c.failed {
			if now.After(f.until) {
				delete(c.failed, other)
			}
		}
		if len(c.failed) >= 100_000 {
			return
		}
	}
	c.failed[n] = failure{err, now.Add(remember)}
}

// Close ends the requests that are under way. Schemas that are known stay known.
func (c *confluent) Close() error {
	c.end()
	c.transport.CloseIdleConnections()
	return nil
}

// String and GoString keep fmt's verbs, %+v and %#v among them, from printing the configuration.
func (c *confluent) String() string   { return "schema registry " + c.url }
func (c *confluent) GoString() string { return c.String() }

func secretsOf(config *schemaregistry.Config, variables environ.Variables) *redact.Secrets {
	_, password, _ := strings.Cut(config.BasicAuthUserInfo, ":")
	return redact.New(append(variables.Secrets(), config.SaslPassword, config.BearerAuthToken, config.BearerAuthClientSecret, config.BasicAuthUserInfo, password)...)
}
