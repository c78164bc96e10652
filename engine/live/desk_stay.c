/* Who is let go and sent back stays where it is.
 *
 * One decision may pull a unit off a lesser incident and, once all are looked at together, find
 * that it is best where it was:
 *
 *   lesser <-- u          graver comes    lesser <-- nobody     together    lesser <-- u
 *                v free   ----------->    graver <-- u          ------->    graver <-- v
 *
 * Told like that, its acknowledgement would be gone and it would be asked once more, for nothing.
 * So the decision is taken back and taken once more with that unit held where it is: what came of
 * it can be had so, too. Where that goes on for too long, each is served by itself: then a unit is
 * pulled to ever graver ones only, and never comes back.
 */
#include <string.h>

#include "engine/live/desk_internal.h"

bool ht__desk_is_held(const struct ht__turn *turn, const struct ht__unit *unit)
{
    for (uint32_t h = 0; h < turn->held_count; h++) {
        if (turn->held[h] == unit) {
            return true;
        }
    }
    return false;
}

/* What the incident was before the decision; NULL: it was not. */
static const struct ht__version *version_before(const struct ht__turn *turn, const char *incident)
{
    const struct ht__entry *e = ht__desk_entry_of(turn->desk, incident);
    for (size_t t = 0; t < turn->log->touched_count; t++) {
        if (turn->log->touched[t].entry == e) {
            return turn->log->touched[t].before;
        }
    }
    return NULL;
}

static bool lets_go(const struct ht_desk_event *event)
{
    return event->kind == HT_DESK_RELEASED &&
           (event->reason == HT_RELEASED_PULLED || event->reason == HT_RELEASED_BETTER);
}

bool ht__desk_hold_back(struct ht__turn *turn)
{
    bool again = false;
    bool any = false;
    for (size_t i = 0; i < turn->log->event_count && !turn->alone; i++) {
        const struct ht_desk_event *event = &turn->log->events[i];
        any = any || lets_go(event);
        if (!any || event->kind != HT_DESK_ASSIGNED) {
            continue;
        }
        const struct ht__version *before = version_before(turn, event->incident);
        if (before == NULL || ht__desk_seat_of(before, event->unit) == NULL) {
            continue;
        }
        const struct ht__unit *unit =
            (const struct ht__unit *)ht_names_find(&turn->desk->units, event->unit);
        turn->alone =
            turn->alone || turn->held_count == HT__DESK_HELD_MOST || ht__desk_is_held(turn, unit);
        if (!turn->alone) {
            turn->held[turn->held_count++] = unit;
        }
        again = true;
    }
    return again;
}
