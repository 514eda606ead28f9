/* kafarr.h: the C interface of the pykafarr library. Written by hand; it is the contract between the
 * Go core (cgo/ exports these functions) and everything that loads the library (pykafarr reads this very
 * file through cffi, a C program includes it).
 *
 * Conventions
 *  - Every function returns a status: KAFARR_OK, KAFARR_PENDING or an error code. On an error the
 *    caller's struct kafarr_error is filled. No function raises, prints or calls back.
 *  - Handles are integers in a table of the library. 0 is never one. A handle that was freed or never
 *    existed answers KAFARR_E_CLOSED; it is never dereferenced.
 *  - Whatever can wait is waited for in slices: the function returns KAFARR_PENDING when slice_ms have
 *    passed, and the caller calls again after looking for its signals. Nothing is lost by not calling again.
 *  - Structs that the library fills are zeroed by the caller. The library and this header are of one version (kafarr_version()).
 *  - Strings that come in are UTF-8 with an explicit length; strings that go out (char **) are
 *    NUL-terminated, allocated by the library and released by kafarr_free().
 *  - Lines that begin with '#' and what stands between CFFI-SKIP marks are not read by cffi.
 */
#ifndef KAFARR_H
#define KAFARR_H

#include <stdint.h>

#ifdef __cplusplus
/* CFFI-SKIP-BEGIN */
extern "C" {
/* CFFI-SKIP-END */
#endif

/* ---- Status and error codes. The same table in Go (kafarr/status/status.go) and Python (_errors.py). ---- */
enum kafarr_status {
  KAFARR_OK = 0,
  KAFARR_PENDING = 1,               /* not finished within the slice: call again */
  KAFARR_E_CONFIG = 10,             /* ConfigError: an option, a property or an argument is wrong; of a poll: it passes no message */
  KAFARR_E_BROKER = 11,             /* BrokerError: the Kafka cluster did not do what was asked */
  KAFARR_E_AUTHENTICATION = 12,     /* AuthenticationError: the cluster refused the credentials */
  KAFARR_E_GROUP = 13,              /* GroupError: the consumer group refused or lost this member */
  KAFARR_E_REGISTRY = 14,           /* RegistryError: the schema registry did not answer usefully */
  KAFARR_E_SCHEMA_NOT_FOUND = 15,   /* SchemaNotFoundError: the registry does not know the schema id */
  KAFARR_E_SCHEMA = 16,             /* SchemaError: a schema is invalid or not supported */
  KAFARR_E_INCOMPATIBLE_SCHEMA = 17,/* IncompatibleSchemaError: writer and reader schema do not resolve */
  KAFARR_E_DECODE = 18,             /* DecodeError: a message's body does not fit its schema */
  KAFARR_E_FRAMING = 19,            /* FramingError: a message does not begin with a known framing */
  KAFARR_E_CLOSED = 20,             /* ClosedError: the handle is closed */
  KAFARR_E_FORK = 21,               /* ForkError: used in a forked child (raised by the Python side) */
  KAFARR_E_STATE = 22,              /* StateError: called at the wrong time, such as a second poll at once */
  KAFARR_E_INTERNAL = 23,           /* InternalError: a bug in this library; it refuses further calls */
  KAFARR_E_KEY_DECODE = 24,         /* KeyDecodeError: a message's key is not what it should be */
  KAFARR_E_INCOMPLETE = 25,         /* IncompleteError: rows that a scan was to read are not in the log */
  KAFARR_E_TOPIC_NOT_FOUND = 26,    /* TopicNotFoundError: the cluster does not have a topic that is to be scanned, or does not show it */
  KAFARR_E_RANGE = 27,              /* RangeError: the end of a scan is before its start */
  KAFARR_E_ENCODE = 28,             /* EncodeError: a value of a frame cannot be written; its row is error->offset */
  KAFARR_E_DELIVERY = 29            /* DeliveryError: rows of a frame were not written, or it is not known whether they were */
};

/* Where and why something failed. Unknown numbers are -1, unknown texts empty. Texts are cut at a
 * character boundary when they do not fit. */
struct kafarr_error {
  int32_t code;                     /* enum kafarr_status */
  int32_t partition;
  int64_t offset;
  int64_t schema_id;
  char topic[256];
  char path[512];                   /* field path within the schema, "customer.address.zip" */
  char message[4096];               /* the whole sentence, place included */
};

/* ---- The Arrow C Data Interface (https://arrow.apache.org/docs/format/CDataInterface.html) ---- */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};
#endif

