package mock

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"sync"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

// ErrClosed is returned by what is called after Close.
var ErrClosed = errors.New("the mock cluster is closed")

// Config says what New starts.
type Config struct {
	Brokers int            `json:"brokers"` // 0 means 1
	Topics  map[string]int `json:"topics"`  // topics to create, with their numbers of partitions

	// Versions bound the protocol; nil: all that the cluster speaks. Without version 12 of Produce, transactions are as they were before Kafka 4.
	Versions *kversion.Versions `json:"-"`
	// Script decides what becomes of each request: faults for tests. nil: none.
	Script Script `json:"-"`
}

// Kafka is a cluster and a schema registry on ports of 127.0.0.1. Its methods may be called from several
// goroutines at once.
type Kafka struct {
	servers  string
	registry *registryServer
	producer *kafka.Producer
	admin    *kafka.AdminClient // the producer's connections

	closing chan struct{} // closed first, so that calls that hold use end
	use     sync.RWMutex  // held for reading while cluster or producer are in use
	closed  bool          // guarded by use
	cluster *kfake.Cluster

	mu         sync.Mutex
	partitions map[string]int // of the topics that were created here or asked for
	spread     map[string]int // the partition at which the next message without one goes, by topic
}

// New starts a cluster and a registry. Close must be called.
func New(config Config) (*Kafka, error) {
	if config.Brokers == 0 {
		config.Brokers = 1
	}
	if config.Brokers < 0 || config.Brokers > 100 {
		return nil, requestErrorf("brokers: %d is not a number from 1 to 100", config.Brokers)
	}
	k := &Kafka{
		closing:    make(chan struct{}),
		partitions: map[string]int{},
		spread:     map[string]int{},
	}
	var err error
	if k.cluster, err = newCluster(config); err != nil {
		return nil, fmt.Errorf("mock cluster: %w", err)
	}
	k.servers = serversOf(k.cluster)
	if k.registry, err = newRegistryServer(); err != nil {
		k.cluster.Close()
		return nil, fmt.Errorf("mock registry: %w", err)
	}
	if k.producer, err = newProducer(k.servers); err != nil {
		k.registry.close()
		k.cluster.Close()
		return nil, fmt.Errorf("mock cluster: %w", err)
	}
	if k.admin, err = kafka.NewAdminClientFromProducer(k.producer); err != nil {
		k.Close()
		return nil, fmt.Errorf("mock cluster: %w", err)
	}
	names := make([]string, 0, len(config.Topics))
	for name := range config.Topics {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := k.CreateTopic(name, config.Topics[name]); err != nil {
			k.Close()
			return nil, err
		}
	}
	return k, nil
}

// Servers returns the brokers' addresses, as bootstrap.servers takes them.
func (k *Kafka) Servers() string { return k.servers }

// Cluster returns the cluster itself: to move leaders, for example.
func (k *Kafka) Cluster() *kfake.Cluster { return k.cluster }

// RegistryURL returns the schema registry's URL.
func (k *Kafka) RegistryURL() string { return k.registry.url }

// createTimeout bounds the creation of a topic: the cluster is in this process.
const createTimeout = time.Minute

// A topic's name as brokers allow it.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// CreateTopic creates a topic. One that exists already is an error.
func (k *Kafka) CreateTopic(name string, partitions int) error {
	if partitions < 1 || partitions > 10_000 {
		return requestErrorf("topic %q: %d is not a number of partitions from 1 to 10000", name, partitions)
	}
	code, err := k.createTopic(name, partitions)
	if err != nil {
		return err
	}
	if code != kafka.ErrNoError {
		return fmt.Errorf("mock cluster: topic %s: %w", name, kafka.NewError(code, code.String(), false))
	}
	return nil
}

func (k *Kafka) createTopic(name string, partitions int) (kafka.ErrorCode, error) {
	if !topicName.MatchString(name) || name == "." || name == ".." {
		return 0, requestErrorf("topic %q: a name has 1 to 249 letters, digits, dots, underscores and hyphens", name)
	}
	k.use.RLock()
	defer k.use.RUnlock()
	if k.closed {
		return 0, ErrClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), createTimeout)
	defer cancel()
	results, err := k.admin.CreateTopics(ctx, []kafka.TopicSpecification{
		{Topic: name, NumPartitions: partitions, ReplicationFactor: 1},
	})
	if err != nil {
		return 0, fmt.Errorf("mock cluster: topic %s: %w", name, err)
	}
	code := results[0].Error.Code()
	if code == kafka.ErrNoError {
		k.mu.Lock()
		k.partitions[name] = partitions
		k.mu.Unlock()
	}
	return code, nil
}

// Close ends the cluster and the registry and frees their ports. Calls of Produce that are under way return
// ErrClosed. It may be called again.
func (k *Kafka) Close() {
	k.mu.Lock()
	select {
	case <-k.closing:
	default:
		close(k.closing)
	}
	k.mu.Unlock()

	k.use.Lock()
	defer k.use.Unlock()
	if k.closed {
		return
	}
	k.closed = true
	k.producer.Close() // and with it the admin client
	k.registry.close()
	k.cluster.Close()
}
