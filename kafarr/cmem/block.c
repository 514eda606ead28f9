#include "block.h"

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

void *kafarr_block_new(size_t size) {
  void *memory = NULL;
  /* The pointer tells whether it worked: errno is left alone by posix_memalign. */
  if (size > SIZE_MAX / 2 || posix_memalign(&memory, HEADER, HEADER + size) != 0 || memory == NULL) return NULL;
  struct header *h = memory;
  atomic_init(&h->references, 1);
  h->size = size;
  atomic_fetch_add_explicit(&live_bytes, (int64_t)size, memory_order_relaxed);
  return (char *)memory + HEADER;
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
  free(h);
}

size_t kafarr_block_size(const void *data) { return header_of(data)->size; }

int64_t kafarr_block_live(void) { return atomic_load_explicit(&live_bytes, memory_order_relaxed); }