/* A batch on its way out. A struct whose release is NULL holds nothing. The release callbacks are plain C:
 * they may run on any thread, after the listener is gone, and in a forked child. */
struct kafarr_batch {
  struct ArrowArray array;
  struct ArrowSchema schema;
  struct ArrowArray rejected;       /* rows that could not be decoded, with errors="collect" */
  struct ArrowSchema rejected_schema;
  int64_t rows;
  int64_t rejected_rows;
  int64_t notices;                  /* notices that wait for listener_events(), and rebalances that wait for
                                       listener_rebalance(); also set with KAFARR_PENDING */
  char *info;                       /* JSON, NULL when no batch:
                                       {"id": int, "message_type": str,
                                        "ranges": [[topic, partition, first, next, rows], ...],
                                        "events": [[kind, topic, partition, old offset or -1, new or -1], ...]}:
                                       events are what happened to partitions before these rows */
  int64_t waiting;                  /* 1: the poll ended without rows while the listener was still waiting for its
                                       partitions or their first fetch: not the end of the rows */
};

#ifndef KAFARR_TYPES_ONLY           /* Go generates the prototypes of what it exports itself */

/* ---- Library ---- */

/* JSON: {"version": str, "librdkafka": str, "features": str (librdkafka's), "go": str, "arrow": str, "avro": str, "build": str (its options)};
 * static, never freed. */
const char *kafarr_version(void);
/* Bytes of column memory that are alive now: 0 when every batch was released. */
int64_t kafarr_live_bytes(void);
void kafarr_free(void *text);

/* Waits for an operation begun by a *_start function. *result gets the operation's JSON, or NULL where it
 * has none. The operation's handle is gone once the answer is anything but KAFARR_PENDING. */
int32_t kafarr_wait(int64_t operation, int64_t slice_ms, char **result, struct kafarr_error *error);
/* Asks an operation to end early, which sends and flushes can. It has an answer all the same. */
void kafarr_cancel(int64_t operation);
/* Forgets an operation: it continues in the background, and its result is dropped. */
void kafarr_forget(int64_t operation);

/* ---- Listener ---- */

/* config: JSON object
 *   "servers": str ("host:port,host:port", checked here), "group": str, "topics": [str, ...] (^ begins a regular expression of Go's), "registry_url": str,
 *   "config": {librdkafka property: str}, "registry_config": {property: str},
 *   "environment": {variable: str}, those of HTTP_PROXY, HTTPS_PROXY, NO_PROXY (and lower-case), REQUEST_METHOD, SSL_CERT_FILE and SSL_CERT_DIR that
 *   are set now (not given: those that were set when the process began),
 *   "metadata": [[metadata column, name in the frame], ...],
 *   "value": "avro" | "protobuf" | "jsonschema" | "json" | "bytes" | "string" | "auto", "key": the same,
 *   "framing": "confluent" | "bare" | "single_object" | "schema_header" | "connect" | "apicurio",
 *   "schemas": [[topic ("": any), str (Avro JSON, .proto text or base64 of descriptors, JSON Schema, or, for json, Arrow's of kafarr/format/json), message type ("": the one
 *   that it has)], ...] for bare and single_object, and for JSON, "message_type": str (of values of Protobuf; "": what their message indexes say),
 *   "key_schemas": as "schemas", of keys of JSON (none: they are envelopes with connect, else inferred),
 *   "tombstones": "split" | "keep" | "skip", "mixed": "split" | "group", "acknowledge": "next_poll" | "commit",
 *   "errors": "raise" | "skip" | "collect", "rules": "raise" | "ignore" | "encrypt" (ciphertext of data contracts; encrypt: it is decrypted), "rules_secret": str (of the local KMS), "dead_letter_topic": str ("": none), "ready_timeout_ms": int, "schema_patience_ms": int (0: the default, -1: none),
 *   "reader_schemas": [str (as in "schemas"), ...], "batch_bytes": int (0: the default), "schema_bytes": likewise,
 *   "memory_limit": int (bytes that the listener may hold; 0: no limit),
 *   "assign": [[topic, partition], ...] instead of topics,
 *   "start": [[topic ("": every), partition (-1: every), kind, number], ...], see listener_seek_start,
 *   "on_assign": bool, "on_revoke": bool, see listener_rebalance,
 *   "oauth_token": bool (the caller answers listener_token_wanted),
 *   and "columns", "unions", "recursion", "out_of_range", "timestamps", "enums", "formats", "unknown_members", "limits" as in decoder_new
 * Does not wait for the network. */
