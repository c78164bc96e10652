/* Traffic: what was said about streets, until when, and the map that obeys.
 *
 * The table holds what was said, by pair of OSM nodes and profiles; the last word on a street
 * counts. It outlives the map: a new one is told all of it. The keeper of the app wakes when
 * something ends.
 *
 * Threading: all functions from any thread, they take the app's open_lock. Ownership: the table
 * copies texts.
 */
#ifndef HT_API_TRAFFIC_H
#define HT_API_TRAFFIC_H

#include "api/app.h"
#include "geodata/store.h"

struct ht_traffic_table;

/* What a change did. */
struct ht_traffic_done {
    size_t applied;      /* pieces that a profile which is meant has */
    double customize_ms; /* until the new world was published */
    uint64_t metric;     /* names the world that obeys; 0: no map is open */
};

HT_MUST_CHECK enum ht_status ht_traffic_table_new(struct ht_traffic_table **out);
void ht_traffic_table_free(struct ht_traffic_table *table);

/* Takes what was said, and makes the next answer obey. `matched[i]` (may be NULL): whether a
 * profile has piece i. HT_NOMEM, HT_BUSY: to be tried again. */
HT_MUST_CHECK enum ht_status ht_app_traffic(struct ht_app *app, const struct ht_store_traffic *rows,
                                            size_t count, bool *matched,
                                            struct ht_traffic_done *done);
/* Reads what the store holds; after the network is open. */
HT_MUST_CHECK enum ht_status ht_app_traffic_open(struct ht_app *app, struct ht_error *error);

/* The same of what another process wrote into the store meanwhile: the next answer obeys. */
HT_MUST_CHECK enum ht_status ht_app_traffic_follow(struct ht_app *app,
                                                   struct ht_store_reader *reader);

/* Of the app's own rooms, with open_lock held: takes out what has ended, tells a new map all that
 * is left; when the next thing ends (INT64_MAX: nothing does). */
HT_MUST_CHECK enum ht_status ht__traffic_tell(struct ht_app *app, struct ht_map *map, bool all);
int64_t ht__traffic_next_end(const struct ht_app *app);

/* What of that still holds at another time. */
struct ht_traffic_then {
    struct ht_map_piece *pieces; /* their texts lie behind them */
    size_t count;
    int64_t until_ms; /* when the next of them ends; INT64_MAX: none does */
};
/* Takes open_lock. `out->pieces` is to be freed. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_traffic_at(struct ht_app *app, int64_t at_ms,
                                           struct ht_traffic_then *out);

#endif
