/* Persons: each request that reads what is personal leaves one event before its answer.
 *
 * A handler makes its answer twice, with persons and without, and hands both to the writer. Where
 * the event can't be written, the one without is given (the handler's `lost` does the same when the
 * commit fails).
 *
 * Threading: on the writer's thread, within a job's `run`. Ownership: everything is borrowed.
 */
#ifndef HT_API_PERSONS_H
#define HT_API_PERSONS_H

#include "api/app.h"
#include "geodata/collection.h"

struct ht_persons_read {
    const char *collection;
    const char *id;  /* "": many */
    const char *how; /* "items", "near", "search" */
    uint64_t offset;
    uint64_t limit;
    const struct ht_caller *caller;
    int64_t at_ms;
    const struct ht_buffer *plain; /* the answer without persons */
};

/* Whether the caller is given what is personal in the collection. */
bool ht_persons_wanted(const struct ht_collection *collection, const struct ht_caller *caller);

/* Appends the event, which holds no word of what was asked or answered; false: it could not, and
 * the answer's body is the one without persons. */
bool ht_persons_note(struct ht_app_context *context, const struct ht_persons_read *read,
                     struct ht_reply *reply);

#endif
