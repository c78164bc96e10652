/* Progress: how far a vehicle is along its planned stops, from its positions alone.
 *
 *              near a stop ahead, and in one place for HT_PROGRESS_DWELL_MS
 *   driving ------------------------------------------------------> at it
 *      ^                                                               |
 *      +---------------------------------------------------------------+
 *                 farther off than HT_PROGRESS_LEAVE_M
 *
 * A device that is silent while it stands says the same: it stood where its last position has it,
 * by its own word, for all the time but what it takes from there to the next one.
 *
 * Arrival and departure have the times of the first and the last position there, not of when they
 * were recognized. Near is HT_PROGRESS_NEAR_M, one place HT_PROGRESS_STAY_M, and as much more as
 * the device says that it may be off (50 m at most). Of several stops that are near it is the
 * nearest, but rather the next one where that lies hardly farther. Stops before it that the vehicle
 * was not at are skipped. Where nothing more is ahead of what is done at a stop, one that lies
 * nearer than it is left by is come to all the same: it is nearer by HT_PROGRESS_STAY_M then. A
 * driver may say where he is, too: that counts at once (ht_progress_told).
 *
 * The vehicle is off its way where it is farther from the planned line than HT_PROGRESS_OFF_M (and
 * as much as it may be off itself) for HT_PROGRESS_OFF_MS, and on it again with the second position
 * within, or with the next arrival.
 *
 * Positions of a vehicle come by rising time; others are passed over.
 *
 * Threading: a struct is of one thread at a time. Ownership: values; lists are borrowed for the
 * call. Linear in stops ahead and points of the way. Nothing fails.
 */
#ifndef HT_ENGINE_LIVE_PROGRESS_H
#define HT_ENGINE_LIVE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"

enum {
    HT_PROGRESS_NEAR_M = 60,
    HT_PROGRESS_LEAVE_M = 100,
    HT_PROGRESS_STAY_M = 20,
    HT_PROGRESS_DWELL_MS = 25000,
    HT_PROGRESS_OFF_M = 80,
    HT_PROGRESS_OFF_MS = 15000,
    HT_PROGRESS_REMEMBERED = 16, /* stops that it was at, or skipped */
    HT_PROGRESS_EVENTS = HT_PROGRESS_REMEMBERED + 4
};

struct ht_progress {
    int64_t ts_ms; /* of the last position; 0: there was none */
    struct ht_point point;
    bool at;   /* a stop */
    bool told; /* by the driver */
    struct ht_point stop;
    int64_t since_ms;
    int64_t near_ms; /* the last position there */
    bool lingering;  /* he said that he left, and has not driven off: it does not count again */
    bool slow;       /* it stood by its last position's own word */
    bool nearing;    /* near a stop, but not for long enough yet */
    struct ht_point candidate;
    struct ht_point stays; /* where it was then */
    int64_t candidate_ms;
    bool off; /* its way */
    bool straying;
    int64_t off_ms;                               /* since when; of one that strays, too */
    uint32_t within;                              /* positions on its way, while off */
    int64_t driven_ms;                            /* when it left the last stop; 0: not known */
    struct ht_point past[HT_PROGRESS_REMEMBERED]; /* the latest at `past_count - 1`, in a ring */
    uint32_t past_count;
    uint32_t skipped; /* a bit for each of `past` that was left out */
};

struct ht_progress_fix {
    struct ht_point point;
    int64_t ts_ms;
    double speed_mps;  /* < 0: not known */
    double accuracy_m; /* < 0: not known */
};

/* What is ahead: stops in their order (each place once in a row), and the line to the first of
 * them; none: its way is not judged. */
struct ht_progress_ahead {
    const struct ht_point *stops;
    uint32_t stop_count;
    const struct ht_point *way;
    size_t way_count;
};

enum ht_progress_kind {
    HT_PROGRESS_ARRIVED,
    HT_PROGRESS_LEFT,
    HT_PROGRESS_SKIPPED,
    HT_PROGRESS_OFF, /* its way */
    HT_PROGRESS_ON
};

struct ht_progress_event {
    enum ht_progress_kind kind;
    struct ht_point stop; /* not of the last two kinds */
    int64_t at_ms;
    int64_t since_ms; /* left: when it had come; arrived: when it had left the stop before, 0: not
                         known */
};

/* Takes a position; events[0..HT_PROGRESS_EVENTS), how many is returned. */
size_t ht_progress_see(struct ht_progress *progress, const struct ht_progress_fix *fix,
                       const struct ht_progress_ahead *ahead, struct ht_progress_event *events);
/* The driver says that he is at a stop; none where that was known. */
size_t ht_progress_told(struct ht_progress *progress, struct ht_point stop, int64_t at_ms,
                        const struct ht_progress_ahead *ahead, struct ht_progress_event *events);
/* He says that he has left; none where he was at no stop. */
size_t ht_progress_told_left(struct ht_progress *progress, int64_t at_ms,
                             struct ht_progress_event *events);
/* He says that he leaves a stop out. False: he was there, or it is known. */
bool ht_progress_told_skip(struct ht_progress *progress, struct ht_point stop);

/* Takes over what was told of it before, event by event, by whomever: where it is by then, without
 * its positions. */
void ht_progress_recall(struct ht_progress *progress, const struct ht_progress_event *event,
                        bool by_driver);

/* Whether it was at a stop, or has left it out, lately; whether the latter. */
bool ht_progress_past(const struct ht_progress *progress, struct ht_point stop);
bool ht_progress_skipped(const struct ht_progress *progress, struct ht_point stop);

#endif
