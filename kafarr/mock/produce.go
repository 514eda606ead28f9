package mock

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Request is what Produce is to write: Records or Bodies with their Schema, or Values.
type Request struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`    // -1: spread evenly, the first message after where the last call ended
	Timestamp *int64 `json:"timestamp_ms"` // milliseconds since 1970 of all messages; nil: now

	// Schema is registered for the subject <topic>-value.
	Schema string `json:"schema,omitempty"`
	// SchemaType is what the Schema is of, as registries name it. Empty: AVRO.
	SchemaType string `json:"schema_type,omitempty"`
	// Records are plain JSON values that fit Schema, which is Avro's. A union's value stands for itself and takes the first branch
	// that it fits, or is written {"branch": value}. Bytes and fixed are strings with one character from U+0000 to
	// U+00FF a byte, as in Avro's JSON encoding. NaN, Infinity and -Infinity are strings. Logical types are written
	// as the type beneath them. A field that is left out takes its default.
	Records []json.RawMessage `json:"records,omitempty"`

	// Bodies follow the schema's id as they are. nil is a null, without an id.
	Bodies [][]byte `json:"bodies,omitempty"`

	// Values are bytes that are written as they are; nil is a null.
	Values [][]byte `json:"values,omitempty"`

	// Keys are the messages' keys, as many as there are messages. nil: no message has one.
	Keys [][]byte `json:"keys,omitempty"`
}

// Result is what Produce has done.
type Result struct {
	SchemaID *int `json:"schema_id"` // nil without a schema
	Produced int  `json:"produced"`
}

// RequestError is a request that cannot be carried out. Nothing was produced.
type RequestError struct {
	Index int // of the record that is wrong, -1 where it is none of them
	Err   error
}

func (e *RequestError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("mock: %v", e.Err)
	}
	return fmt.Sprintf("mock: record %d: %v", e.Index, e.Err)
}

func (e *RequestError) Unwrap() error { return e.Err }

// requestErrorf is about the request as a whole.
func requestErrorf(format string, args ...any) *RequestError {
	return &RequestError{Index: -1, Err: fmt.Errorf(format, args...)}
}

// Records gives values as Request.Records, through encoding/json.
func Records(values ...any) ([]json.RawMessage, error) {
	records := make([]json.RawMessage, len(values))
	for i, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, &RequestError{Index: i, Err: err}
		}
		records[i] = text
	}
	return records, nil
}

// Produce encodes the records, writes them in their order, and waits until the cluster has acknowledged all of
// them. A topic that does not exist is created with one partition. What is wrong with the request is a
// *RequestError, found before anything is written.
func (k *Kafka) Produce(ctx context.Context, request Request) (Result, error) {
	values, id, err := k.encode(request)
	if err != nil {
		return Result{}, err
	}
	if request.Keys != nil && len(request.Keys) != len(values) {
		return Result{}, requestErrorf("%d keys for %d messages", len(request.Keys), len(values))
	}
	partitions, err := k.partitionsOf(request.Topic)
	if err != nil {
		return Result{}, err
	}
	if int(request.Partition) >= partitions || request.Partition < -1 {
		return Result{}, requestErrorf("topic %s has %d partitions, so %d is none of them", request.Topic, partitions, request.Partition)
	}

	k.use.RLock()
	defer k.use.RUnlock()
	if k.closed {
		return Result{}, ErrClosed
	}
	if err := k.send(ctx, k.messages(request, values, partitions)); err != nil {
		return Result{}, err
	}
	return Result{SchemaID: id, Produced: len(values)}, nil
}

// encode gives the messages' values, and the schema's id where there is one.
func (k *Kafka) encode(request Request) ([][]byte, *int, error) {
	if request.Schema == "" {
		if request.Records != nil || request.Bodies != nil {
			return nil, nil, requestErrorf("records without a schema")
		}
		return request.Values, nil, nil
	}
	if request.Values != nil {
		return nil, nil, requestErrorf("values beside a schema: they are for messages without one")
	}
	given := schema{Text: request.Schema, Type: cmp.Or(request.SchemaType, "AVRO")}
	if err := given.check(); err != nil {
		return nil, nil, requestErrorf("%w", err)
	}
	values, err := frame(given, request)
	if err != nil {
		return nil, nil, err
	}
	id, _ := k.registry.register(request.Topic+"-value", given)
	for _, value := range values {
		if value != nil {
			binary.BigEndian.PutUint32(value[1:], uint32(id)) //nolint:gosec // ids count up from 1
		}
	}
	return values, &id, nil
}

// headerLen is the length of Confluent's framing: a zero byte, then the schema's id, big-endian.
const headerLen = 5

// frame gives the messages' values, each with room for the id.
func frame(given schema, request Request) ([][]byte, error) {
	if request.Bodies != nil {
		if request.Records != nil {
			return nil, requestErrorf("records beside bodies: they are encoded records")
		}
		values := make([][]byte, len(request.Bodies))
		for i, body := range request.Bodies {
			if body != nil {
				values[i] = append(make([]byte, headerLen, headerLen+len(body)), body...)
			}
		}
		return values, nil
	}
	if given.Type != "AVRO" {
		return nil, requestErrorf("records are encoded by schemas of type AVRO: give bodies for one of type %s", given.Type)
	}
	encoder, err := newEncoder(given.Text)
	if err != nil {
		return nil, requestErrorf("schema: %w", err)
	}
	values := make([][]byte, len(request.Records))
	for i, record := range request.Records {
		if values[i], err = encoder.encode(make([]byte, headerLen, 64), record); err != nil {
			return nil, &RequestError{Index: i, Err: err}
		}
	}
	return values, nil
}

func (k *Kafka) partitionsOf(topic string) (int, error) {
	k.mu.Lock()
	known := k.partitions[topic]
	k.mu.Unlock()
	if known > 0 {
		return known, nil
	}
	code, err := k.createTopic(topic, 1)
	if err != nil {
		return 0, err
	}
	if code == kafka.ErrNoError {
		return 1, nil
	}
	// Somebody else's producer has created it.
	k.use.RLock()
	defer k.use.RUnlock()
	if k.closed {
		return 0, ErrClosed
	}
	metadata, err := k.producer.GetMetadata(&topic, false, 10_000)
	if err != nil {
		return 0, fmt.Errorf("mock cluster: topic %s: %w", topic, err)
	}
	count := len(metadata.Topics[topic].Partitions)
	if count == 0 {
		return 0, fmt.Errorf("mock cluster: topic %s: %w", topic, metadata.Topics[topic].Error)
	}
	k.mu.Lock()
	k.partitions[topic] = count
	k.mu.Unlock()
	return count, nil
}

func (k *Kafka) messages(request Request, values [][]byte, partitions int) []kafka.Message {
	k.mu.Lock()
	next := k.spread[request.Topic]
	if request.Partition < 0 {
		k.spread[request.Topic] = (next + len(values)) % partitions
	}
	k.mu.Unlock()
	messages := make([]kafka.Message, len(values))
	for i, value := range values {
		partition := request.Partition
		if partition < 0 {
			partition = int32((next + i) % partitions) //nolint:gosec // at most 10,000 partitions
		}
		messages[i] = kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &request.Topic, Partition: partition},
			Value:          value,
			Opaque:         i,
		}
		if request.Keys != nil {
			messages[i].Key = request.Keys[i]
		}
		if request.Timestamp != nil {
			messages[i].Timestamp = time.UnixMilli(*request.Timestamp)
		}
	}
	return messages
}

// send writes messages and waits until all are acknowledged.
func (k *Kafka) send(ctx context.Context, messages []kafka.Message) error {
	// Room for every answer: the producer's goroutine must not wait for us when we have gone.
	delivered := make(chan kafka.Event, len(messages))
	for i := range messages {
		if err := k.enqueue(ctx, &messages[i], delivered); err != nil {
			return fmt.Errorf("mock cluster: record %d: %w", i, err)
		}
	}
	for range messages {
		select {
		case event := <-delivered:
			message := event.(*kafka.Message)
			at := message.TopicPartition
			if at.Error != nil {
				return fmt.Errorf("mock cluster: record %d: %s[%d]: %w", message.Opaque, *at.Topic, at.Partition, at.Error)
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-k.closing:
			return ErrClosed
		}
	}
	return nil
}

// enqueue waits while the producer's queue is full.
func (k *Kafka) enqueue(ctx context.Context, message *kafka.Message, delivered chan kafka.Event) error {
	for {
		err := k.producer.Produce(message, delivered)
		var full kafka.Error
		if !errors.As(err, &full) || full.Code() != kafka.ErrQueueFull {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		case <-k.closing:
			return ErrClosed
		}
	}
}

func newProducer(servers string) (*kafka.Producer, error) {
	return kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers":            servers,
		"acks":                         "all",
		"linger.ms":                    5,
		"compression.type":             "zstd", // the cluster keeps what it gets as it is, in memory
		"queue.buffering.max.messages": 1_000_000,
		"message.max.bytes":            maxMessage,
		"message.timeout.ms":           30_000,
		"log_level":                    0, // nothing on stderr: the messages' errors say what goes wrong
	})
}