int32_t listener_new(const char *config, int64_t config_len, int64_t *listener, struct kafarr_error *error);

/* Polls for one batch of at most num_messages rows. begin=1 begins a poll: it acknowledges what earlier polls
 * returned. begin=0 continues the poll that answered KAFARR_PENDING. A new poll after one that was left pending
 * keeps the rows received so far. KAFARR_OK with rows=0, rejected_rows=0 and
 * info=NULL: max_time_ms passed, counted from when the client had caught up, and nothing came; or, with waiting=1, ready_timeout_ms
 * passed, and the client had not caught up while the cluster answered. */
int32_t listener_poll(int64_t listener, int32_t begin, int64_t num_messages, int64_t max_time_ms, int64_t slice_ms,
                      struct kafarr_batch *batch, struct kafarr_error *error);

/* Takes the waiting notices, which are for the log: *notices gets a JSON array of
 *   {"kind": "log", "level": 0-7 (syslog), "facility": str, "message": str, "repeats": int}
 *   {"kind": "assigned" | "revoked" | "lost", "partitions": [[topic, partition, offset], ...]} */
int32_t listener_events(int64_t listener, char **notices, struct kafarr_error *error);

/* Rebalances that wait: with "on_assign" partitions that were assigned and are not fetched yet, with "on_revoke" those that are about to be
 * given up. While one waits, listener_poll answers KAFARR_PENDING at once, and only listener_rebalanced_start continues it. Commits and seeks
 * work in between.
 * *rebalance gets JSON {"partitions": [[topic, partition], ...], "revoked": bool, "lost": bool}, or NULL: none waits. The same
 * is returned until listener_rebalanced_start has succeeded. lost: another member may own them already. */
int32_t listener_rebalance(int64_t listener, char **rebalance, struct kafarr_error *error);
/* Continues: gives up the revoked partitions, or fetches the assigned ones. begin: JSON as "start" of listener_new, for assigned partitions:
 * where they begin; or NULL. After an error the rebalance waits as before. kafarr_wait()'s result is NULL. */
int32_t listener_rebalanced_start(int64_t listener, const char *begin, int64_t begin_len, int64_t *operation,
                                  struct kafarr_error *error);
/* Begins to close: polls fail, acknowledge=1 is as in listener_close_start, and the whole assignment waits to be given up, as a
 * rebalance. listener_close_start(acknowledge=0) does the rest, also after an error. kafarr_wait()'s result is NULL. */
int32_t listener_leave_start(int64_t listener, int32_t acknowledge, int64_t *operation, struct kafarr_error *error);
/* Where "oauth_token" is true, waits until a token for OAUTHBEARER is wanted, which listener_token then brings. Another thread than the one that
 * polls may wait and answer. KAFARR_E_CLOSED: the listener is closed, no token will be wanted any more. */
int32_t listener_token_wanted(int64_t listener, int64_t slice_ms, struct kafarr_error *error);
/* answer: JSON object {"token": str, "expiry_ms": int (since 1970), "principal": str, "extensions": {str: str}}, or {"failure": str}:
 * there is none, and it is asked for again after a while. */
int32_t listener_token(int64_t listener, const char *answer, int64_t answer_len, struct kafarr_error *error);

/* Acknowledges and commits. batches: JSON {"ids": [int, ...], "ranges": [[topic, partition, first, next], ...]} of what
 * is acknowledged, or NULL for all that was returned. kafarr_wait()'s result is NULL. */
