package linger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/sink/linger"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// lines are what a client logs.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(_ int, facility, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, facility+": "+message)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.list, func(line string) bool { return strings.Contains(line, text) })
}

// rig is a cluster and a writer.
type rig struct {
	*testing.T
	cluster *kfake.Cluster
	w       *linger.Writer
	log     lines
}

// newRig makes a cluster that has the topic letters, of three partitions.
func newRig(t *testing.T, properties map[string]string, options ...kfake.Opt) *rig {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "letters")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := &rig{T: t, cluster: c}
	if r.w, err = linger.Open(r.config("letters", properties)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.w.Close)
	return r
}

func (r *rig) config(topic string, properties map[string]string) linger.Config {
	return config(strings.Join(r.cluster.ListenAddrs(), ","), topic, properties, r.log.add)
}

func config(servers, topic string, properties map[string]string, log func(int, string, string)) linger.Config {
	return linger.Config{
		Topic: topic, Cluster: produce.Settings{Servers: servers, Properties: properties, Log: log}, Batch: 1_000_000, Partitioner: produce.Partitioners["consistent_random"],
	}
}

// answer is what becomes of a message.
func (r *rig) write(message *sink.Message) <-chan error {
	r.Helper()
	return write(r.w, message)
}

func write(w *linger.Writer, message *sink.Message) <-chan error {
	answer := make(chan error, 2)
	w.Write(message, func(err error) { answer <- err })
	return answer
}

func (r *rig) await(answer <-chan error) error {
	r.Helper()
	return await(r.T, answer)
}

func await(t *testing.T, answer <-chan error) error {
	t.Helper()
	select {
	case err := <-answer:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("no answer in 30 s")
		return nil
	}
}

// read reads the first n messages of a topic.
func (r *rig) read(topic string, n int) []*kgo.Record {
	r.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.cluster.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond), kgo.DisableClientMetrics())
	if err != nil {
		r.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	var found []*kgo.Record
	for len(found) < n && ctx.Err() == nil {
		found = append(found, cl.PollFetches(ctx).Records()...)
	}
	return found
}

func text(value string) *sink.Message { return &sink.Message{Value: []byte(value)} }

func code(err error) status.Code {
	var mine *status.Error
	if !errors.As(err, &mine) {
		return 0
	}
	return mine.Code
}

