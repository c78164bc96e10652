/* Fences: which unit is within which fence, since when, and what is to be told of it.
 *
 * A fence is an area of the town with, perhaps, a time to dwell and a time from which and until
 * which it holds ([from, until)). Each position of a unit is judged by itself:
 *
 *   - points decide. A unit is within when its last position lies in the area or on its border. One
 *     that crosses a narrow fence between two positions was never within, for nobody knows its way;
 *     how accurate the device takes its position to be is not asked
 *   - a stay begins with the first position within and ends with the first one outside, and carries
 *     their times (the device's). A unit that falls silent within stays
 *   - dwell is told once, when the stay has lasted so long. Where no new position says so, the
 *     server's clock does: the device's time now is that of its last position and what the server's
 *     clock has run since that came
 *   - a fence that is over, by the position's time or by the server's clock, ends its stays at
 *     `until` and takes nobody in any more; one that begins takes in whoever has a position then
 *   - what changes with a fence (border, times) counts from each unit's next position on; one that
 *     is taken away ends its stays at once
 *   - what the clock has told stands: a position that comes late, and says that the unit had left
 *     before, ends the stay when the last thing was told of it
 *
 * What the clock tells in between is what it would tell on receipt of the next position, so all
 * that is told follows from the positions (time, receipt, place) alone: a restart changes nothing,
 * and anyone can reckon it again from the track.
 *
 * Positions of a unit must come by rising device time (engine/live/fleet.h refuses others). In one
 * call what the clock tells comes first, by time, then whom the unit leaves, then whom it enters,
 * each by the fence's id.
 *
 * Threading: one thread at a time. Ownership: all is copied; what an event points to lives for the
 * call. Errors: HT_NOMEM, and whatever the receiver of events gives back, which ends the call.
 * After an error the state is undefined but for ht_fences_free: make it again from what was kept.
 * Cost: a position among 1,000 fences takes well under a microsecond when nothing changes.
 */
#ifndef HT_ENGINE_LIVE_FENCE_H
#define HT_ENGINE_LIVE_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/areas.h"

enum { HT_FENCE_ID_MAX = 65 }; /* an id of the registry, and a mark of the owner's */

struct ht_fence {
    const char *id; /* HT_FENCE_ID_MAX bytes at most; each once */
    struct ht_area area;
    int64_t dwell_ms; /* < 0: not told */
    int64_t from_ms;  /* INT64_MIN: always */
    int64_t until_ms; /* INT64_MAX: for ever */
};

enum ht_fence_kind { HT_FENCE_ENTER, HT_FENCE_EXIT, HT_FENCE_DWELL };

/* Why a stay ended. */
enum ht_fence_why {
    HT_FENCE_MOVED,  /* or began: by a position */
    HT_FENCE_CLOSED, /* the fence is over */
    HT_FENCE_GONE,   /* the fence was taken away */
    HT_FENCE_UNIT    /* the unit was */
};

struct ht_fence_event {
    enum ht_fence_kind kind;
    enum ht_fence_why why;
    const char *unit;
    const char *fence;
    int64_t at_ms;    /* device time, but HT_FENCE_GONE and HT_FENCE_UNIT: the server's */
    int64_t since_ms; /* when the stay began */
};

/* Who is told. */
struct ht_fence_sink {
    enum ht_status (*event)(void *user, const struct ht_fence_event *event);
    void *user;
};

struct ht_fences;

HT_MUST_CHECK enum ht_status ht_fences_new(struct ht_fences **out);
void ht_fences_free(struct ht_fences *fences);

/* These and no others from now on; HT_INVALID: an id twice or too long. */
HT_MUST_CHECK enum ht_status ht_fences_set(struct ht_fences *fences, const struct ht_fence *list,
                                           size_t count, int64_t now_ms,
                                           const struct ht_fence_sink *sink);
size_t ht_fences_count(const struct ht_fences *fences);

/* Where a unit was, and when that came. */
struct ht_fence_position {
    const char *unit; /* HT_FENCE_ID_MAX bytes at most */
    struct ht_point point;
    int64_t ts_ms;
    int64_t received_ms;
};
HT_MUST_CHECK enum ht_status ht_fences_move(struct ht_fences *fences,
                                            const struct ht_fence_position *position,
                                            const struct ht_fence_sink *sink);

/* What is to be told by the clock alone, at `now_ms`. */
HT_MUST_CHECK enum ht_status ht_fences_tick(struct ht_fences *fences, int64_t now_ms,
                                            const struct ht_fence_sink *sink);
/* The server's time at which ht_fences_tick has something to tell; INT64_MAX: never. Linear in the
 * stays. */
int64_t ht_fences_due_ms(const struct ht_fences *fences);

/* Ends the stays of units that are not known any more. */
HT_MUST_CHECK enum ht_status ht_fences_sweep(struct ht_fences *fences,
                                             bool (*known)(void *user, const char *unit),
                                             void *user, int64_t now_ms,
                                             const struct ht_fence_sink *sink);

/* A stay as it was kept: by an enter (told_ms its time) and perhaps a dwell (its time). After
 * ht_fences_set; HT_NOT_FOUND: no such fence, HT_EXISTS. */
struct ht_fence_stay {
    const char *unit;
    const char *fence;
    int64_t since_ms;
    int64_t told_ms;
    bool dwelt;
};
HT_MUST_CHECK enum ht_status ht_fences_restore(struct ht_fences *fences,
                                               const struct ht_fence_stay *stay);
/* The unit's last position, for one that has a stay; nothing for others. */
void ht_fences_restore_time(struct ht_fences *fences, const char *unit, int64_t ts_ms,
                            int64_t received_ms);

#endif
