#include "api/persons.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/access.h"
#include "api/commit.h"
#include "engine/base/text.h"

bool ht_persons_wanted(const struct ht_collection *collection, const struct ht_caller *caller)
{
    bool any = false;
    for (size_t i = 0; i < collection->property_count; i++) {
        any = any || collection->properties[i].personal;
    }
    return any && ht_access_personal(caller);
}

bool ht_persons_note(struct ht_app_context *context, const struct ht_persons_read *read,
                     struct ht_reply *reply)
{
    char subject[128];
    struct ht_text body = {0};
    (void)snprintf(subject, sizeof subject, "%s/%s", read->collection, read->id);
    ht_text_addf(
        &body, "{\"collection\":\"%s\",\"by\":\"%s\",\"offset\":%" PRIu64 ",\"limit\":%" PRIu64 "}",
        read->collection, read->how, read->offset, read->limit);
    const struct ht_store_event event = {.at_ms = read->at_ms,
                                         .actor = read->caller->name,
                                         .kind = "personal.read",
                                         .subject = subject,
                                         .body = ht_text_string(&body)};
    struct ht_store_tx *tx = ht_commit_tx(context->app->commit);
    bool noted = !body.failed && ht_store_event_append(tx, &event, NULL, NULL) == HT_OK;
    if (!noted) {
        ht_buffer_clear(&reply->body);
        ht_buffer_append(&reply->body, read->plain->data, read->plain->size);
    }
    ht_text_deinit(&body);
    return noted;
}
