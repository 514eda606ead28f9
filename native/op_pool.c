/* A pool for the one allocation that librdkafka makes for every message.
 *
 * Its broker thread callocs an "op" (rd_kafka_op_t, 304 bytes in 2.11.1 and in 2.16.0) for each message, and whoever consumes the message frees it in
 * another thread. With glibc's malloc both threads then fight for the lock of the arena that the block came from: a third of the time of
 * reading small messages went into that (10 million messages: 2.7 s, 4.5 s of CPU; with this pool 1.5 s, 2.4 s of CPU).
 *
 * So callocs of that size come from slots of one region, and free slots travel between threads in chains of 256: one lock for 256 messages.
 * This is a library of its own, libpykafarr_pool.so.1, whose functions only our copy of librdkafka calls: there, calloc, realloc and free have these
 * names (build_native.py). All else of the process keeps its allocator, and every other size goes to the C library as before. Slots are used again and not given back: their number is that of the most messages that
 * were ever queued at once (queued.min.messages, 100,000 a partition by default: 32 MB). When the region is used up or cannot be had, the C library serves.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 257, SLOT = 320, CHAIN = 256 };

/* 160 MB of addresses; memory only as it is touched. One piece, so that two instructions tell whether a block is ours. */
static const size_t REGION = (size_t)SLOT * CHAIN * 2048;

struct slot {
  struct slot *next;
  struct slot *next_chain; /* of the first slot of a chain that waits in `chains` */
};

/* The free slots of one thread. */
struct stock {
  struct slot *first;
  int count; /* at most so many: a chain that a thread left behind may be shorter than CHAIN */
  int known; /* the thread's end will hand its slots over */
};

static uint8_t *region;
static size_t used;
static struct slot *chains;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static __thread struct stock stock;

static int ours(const void *block) { return region != NULL && (uintptr_t)block - (uintptr_t)region < REGION; }

static void hand_over(void *of) {
  struct stock *s = of;
  if (s->first == NULL) return;
  pthread_mutex_lock(&lock);
  s->first->next_chain = chains;
  chains = s->first;
  pthread_mutex_unlock(&lock);
  s->first = NULL;
  s->count = 0;
}

static void make_region(void) {
  if (pthread_key_create(&thread_end, hand_over) != 0) return;
  region = malloc(REGION); /* not mmap: leak checkers look for pointers in what malloc gave out */
}

static void know_thread(void) {
  if (!stock.known) {
    stock.known = 1;
    pthread_setspecific(thread_end, &stock);
  }
}

/* A chain that another thread has filled, or one of slots that were never used; NULL when the region is used up. */
static struct slot *next_chain(void) {
  pthread_mutex_lock(&lock);
  struct slot *first = chains;
  if (first != NULL) {
    chains = first->next_chain;
  } else if (region != NULL && used + (size_t)SLOT * CHAIN <= REGION) {
    uint8_t *fresh = region + used;
    used += (size_t)SLOT * CHAIN;
    for (int i = 0; i < CHAIN; i++) {
      struct slot *s = (struct slot *)(fresh + (size_t)i * SLOT);
      s->next = i + 1 < CHAIN ? (struct slot *)(fresh + (size_t)(i + 1) * SLOT) : NULL;
    }
    first = (struct slot *)fresh;
  }
  pthread_mutex_unlock(&lock);
  return first;
}

void *pykafarr_calloc(size_t n, size_t size) {
  if (n != 1 || size < SMALLEST || size > SLOT) return calloc(n, size);
  pthread_once(&once, make_region);
  struct slot *s = stock.first;
  if (s == NULL) {
    s = next_chain();
    if (s == NULL) return calloc(n, size);
    stock.count = CHAIN;
    know_thread();
  }
  stock.first = s->next;
  stock.count--;
  return memset(s, 0, size);
}

void pykafarr_free(void *block) {
  if (!ours(block)) {
    free(block);
    return;
  }
  know_thread();
  if (stock.first == NULL) stock.count = 0;
  if (stock.count >= CHAIN) hand_over(&stock);
  struct slot *s = block;
  s->next = stock.first;
  stock.first = s;
  stock.count++;
}

void *pykafarr_realloc(void *block, size_t size) {
  if (!ours(block)) return realloc(block, size);
  void *moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, size < SLOT ? size : SLOT);
  pykafarr_free(block);
  return moved;
}
