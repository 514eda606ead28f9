/* driver.c: all that a C program does with the library, from the first call to the last, for leak checkers to watch.
 *
 *   driver LIBRARY SERVERS REGISTRY TOPIC GROUP ROWS [LEAK]
 *
 * Reads ROWS rows, rejected ones included, with two listeners one after the other; decodes without a broker; makes calls that fail;
 * and checks what it gets. LEAK is a mistake to make on purpose, one of the table at the end. The program itself finds only what
 * kafarr_live_bytes() counts: exit status 2. The rest is found by LeakSanitizer or valgrind around it. Any other failure: status 1.
 */
#include "kafarr.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 50, POLL_MS = 500, PATIENCE = 60, MOST_ROWS = 500 };

static const char *leak = "nothing";

static int leaks(const char *what) { return strcmp(leak, what) == 0; }

static void check(int true, const char *format, ...) {
  if (true) return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static struct kafarr_error no_error(void) { return (struct kafarr_error){0}; }

static void check_ok(int32_t status, const char *call, const struct kafarr_error *error) {
  check(status == KAFARR_OK, "%s: status %d: %s", call, (int)status, error->message);
}

static void check_failed(int32_t status, int32_t wanted, const char *call, const struct kafarr_error *error) {
  check(status == wanted && error->code == wanted, "%s: status %d, not %d: %s", call, (int)status, (int)wanted, error->message);
  check(error->message[0] != '\0', "%s: status %d, and not a word why", call, (int)status);
}

/* ---- The library ---- */

/* Loaded and not linked: a preloaded LeakSanitizer is set up only after the libraries that the program is linked with, and Go sets
 * up its signal handlers through it. */
#define FUNCTIONS(each) \
  each(kafarr_live_bytes) each(kafarr_free) each(kafarr_wait) each(listener_new) each(listener_poll) each(listener_events) \
  each(listener_commit_start) each(listener_stats) each(listener_close_start) each(listener_free) each(decoder_new) \
  each(decoder_decode) each(decoder_stop) each(decoder_stats) each(decoder_free)

static struct {
#define MEMBER(name) __typeof__(&name) name;
  FUNCTIONS(MEMBER)
  void (*kafarr_testing_leak)(int64_t bytes); /* kafarr_testing.h: NULL in the released library */
} library;

static void *function(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  check(found != NULL, "the library has no %s", name);
  return found;
}

static void load(const char *path) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  check(handle != NULL, "%s", handle == NULL ? dlerror() : "");
#define LOAD(name) library.name = (__typeof__(&name))function(handle, #name);
  FUNCTIONS(LOAD)
  library.kafarr_testing_leak = (void (*)(int64_t))dlsym(handle, "kafarr_testing_leak");
}

static void wait_for(int64_t operation, const char *call) {
  struct kafarr_error error = no_error();
  char *result = NULL;
  int32_t status;
  do status = library.kafarr_wait(operation, SLICE_MS, &result, &error);
  while (status == KAFARR_PENDING);
  check_ok(status, call, &error);
  library.kafarr_free(result);
}

/* ---- Batches ---- */

static void release(struct ArrowArray *array, struct ArrowSchema *schema) {
  if (array->release != NULL) array->release(array);
  if (schema->release != NULL) schema->release(schema);
  check(array->release == NULL && schema->release == NULL, "a release callback does not say that it ran");
}

static void check_columns(const struct ArrowArray *array, const struct ArrowSchema *schema, int64_t rows) {
  check(array->release != NULL && schema->release != NULL, "a batch of %lld rows holds no columns", (long long)rows);
  check(array->length == rows, "%lld rows are said, the array has %lld", (long long)rows, (long long)array->length);
  check(strcmp(schema->format, "+s") == 0, "a batch is a struct array, not %s", schema->format);
  check(array->n_children > 0 && array->n_children == schema->n_children, "array and schema differ in their columns");
}

/* Checks a batch and gives it back. Returns its rows, and writes its id and first range into named, the way a commit takes them. */
static int64_t consume(struct kafarr_batch *batch, const char *topic, char *named, size_t size) {
  int64_t rows = batch->rows + batch->rejected_rows;
  if (rows == 0) return 0;
  if (batch->rows > 0) check_columns(&batch->array, &batch->schema, batch->rows);
  if (batch->rejected_rows > 0) check_columns(&batch->rejected, &batch->rejected_schema, batch->rejected_rows);

  const char *ranges = strstr(batch->info, "\"ranges\":[[\"");
  check(ranges != NULL, "a batch has no ranges: %s", batch->info);
  int partition;
  long long id, first, next;
  const char *number = strstr(batch->info, "\"id\":");
  check(number != NULL && sscanf(number, "\"id\":%lld", &id) == 1, "a batch has no id: %s", batch->info);
  check(sscanf(ranges, "\"ranges\":[[\"%*[^\"]\",%d,%lld,%lld", &partition, &first, &next) == 3, "unreadable: %s", batch->info);
  check(first < next, "a range without rows: %s", batch->info);
  snprintf(named, size, "{\"ids\":[%lld],\"ranges\":[[\"%s\",%d,%lld,%lld]]}", id, topic, partition, first, next);

  if (leaks("a batch")) batch->array.release = NULL;
  release(&batch->array, &batch->schema);
  release(&batch->rejected, &batch->rejected_schema);
  if (!leaks("a text")) library.kafarr_free(batch->info);
  return rows;
}

