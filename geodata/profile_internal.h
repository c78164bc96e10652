/* Inside of the profile rooms: how a profile lies in memory. For geodata/profile*.c and their
 * tests.
 *
 * Every tag key that a profile asks for has a slot, numbered when the file is read. To judge a way
 * its tags are laid into their slots once; after that a rule costs one index and, for its values,
 * one probe of a small hash table.
 *
 * Threading: a profile is read-only once parsed. Ownership: everything hangs on the profile's
 * arena.
 */
#ifndef HT_GEODATA_PROFILE_INTERNAL_H
#define HT_GEODATA_PROFILE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geodata/profile.h"

/* The keys that the evaluation itself knows; all others come from the file. X(name, key) */
#define HT__KEY_MAP(X)                                                                             \
    X(HIGHWAY, "highway")                                                                          \
    X(ROUTE, "route")                                                                              \
    X(ROUTE_FORWARD, "route:forward")                                                              \
    X(ROUTE_BACKWARD, "route:backward")                                                            \
    X(TOLL, "toll")                                                                                \
    X(TOLL_FORWARD, "toll:forward")                                                                \
    X(TOLL_BACKWARD, "toll:backward")                                                              \
    X(TUNNEL, "tunnel")                                                                            \
    X(BRIDGE, "bridge")                                                                            \
    X(DURATION, "duration")                                                                        \
    X(ONEWAY, "oneway")                                                                            \
    X(ONEWAY_CONDITIONAL, "oneway:conditional")                                                    \
    X(NARROW, "narrow")                                                                            \
    X(WIDTH, "width")                                                                              \
    X(LANES, "lanes")                                                                              \
    X(BARRIER, "barrier")                                                                          \
    X(MAXHEIGHT, "maxheight")                                                                      \
    X(DIRECTION, "direction")                                                                      \
    X(SIGNALS_DIRECTION, "traffic_signals:direction")                                              \
    X(STOP, "stop")

enum ht__slot {
#define HT__SLOT_ENUM(name, key) HT__SLOT_##name,
    HT__KEY_MAP(HT__SLOT_ENUM)
#undef HT__SLOT_ENUM
        HT__SLOT_FIXED,
};

#define HT__SLOT_MAX 256

/* A text and its hash, so that each is hashed once. text == NULL: absent. */
struct ht__value {
    const char *text;
    uint32_t hash;
};

struct ht__entry {
    struct ht__value key;
    double number;
};

/* Words, or words with numbers. */
struct ht__table {
    struct ht__entry *entries; /* open addressing; NULL: empty */
    uint32_t mask;
    uint32_t count;
};

/* A tag key and the values for which something holds. */
struct ht__rule {
    uint16_t slot;
    bool any;    /* every value ("*") */
    bool except; /* every value but these */
    struct ht__table values;
};

struct ht__rules {
    struct ht__rule *list;
    size_t count;
};

/* A tag key with its two directional forms. */
struct ht__axis {
    uint16_t side[2]; /* key:forward, key:backward */
    uint16_t common;
};

struct ht__axes {
    struct ht__axis *list;
    size_t count;
};

/* Conjunctions of rules, one of which must hold. */
struct ht__cases {
    struct ht__rules *list;
    size_t count;
};

struct ht__chunk;

struct ht__arena {
    struct ht__chunk *chunks;
};

enum ht__oneway { HT__ONEWAY_ALL, HT__ONEWAY_SPECIFIC, HT__ONEWAY_CONDITIONAL, HT__ONEWAY_NONE };

struct ht_profile {
    struct ht__arena arena;
    struct ht__table keys; /* key to slot */
    uint32_t slot_count;

    const char *name;
    const char **vehicles; /* vehicle tags, most specific first, NULL-terminated */
    uint32_t mode;         /* enum ht_mode */
    uint32_t weight;       /* 0 routability, 1 duration */
    bool left_hand;
    bool continue_straight;
    bool emergency;
    uint16_t classes;
    uint16_t excludable;
    uint32_t start_modes; /* bit per enum ht_mode; 0: `mode` */

    struct ht__rules routable;
    struct ht__rules block;
    struct ht__rules unblock; /* what `block` says does not hold for these */

