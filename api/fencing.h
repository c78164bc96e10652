/* Fencing: the fences of the registry (zones of kind `fence`), the areas that are watched (zones of
 * kind `watched`: nobody is stopped there, but it is told) and what units do about them, told as
 * events.
 *
 * It runs with the positions on their way to the store, on the thread that writes it and in the
 * same transaction: positions, who is within what, and the events of it are there together or not
 * at all, so a restart tells nothing twice and forgets nothing. Taking positions in costs nothing
 * more and waits for nothing.
 *
 * Whom a closed zone finds inside when it begins is told, too (api/zone_watch.h).
 *
 *   fence.enter fence.exit fence.dwell   subject units/ID
 *   body {"unit","fence","at","since"}, of an exit `why`: moved, closed (until), fence_gone,
 *   unit_gone; `at` and `since` are the device's time, see engine/live/fence.h
 *   zone.enter zone.exit zone.dwell      the same of a zone that is watched: "zone", zone_gone
 *
 * Threading: ht_fencing_run and ht_fencing_lost on the writer, the rest from any thread.
 * Ownership: fleet and regimes are borrowed.
 */
#ifndef HT_API_FENCING_H
#define HT_API_FENCING_H

#include "engine/live/fleet.h"
#include "geodata/store.h"

struct ht_fencing;
struct ht_regime_slot;

struct ht_zone_watch;

/* `town` (api/zone_watch.h) is copied; `regimes`: which zones wait for one that is off. */
HT_MUST_CHECK enum ht_status ht_fencing_new(const struct ht_zone_watch *town,
                                            struct ht_regime_slot *regimes,
                                            struct ht_fencing **out);
void ht_fencing_free(struct ht_fencing *fencing);

/* Zones, or units, are others than before: seen to with the next run. */
void ht_fencing_zones_changed(struct ht_fencing *fencing);
void ht_fencing_units_changed(struct ht_fencing *fencing);

/* Whether a run has something to do without positions. */
bool ht_fencing_due(const struct ht_fencing *fencing, int64_t now_ms);
/* Whether there is any fence. */
bool ht_fencing_active(const struct ht_fencing *fencing);

/* Positions that are not in the store yet; the first `before` of them came before the registry was
 * changed, and are judged by what held then. */
struct ht_fencing_batch {
    const struct ht_store_position *positions;
    size_t count; /* may be 0 */
    size_t before;
};

/* Judges positions and the time. After an error the transaction has to be taken back to where it
 * stood. */
HT_MUST_CHECK enum ht_status ht_fencing_run(struct ht_fencing *fencing, struct ht_store_tx *tx,
                                            const struct ht_fencing_batch *batch, int64_t now_ms,
                                            struct ht_error *error);
/* What the last run wrote is not in the store: the next one begins with what is. */
void ht_fencing_lost(struct ht_fencing *fencing);

#endif
