/* The limit: librdkafka hands out batches of messages, and all that is done with them is to add up their lengths.
 *
 * The same librdkafka, the same short way and the same waits as kafarr/source/kafka: what the library adds to this is its
 * own cost. raw SERVERS TOPIC GROUP ROWS FRAME_ROWS [PROPERTY=VALUE ...] prints one line of JSON, see meter.py. */

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 8192, WAIT_MS = 50, PATIENCE_S = 60 };

static rd_kafka_queue_t *queue;
static double assigned_at, cpu_at;

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

static void rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *partitions, void *opaque) {
  (void)opaque;
  if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    rd_kafka_assign(rk, NULL);
    return;
  }
  assigned_at = now();
  cpu_at = cpu();
  for (int i = 0; i < partitions->cnt; i++) {
    rd_kafka_queue_t *from = rd_kafka_queue_get_partition(rk, partitions->elems[i].topic, partitions->elems[i].partition);
    rd_kafka_queue_forward(from, queue);
    rd_kafka_queue_destroy(from);
  }
  rd_kafka_assign(rk, partitions);
}

static rd_kafka_t *consumer(int argc, char **argv) {
  char why[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], NULL, 0);
  rd_kafka_conf_set(conf, "group.id", argv[3], NULL, 0);
  for (int i = 6; i < argc; i++) {
    char *equals = strchr(argv[i], '=');
    if (equals == NULL) fail(argv[i], "not PROPERTY=VALUE");
    *equals = '\0';
    if (rd_kafka_conf_set(conf, argv[i], equals + 1, why, sizeof why) != RD_KAFKA_CONF_OK) fail(argv[i], why);
  }
  rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (rk == NULL) fail("rd_kafka_new", why);
  rd_kafka_poll_set_consumer(rk);
  queue = rd_kafka_queue_new(rk);
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t err = rd_kafka_subscribe(rk, topics);
  if (err) fail("rd_kafka_subscribe", rd_kafka_err2str(err));
  rd_kafka_topic_partition_list_destroy(topics);
  return rk;
}

int main(int argc, char **argv) {
  if (argc < 6) fail("usage", "raw SERVERS TOPIC GROUP ROWS FRAME_ROWS [PROPERTY=VALUE ...]");
  long long wanted = atoll(argv[4]), frame_rows = atoll(argv[5]), rows = 0, bytes = 0;
  double first_frame = 0;
  rd_kafka_message_t **messages = calloc(BATCH, sizeof(rd_kafka_message_t *));
  long long memory_before = memory("VmRSS");
  double deadline = now() + PATIENCE_S;
  rd_kafka_t *rk = consumer(argc, argv);

  while (rows < wanted) {
    if (now() > deadline) fail("time-out", "the rows did not come");
    rd_kafka_message_t *event = rd_kafka_consumer_poll(rk, 0); /* serves the rebalance; messages come by the queue */
    if (event != NULL) fail("consumer", rd_kafka_message_errstr(event));
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, messages, BATCH);
    if (n == 0) n = rd_kafka_consume_batch_queue(queue, assigned_at > 0 ? WAIT_MS : 1, messages, 1);
    for (ssize_t i = 0; i < n; i++) {
      if (messages[i]->err) fail("message", rd_kafka_message_errstr(messages[i]));
      bytes += rows < wanted ? (long long)messages[i]->len : 0;
      rows++;
      rd_kafka_message_destroy(messages[i]);
      if (rows == frame_rows) first_frame = now() - assigned_at;
    }
  }

  double seconds = now() - assigned_at, cpu_seconds = cpu() - cpu_at;
  printf("{\"seconds\": %.6f, \"first_frame_seconds\": %.6f, \"rows\": %lld, \"bytes\": %lld, \"cpu_seconds\": %.6f, "
         "\"rss_before\": %lld, \"peak_rss_bytes\": %lld, \"frame_bytes\": 0, \"id_sum\": null, \"flag_count\": null, "
         "\"version\": \"librdkafka %s\"}\n",
         seconds, first_frame, wanted, bytes, cpu_seconds, memory_before, memory("VmHWM"), rd_kafka_version_str());
  fflush(stdout);
  rd_kafka_queue_destroy(queue); /* before the close, which would wait for it for ever */
  rd_kafka_consumer_close(rk);
  rd_kafka_destroy(rk);
  return 0;
}
