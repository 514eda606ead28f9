package rdkafka

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func TestTheClientHasThePrivateFieldsThatWeNeed(t *testing.T) {
	c, err := kafka.NewConsumer(&kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	p, err := ReachPrivate(c)
	if err != nil {
		t.Fatal(err)
	}
	if p.Handle == nil || p.Reassigned == nil || len(p.Queues) != 2 || p.running == nil || p.stop.Kind() != reflect.Chan {
		t.Errorf("got %+v", p)
	}
}

// handleOf and consumerOf are like the client's types of these names.
type handleOf struct {
	rk, logq, rkq *int //nolint:unused // by reflection
	waitGroup     sync.WaitGroup
}

func TestAFieldThatANewVersionOfTheClientMovesIsNamed(t *testing.T) {
	alike := struct {
		handle         handleOf
		readerTermChan chan bool
		appReassigned  bool
	}{handle: handleOf{rk: new(int)}, readerTermChan: make(chan bool)}
	if p, err := reachPrivate(reflect.ValueOf(&alike).Elem()); err != nil || p.Handle != unsafe.Pointer(alike.handle.rk) || p.Reassigned != &alike.appReassigned {
		t.Errorf("what is like the client is taken: %v", err)
	}
	p, err := reachPrivate(reflect.ValueOf(&alike).Elem())
	if err != nil {
		t.Fatal(err)
	}
	p.StopReading()
	if _, open := <-alike.readerTermChan; open {
		t.Error("the readers are told to stop")
	}
	for want, moved := range map[string]any{
		"no Consumer.handle.rk":           &struct{ readerTermChan chan bool }{},
		"no Consumer.handle.waitGroup":    &struct{ handle struct{ rk, logq, rkq *int } }{handle: struct{ rk, logq, rkq *int }{rk: new(int)}},
		"a Consumer.handle.rk of another": &struct{ handle handleOf }{},
		"no Consumer.appReassigned": &struct {
			handle         handleOf
			readerTermChan chan bool
		}{handle: handleOf{rk: new(int)}},
		"a Consumer.appReassigned of another": &struct {
			handle         handleOf
			readerTermChan chan bool
			appReassigned  int
		}{handle: handleOf{rk: new(int)}},
		"no Consumer.readerTermChan": &struct{ handle handleOf }{handle: handleOf{rk: new(int)}},
	} {
		if _, err := reachPrivate(reflect.ValueOf(moved).Elem()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