int32_t listener_commit_start(int64_t listener, const char *batches, int64_t batches_len, int64_t *operation,
                              struct kafarr_error *error);

/* Positions. Partitions that are not of the assignment are KAFARR_E_STATE. */

/* Moves partitions. targets: JSON [[topic, partition, kind, number], ...], each partition once; kind is "committed", "earliest",
 * "latest", "offset" (number is one) or "time" (number is in milliseconds since 1970). A fifth element, 32 hexadecimal digits, is the id of the
 * topic that the offset is of: where the topic has another one by now, that is KAFARR_E_BROKER. kafarr_wait()'s result is NULL. */
int32_t listener_seek_start(int64_t listener, const char *targets, int64_t targets_len, int64_t *operation,
                            struct kafarr_error *error);
/* Gives batches back that listener_poll returned and that the caller could not pass on: their rows come again. batches: as in
 * listener_commit_start. kafarr_wait()'s result is NULL. */
int32_t listener_give_back_start(int64_t listener, const char *batches, int64_t batches_len, int64_t *operation,
                                 struct kafarr_error *error);
/* Pauses (pause=1) or resumes (0). partitions: JSON [[topic, partition (-1: every)], ...], or NULL for all of the assignment. */
int32_t listener_pause_start(int64_t listener, int32_t pause, const char *partitions, int64_t partitions_len,
                             int64_t *operation, struct kafarr_error *error);
/* kafarr_wait()'s result: JSON [[topic, partition, offset], ...]: the next offset to be handed over. */
int32_t listener_position_start(int64_t listener, int64_t *operation, struct kafarr_error *error);
/* The same with what the group has committed; -1: nothing. */
int32_t listener_committed_start(int64_t listener, int64_t *operation, struct kafarr_error *error);
/* kafarr_wait()'s result: JSON [[topic, partition, position, end, lag, paused], ...]. */
int32_t listener_lag_start(int64_t listener, int64_t *operation, struct kafarr_error *error);
/* JSON [[topic, partition], ...]: the partitions that this listener reads. Does not wait. */
int32_t listener_assignment(int64_t listener, char **assignment, struct kafarr_error *error);

/* The schema that was inferred of a topic's first messages, or of their keys, as JSON: a text such as the Arrow schemas of listener_new are; "": none was. */
int32_t listener_schema(int64_t listener, const char *topic, int64_t topic_len, int32_t of_keys, char **schema, struct kafarr_error *error);

/* JSON: counters since the listener was opened:
 *   {"rows": int, "rejected": int, "skipped": int, "batches": int, "bytes": int, "polls": int, "schemas": int, "rebalances": int,
 *    "tombstones": int, "dead_letters": int, "out_of_range": int, "unknown_enums": int, "unknown_members": int, "rules_not_run": int, "log_lines_dropped": int} */
int32_t listener_stats(int64_t listener, char **stats, struct kafarr_error *error);

/* Leaves the group and closes. acknowledge=1: what was returned counts as processed and is committed. */
int32_t listener_close_start(int64_t listener, int32_t acknowledge, int64_t *operation, struct kafarr_error *error);

/* Frees the handle. A listener that was not closed is closed in the background, acknowledging nothing. */
int32_t listener_free(int64_t listener, struct kafarr_error *error);

/* ---- Scan: known ranges of partitions, read to their ends ---- */

/* config: JSON object as in listener_new, without "group", "assign", "acknowledge", "dead_letter_topic", "on_assign" and "on_revoke", and
 *   "start": as there, but "committed", "end": the same, exclusive ("latest" is what is there when it is planned),
 *   "read_latest": bool (all versions of a topic's values as the newest of the subject "<topic>-value"),
 *   "num_messages": int, the most rows of a batch (0: the default), "allow_partial": bool,
 *   and, where the plan is made already, its data: "partitions": [[topic, partition, start, end], ...], "latest_schemas": [{"topic": str,
 *   "of_keys": bool, "type": str (the registry's word), "schema": str, "references": [{"name": str, "text": str, "source": str}, ...]}, ...], "topic_ids": {topic: 32 hexadecimal digits},
 *   "log_ends": [[topic, partition, offset], ...] (where logs ended when it was planned, of ranges that end later; reading does not need it)
 * listener_events, listener_token_wanted and listener_token take a scan's handle, too. Does not wait for the network. */
