/* Regime change: what comes into force with the commit of a command that changes which regimes are
 * on, what is prepared, or the settings beneath. Made within the transaction, so that it sees what
 * the commands before it wrote; applied after the commit; at start made from what the store has.
 *
 * Threading: the writer's thread. Ownership: heap, ht_regime_change_free.
 */
#ifndef HT_API_REGIME_CHANGE_H
#define HT_API_REGIME_CHANGE_H

#include "api/command.h"
#include "api/regime_book.h"

struct ht_regime_change;

/* The book as the transaction has it. Errors of the store, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_regime_change_read(struct ht_app *app, struct ht_store_tx *tx,
                                                   struct ht_regime_change **out,
                                                   struct ht_error *error);
/* To be changed until it is checked. */
struct ht_regime_book *ht_regime_change_book(struct ht_regime_change *change);
/* Whether that can be: no regime is on that is not prepared any more (409), those that come into
 * force or change name zones, cells and units that there are, and what they make of the settings
 * can be (422). False with the answer written. */
bool ht_regime_change_check(struct ht_regime_change *change, struct ht_store_tx *tx,
                            struct ht_reply *reply);
/* Memory follows: settings, and with `all` zones, fences, duties and answers, too. Where streets
 * can't obey yet, the answer becomes 503. */
void ht_regime_change_apply(struct ht_regime_change *change, struct ht_app_context *context,
                            bool all, struct ht_reply *reply);
void ht_regime_change_free(struct ht_regime_change *change);

#endif
