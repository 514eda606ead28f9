package fetch

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cutOff keeps how much of an answer to a Fetch had come when its time was over.
type cutOff struct{ bytes atomic.Int64 }

// OnBrokerRead implements kgo.HookBrokerRead.
func (c *cutOff) OnBrokerRead(_ kgo.BrokerMetadata, key int16, bytes int, _, _ time.Duration, err error) {
	if key == kmsg.Fetch.Int16() && err != nil {
		c.bytes.Store(int64(bytes))
	}
}

// leastFetchBytes is asked for at the least. Brokers send a whole batch whatever its size.
const leastFetchBytes = 1 << 10

// less asks for half of what had come, where the network is too slow for an answer to be whole in its time: as much again would come no further. What came is progress, as long as
// less can be asked for.
func (f *fetcher) less(err error) {
	came := f.c.cut.bytes.Swap(0)
	var timeout net.Error
	if came == 0 || f.grown || f.bytes <= leastFetchBytes || !errors.As(err, &timeout) || !timeout.Timeout() {
		return
	}
	f.bytes = int32(max(min(int64(f.bytes), came)/2, leastFetchBytes)) //nolint:gosec // no more than before
	f.c.cfg.Log(5, "SCAN", fmt.Sprintf("%s[%d] at offset %d: %d bytes of an answer came in its time: %d are asked for from here on", f.r.Topic, f.r.Partition, f.at, came, f.bytes))
	f.moved()
}
