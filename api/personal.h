/* Personal: reads of what is personal, each of which leaves an event before it is answered.
 *
 * A worker makes the answer twice, with and without; the writer notes who read, and where that
 * can't be done the answer without goes out.
 *
 * Threading: ht_personal_note from the writer, the other from any thread.
 */
#ifndef HT_API_PERSONAL_H
#define HT_API_PERSONAL_H

#include "api/app.h"
#include "geodata/collection.h"

/* One read: of an item, or ("") of several of a collection. */
struct ht_personal_read {
    const struct ht_collection *collection;
    const char *id;
    const struct ht_caller *caller;
    int64_t at_ms;
    uint64_t offset;
    uint64_t limit;
};

/* Whether the caller is given what is personal in the collection. */
bool ht_personal_wanted(const struct ht_collection *collection, const struct ht_caller *caller);

/* Notes the read in the writer's transaction. Where it can't, the body becomes `plain`. */
void ht_personal_note(struct ht_app_context *context, const struct ht_personal_read *read,
                      const struct ht_buffer *plain, struct ht_reply *reply);

#endif
