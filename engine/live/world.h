/* World: what a query needs, bundled and swapped atomically: the network and, for each profile, its
 * hierarchy, metric and snap index.
 *
 * A world is immutable once published and counted by reference: a query holds one from its first to
 * its last line, so that a new map or metric never changes under it.
 *
 * Threading: acquire and release from any thread. ht_world_road may customize a metric that is
 * asked for the first time (an `exclude` set); it locks then, and may take most of a second.
 */
#ifndef HT_ENGINE_LIVE_WORLD_H
#define HT_ENGINE_LIVE_WORLD_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/query.h"

struct ht_world;
struct ht_world_slot; /* the place where the current world is published */

/* Takes over `roads` by value (borrowed pointers inside); `release(owner)` is called when the last
 * reference is gone. */
HT_MUST_CHECK enum ht_status ht_world_new(const struct ht_road *roads, uint32_t road_count,
                                          void *owner, void (*release)(void *owner),
                                          struct ht_world **out);
/* A road as a world keeps it. `turn_closed` (NULL: none): the turns that its metric leaves out at
 * the moment, as in struct ht_overlay, so that an `exclude` metric leaves them out too. */
struct ht_world_road {
    struct ht_road road;
    const uint8_t *turn_closed;
    uint64_t version; /* tells these costs from all others that the profile ever had; 0: unknown */
};

/* A version that nobody has. */
uint64_t ht_world_version(void);

/* Roads that are made ready when they are first asked for. */
struct ht_world_source {
    uint32_t count;
    const char *const *profiles; /* borrowed until the world is gone */
    /* Fills *out with what lives as long as `owner`; called once for each road, under a lock. */
    enum ht_status (*load)(void *owner, uint32_t index, struct ht_world_road *out);
    /* May be NULL. Points *out to what serves until then and lives as long as `owner`; any thread,
     * any time, until it has said HT_OK of a road. HT_BUSY: there is no such road. */
    enum ht_status (*behind)(void *owner, uint32_t index, const struct ht_road **out);
};

HT_MUST_CHECK enum ht_status ht_world_new_lazy(const struct ht_world_source *source, void *owner,
                                               void (*release)(void *owner), struct ht_world **out);

/* Both take NULL. */
void ht_world_retain(struct ht_world *world);
void ht_world_release(struct ht_world *world);

/* Names the world among all that this process ever made; never 0. Addresses may come back, this
 * number does not, so that what is remembered about a network can be told from what is remembered
 * of another. */
uint64_t ht_world_id(const struct ht_world *world);

/* The network of the first road that is ready, if only for ways; NULL where there is none. */
const struct ht_network *ht_world_network(const struct ht_world *world);
uint32_t ht_world_road_count(const struct ht_world *world);
/* The name of a road's profile, in [0, count). */
const char *ht_world_profile(const struct ht_world *world, uint32_t index);
/* The name by which OSRM's clients know a profile as well; NULL: none. */
const char *ht_world_alias(const char *profile);
/* The road of a profile (its own name, or OSRM's driving, walking, cycling) without the streets of
 * the classes in `exclude` (enum ht_arc_flag). HT_NOT_FOUND: no such profile. HT_INVALID: a class
 * that the profile does not list. */
HT_MUST_CHECK enum ht_status ht_world_road(struct ht_world *world, const char *profile,
                                           uint16_t exclude, const struct ht_road **out);

/* The same for a question that ht_query_cost and ht_query_path answer: where the metric of the
 * moment is still to be made, a road whose metric is behind, if there is one, at once. */
HT_MUST_CHECK enum ht_status ht_world_road_soon(struct ht_world *world, const char *profile,
                                                const struct ht_road **out);

/* The road of a profile whole, as it was given to the world, and the profile's number. Errors as
 * above. */
HT_MUST_CHECK enum ht_status ht_world_base(struct ht_world *world, const char *profile,
                                           const struct ht_world_road **out, uint32_t *index);
/* Who was named as the owner of what the world holds; NULL where he releases it otherwise. */
void *ht_world_owner(const struct ht_world *world, void (*release)(void *owner));

/* True when ht_world_road would answer at once. */
bool ht_world_ready(struct ht_world *world, const char *profile, uint16_t exclude);
/* True when ht_world_road_soon would. */
bool ht_world_ready_soon(struct ht_world *world, const char *profile);

HT_MUST_CHECK enum ht_status ht_world_slot_new(struct ht_world_slot **out);
void ht_world_slot_free(struct ht_world_slot *slot);
/* Publishes (takes over the reference; NULL allowed) and lets go of the one before. */
void ht_world_publish(struct ht_world_slot *slot, struct ht_world *world);
/* The current world with a reference for the caller, NULL when there is none. */
struct ht_world *ht_world_acquire(struct ht_world_slot *slot);

/* A thread's own view of a slot: asking again costs one atomic load while nothing new is published.
 * It holds a reference to what it saw last, so call ht_world_reader_get now and then also when
 * idle, lest an old map stay in memory. */
struct ht_world_reader {
    struct ht_world_slot *slot;
    struct ht_world *world;
    uint64_t generation;
};

void ht_world_reader_init(struct ht_world_reader *reader, struct ht_world_slot *slot);
void ht_world_reader_deinit(struct ht_world_reader *reader);
/* Lets go of what it saw last; the next ht_world_reader_get takes it again. */
void ht_world_reader_rest(struct ht_world_reader *reader);
/* The current world, borrowed until the next call on this reader; NULL when there is none. */
struct ht_world *ht_world_reader_get(struct ht_world_reader *reader);

#endif