/* ---- A listener's life ---- */

static int64_t open_listener(char **arguments) {
  char config[4096];
  int length = snprintf(
      config, sizeof config,
      "{\"servers\": \"%s\", \"registry_url\": \"%s\", \"topics\": [\"%s\"], \"group\": \"%s\", \"errors\": \"collect\","
      " \"config\": {\"auto.offset.reset\": \"earliest\"}, \"registry_config\": {}, \"ready_timeout_ms\": 30000,"
      " \"metadata\": [[\"_offset\", \"\"], [\"_topic\", \"\"], [\"_timestamp\", \"\"], [\"_key\", \"\"], [\"_headers\", \"\"]]}",
      arguments[0], arguments[1], arguments[2], arguments[3]);
  check(length < (int)sizeof config, "the arguments are too long");
  int64_t listener = 0;
  struct kafarr_error error = no_error();
  check_ok(library.listener_new(config, length, &listener, &error), "listener_new", &error);
  return listener;
}

static int64_t poll_once(int64_t listener, const char *topic, int64_t most, char *named, size_t size) {
  struct kafarr_batch batch = {0};
  struct kafarr_error error = no_error();
  int32_t status, begin = 1;
  do {
    status = library.listener_poll(listener, begin, most, POLL_MS, SLICE_MS, &batch, &error);
    begin = 0;
  } while (status == KAFARR_PENDING);
  check_ok(status, "listener_poll", &error);
  return consume(&batch, topic, named, size);
}

static void look_around(int64_t listener) {
  struct kafarr_error error = no_error();
  char *text = NULL;
  check_ok(library.listener_events(listener, &text, &error), "listener_events", &error);
  library.kafarr_free(text);
  check_ok(library.listener_stats(listener, &text, &error), "listener_stats", &error);
  library.kafarr_free(text);
}

/* Commits the batches, or with NULL all that was returned. */
static void commit(int64_t listener, const char *batches) {
  struct kafarr_error error = no_error();
  int64_t operation = 0, length = batches == NULL ? 0 : (int64_t)strlen(batches);
  check_ok(library.listener_commit_start(listener, batches, length, &operation, &error), "listener_commit_start", &error);
  wait_for(operation, "commit");
}

/* Returns how many rows it has read: a few more than wanted, if there are rejected ones, which a poll has on top. */
static int64_t read_rows(char **arguments, int64_t wanted) {
  int64_t listener = open_listener(arguments), rows = 0, operation = 0;
  struct kafarr_error error = no_error();
  char named[512];
  for (int in_vain = 0; rows < wanted;) {
    int64_t left = wanted - rows, got = poll_once(listener, arguments[2], left < MOST_ROWS ? left : MOST_ROWS, named, sizeof named);
    if (got > 0 && rows == 0) commit(listener, named);
    if (got == 0) in_vain++;
    check(in_vain < PATIENCE, "%d polls brought nothing, after %lld of %lld rows", in_vain, (long long)rows, (long long)wanted);
    rows += got;
  }
  look_around(listener);
  commit(listener, NULL);
  check_ok(library.listener_close_start(listener, 1, &operation, &error), "listener_close_start", &error);
  wait_for(operation, "close");
  check_ok(library.listener_free(listener, &error), "listener_free", &error);
  error = no_error();
  check_failed(library.listener_stats(listener, NULL, &error), KAFARR_E_CLOSED, "listener_stats of a freed listener", &error);
  return rows;
}

/* ---- What needs no broker ---- */

