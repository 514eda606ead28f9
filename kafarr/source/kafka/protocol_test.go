package kafka_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

func TestABrokerWithoutTheNewerProtocolOfGroupsIsReportedEveryTime(t *testing.T) {
	for name, properties := range map[string]map[string]string{
		"on defaults":          {"group.protocol": "consumer"},
		"with fewer log lines": {"group.protocol": "consumer", "log_level": "3"},
	} {
		t.Run(name, func(t *testing.T) {
			old, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kversion.V3_6_0()), kfake.SeedTopics(1, "t"))
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			var debug atomic.Int32
			s, err := kafka.Open(kafka.Config{
				Servers: strings.Join(old.ListenAddrs(), ","), Group: "g", Topics: []string{"t"}, Handler: &handler{},
				Properties: properties,
				Log: func(level int, _, _ string) {
					if level > 6 {
						debug.Add(1)
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			why := ""
			serve(t, "nothing says that the broker lacks the protocol", func() bool {
				_, err := s.Stuck()
				if err != nil {
					why = err.Error()
				}
				return err != nil
			}, s)
			if _, again := s.Stuck(); again == nil || !strings.Contains(why, "group.protocol=consumer (KIP-848), which Kafka supports from 4.0 on") {
				t.Errorf("it says %q, and then %v", why, again)
			}
			closeAll(t, s)
			if n := debug.Load(); n > 0 {
				t.Errorf("%d debug lines were logged, for which nobody had asked", n)
			}
		})
	}
}