func TestAMessageArrivesAsItIs(t *testing.T) {
	r := newRig(t, nil)
	began := time.Now().UnixMilli()
	headers := []sink.Header{{Name: "a", Value: []byte("1")}, {Name: "a", Value: []byte{}}, {Name: "b"}}
	for _, m := range []sink.Message{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: 1700000000123, Headers: headers},
		{Timestamp: 1700000000124},
		{Key: []byte{}, Value: []byte{}},
	} {
		if err := r.await(r.write(&m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range r.read("letters", 3) {
		switch {
		case m.Value == nil:
			if m.Key != nil || m.Timestamp.UnixMilli() != 1700000000124 || len(m.Headers) != 0 {
				t.Errorf("%+v", m)
			}
		case len(m.Value) == 0:
			if m.Key == nil || len(m.Key) != 0 || m.Timestamp.UnixMilli() < began {
				t.Errorf("%+v", m)
			}
		default:
			if string(m.Key) != "k" || string(m.Value) != "v" || m.Timestamp.UnixMilli() != 1700000000123 || fmt.Sprint(m.Headers) != "[{a [49]} {a []} {b []}]" || m.Headers[1].Value == nil || m.Headers[2].Value != nil {
				t.Errorf("%+v", m)
			}
		}
	}
}

func TestMessagesOfAKeyAreWhereOtherProducersPutThemAndTheOthersStayTogether(t *testing.T) {
	r := newRig(t, map[string]string{"sticky.partitioning.linger.ms": "60000"})
	var answers []<-chan error
	for i := range 200 {
		m := text(fmt.Sprint(i))
		if i%2 == 0 {
			m.Key = fmt.Append(nil, "key ", i%20)
		}
		answers = append(answers, r.write(m))
	}
	for _, answer := range answers {
		if err := r.await(answer); err != nil {
			t.Fatal(err)
		}
	}
	free := map[int32]bool{}
	last := map[string]int{}
	for _, m := range r.read("letters", 200) {
		if m.Key == nil {
			free[m.Partition] = true
			continue
		}
		if want, _ := produce.Partitioners["consistent_random"].Partition(m.Key, 3); m.Partition != want {
			t.Errorf("key %s is in partition %d instead of %d", m.Key, m.Partition, want)
		}
		var number int
		if _, err := fmt.Sscan(string(m.Value), &number); err != nil || number < last[string(m.Key)] {
			t.Errorf("key %s: %d comes after %d (%v)", m.Key, number, last[string(m.Key)], err)
		}
		last[string(m.Key)] = number
	}
	if len(free) != 1 {
		t.Errorf("messages without a key are in %d partitions", len(free))
	}
}

func TestMessagesThatComeTogetherAreOneBatch(t *testing.T) {
	for _, c := range []struct {
		properties map[string]string
		most       int
	}{
		{map[string]string{"linger.ms": "300"}, 2},
		{map[string]string{"queue.buffering.max.ms": "300", "batch.num.messages": "10"}, 11},
	} {
		r := newRig(t, c.properties)
		var mu sync.Mutex
		requests := 0
		r.cluster.ControlKey(kmsg.Produce.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			r.cluster.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			requests++
			return nil, nil, false
		})
		var answers []<-chan error
		for i := range 100 {
			answers = append(answers, r.write(&sink.Message{Key: []byte("k"), Value: fmt.Append(nil, i)}))
		}
		for _, answer := range answers {
			if err := r.await(answer); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		if requests > c.most {
			t.Errorf("%d requests", requests)
		}
		mu.Unlock()
	}
}

func TestPropertiesThatADeliveryNeedsOtherwiseAreLeftOutAndOthersAreHeeded(t *testing.T) {
	r := newRig(t, map[string]string{
		"auto.offset.reset": "earliest", "max.poll.interval.ms": "400000", "fetch.queue.backoff.ms": "5", "auto.commit.interval.ms": "100", // for consumers
		"client.id": "both", "max.in.flight": "100", "acks": "1", "request.required.acks": "0", "transactional.id": "x", "topic.blacklist": "letters",
	})
	var acks int16
	r.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		acks = req.(*kmsg.ProduceRequest).Acks
		return nil, nil, false
	})
	if err := r.await(r.write(text("v"))); err != nil || acks != -1 {
		t.Errorf("acks %d, %v", acks, err)
	}
	for name, value := range map[string]string{
		"linger.ms": "x", "batch.num.messages": "0", "sticky.partitioning.linger.ms": "-1", "message.max.bytes": "1", "retries": "-2", "no.such": "1", "ssl.cipher.suites": "DEFAULT", "linger": "1",
	} {
		bad := r.config("letters", map[string]string{name: value})
		for _, err := range []error{linger.Check(bad), opening(bad)} {
			var e interface{ Status() *status.Error }
			if !errors.As(err, &e) || e.Status().Code != status.ConfigError || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := linger.Check(r.config("letters", map[string]string{"linger.ms": "40000"})); err == nil || !strings.Contains(err.Error(), "linger.ms (40s) must be less than message.timeout.ms (30s)") {
		t.Error(err)
	}
}

func opening(c linger.Config) error {
	w, err := linger.Open(c)
	if err == nil {
		w.Close()
	}
	return err
}

func TestAMessageThatCannotBeDeliveredSaysWhy(t *testing.T) {
	var log lines
	w, err := linger.Open(config("127.0.0.1:1", "letters", map[string]string{"message.timeout.ms": "500"}, log.add))
	if err != nil {
		t.Fatal(err)
	}
	err = await(t, write(w, text("v")))
	if code(err) != status.BrokerError || !strings.Contains(err.Error(), "no acknowledgement within message.timeout.ms (500ms)") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	if !log.has("LETTERS: the cluster cannot be asked") {
		t.Errorf("nothing was logged: %q", log.list)
	}
	w.Close()
	if err := await(t, write(w, &sink.Message{})); !errors.Is(err, source.ErrClosed) {
		t.Errorf("a closed writer says %v", err)
	}
}

func TestATopicIsCreatedWhereBrokersDoThatAndIsAnErrorElsewhere(t *testing.T) {
	for _, c := range []struct {
		brokers    bool
		properties map[string]string
		created    bool
	}{
		{true, nil, true},
		{true, map[string]string{"allow.auto.create.topics": "false"}, false},
		{false, nil, false},
	} {
		options := []kfake.Opt{kfake.DefaultNumPartitions(2)}
		if c.brokers {
			options = append(options, kfake.AllowAutoTopicCreation())
		}
		r := newRig(t, nil, options...)
		properties := map[string]string{"topic.metadata.propagation.max.ms": "200"}
		for name, value := range c.properties {
			properties[name] = value
		}
		w, err := linger.Open(r.config("new", properties))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		err = await(t, write(w, text("v")))
		if c.created && err != nil || !c.created && (code(err) != status.TopicNotFoundError || !strings.Contains(err.Error(), "new: the cluster does not have the topic")) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAMessageThatIsTooLargeCostsNoOther(t *testing.T) {
	r := newRig(t, map[string]string{"linger.ms": "200"}, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "1000"}))
	var answers []<-chan error
	for i := range 30 {
		m := &sink.Message{Key: []byte("k"), Value: fmt.Append(nil, i)}
		if i == 17 {
			m.Value = []byte(strings.Repeat("x", 2000))
		}
		answers = append(answers, r.write(m))
	}
	for i, answer := range answers {
		if err := r.await(answer); i == 17 && !errors.Is(err, sink.ErrMessageTooLarge) || i != 17 && err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	w, err := linger.Open(r.config("letters", map[string]string{"message.max.bytes": "1200"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := await(t, write(w, text(strings.Repeat("x", 1300)))); !errors.Is(err, sink.ErrMessageTooLarge) || !strings.Contains(err.Error(), "1200 bytes of message.max.bytes") {
		t.Error(err)
	}
}

// TestAMessageThatIsRefusedCostsNoOther has brokers that name the record that they refuse, and such that refuse the batch as a whole.
func TestAMessageThatIsRefusedCostsNoOther(t *testing.T) {
	for _, named := range []bool{true, false} {
		for refusal, want := range map[*kerr.Error]error{kerr.InvalidTimestamp: sink.ErrTimestampRefused, kerr.InvalidRecord: kerr.InvalidRecord} {
			r := newRig(t, map[string]string{"linger.ms": "200"})
			r.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r.cluster.KeepControl()
				p := req.(*kmsg.ProduceRequest)
				sent := p.Topics[0].Partitions[0]
				at := slices.IndexFunc(strings.Split(string(sent.Records), "letter "), func(s string) bool { return strings.HasPrefix(s, "bad") })
				if at < 0 {
					return nil, nil, false
				}
				resp := req.ResponseKind().(*kmsg.ProduceResponse)
				rt := kmsg.NewProduceResponseTopic()
				rt.Topic, rt.TopicID = p.Topics[0].Topic, p.Topics[0].TopicID
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = sent.Partition, refusal.Code
				if named {
					er := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					er.RelativeOffset = int32(at - 1)
					rp.ErrorRecords = append(rp.ErrorRecords, er)
				}
				rt.Partitions = append(rt.Partitions, rp)
				resp.Topics = append(resp.Topics, rt)
				return resp, nil, true
			})
			var answers []<-chan error
			for i := range 20 {
				m := &sink.Message{Key: []byte("k"), Value: fmt.Append(nil, "letter ", i)}
				if i == 7 || i == 13 {
					m.Value = []byte("letter bad")
				}
				answers = append(answers, r.write(m))
			}
			for i, answer := range answers {
				bad := i == 7 || i == 13
				if err := r.await(answer); bad && !errors.Is(err, want) || !bad && err != nil {
					t.Errorf("%v, message %d: %v", refusal, i, err)
				}
			}
			if got := r.read("letters", 18); len(got) != 18 {
				t.Errorf("%d messages", len(got))
			}
		}
	}
}

func TestARecreatedTopicGetsTheMessagesThatWereOnTheirWay(t *testing.T) {
	r := newRig(t, nil)
	if err := r.await(r.write(text("old"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.cluster.DeleteTopic("letters"), r.cluster.CreateTopic("letters", 3, nil)); err != nil {
		t.Fatal(err)
	}
	if err := r.await(r.write(text("new"))); err != nil {
		t.Fatal(err)
	}
	if got := r.read("letters", 1); len(got) != 1 || string(got[0].Value) != "new" {
		t.Errorf("%v", got)
	}
}

func TestAClusterThatGrantsNoIdempotentWritesTakesMessagesWithoutThem(t *testing.T) {
	r := newRig(t, nil)
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	for range 2 {
		if err := r.await(r.write(text("v"))); code(err) != status.AuthenticationError || !strings.Contains(err.Error(), "enable.idempotence=false does without") {
			t.Error(err)
		}
	}
	w, err := linger.Open(r.config("letters", map[string]string{"enable.idempotence": "false"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := await(t, write(w, text("v"))); err != nil {
		t.Error(err)
	}
}

// TestCloseGivesUpMessagesOnTheirWay closes at moments at which messages are written by others and none can arrive.
func TestCloseGivesUpMessagesOnTheirWay(t *testing.T) {
	r := newRig(t, nil)
	var running sync.WaitGroup
	for i := range 8 {
		servers := []string{"127.0.0.1:1", strings.Join(r.cluster.ListenAddrs(), ",")}[i%2]
		w, err := linger.Open(config(servers, "letters", nil, r.log.add))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		running.Go(func() {
			for ctx.Err() == nil {
				w.Write(text("v"), func(error) {})
				time.Sleep(time.Millisecond)
			}
		})
		running.Go(func() {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			began := time.Now()
			w.Close()
			w.Close()
			cancel()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("closing took %v", took)
			}
		})
	}
	running.Wait()
}

func TestAPanicInAGoroutineOfTheWriterIsTheErrorOfLaterMessages(t *testing.T) {
	r := newRig(t, nil)
	bearer := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "message.timeout.ms": "300"}
	for name, c := range map[string]linger.Config{
		"a token function panics": config(strings.Join(r.cluster.ListenAddrs(), ","), "letters", bearer, nil),
		"a logger panics":         config("127.0.0.1:1", "letters", map[string]string{"message.timeout.ms": "300"}, func(int, string, string) { panic("mine") }),
		"an answer panics":        r.config("letters", nil),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a token function panics" {
				c.Cluster.Token = func(context.Context) (source.Token, error) { panic("mine") }
				r.cluster.ControlKey(kmsg.SASLHandshake.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
					r.cluster.KeepControl()
					return req.ResponseKind(), nil, true
				})
			}
			w, err := linger.Open(c)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if name == "an answer panics" {
				var once sync.Once
				w.Write(text("v"), func(error) { once.Do(func() { panic("mine") }) })
			}
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
				if err = await(t, write(w, text("v"))); err != nil && strings.Contains(err.Error(), "panic: mine") {
					return
				}
			}
			t.Errorf("got %v", err)
		})
	}
}
