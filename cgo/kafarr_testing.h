/* What a library built with -tags kafarr_testing exports besides kafarr.h: ways to fail on purpose, for tests that show that the
 * guards and the leak gates work. Never packaged. */
#ifndef KAFARR_TESTING_H
#define KAFARR_TESTING_H

#include "kafarr.h"

#ifndef KAFARR_TYPES_ONLY

/* Panics within an export. */
int32_t kafarr_testing_panic(struct kafarr_error *error);
/* Starts an operation that panics in its goroutine. */
int32_t kafarr_testing_panic_start(int64_t *operation, struct kafarr_error *error);
/* Loses a block of column memory and, with it, C memory that no pointer leads to. */
void kafarr_testing_leak(int64_t bytes);
/* How many goroutines there are. */
int64_t kafarr_testing_goroutines(void);
/* How many handles of listeners, operations and the like are open. */
int64_t kafarr_testing_handles(void);

#endif
#endif
