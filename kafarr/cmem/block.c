#include "block.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 64 };

struct header {
  _Atomic int64_t references;
  size_t size;
};

static _Atomic int64_t live_bytes;

static struct header *header_of(const void *data) { return (struct header *)((char *)data - HEADER); }

/* Large blocks that were released wait here to be used again. Fresh memory from the system costs a page fault every 4 KiB, which was more than
 * the decoding of wide rows. The lock is only ever tried: a child that was forked while another thread held it must not wait for ever. */
enum { KEPT_BLOCKS = 64 };
static const size_t SMALLEST_KEPT = 128 << 10, MOST_KEPT = 64 << 20;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static struct header *kept[KEPT_BLOCKS];
static size_t kept_bytes;

/* The smallest block that was kept and is neither too small nor more than twice what is needed; NULL: none. */
static struct header *take_kept(size_t size) {
  if (size < SMALLEST_KEPT || pthread_mutex_trylock(&kept_lock) != 0) return NULL;
  int best = -1;
  for (int i = 0; i < KEPT_BLOCKS; i++) {
    if (kept[i] == NULL || kept[i]->size < size || kept[i]->size > 2 * size) continue;
    if (best < 0 || kept[i]->size < kept[best]->size) best = i;
  }
  struct header *h = NULL;
  if (best >= 0) {
    h = kept[best];
    kept[best] = NULL;
    kept_bytes -= h->size;
  }
  pthread_mutex_unlock(&kept_lock);
  return h;
}

/* Keeps a block; 0 when there is no room. */
static int keep(struct header *h) {
  if (h->size < SMALLEST_KEPT || pthread_mutex_trylock(&kept_lock) != 0) return 0;
  int done = 0;
  for (int i = 0; i < KEPT_BLOCKS && !done && kept_bytes + h->size <= MOST_KEPT; i++) {
    if (kept[i] != NULL) continue;
    kept[i] = h;
    kept_bytes += h->size;
    done = 1;
  }
  pthread_mutex_unlock(&kept_lock);
  return done;
}

void *kafarr_block_new(size_t size) {
  struct header *h = take_kept(size);
  if (h == NULL) {
    void *memory = NULL;
    /* The pointer tells whether it worked: errno is left alone by posix_memalign. */
    if (size > SIZE_MAX / 2 || posix_memalign(&memory, HEADER, HEADER + size) != 0 || memory == NULL) return NULL;
    h = memory;
    h->size = size;
  }
  atomic_init(&h->references, 1);
  atomic_fetch_add_explicit(&live_bytes, (int64_t)h->size, memory_order_relaxed);
  return (char *)h + HEADER;
}

void *kafarr_block_resize(void *data, size_t used, size_t size) {
  void *bigger = kafarr_block_new(size);
  if (bigger == NULL) return NULL;
  if (used > 0) memcpy(bigger, data, used);
  kafarr_block_release(data);
  return bigger;
}

void kafarr_block_retain(void *data) {
  atomic_fetch_add_explicit(&header_of(data)->references, 1, memory_order_relaxed);
}

void kafarr_block_release(void *data) {
  if (data == NULL) return;
  struct header *h = header_of(data);
  if (atomic_fetch_sub_explicit(&h->references, 1, memory_order_acq_rel) != 1) return;
  atomic_fetch_sub_explicit(&live_bytes, (int64_t)h->size, memory_order_relaxed);
  if (!keep(h)) free(h);
}

size_t kafarr_block_size(const void *data) { return header_of(data)->size; }

int64_t kafarr_block_live(void) { return atomic_load_explicit(&live_bytes, memory_order_relaxed); }
