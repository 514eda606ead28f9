package rdkafka

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Private are the private fields of a kafka.Consumer that this library cannot do without. This file alone reaches into the client; all else goes through its methods. Each field is
// looked for when a consumer is opened: a version of confluent-kafka-go that moves one fails at once, and names it.
type Private struct {
	// Handle is the client's rd_kafka_t, for the short way of messages (source/kafka/fetch.h).
	Handle unsafe.Pointer
	// Reassigned is the flag by which the client knows that its rebalance callback has answered the group. A callback that wants to answer later sets it and returns: librdkafka, which
	// asks by an event, waits for the answer and sends heartbeats meanwhile, while the Go client would give the partitions up by itself.
	Reassigned *bool
	// Queues are the client's rd_kafka_queue_t, which its Close destroys.
	Queues []unsafe.Pointer

	stop    reflect.Value // closed, it ends the goroutines that read from librdkafka
	running *sync.WaitGroup
}

// ReachPrivate finds the private fields of a consumer.
func ReachPrivate(c *kafka.Consumer) (*Private, error) {
	return reachPrivate(reflect.ValueOf(c).Elem())
}

func reachPrivate(consumer reflect.Value) (*Private, error) {
	p := &Private{}
	for _, f := range []struct {
		path string
		kind reflect.Kind
		take func(reflect.Value) bool
	}{
		{"handle.rk", reflect.Pointer, func(v reflect.Value) bool { p.Handle = v.UnsafePointer(); return p.Handle != nil }},
		{"handle.logq", reflect.Pointer, p.takeQueue},
		{"handle.rkq", reflect.Pointer, p.takeQueue},
		{"handle.waitGroup", reflect.Struct, func(v reflect.Value) (is bool) { p.running, is = v.Addr().Interface().(*sync.WaitGroup); return is }},
		{"readerTermChan", reflect.Chan, func(v reflect.Value) bool { p.stop = v; return true }},
		{"appReassigned", reflect.Bool, func(v reflect.Value) (is bool) { p.Reassigned, is = v.Addr().Interface().(*bool); return is }},
	} {
		v := consumer
		for name := range strings.SplitSeq(f.path, ".") {
			if v = v.FieldByName(name); !v.IsValid() {
				return nil, fmt.Errorf("this version of confluent-kafka-go has no Consumer.%s, which this library needs (kafarr/internal/rdkafka/private.go)", f.path)
			}
		}
		if v.Kind() != f.kind || !f.take(reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()) { // as if it were exported
			return nil, fmt.Errorf("this version of confluent-kafka-go has a Consumer.%s of another type than this library needs, or without a value (kafarr/internal/rdkafka/private.go)", f.path)
		}
	}
	return p, nil
}

func (p *Private) takeQueue(v reflect.Value) bool {
	p.Queues = append(p.Queues, v.UnsafePointer())
	return true
}

// StopReading ends the client's goroutines that read from librdkafka, and waits for them.
func (p *Private) StopReading() {
	p.stop.Close()
	p.running.Wait()
}
