/* A block: 64 bytes of header, then the bytes that callers see, so that data begins on a 64-byte boundary as
 * Arrow recommends. Blocks are counted by reference, since a batch may be sliced, kept by Go and handed to C
 * at once; the counters are plain C atomics because the last release often runs on a foreign thread, in a
 * process that has forked, or after Go is done with the listener. */
#ifndef KAFARR_BLOCK_H
#define KAFARR_BLOCK_H

#include <stddef.h>
#include <stdint.h>

void *kafarr_block_new(size_t size);
void *kafarr_block_resize(void *data, size_t used, size_t size);
void kafarr_block_retain(void *data);
void kafarr_block_release(void *data);
size_t kafarr_block_size(const void *data);
int64_t kafarr_block_live(void);

#endif