int32_t scan_new(const char *config, int64_t config_len, int64_t *scan, struct kafarr_error *error);
/* Asks the cluster for what "topics", "start" and "end" mean, whatever "partitions" says. kafarr_wait()'s result is the plan's data:
 * {"partitions": ..., "latest_schemas": ..., "topic_ids": ..., "log_ends": ...}. */
int32_t scan_plan_start(int64_t scan, int64_t *operation, struct kafarr_error *error);
/* Finds out how the rows of "partitions" look, by the registry or the topics' last messages. kafarr_wait()'s result is NULL. */
int32_t scan_schemas_start(int64_t scan, int64_t *operation, struct kafarr_error *error);
/* What that has found: batch->schema, and batch->info with "message_type" only; info=NULL: there are not so many. */
int32_t scan_schema(int64_t scan, int64_t index, struct kafarr_batch *batch, struct kafarr_error *error);
/* kafarr_wait()'s result: JSON [number, ...]: the mean bytes of an offset of each of "partitions", of a sample. */
int32_t scan_sizes_start(int64_t scan, int64_t *operation, struct kafarr_error *error);
/* Begins to read "partitions", once. */
int32_t scan_read(int64_t scan, struct kafarr_error *error);
/* Waits for the next batch. KAFARR_OK with info=NULL: that was all, and it was complete, or "allow_partial" is set. After an error the
 * answer is that error for ever. */
int32_t scan_next(int64_t scan, int64_t slice_ms, struct kafarr_batch *batch, struct kafarr_error *error);
/* JSON: what became of each range: [[topic, partition, start, end, first (-1: nothing came), next, rows, aborted, control, tombstones,
 *   rejected, skipped, out_of_range, unknown_enums, unknown_members, rules_not_run, deleted, ended ("": it has not, "complete", "log_end", "deleted", "error: ...")], ...] */
int32_t scan_report(int64_t scan, char **report, struct kafarr_error *error);
/* Ends the reading and waits for those who read. kafarr_wait()'s result is NULL. */
int32_t scan_close_start(int64_t scan, int64_t *operation, struct kafarr_error *error);
/* Frees the handle; what is under way ends in the background. */
int32_t scan_free(int64_t scan, struct kafarr_error *error);

/* ---- Producer: frames to topics ---- */

/* config: JSON object
 *   "servers": str, "registry_url": str, "config": {property: str}, "registry_config": {property: str}, "environment": {variable: str}, "oauth_token": bool, as in listener_new;
 *   librdkafka's properties for consumers only are ignored,
 *   "limits": as in decoder_new, "memory_limit": int (bytes that are encoded and not acknowledged; 0: the default), "transactional_id": str (empty: none)
 * listener_events, listener_token_wanted and listener_token take a producer's handle, too. Does not wait for the network. */
int32_t producer_new(const char *config, int64_t config_len, int64_t *producer, struct kafarr_error *error);
/* Sends the rows of n struct arrays of one schema, which are one frame: each of its values is checked before a byte of it is sent. The schema and the arrays are taken over, whatever
 * the answer: the release callback of each is called once, during this call or until the operation has its answer. The memory of the structs stays the caller's.
 * options: JSON object
 *   "topic": str, "message_type": str (empty: that of the schema; null: every row is a tombstone),
 *   "value": "avro" | "jsonschema" | "json" (empty: what the schema is of, and Avro for one that is given or derived),
 *   "schema": {"text": str, "references": [{"name": str, "subject": str, "version": int}, ...], "register": bool,
 *              "derive": bool (of the columns), "enums": {column path: [str, ...]}, "id": int, "subject": str, "version": int (-1: the latest),
 *              "strategy": "topic" | "record" | "topic_record"}; without "text", "derive", "id" and "version" it is the subject's last version of the message type,
 *   "framing": "confluent" | "schema_header" | "bare",
 *   "key": {"column": str, "format": "bytes" | "string" | "avro" | "jsonschema", "key_schema": an object as "schema"},
 *   "partition": str, "timestamp": str, "headers": str, "tombstone": str, names of columns (empty: those that listeners give them, if they are there),
 *   "constant_headers": [[name, value or null], ...] in base64,
 *   "partitioner": str (librdkafka's; empty: the property's), "extra": "ignore" | "error", "missing": "error" | "default",
 *   "first_row": int, the number of the first row for errors and reports, "transaction": int, a handle; 0: none,
 *   "check_only": bool, whether nothing is sent
 * kafarr_wait()'s result, once all rows are encoded and the arrays are released: {"report": int (a handle), "rows": int,
 * "failed": bool (some rows were not handed over: the report says why)}. */
