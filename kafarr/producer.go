package kafarr

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/dispatch"
	"github.com/pykafarr/pykafarr/kafarr/internal/subject"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// ProducerConfig says where frames are sent and how.
type ProducerConfig struct {
	Cluster     Cluster           // properties for consumers only are ignored
	Registry    Registry          // not given: schemas are, and messages do not name them
	Environment environ.Variables // as Config.Environment
	// TransactionalID is the property transactional.id: the Producer sends within transactions only.
	TransactionalID string

	// MemoryLimit bounds the bytes of what is encoded and not acknowledged yet; 0: 32 MiB.
	MemoryLimit int64
	// Limits bound what schemas may ask for.
	Limits format.Limits
	// Workers is how many goroutines encode a frame; 0: one a processor, four at the most.
	Workers int
	// Logger gets the client's log lines; nil drops them.
	Logger *slog.Logger
	// Sink replaces Kafka, for tests.
	Sink func(produce.Settings) (ProducerSink, error)
}

// ProducerSink is where a Producer's record batches go: see produce.Producer, which it is.
type ProducerSink interface {
	dispatch.Sink
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
	Prepare(ctx context.Context) error
	Begin(ctx context.Context) error
	SendOffsets(ctx context.Context, member produce.GroupMember, offsets []source.Position) error
	Commit(ctx context.Context) error
	Abort(ctx context.Context) error
}

// Producer sends the rows of record batches as messages. Its methods may be called from any goroutine.
type Producer struct {
	cfg       ProducerConfig
	batches   batchSettings
	sink      ProducerSink
	chooser   *subject.Chooser
	encodings encodings
	registry  registry.Registry

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	under  sync.RWMutex // held for reading by each Send

	preparation preparation

	mu          sync.Mutex
	closed      bool
	next        int32         // the partition that rows without keys begin with
	failed      []*SendReport // complete, and their errors not asked for
	transaction *Transaction  // that is open; nil: none is
	unended     bool          // the last transaction could not be aborted
}

const transactionalID = "transactional.id"

// SendReport says what becomes of the rows of a Send.
type SendReport = dispatch.Report

// SentRange is where the rows of a Send are in a partition.
type SentRange = dispatch.Range

// SendFailure is what became of rows that were not acknowledged.
type SendFailure = dispatch.Failure

// OpenProducer checks the configuration. It does not wait for the network.
func OpenProducer(cfg ProducerConfig) (*Producer, error) {
	if cfg.Sink == nil {
		if err := cfg.Cluster.validate(); err != nil {
			return nil, err
		}
	}
	if cfg.MemoryLimit < 0 {
		return nil, errorf(ConfigError, "memory_limit is negative")
	}
	if _, err := cfg.Limits.Resolved(); err != nil {
		return nil, errorf(ConfigError, "limits: %w", err)
	}
	if id := cfg.TransactionalID; id != "" {
		if other := cfg.Cluster.Properties[transactionalID]; other != "" && other != id {
			return nil, errorf(ConfigError, "transactional_id is %q, and config has %q: give the one or the other", id, other)
		}
		cfg.Cluster.Properties = maps.Clone(cfg.Cluster.Properties)
		if cfg.Cluster.Properties == nil {
			cfg.Cluster.Properties = map[string]string{}
		}
		cfg.Cluster.Properties[transactionalID] = id
	}
	cfg.TransactionalID = cfg.Cluster.Properties[transactionalID]
	p := &Producer{cfg: cfg, encodings: encodings{known: map[encodingKey]format.Encoding{}}}
	var err error
	if p.batches, err = batchSettingsOf(cfg.Cluster.Properties); err != nil {
		return nil, err
	}
	if p.registry, err = cfg.Registry.open(cfg.Environment); err != nil {
		return nil, err
	}
	p.chooser = subject.NewChooser(p.registry, cfg.Limits)
	open := cfg.Sink
	if open == nil {
		open = func(s produce.Settings) (ProducerSink, error) { return produce.Open(s) }
	}
	log := clientlog.New(cfg.Logger)
	if p.sink, err = open(produce.Settings{
		Servers: cfg.Cluster.Servers, Properties: cfg.Cluster.Properties, Environment: cfg.Environment, MemoryLimit: cfg.MemoryLimit, Token: cfg.Cluster.OAuthToken, Log: log.Client,
	}); err != nil {
		return nil, wrap(err)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.prepare()
	return p, nil
}

// Flush waits until each row that was handed over has its outcome. Its error is of the first Send whose failure nobody has asked for, by SendReport.Wait or Err.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.open(); err != nil {
		return err
	}
	if err := p.sink.Flush(ctx); err != nil {
		return wrap(err)
	}
	return p.firstFailure()
}

// firstFailure is the first error that nobody has asked for. All of them count as asked for afterwards.
func (p *Producer) firstFailure() error {
	p.mu.Lock()
	failed := p.failed
	p.failed = nil
	p.mu.Unlock()
	var first error
	for _, report := range failed {
		if report.Taken() {
			continue
		}
		if err := report.Err(); first == nil {
			first = err
		}
	}
	return first
}

// Close flushes, as far as ctx allows, and closes: what has no outcome by then is not sent, or unknown. Its error is that of Flush. An open transaction is aborted.
func (p *Producer) Close(ctx context.Context) error {
	p.mu.Lock()
	already, open := p.closed, p.transaction
	p.closed = true
	p.mu.Unlock()
	if already {
		return nil
	}
	p.cancel() // sends that wait end
	p.under.Lock()
	defer p.under.Unlock()
	var err error
	if open != nil {
		err = open.Abort(ctx)
	} else {
		err = p.sink.Flush(ctx)
	}
	if closing := p.sink.Close(ctx); err == nil {
		err = closing
	}
	if failure := p.firstFailure(); failure != nil {
		err = failure
	}
	if err == nil {
		return nil
	}
	return wrap(err)
}

// open is the error of a producer that is closed.
func (p *Producer) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errorf(ClosedError, "the producer is closed")
	}
	return nil
}

// maxFailed bounds the reports that are kept for Flush: the first failures are those that explain the others.
const maxFailed = 100

// ended takes a report that is complete.
func (p *Producer) ended(r *SendReport) {
	// Rows that the caller gave up by ending a Send are no news to it.
	if !slices.ContainsFunc(r.Failures(), func(f SendFailure) bool { return !errors.Is(f.Err, context.Canceled) }) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.failed) < maxFailed {
		p.failed = append(p.failed, r)
	}
}
