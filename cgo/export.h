/* How Arrow data leaves the library: structs whose release callbacks are plain C. arrow-go's own export re-enters Go when
 * it is released, which hangs in a forked child, where Go's threads do not exist. */
#ifndef KAFARR_EXPORT_H
#define KAFARR_EXPORT_H

#define KAFARR_TYPES_ONLY
#include "kafarr.h"

/* Fills array. buffers are copied; each that is not NULL is a block that is released by release_block. Children and dictionary are
 * allocated zeroed, for the caller to fill. 0 when there is no memory. */
int kafarr_array_init(struct ArrowArray *array, int64_t length, int64_t null_count, int64_t offset, int64_t n_buffers,
                      const void **buffers, int64_t n_children, int has_dictionary, void (*release_block)(void *));

/* Fills schema with copies of the texts. metadata is in the interface's binary form, or NULL. 0 when there is no memory. */
int kafarr_schema_init(struct ArrowSchema *schema, const char *format, const char *name, const char *metadata,
                       int64_t metadata_len, int64_t flags, int64_t n_children, int has_dictionary);

/* Calls the structs' own release callbacks, for what was filled and cannot be handed over. */
void kafarr_array_discard(struct ArrowArray *array);
void kafarr_schema_discard(struct ArrowSchema *schema);

#endif
