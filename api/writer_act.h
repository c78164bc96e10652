/* Writer act: something done on the writer's thread for a thread that waits for it: a plan that is
 * taken over, what the clock has to say. Beside commands (api/command.h), which answer a client.
 *
 * Threading: ht_writer_do from any thread that may wait, never from a loop or the writer itself.
 */
#ifndef HT_API_WRITER_ACT_H
#define HT_API_WRITER_ACT_H

#include "engine/base/status.h"

struct ht_app;
struct ht_app_context;
struct ht_store_tx;

struct ht_writer_act {
    /* Within the transaction; an error takes back what was written. */
    enum ht_status (*run)(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                          struct ht_error *error);
    /* After the commit, only where `run` was well: HT_OK, or the whole transaction is lost. */
    void (*done)(void *user, enum ht_status outcome);
    void *user;
};

/* Returns when it is committed, or what `run` said. HT_UNSUPPORTED: the store can't be written;
 * HT_BUSY: too much waits to be. */
HT_MUST_CHECK enum ht_status ht_writer_do(struct ht_app *app, const struct ht_writer_act *act,
                                          struct ht_error *error);

#endif