static void decode(void) {
  const char config[] = "{\"schema\": [\"{\\\"type\\\": \\\"record\\\", \\\"name\\\": \\\"R\\\", \\\"fields\\\": ["
                        "{\\\"name\\\": \\\"n\\\", \\\"type\\\": \\\"long\\\"}, {\\\"name\\\": \\\"s\\\", \\\"type\\\": \\\"string\\\"}]}\", \"\"]}";
  const uint8_t bodies[] = {2, 4, 'h', 'i', 4, 0};                   /* {1, "hi"}, {2, ""} */
  const int64_t offsets[] = {0, 4, 6}, cut_short[] = {0, 4, 5};
  char range[64];
  int64_t decoder = 0, decoding = 0;
  struct kafarr_error error = no_error();
  check_ok(library.decoder_new(config, sizeof config - 1, &decoder, &error), "decoder_new", &error);
  for (int i = 0; i < 10; i++) {
    struct kafarr_batch batch = {0};
    check_ok(library.decoder_decode(decoder, bodies, offsets, 2, 1000, &decoding, &batch, &error), "decoder_decode", &error);
    check_columns(&batch.array, &batch.schema, 2);
    check(((const int64_t *)batch.array.children[0]->buffers[1])[1] == 2, "the second row's number is not 2");
    release(&batch.array, &batch.schema);
    library.kafarr_free(batch.info);
    error = no_error();
    batch = (struct kafarr_batch){0};
    check_failed(library.decoder_decode(decoder, bodies, cut_short, 2, 1000, &decoding, &batch, &error), KAFARR_E_DECODE, "a body cut short", &error);
    check(error.offset == 1 && consume(&batch, "", range, sizeof range) == 0, "a body cut short: wrong place, or rows");
  }
  char *text = NULL;
  check_ok(library.decoder_stats(decoder, &text, &error), "decoder_stats", &error);
  check(strstr(text, "\"rows\":20") != NULL, "decoder_stats: not 20 rows");
  library.kafarr_free(text);
  check_ok(library.decoder_free(decoder, &error), "decoder_free", &error);
  error = no_error();
  check_failed(library.decoder_free(decoder, &error), KAFARR_E_CLOSED, "decoder_free of a freed decoder", &error);
}

static void fail(void) {
  const char no_json[] = "{", no_servers[] = "{\"group\": \"g\", \"topics\": [\"t\"]}", no_schema[] = "{\"schema\": [\"{\", \"\"]}";
  const char no_property[] = "{\"servers\": \"127.0.0.1:9\", \"registry_url\": \"http://127.0.0.1:9\", \"group\": \"g\", \"topics\": [\"t\"],"
                             " \"config\": {\"no.such.property\": \"1\"}}";
  int64_t handle = 0;
  for (int i = 0; i < 10; i++) {
    struct kafarr_error error = no_error();
    check_failed(library.listener_new(no_json, sizeof no_json - 1, &handle, &error), KAFARR_E_CONFIG, "no JSON", &error);
    check_failed(library.listener_new(no_servers, sizeof no_servers - 1, &handle, &error), KAFARR_E_CONFIG, "no servers", &error);
    check_failed(library.listener_new(no_property, sizeof no_property - 1, &handle, &error), KAFARR_E_CONFIG, "no property", &error);
    check_failed(library.decoder_new(no_schema, sizeof no_schema - 1, &handle, &error), KAFARR_E_SCHEMA, "no schema", &error);
  }
  check(handle == 0, "a call that failed gave a handle");
}

/* ---- Mistakes on purpose ---- */

/* More than one, since a copy of the last pointer may still lie about in a register or on the stack: that one counts as in use. */
enum { LOST_BLOCKS = 16, LOST_BYTES = 1000 };

static void lose_counted_blocks(void) {
  check(library.kafarr_testing_leak != NULL, "only the library for tests can lose a block: the one of build/testing");
  for (int i = 0; i < LOST_BLOCKS; i++) library.kafarr_testing_leak(LOST_BYTES);
}

static void lose_memory(void) {
  for (int i = 0; i < LOST_BLOCKS; i++) {
    char *volatile lost = malloc(LOST_BYTES);
    check(lost != NULL, "no memory");
    lost[0] = 1;
  }
}

int main(int count, char **arguments) {
  check(count == 7 || count == 8, "usage: driver LIBRARY SERVERS REGISTRY TOPIC GROUP ROWS [LEAK]");
  int64_t rows = atoll(arguments[6]), half = rows / 2;
  check(half > 0, "ROWS is %s: it must be at least 2", arguments[6]);
  if (count == 8) {
    static const char *known[] = {"a counted block", "memory of its own", "a batch", "a text"};
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(arguments[7], known[i]) != 0) i++;
    check(i < sizeof known / sizeof *known, "no such leak: %s", arguments[7]);
    leak = known[i];
  }
  load(arguments[1]);
  int64_t got = read_rows(arguments + 2, half);
  got += read_rows(arguments + 2, rows - got); /* the same group: goes on where the first has committed */
  check(got == rows, "%lld rows came, not %lld", (long long)got, (long long)rows);
  decode();
  fail();
  if (leaks("a counted block")) lose_counted_blocks();
  if (leaks("memory of its own")) lose_memory();
  printf("%lld bytes alive\n", (long long)library.kafarr_live_bytes());
  return library.kafarr_live_bytes() == 0 ? 0 : 2;
}
