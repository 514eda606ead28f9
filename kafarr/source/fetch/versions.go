package fetch

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// versions keeps the first request of a connection, for the broker's versions, to the form that librdkafka's mock cluster answers in: it takes the newer one's header for another.
func versions() kgo.Opt {
	newest := kversion.Stable()
	newest.SetMaxKeyVersion(kmsg.ApiVersions.Int16(), 2)
	return kgo.MaxVersions(newest)
}
