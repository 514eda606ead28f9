#include "export.h"

#include <stdlib.h>
#include <string.h>

struct array_owner {
  void (*release_block)(void *);
  struct ArrowArray *children; /* n_children of them, in one piece */
};

static void release_array(struct ArrowArray *array) {
  struct array_owner *owner = array->private_data;
  for (int64_t i = 0; i < array->n_buffers; i++) {
    if (array->buffers[i] != NULL) owner->release_block((void *)array->buffers[i]);
  }
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
  }
  if (array->dictionary != NULL) {
    if (array->dictionary->release != NULL) array->dictionary->release(array->dictionary);
    free(array->dictionary);
  }
  free(array->buffers);
  free(array->children);
  free(owner->children);
  free(owner);
  array->release = NULL;
}

int kafarr_array_init(struct ArrowArray *array, int64_t length, int64_t null_count, int64_t offset, int64_t n_buffers,
                      const void **buffers, int64_t n_children, int has_dictionary, void (*release_block)(void *)) {
  memset(array, 0, sizeof *array);
  struct array_owner *owner = calloc(1, sizeof *owner);
  array->buffers = calloc((size_t)n_buffers + 1, sizeof *array->buffers);
  array->children = calloc((size_t)n_children + 1, sizeof *array->children);
  if (has_dictionary) array->dictionary = calloc(1, sizeof *array->dictionary);
  if (owner != NULL) owner->children = calloc((size_t)n_children + 1, sizeof *owner->children);
  if (owner == NULL || owner->children == NULL || array->buffers == NULL || array->children == NULL ||
      (has_dictionary && array->dictionary == NULL)) {
    if (owner != NULL) free(owner->children);
    free(owner);
    free(array->buffers);
    free(array->children);
    free(array->dictionary);
    memset(array, 0, sizeof *array);
    return 0;
  }
  owner->release_block = release_block;
  for (int64_t i = 0; i < n_buffers; i++) array->buffers[i] = buffers[i];
  for (int64_t i = 0; i < n_children; i++) array->children[i] = &owner->children[i];
  array->length = length;
  array->null_count = null_count;
  array->offset = offset;
  array->n_buffers = n_buffers;
  array->n_children = n_children;
  array->private_data = owner;
  array->release = release_array;
  return 1;
}

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release != NULL) schema->children[i]->release(schema->children[i]);
  }
  if (schema->dictionary != NULL) {
    if (schema->dictionary->release != NULL) schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
  }
  free((void *)schema->format);
  free((void *)schema->name);
  free((void *)schema->metadata);
  free(schema->children);
  free(schema->private_data); /* the children, in one piece */
  schema->release = NULL;
}

int kafarr_schema_init(struct ArrowSchema *schema, const char *format, const char *name, const char *metadata,
                       int64_t metadata_len, int64_t flags, int64_t n_children, int has_dictionary) {
  memset(schema, 0, sizeof *schema);
  schema->format = strdup(format);
  schema->name = strdup(name);
  char *kept = metadata == NULL ? NULL : malloc((size_t)metadata_len);
  if (kept != NULL) memcpy(kept, metadata, (size_t)metadata_len);
  schema->metadata = kept;
  struct ArrowSchema *children = calloc((size_t)n_children + 1, sizeof *children);
  schema->children = calloc((size_t)n_children + 1, sizeof *schema->children);
  if (has_dictionary) schema->dictionary = calloc(1, sizeof *schema->dictionary);
  if (schema->format == NULL || schema->name == NULL || (metadata != NULL && kept == NULL) || children == NULL ||
      schema->children == NULL || (has_dictionary && schema->dictionary == NULL)) {
    free((void *)schema->format);
    free((void *)schema->name);
    free(kept);
    free(children);
    free(schema->children);
    free(schema->dictionary);
    memset(schema, 0, sizeof *schema);
    return 0;
  }
  for (int64_t i = 0; i < n_children; i++) schema->children[i] = &children[i];
  schema->flags = flags;
  schema->n_children = n_children;
  schema->private_data = children;
  schema->release = release_schema;
  return 1;
}

void kafarr_array_discard(struct ArrowArray *array) {
  if (array->release != NULL) array->release(array);
}

void kafarr_schema_discard(struct ArrowSchema *schema) {
  if (schema->release != NULL) schema->release(schema);
}
