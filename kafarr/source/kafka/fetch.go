package kafka

// #include "fetch.h"
// #include <stdlib.h>
// #include <string.h>
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Both must be laid out alike: C fills arrays of the one that Go reads as slices of the other.
var (
	_ [unsafe.Sizeof(C.struct_kafarr_record{})]byte = [unsafe.Sizeof(source.Record{})]byte{}
	_ [unsafe.Sizeof(C.struct_kafarr_header{})]byte = [unsafe.Sizeof(source.Header{})]byte{}
)

// fetchMax is the number of messages that one C call brings at most. Past 8,192 nothing is gained: the messages of one
// call should still be in the cache when they are decoded.
const fetchMax = 8192

// queue is librdkafka's queue of ours, into which all assigned partitions are forwarded, and what the last fetch took out.
type queue struct {
	rk     *C.rd_kafka_t
	rkqu   *C.rd_kafka_queue_t
	fetch  *C.struct_kafarr_fetch
	want   C.int
	topics map[string]string // interned, so that a run costs no allocation
	chunks []source.Chunk
}

func newQueue(client *rdkafka.Private, want C.int) (*queue, error) {
	q := &queue{rk: (*C.rd_kafka_t)(client.Handle), want: want, topics: map[string]string{}}
	q.fetch = (*C.struct_kafarr_fetch)(C.calloc(1, C.sizeof_struct_kafarr_fetch))
	if q.fetch == nil || C.kafarr_fetch_init(q.fetch, fetchMax) == 0 {
		return nil, fmt.Errorf("no memory for the fetch buffers")
	}
	q.rkqu = C.rd_kafka_queue_new(q.rk)
	return q, nil
}

// forward sends a partition's messages to this queue. It comes before the assignment, or the first messages could
// reach the consumer's own queue.
func (q *queue) forward(topic string, partition int32) {
	name := C.CString(topic)
	defer C.free(unsafe.Pointer(name))
	C.kafarr_forward_partition(q.rk, name, C.int32_t(partition), q.rkqu)
}

// take fetches once. An error event among the messages is handed to failed.
func (q *queue) take(limit int, wait time.Duration, failed func(code int, topic string, partition int32, offset int64, text string)) ([]source.Chunk, error) {
	n := C.kafarr_fetch_run(q.fetch, q.rkqu, C.int64_t(limit), C.int(wait.Milliseconds()), q.want)
	if n < 0 {
		return nil, fmt.Errorf("no memory for the headers of the fetched messages")
	}
	q.chunks = q.chunks[:0]
	if n == 0 {
		return nil, nil
	}
	records := unsafe.Slice((*source.Record)(unsafe.Pointer(q.fetch.records)), int(n))
	for _, run := range unsafe.Slice(q.fetch.runs, int(q.fetch.run_count)) {
		of := records[run.first : run.first+run.count]
		topic := q.topic(run.topic)
		if run.err != 0 {
			text := unsafe.String((*byte)(of[0].Value), max(of[0].ValueLen, 0))
			failed(int(run.err), topic, int32(run.partition), of[0].Offset, string([]byte(text)))
			continue
		}
		q.chunks = append(q.chunks, source.Chunk{Topic: topic, Partition: int32(run.partition), Records: of})
	}
	return q.chunks, nil
}

func (q *queue) topic(name *C.char) string {
	text := unsafe.String((*byte)(unsafe.Pointer(name)), int(C.strlen(name)))
	if t, ok := q.topics[text]; ok {
		return t
	}
	t := C.GoString(name)
	q.topics[t] = t
	return t
}

// fatal is the error after which the client does nothing any more; the code is 0 where there is none.
func (q *queue) fatal() (code int, text string) {
	if C.rd_kafka_fatal_error(q.rk, nil, 0) == 0 { // the usual answer, without memory for a text
		return 0, ""
	}
	const size = 512
	buffer := (*C.char)(C.calloc(size, 1))
	if buffer == nil {
		return int(C.rd_kafka_fatal_error(q.rk, nil, 0)), ""
	}
	defer C.free(unsafe.Pointer(buffer))
	return int(C.rd_kafka_fatal_error(q.rk, buffer, size)), C.GoString(buffer)
}

// groupEnded tells whether the consumer has left its group while it closes.
func (q *queue) groupEnded() bool { return C.rd_kafka_consumer_closed(q.rk) == 1 }

// clusterID is the id of the cluster that the client reads from; empty: the client does not know it yet.
func (q *queue) clusterID() string {
	id := C.rd_kafka_clusterid(q.rk, 0)
	if id == nil {
		return ""
	}
	defer C.rd_kafka_mem_free(q.rk, unsafe.Pointer(id))
	return C.GoString(id)
}

// member is which member of its group the client is. The client's own thread answers, which takes a quarter of a millisecond.
func (q *queue) member() source.GroupMember {
	m := C.rd_kafka_consumer_group_metadata(q.rk)
	if m == nil { // it is no member of a group
		return source.GroupMember{Generation: -1}
	}
	defer C.rd_kafka_consumer_group_metadata_destroy(m)
	return source.GroupMember{
		Group: C.GoString(C.rd_kafka_consumer_group_metadata_group_id(m)), Member: C.GoString(C.rd_kafka_consumer_group_metadata_member_id(m)),
		Instance: C.GoString(C.rd_kafka_consumer_group_metadata_group_instance_id(m)), Generation: int32(C.rd_kafka_consumer_group_metadata_generation_id(m)),
	}
}

// abandon is the consumer's Close after a fatal error: Close itself would wait for ever for a group that librdkafka refuses to leave then. The group has thrown
// the member out, so there is nothing to tell it. The queue must be closed before.
func (q *queue) abandon(client *rdkafka.Private) {
	client.StopReading()
	for _, of := range client.Queues {
		C.rd_kafka_queue_destroy((*C.rd_kafka_queue_t)(of))
	}
	C.rd_kafka_destroy_flags(q.rk, C.RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
}

func (q *queue) release() { C.kafarr_fetch_release(q.fetch) }

// close must come before the consumer's Close, which waits for ever while a queue of ours is alive.
func (q *queue) close() {
	C.kafarr_fetch_free(q.fetch)
	C.free(unsafe.Pointer(q.fetch))
	C.rd_kafka_queue_destroy(q.rkqu)
}
