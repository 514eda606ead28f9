package fetch

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestPartitionsOfNamesAndPatterns(t *testing.T) {
	f := newFake(t, 1)
	for _, name := range []string{"prices.b", "prices.a", "trades", "__prices", "prices.old"} {
		f.topic(name)
	}
	cfg := impatient()
	cfg.Properties["topic.blacklist"] = `^.*\.old$,^x$`
	c := dial(t, f, cfg)
	for asked, want := range map[string][]string{
		"trades":            {"trades"},
		"^prices":           {"prices.a", "prices.b"},
		"^.*prices":         {"prices.a", "prices.b"}, // internal topics are read by their names only
		"^trades,^prices.a": {"prices.a", "trades"},
		"trades,^tr":        {"trades"},
		"__prices":          {"__prices"},
		"prices.old":        {"prices.old"},
	} {
		got, err := c.Partitions(t.Context(), strings.Split(asked, ","))
		var names []string
		for _, p := range got {
			if p.Partition != 0 || p.Offset != 0 {
				t.Errorf("%+v", p)
			}
			names = append(names, p.Topic)
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %v, %v", asked, names, err)
		}
	}
}

func TestTopicsThatAreNotThereAreNamed(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t")
	c := dial(t, f, impatient())
	for asked, want := range map[string]string{"t,mistyped": "topic mistyped: the cluster does not have it", "T": "Did you mean t?", "^mis": `"^mis" matches none`, "^(": "no regular expression"} {
		before := f.count(3)
		_, err := c.Partitions(t.Context(), strings.Split(asked, ","))
		var e *source.Error
		if !errors.As(err, &e) || (e.Code == status.TopicNotFoundError) == (asked == "^(") || !strings.Contains(err.Error(), want) || f.count(3) > before+2 { // the second one is for the names that there are
			t.Errorf("%s: %v after %d requests", asked, err, f.count(3)-before)
		}
	}
	f.answer = func(_ int32, req kmsg.Request) kmsg.Response {
		if req, ok := req.(*kmsg.MetadataRequest); ok && req.Topics != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			resp := f.metadata(req).(*kmsg.MetadataResponse)
			resp.Topics[0].ErrorCode = kerr.TopicAuthorizationFailed.Code
			return resp
		}
		return nil
	}
	var e *source.Error
	if _, err := c.Partitions(t.Context(), []string{"t"}); !errors.As(err, &e) || e.Code != status.BrokerError || !strings.Contains(err.Error(), "topic t: TOPIC_AUTHORIZATION_FAILED") {
		t.Error(err)
	}
}

func TestOffsetsOfBeginningsEndsAndTimes(t *testing.T) {
	f := newFake(t, 2)
	a, b := f.topic("a"), f.topic("b")
	f.topic("empty")
	for i := range 5 {
		a.add(batchOf{firstTime: int64(1000 * i), lastTime: int64(1000 * i), records: []rec{{value: []byte("v")}}}.bytes())
		b.add(batchOf{firstTime: 500, lastTime: 500, records: []rec{{value: []byte("v")}}}.bytes())
	}
	f.change(func() { a.start, a.leader, b.stable = 1, 1, 3 })
	f.answer = func() func(int32, kmsg.Request) kmsg.Response {
		first := true // the metadata is out of date
		return func(_ int32, req kmsg.Request) kmsg.Response {
			if _, ok := req.(*kmsg.ListOffsetsRequest); ok && first {
				first = false
				f.change(func() { a.leader = 0 })
			}
			return nil
		}
	}()
	asked := []source.Position{
		{Topic: "a", Offset: source.Beginning}, {Topic: "b", Offset: source.End}, {Topic: "empty", Offset: 77},
	}
	c := dial(t, f, impatient())
	got, err := c.Offsets(t.Context(), asked)
	want := []source.Position{{Topic: "a", Offset: 1}, {Topic: "b", Offset: 3}, {Topic: "empty", Offset: 0}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for time, want := range map[int64]int64{0: 0, 1: 1, 2000: 2, 4000: 4, 4001: 5} {
		if got, err := c.Offsets(t.Context(), []source.Position{{Topic: "a", Offset: time}}); err != nil || got[0].Offset != want {
			t.Errorf("at %d: %v, %v", time, got, err)
		}
	}
	cfg := impatient()
	cfg.Properties["isolation.level"] = "read_uncommitted"
	if got, err := dial(t, f, cfg).Offsets(t.Context(), asked[1:2]); err != nil || got[0].Offset != 5 {
		t.Errorf("uncommitted: %v, %v", got, err)
	}
	cfg.RetryTimeout = 50 * time.Millisecond
	if _, err := dial(t, f, cfg).Offsets(t.Context(), []source.Position{{Topic: "a", Partition: 9, Offset: source.End}}); err == nil || !strings.Contains(err.Error(), "a[9]: ") {
		t.Error(err)
	}
}

func TestAClusterThatIsNotThereIsAnErrorWhenTheTimeIsOver(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cfg := impatient()
	cfg.Servers = address
	c, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var e *source.Error
	if _, err := c.Partitions(ctx, []string{"t"}); !errors.As(err, &e) || e.Code != status.BrokerError || !strings.Contains(err.Error(), "partitions: the cluster does not answer: ") || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
}

func TestATopicThatIsDeletedWhileItIsReadIsNotThere(t *testing.T) {
	f := newFake(t, 1)
	f.topic("t").fill(100)
	f.fetches(func(n int, _ int32, _ *kmsg.FetchRequest) kmsg.Response {
		if n == 3 {
			f.change(func() { delete(f.logs, "t") })
		}
		return nil
	})
	cfg := impatient()
	cfg.RetryTimeout = 200 * time.Millisecond
	rows, report, err := readAll(t, dial(t, f, cfg), Range{"t", 0, 0, 1000})
	var e *source.Error
	if !errors.As(err, &e) || e.Code != status.TopicNotFoundError || e.Topic != "t" || int64(len(rows)) != report.Next || report.Next == 1000 {
		t.Errorf("%d rows, %v, %+v", len(rows), err, report)
	}
}
