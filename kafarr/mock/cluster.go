package mock

/*
#include <stdlib.h>

// The few declarations of librdkafka that this needs, repeated because its headers lie inside confluent-kafka-go's
// module, where another module's build cannot name them. The symbols are those that confluent-kafka-go links.
typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_mock_cluster_s rd_kafka_mock_cluster_t;
rd_kafka_conf_t *rd_kafka_conf_new(void);
void rd_kafka_conf_destroy(rd_kafka_conf_t *);
void rd_kafka_conf_set_log_cb(rd_kafka_conf_t *, void (*)(const rd_kafka_t *, int, const char *, const char *));
rd_kafka_t *rd_kafka_new(int type, rd_kafka_conf_t *, char *errstr, size_t);
void rd_kafka_destroy(rd_kafka_t *);
rd_kafka_mock_cluster_t *rd_kafka_mock_cluster_new(rd_kafka_t *, int brokers);
void rd_kafka_mock_cluster_destroy(rd_kafka_mock_cluster_t *);
const char *rd_kafka_mock_cluster_bootstraps(const rd_kafka_mock_cluster_t *);
int rd_kafka_mock_topic_create(rd_kafka_mock_cluster_t *, const char *topic, int partitions, int replication);
void rd_kafka_mock_group_initial_rebalance_delay_ms(rd_kafka_mock_cluster_t *, int32_t);

static void silent(const rd_kafka_t *rk, int level, const char *facility, const char *line) {}

static rd_kafka_t *kafarr_mock_handle(char *errstr, size_t size) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, silent);
  rd_kafka_t *rk = rd_kafka_new(0, conf, errstr, size); // 0: RD_KAFKA_PRODUCER
  if (!rk)
    rd_kafka_conf_destroy(conf);
  return rk;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// cluster is librdkafka's mock cluster. confluent-kafka-go's MockCluster is the same, but writes a warning to
// stderr for each cluster, and lets every consumer group wait 3 seconds before its first assignment.
type cluster struct {
	rk *C.rd_kafka_t
	mc *C.rd_kafka_mock_cluster_t
}

func newCluster(brokers int) (*cluster, error) {
	text := (*C.char)(C.calloc(512, 1))
	defer C.free(unsafe.Pointer(text))
	rk := C.kafarr_mock_handle(text, 512)
	if rk == nil {
		return nil, errors.New(C.GoString(text))
	}
	mc := C.rd_kafka_mock_cluster_new(rk, C.int(brokers))
	if mc == nil {
		C.rd_kafka_destroy(rk)
		return nil, fmt.Errorf("a cluster of %d brokers cannot be made", brokers)
	}
	C.rd_kafka_mock_group_initial_rebalance_delay_ms(mc, 0)
	return &cluster{rk, mc}, nil
}

func (c *cluster) servers() string { return C.GoString(C.rd_kafka_mock_cluster_bootstraps(c.mc)) }

// createTopic answers ErrTopicAlreadyExists where it does, with however many partitions.
func (c *cluster) createTopic(topic string, partitions int) kafka.ErrorCode {
	text := C.CString(topic)
	defer C.free(unsafe.Pointer(text))
	return kafka.ErrorCode(C.rd_kafka_mock_topic_create(c.mc, text, C.int(partitions), 1))
}

func (c *cluster) close() {
	C.rd_kafka_mock_cluster_destroy(c.mc)
	C.rd_kafka_destroy(c.rk)
}
