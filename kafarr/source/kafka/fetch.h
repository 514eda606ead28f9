/* The short way for messages: one call fetches thousands and lays them out as an array of spans.
 *
 * The few declarations of librdkafka that this needs are repeated here instead of including rdkafka.h, because the
 * header lies inside confluent-kafka-go's module, where another module's build cannot name it. They are part of
 * librdkafka's stable ABI; the symbols themselves are those that confluent-kafka-go links. */
#ifndef KAFARR_FETCH_H
#define KAFARR_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_queue_s rd_kafka_queue_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_headers_s rd_kafka_headers_t;

typedef struct rd_kafka_message_s {
  int err;
  rd_kafka_topic_t *rkt;
  int32_t partition;
  void *payload;
  size_t len;
  void *key;
  size_t key_len;
  int64_t offset;
  void *_private;
} rd_kafka_message_t;

rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *);
void rd_kafka_queue_destroy(rd_kafka_queue_t *);
rd_kafka_queue_t *rd_kafka_queue_get_partition(rd_kafka_t *, const char *topic, int32_t partition);
void rd_kafka_queue_forward(rd_kafka_queue_t *from, rd_kafka_queue_t *to);
ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *, int timeout_ms, rd_kafka_message_t **, size_t);
void rd_kafka_message_destroy(rd_kafka_message_t *);
int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *, int *type);
int rd_kafka_message_headers(const rd_kafka_message_t *, rd_kafka_headers_t **);
size_t rd_kafka_header_cnt(const rd_kafka_headers_t *);
int rd_kafka_header_get_all(const rd_kafka_headers_t *, size_t, const char **name, const void **value, size_t *size);
int32_t rd_kafka_message_leader_epoch(const rd_kafka_message_t *);
const char *rd_kafka_topic_name(const rd_kafka_topic_t *);
int rd_kafka_fatal_error(rd_kafka_t *, char *text, size_t size);
int rd_kafka_consumer_closed(rd_kafka_t *);
typedef struct rd_kafka_consumer_group_metadata_s rd_kafka_consumer_group_metadata_t;
rd_kafka_consumer_group_metadata_t *rd_kafka_consumer_group_metadata(rd_kafka_t *);
char *rd_kafka_clusterid(rd_kafka_t *, int timeout_ms);
void rd_kafka_mem_free(rd_kafka_t *, void *);
const char *rd_kafka_consumer_group_metadata_group_id(const rd_kafka_consumer_group_metadata_t *);
const char *rd_kafka_consumer_group_metadata_group_instance_id(const rd_kafka_consumer_group_metadata_t *);
const char *rd_kafka_consumer_group_metadata_member_id(const rd_kafka_consumer_group_metadata_t *);
int32_t rd_kafka_consumer_group_metadata_generation_id(const rd_kafka_consumer_group_metadata_t *);
void rd_kafka_consumer_group_metadata_destroy(rd_kafka_consumer_group_metadata_t *);
void rd_kafka_destroy_flags(rd_kafka_t *, int flags);
enum { RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE = 0x8 };

struct kafarr_header {
  const char *name;
  const void *value;
  int32_t name_len;
  int32_t value_len; /* -1: null */
};

/* source.Record in Go: keep both alike. */
struct kafarr_record {
  const void *value;
  const void *key;
  int64_t offset;
  int64_t timestamp;
  int32_t value_len; /* -1: null */
  int32_t key_len;   /* -1: null */
  int32_t timestamp_type;
  int32_t header_count;
  struct kafarr_header *headers;
  int32_t leader_epoch; /* -1: unknown */
  int32_t padding;
};

/* Records [first, first + count) come from one partition. err is not 0: the one record is an error event, whose text is
 * its value. */
struct kafarr_run {
  const char *topic;
  int32_t partition;
  int32_t err;
  int64_t first;
  int64_t count;
};

/* What one fetch brought. The arrays are made once and used again by every fetch. */
struct kafarr_fetch {
  rd_kafka_message_t **messages;
  struct kafarr_record *records;
  struct kafarr_run *runs;
  struct kafarr_header *headers;
  int64_t capacity;
  int64_t header_capacity;
  int64_t count;
  int64_t run_count;
};

/* Which properties of a message beyond value, key and offset are wanted: each costs a call per message. */
enum { KAFARR_WANT_TIMESTAMP = 1, KAFARR_WANT_HEADERS = 2, KAFARR_WANT_LEADER_EPOCH = 4 };

/* Makes room for capacity messages; 0 when there is no memory. */
int kafarr_fetch_init(struct kafarr_fetch *fetch, int64_t capacity);
void kafarr_fetch_free(struct kafarr_fetch *fetch);

/* Takes up to max messages that wait in the queue; when there are none, waits wait_ms for the first one and takes what came
 * with it. The memory stays valid until kafarr_fetch_release. -1: no memory for the headers. */
int64_t kafarr_fetch_run(struct kafarr_fetch *fetch, rd_kafka_queue_t *queue, int64_t max, int wait_ms, int want);

/* Destroys the messages. */
void kafarr_fetch_release(struct kafarr_fetch *fetch);

/* Sends a partition's messages to the queue instead of the consumer's own. */
void kafarr_forward_partition(rd_kafka_t *rk, const char *topic, int32_t partition, rd_kafka_queue_t *queue);

#endif
