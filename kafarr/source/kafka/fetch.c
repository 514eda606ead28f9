#include "fetch.h"

#include <stdlib.h>
#include <string.h>

int kafarr_fetch_init(struct kafarr_fetch *f, int64_t capacity) {
  memset(f, 0, sizeof *f);
  f->messages = calloc((size_t)capacity, sizeof *f->messages);
  f->records = calloc((size_t)capacity, sizeof *f->records);
  f->runs = calloc((size_t)capacity, sizeof *f->runs);
  f->capacity = capacity;
  return f->messages != NULL && f->records != NULL && f->runs != NULL;
}

void kafarr_fetch_free(struct kafarr_fetch *f) {
  kafarr_fetch_release(f);
  free(f->messages);
  free(f->records);
  free(f->runs);
  free(f->headers);
  memset(f, 0, sizeof *f);
}

/* Headers of all messages go into one array; records point into it once it has stopped growing. */
static int lay_out_headers(struct kafarr_fetch *f) {
  int64_t used = 0;
  for (int64_t i = 0; i < f->count; i++) {
    rd_kafka_headers_t *headers;
    struct kafarr_record *r = &f->records[i];
    r->header_count = 0;
    if (f->messages[i]->err != 0 || rd_kafka_message_headers(f->messages[i], &headers) != 0) continue;
    int64_t n = (int64_t)rd_kafka_header_cnt(headers);
    if (used + n > f->header_capacity) {
      int64_t capacity = 2 * (used + n);
      struct kafarr_header *grown = realloc(f->headers, (size_t)capacity * sizeof *grown);
      if (grown == NULL) return 0;
      f->headers = grown;
      f->header_capacity = capacity;
    }
    for (int64_t k = 0; k < n; k++) {
      const char *name;
      const void *value;
      size_t size;
      if (rd_kafka_header_get_all(headers, (size_t)k, &name, &value, &size) != 0) break;
      struct kafarr_header *h = &f->headers[used++];
      h->name = name;
      h->name_len = (int32_t)strlen(name);
      h->value = value;
      h->value_len = value == NULL ? -1 : (int32_t)size;
      r->header_count++;
    }
  }
  struct kafarr_header *next = f->headers;
  for (int64_t i = 0; i < f->count; i++) {
    f->records[i].headers = f->records[i].header_count > 0 ? next : NULL;
    next += f->records[i].header_count;
  }
  return 1;
}

int64_t kafarr_fetch_run(struct kafarr_fetch *f, rd_kafka_queue_t *queue, int64_t max, int wait_ms, int want) {
  if (max > f->capacity) max = f->capacity;
  /* rd_kafka_consume_batch_queue waits its whole time-out while the queue is shorter than asked. So take what is there; only
   * when there is nothing, wait for one message, and then take its company. */
  ssize_t n = rd_kafka_consume_batch_queue(queue, 0, f->messages, (size_t)max);
  if (n == 0 && wait_ms > 0) {
    n = rd_kafka_consume_batch_queue(queue, wait_ms, f->messages, 1);
    if (n == 1 && max > 1) {
      ssize_t more = rd_kafka_consume_batch_queue(queue, 0, f->messages + 1, (size_t)max - 1);
      if (more > 0) n += more;
    }
  }
  if (n < 0) n = 0;
  f->count = n;
  f->run_count = 0;
  const rd_kafka_topic_t *topic = NULL;
  struct kafarr_run *run = NULL;
  for (int64_t i = 0; i < n; i++) {
    const rd_kafka_message_t *m = f->messages[i];
    struct kafarr_record *r = &f->records[i];
    r->value = m->payload;
    r->value_len = m->payload == NULL ? -1 : (int32_t)m->len;
    r->key = m->key;
    r->key_len = m->key == NULL ? -1 : (int32_t)m->key_len;
    r->offset = m->offset;
    r->timestamp_type = 0;
    r->leader_epoch = -1;
    r->header_count = 0;
    r->headers = NULL;
    if (want & KAFARR_WANT_TIMESTAMP && m->err == 0) {
      int type;
      r->timestamp = rd_kafka_message_timestamp(m, &type);
      r->timestamp_type = type;
    }
    if (want & KAFARR_WANT_LEADER_EPOCH && m->err == 0) r->leader_epoch = rd_kafka_message_leader_epoch(m);
    if (run == NULL || m->rkt != topic || m->partition != run->partition || m->err != 0 || run->err != 0) {
      topic = m->rkt;
      run = &f->runs[f->run_count++];
      run->topic = topic == NULL ? "" : rd_kafka_topic_name(topic);
      run->partition = m->partition;
      run->err = m->err;
      run->first = i;
      run->count = 0;
    }
    run->count++;
  }
  if (want & KAFARR_WANT_HEADERS && !lay_out_headers(f)) return -1;
  return n;
}

void kafarr_fetch_release(struct kafarr_fetch *f) {
  for (int64_t i = 0; i < f->count; i++) rd_kafka_message_destroy(f->messages[i]);
  f->count = 0;
  f->run_count = 0;
}

void kafarr_forward_partition(rd_kafka_t *rk, const char *topic, int32_t partition, rd_kafka_queue_t *queue) {
  rd_kafka_queue_t *from = rd_kafka_queue_get_partition(rk, topic, partition);
  if (from == NULL) return;
  rd_kafka_queue_forward(from, queue);
  rd_kafka_queue_destroy(from);
}