int32_t producer_send_start(int64_t producer, const char *options, int64_t options_len, struct ArrowSchema *schema,
                            struct ArrowArray *arrays, int64_t n, int64_t *operation, struct kafarr_error *error);
/* Finds the schema that producer_send_start would write with. schema: that of the frame, which is taken over as there.
 * kafarr_wait()'s result: {"target": int (a handle for producer_target_columns, which frees it), "message_type": str, "schema": str, "schema_id": int (0: none), "subject": str,
 * "version": int (0: not known)}. */
int32_t producer_target_start(int64_t producer, const char *options, int64_t options_len, struct ArrowSchema *schema,
                              int64_t *operation, struct kafarr_error *error);
/* The columns that a listener reads such values as. */
int32_t producer_target_columns(int64_t target, struct ArrowSchema *columns, struct kafarr_error *error);
/* Waits until every row has its outcome. KAFARR_E_DELIVERY: some were not written, of a send whose report nobody has waited for. kafarr_wait()'s result is NULL. */
int32_t producer_flush_start(int64_t producer, int64_t *operation, struct kafarr_error *error);
/* Flushes, for at most timeout_ms (-1: no bound), and closes: rows without an outcome by then are not sent, or unknown. kafarr_wait()'s result is NULL. */
int32_t producer_close_start(int64_t producer, int64_t timeout_ms, int64_t *operation, struct kafarr_error *error);
/* Frees the handle. A producer that was not closed is closed in the background, without a flush. */
int32_t producer_free(int64_t producer, struct kafarr_error *error);

/* Begins a transaction, which a producer with a transactional_id has one at a time. kafarr_wait()'s result: {"transaction": int (a handle)}. */
int32_t producer_begin_start(int64_t producer, int64_t *operation, struct kafarr_error *error);
/* Has the transaction commit the offsets of batches of a listener whose acknowledge is "commit", with the property enable.auto.commit=false; batches: as in
 * listener_commit_start. transaction_commit_start sends them and acknowledges the batches; after an error, and transaction_abort_start, they are open. From the first call on,
 * listener_commit_start is KAFARR_E_STATE. Does not wait. */
int32_t transaction_commit_offsets(int64_t transaction, int64_t listener, const char *batches, int64_t batches_len,
                                   struct kafarr_error *error);
/* Waits until each row that was sent within the transaction has its outcome, and commits. Where a row was not written, the transaction is aborted, and the error is
 * KAFARR_E_DELIVERY; where batches are another member's by now, likewise, and it is KAFARR_E_GROUP. Where the request has no answer, it is KAFARR_E_BROKER, and nobody knows: the
 * batches are neither acknowledged nor open. kafarr_wait()'s result is NULL. */
int32_t transaction_commit_start(int64_t transaction, int64_t *operation, struct kafarr_error *error);
/* Aborts; nothing where it is over. kafarr_wait()'s result is NULL. */
int32_t transaction_abort_start(int64_t transaction, int64_t *operation, struct kafarr_error *error);
/* Frees the handle; it neither commits nor aborts. */
int32_t transaction_free(int64_t transaction, struct kafarr_error *error);

/* Waits until each row of a send has its outcome; KAFARR_PENDING: not yet. *report gets JSON
 *   {"rows": int, "written": int, "ranges": [[topic, partition, first offset, last offset, rows], ...],
 *    "failures": [{"topic": str, "partition": int, "state": "refused" | "not sent" | "unknown", "rows": [[first, last], ...] (of the frame), "count": int,
 *                  "code": int, "error": str, "blamed": [[row, what the broker says], ...]}, ...],
 *    "message": str (empty: every row was written)} */