    struct {
        double height_m; /* 0: not checked, all four */
        double width_m;
        double length_m;
        double weight_kg;
        struct ht__axes heights;
        struct ht__axes widths;
        struct ht__axes lengths;
        struct ht__axes weights;
    } vehicle;

    struct {
        struct ht__axes hierarchy;
        struct ht__rules grant; /* opens the way whatever the hierarchy says */
        struct ht__table allow;
        struct ht__table deny;
        struct ht__table restricted;
        struct ht__table restricted_highways;
        struct ht__table no_start;
        struct ht__table no_start_highways;
    } access;

    struct {
        uint32_t handling; /* enum ht__oneway */
        uint16_t *slots;   /* oneway:<vehicle> */
        size_t slot_count;
        struct ht__table forward;
        struct ht__table backward;
        struct ht__rules implied;
        struct ht__rules contraflow; /* both directions although it is a oneway */
    } oneway;

    struct {
        struct ht__rules tags;
        struct ht__axes lanes;
        struct ht__value lane_value;
    } restrict_by;

    double default_speed;
    double max_speed; /* 0: none */
    struct ht__rules speeds;
    struct ht__rules open; /* usable at default_speed although `speeds` has nothing */
    struct ht__rules caps;
    struct ht__table route_speeds;
    struct ht__table bridge_speeds;

    struct {
        struct ht__axes keys;
        uint32_t rule; /* 0 replaces the speed, 1 limits it */
        double factor;
        struct ht__table zones;
        struct ht__table values;
        struct ht__table units; /* km/h of one */
    } maxspeed;

    struct {
        uint32_t apply; /* 0 to the rate, 1 to the speed */
        struct ht__rules tags;
        double alternating;
        double narrow_width_m;
        double narrow_lanes;
        double narrow;
    } penalties;

    struct {
        bool present;
        uint32_t mode;
        double default_speed;
        bool against_oneway;
        struct ht__axes hierarchy;
        struct ht__table allow;
        struct ht__table deny;
        struct ht__rules speeds;
    } fallback;

    struct {
        struct ht__table pass; /* barriers that can be passed; all others stop */
        struct ht__table stop; /* or: barriers that stop; all others can be passed */
        struct ht__table by_height;
        struct ht__cases pass_if;
        struct ht__rules ignore_access; /* nodes whose access tags are not meant for this traffic */
        struct ht__table waits;         /* highway=traffic_signals, stop, give_way: seconds */
    } nodes;

    struct {
        double penalty_s;
        double bias;
        double u_turn_s;
        double restricted_s;
        bool obey_restrictions;
    } turn;
};

uint32_t ht__hash(const char *text);
static inline struct ht__value ht__value(const char *text)
{
    return (struct ht__value){.text = text, .hash = ht__hash(text)};
}

/* NULL: out of memory. Zeroed, aligned for any type, freed with the arena. */
void *ht__arena_new(struct ht__arena *arena, size_t size);
/* a and b joined. */
char *ht__arena_text(struct ht__arena *arena, const char *a, const char *b);
void ht__arena_deinit(struct ht__arena *arena);

/* Adds or replaces; the text is borrowed. */
HT_MUST_CHECK enum ht_status ht__table_put(struct ht__arena *arena, struct ht__table *table,
                                           struct ht__value key, double number);
const struct ht__entry *ht__table_find(const struct ht__table *table, struct ht__value key);
static inline bool ht__table_has(const struct ht__table *table, struct ht__value key)
{
    return key.text != NULL && ht__table_find(table, key) != NULL;
}

/* Lays the tags that the profile knows into `values` (HT__SLOT_MAX), the first of equal keys; empty
 * values count as absent, as in OSRM. False: none. */
bool ht__profile_lay(const struct ht_profile *profile, struct ht_osm_tags tags,
                     struct ht__value *values);
bool ht__rule_holds(const struct ht__rule *rule, const struct ht__value *values);
bool ht__rules_any(const struct ht__rules *rules, const struct ht__value *values);
bool ht__rules_all(const struct ht__rules *rules, const struct ht__value *values);

/* The built-in profiles' texts (made by the build from geodata/profiles). */
struct ht__builtin {
    const char *name;
    const unsigned char *json;
    size_t size;
};
extern const struct ht__builtin ht__builtins[];
extern const size_t ht__builtin_count;

#endif
