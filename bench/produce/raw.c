/* The limit: librdkafka is handed messages that are encoded already, by rd_kafka_produce_batch.
 *
 * raw SERVERS TOPIC PARTITIONS VALUES ROWS [PROPERTY=VALUE ...] prints one line of JSON, see meter.py. VALUES is a file of a
 * number of messages, their lengths (all of 32 bits), and their bytes; it is sent over and over until there are ROWS. */

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CHUNK = 10000, PATIENCE_MS = 60000 };

static long long failed;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A line of /proc/self/status, in bytes. */
static long long memory(const char *name) {
  char line[256];
  long long kilobytes = 0;
  FILE *f = fopen("/proc/self/status", "r");
  if (f == NULL) return 0;
  while (fgets(line, sizeof line, f) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %lld", &kilobytes);
  fclose(f);
  return kilobytes * 1024;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "raw: %s: %s\n", what, why);
  exit(1);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk;
  (void)opaque;
  if (message->err) failed++;
}

/* Messages that the queue had no room for are offered again. */
static void send_all(rd_kafka_t *rk, rd_kafka_topic_t *topic, int partition, rd_kafka_message_t *messages, int count) {
  while (count > 0) {
    int taken = rd_kafka_produce_batch(topic, partition, 0, messages, count), left = 0;
    if (taken == count) return;
    for (int i = 0; i < count; i++)
      if (messages[i].err) {
        if (messages[i].err != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("produce", rd_kafka_err2str(messages[i].err));
        messages[left] = messages[i];
        messages[left++].err = RD_KAFKA_RESP_ERR_NO_ERROR;
      }
    count = left;
    rd_kafka_poll(rk, 1);
  }
}

static void flush_all(rd_kafka_t *rk) {
  rd_kafka_resp_err_t err = rd_kafka_flush(rk, PATIENCE_MS);
  if (err) fail("flush", rd_kafka_err2str(err));
}

int main(int argc, char **argv) {
  if (argc < 6) fail("usage", "raw SERVERS TOPIC PARTITIONS VALUES ROWS [PROPERTY=VALUE ...]");
  char why[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], NULL, 0);
  rd_kafka_conf_set(conf, "delivery.report.only.error", "true", NULL, 0);
  for (int i = 6; i < argc; i++) {
    char *equals = strchr(argv[i], '=');
    if (equals == NULL) fail(argv[i], "not PROPERTY=VALUE");
    *equals = '\0';
    if (rd_kafka_conf_set(conf, argv[i], equals + 1, why, sizeof why) != RD_KAFKA_CONF_OK) fail(argv[i], why);
  }
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  FILE *f = fopen(argv[4], "rb");
  uint32_t values, *lengths;
  if (f == NULL || fread(&values, 4, 1, f) != 1 || (lengths = malloc(4ul * values)) == NULL || fread(lengths, 4, values, f) != values) fail(argv[4], "cannot be read");
  size_t total = 0;
  for (uint32_t i = 0; i < values; i++) total += lengths[i];
  char *bytes = malloc(total);
  if (bytes == NULL || fread(bytes, 1, total, f) != total) fail(argv[4], "cannot be read");
  fclose(f);
  int partitions = atoi(argv[3]);
  long long rows = atoll(argv[5]);

  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (rk == NULL) fail("rd_kafka_new", why);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
  rd_kafka_message_t *messages = calloc(CHUNK, sizeof *messages);
  /* The first message, which is not counted, brings the metadata, the producer's id and the connection. */
  messages[0].payload = bytes;
  messages[0].len = lengths[0];
  send_all(rk, topic, 0, messages, 1);
  flush_all(rk);

  long long memory_before = memory("VmRSS"), sent = 0;
  f = fopen("/proc/self/clear_refs", "w");
  if (f != NULL) {
    fputs("5", f);
    fclose(f);
  }
  double began = now(), cpu_before = cpu();
  for (int chunk = 0; sent < rows; chunk++) {
    static uint32_t next;
    static char *at;
    int count = 0;
    for (; count < CHUNK && sent + count < rows; count++) {
      if (next == 0) at = bytes;
      messages[count].payload = at;
      messages[count].len = lengths[next];
      messages[count].err = RD_KAFKA_RESP_ERR_NO_ERROR;
      at += lengths[next];
      next = next + 1 < values ? next + 1 : 0;
    }
    sent += count;
    send_all(rk, topic, chunk % partitions, messages, count);
    rd_kafka_poll(rk, 0);
  }
  flush_all(rk);
  double seconds = now() - began, cpu_seconds = cpu() - cpu_before;
  if (failed) fail("delivery", "some messages were not delivered");
  printf("{\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"rows\": %lld, \"rss_before\": %lld, \"peak_rss_bytes\": %lld, \"version\": \"librdkafka %s\"}\n", seconds, cpu_seconds, rows,
         memory_before, memory("VmHWM"), rd_kafka_version_str());
  return 0;
}