int32_t report_wait(int64_t report, int64_t slice_ms, char **json, struct kafarr_error *error);
int32_t report_free(int64_t report, struct kafarr_error *error);

/* ---- Decoder: bare Avro bodies to one batch, without a broker ---- */

/* config: JSON object
 *   "value": "avro" | "protobuf" | "jsonschema" | "json", "schema": [str (as in "schemas" of listener_new; with connect one of Connect's, "": that of the first body), message type],
 *   "framing": "bare" | "connect" (of JSON), "message_type": str ("": that one),
 *   "reader_schema": str ("": the same), "columns": [path, ...] (none: all),
 *   "unions": "struct" | "dense", "recursion": "refuse" | "json", "out_of_range": "raise" | "null",
 *   "timestamps": "us" | "ns", "enums": "names" | "numbers" (of Protobuf), "formats": "typed" | "string" (of JSON Schema), "unknown_members": "count" | "keep" | "raise" (of JSON),
 *   "limits": {"schema_depth": int, "columns": int, "value_depth": int, "block_items": int, "empty_items": int, "message_bytes": int,
 *              "message_steps": int} (0: the default) */
int32_t decoder_new(const char *config, int64_t config_len, int64_t *decoder, struct kafarr_error *error);
/* Decodes `rows` bodies: body i is data[offsets[i] .. offsets[i+1]). All or nothing: the first body that
 * does not decode is the error, with its index as error->offset. *decoding is 0 at first. KAFARR_PENDING: slice_ms have passed, and the same
 * call with the same arguments continues, or decoder_stop(*decoding) gives up. data and offsets are read within calls only. */
int32_t decoder_decode(int64_t decoder, const uint8_t *data, const int64_t *offsets, int64_t rows, int64_t slice_ms,
                       int64_t *decoding, struct kafarr_batch *batch, struct kafarr_error *error);
/* Gives up a decoding that answered KAFARR_PENDING. */
int32_t decoder_stop(int64_t decoding, struct kafarr_error *error);
/* JSON: counters since decoder_new, and what is ignored of the schema: {"rows": int, "out_of_range": int, "unknown_enums": int, "unknown_members": int, "ignored": [str, ...] | null} */
int32_t decoder_stats(int64_t decoder, char **stats, struct kafarr_error *error);
int32_t decoder_free(int64_t decoder, struct kafarr_error *error);

/* ---- An embedded broker and registry, for demonstrations and for users' tests ---- */

/* config: JSON object {"brokers": int, "topics": {name: partitions}} */
int32_t kafarr_mock_new(const char *config, int64_t config_len, int64_t *mock, struct kafarr_error *error);
/* JSON: {"servers": str, "registry_url": str} */
int32_t kafarr_mock_info(int64_t mock, char **info, struct kafarr_error *error);
int32_t kafarr_mock_create_topic(int64_t mock, const char *topic, int64_t topic_len, int32_t partitions,
                                 struct kafarr_error *error);
/* Encodes and produces, then waits for the acknowledgements. request: JSON object
 *   "topic": str, "partition": int (-1: spread evenly), "timestamp_ms": int | null,
 *   "schema": str (Avro JSON), "records": [plain JSON values that fit the schema, ...],
 *   or "schema": str, "schema_type": "AVRO" | "PROTOBUF" | "JSON", "bodies": [what follows the schema's id, as base64 | null, ...],
 *   or instead of a schema: "values": [base64 | null, ...],
 *   "keys": [base64 | null, ...] | null
 * kafarr_wait()'s result: {"schema_id": int | null, "produced": int} */
int32_t kafarr_mock_produce_start(int64_t mock, const char *request, int64_t request_len, int64_t *operation,
                                  struct kafarr_error *error);
int32_t kafarr_mock_free(int64_t mock, struct kafarr_error *error);

#endif /* KAFARR_TYPES_ONLY */

#ifdef __cplusplus
/* CFFI-SKIP-BEGIN */
}
/* CFFI-SKIP-END */
#endif
#endif /* KAFARR_H */
