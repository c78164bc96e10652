/* Fleet: the units that move about: who they are, what they can do, and where they were last.
 *
 * A unit has a string id outside and a dense index inside, the same in every room (moving,
 * closest). Its skills and its profile are strings outside, bits and small numbers inside.
 * Capacities are the caller's, and what a shift means: the fleet knows the duty that it is told.
 *
 * A unit that has a blue light goes by one profile with it and by another (`plain`) without; its
 * place is kept on the streets of both.
 *
 * A position is taken only when it can be true; what is refused is counted by reason. Device time
 * and time of receipt are kept side by side; their least difference over the last ten minutes or so
 * tells how far the device's clock is off (a position can't arrive before it was measured).
 *
 * Threading: all calls from any thread. Filters read atomics only; a copy of a unit or a new
 * position takes one of 64 mutexes for as long as it copies, snapping happens outside of it; new
 * units and lookups by id share a read-write lock. Of two positions of one unit that are accepted
 * at the same time the later one (by the device) stays.
 * Ownership: strings are copied. Errors: HT_NOMEM, HT_INVALID (ids), HT_TOO_BIG (full), HT_RANGE.
 */
#ifndef HT_ENGINE_LIVE_FLEET_H
#define HT_ENGINE_LIVE_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/live/follow.h"
#include "engine/live/permits.h"

enum ht_unit_kind { HT_UNIT_VAN, HT_UNIT_RESPONDER, HT_UNIT_INSPECTOR, HT_UNIT_VOLUNTEER };
enum ht_unit_status { HT_UNIT_OFF, HT_UNIT_IDLE, HT_UNIT_BUSY };
enum ht_duty { HT_DUTY_ANY, HT_DUTY_ON, HT_DUTY_OFF };
enum {
    HT_UNIT_ID_MAX = 64,
    HT_SKILLS_MAX = 64,
    HT_FLEET_PROFILES_MAX = 16,
    HT_NAME_MAX = 63, /* of a skill or a profile */
};

/* X(name, text): why a position is not taken. */
#define HT_REFUSAL_MAP(X)                                                                          \
    X(NONE, "accepted")                                                                            \
    X(UNKNOWN_UNIT, "unknown unit")                                                                \
    X(NOT_FINITE, "not a number")                                                                  \
    X(OUT_OF_RANGE, "not on Earth")                                                                \
    X(NULL_ISLAND, "longitude and latitude are 0")                                                 \
    X(FUTURE, "measured in the future")                                                            \
    X(DUPLICATE, "same time as the one before")                                                    \
    X(OUT_OF_ORDER, "older than the one before")                                                   \
    X(TOO_FAST, "faster than 400 km/h since the one before")

enum ht_refusal {
#define HT_REFUSAL_ENUM(name, text) HT_REFUSAL_##name,
    HT_REFUSAL_MAP(HT_REFUSAL_ENUM)
#undef HT_REFUSAL_ENUM
        HT_REFUSAL_COUNT
};

const char *ht_refusal_text(enum ht_refusal refusal);

struct ht_fleet_settings {
    int64_t stale_ms;  /* silent for longer: stale */
    int64_t future_ms; /* a position this much later than its receipt is still taken */
};
/* 120 s and 10 s. */
struct ht_fleet_settings ht_fleet_settings_default(void);

struct ht_fleet;

/* Another time after which a silent unit is stale, from now on. */
void ht_fleet_set_stale(struct ht_fleet *fleet, int64_t stale_ms);

/* What the registry says about a unit. */
struct ht_unit_spec {
    enum ht_unit_kind kind;
    enum ht_unit_status status;
    const char *profile;
    const char *plain; /* the profile without blue light; NULL: it has none, and always `profile` */
    const char *const *skills;
    size_t skill_count;
    const char *const *permits; /* zones that it may pass; without commas */
    size_t permit_count;
};

/* As the device says it; NAN or negative: not known. */
struct ht_report {
    double lon_deg;
    double lat_deg;
    int64_t ts_ms;
    int64_t received_ms;
    double speed_mps;
    double bearing_deg;
    double accuracy_m;
    bool told; /* not by the device: somebody says where it is. It was not heard by that */
};

struct ht_position {
    struct ht_fix fix;
    int64_t ts_ms;
    int64_t received_ms;
    bool told;        /* as in struct ht_report */
    uint64_t network; /* on which `place` lies: ht_fleet_streets.network; 0: nowhere */
    struct ht_place place;
    /* The same without blue light, of a unit that has one: on the streets of `plain_profile`, which
     * is its own where there are none of the profile that was named. */
    uint64_t plain_network;
    uint32_t plain_profile;
    struct ht_place plain;
};

/* A copy of a unit as it is now. */
struct ht_unit {
    char id[HT_UNIT_ID_MAX + 1];
    enum ht_unit_kind kind;
    enum ht_unit_status status;
    uint32_t profile; /* ht_fleet_profile_name */
    uint32_t plain;   /* the one without blue light; `profile`: it has none */
    uint64_t skills;  /* bits, ht_fleet_skill_name */
    uint32_t permits; /* number of its set, ht_fleet_permits */
    bool positioned;  /* `position` is one */
    bool stale;       /* silent for too long, or never heard */
    bool on_duty;
    bool skew_known;
    int64_t skew_ms; /* the device's clock is at least this much late (< 0: it is ahead) */
    struct ht_position position;
};

/* The streets of the moment: a road for each profile of the fleet (by its number), NULL where there
 * is none; `network` (not 0) names the network that they belong to, as ht_world_id does. */
struct ht_fleet_streets {
    uint64_t network;
    uint32_t count;
    const struct ht_road *const *roads;
};

/* How permits part the units at some moment: units of one profile in the same part have the same
 * streets. Part 0 are those whose permits open nothing. */
struct ht_permit_parts {
    uint32_t set_count; /* sets from here on open nothing */
    uint32_t profile_count;
    const uint32_t *part; /* [set * profile_count + profile] */
};

static inline uint32_t ht_permit_part(const struct ht_permit_parts *parts, uint32_t set,
                                      uint32_t profile)
{
    return set < parts->set_count && profile < parts->profile_count
               ? parts->part[(size_t)set * parts->profile_count + profile]
               : 0;
}

/* Which units, and by which of their profiles. */
enum ht_light {
    HT_LIGHT_ANY,  /* all, by their own profile */
    HT_LIGHT_NONE, /* those without blue light */
    HT_LIGHT_OFF   /* those that have one, by the profile without it */
};

/* What a unit must be like. */
struct ht_unit_filter {
    uint32_t kinds;    /* bits 1 << enum ht_unit_kind; 0: any */
    uint32_t statuses; /* bits 1 << enum ht_unit_status; 0: any */
    bool told;         /* the status as it was told, whether engaged or not */
    uint64_t skills;   /* all of them */
    int64_t heard_ms;  /* last position received at this time or later; INT64_MIN: any */
    enum ht_duty duty; /* at `duty_ms` */
    int64_t duty_ms;
    enum ht_light light;
    const struct ht_permit_parts *parts; /* NULL: of any part */
    uint32_t part;
};

HT_MUST_CHECK enum ht_status ht_fleet_new(const struct ht_fleet_settings *settings,
                                          uint32_t capacity, struct ht_fleet **out);
void ht_fleet_free(struct ht_fleet *fleet);
uint32_t ht_fleet_capacity(const struct ht_fleet *fleet);
/* Memory reserved for all units. */
size_t ht_fleet_bytes(const struct ht_fleet *fleet);

/* A new unit, or a known one brought up to date; `*index` stays the same until it is removed.
 * HT_INVALID: not 1 to 64 letters, digits and ._:-, or an empty or overlong name; HT_TOO_BIG: no
 * room for the unit, a skill or a profile. Nothing changes then. */
HT_MUST_CHECK enum ht_status ht_fleet_put(struct ht_fleet *fleet, const char *id,
                                          const struct ht_unit_spec *spec, uint32_t *index);
/* Forgets the unit; its index may be given to another one. */
void ht_fleet_remove(struct ht_fleet *fleet, uint32_t index);
/* The index of an id of `length` bytes; HT_NONE: there is none. */
uint32_t ht_fleet_find(struct ht_fleet *fleet, const char *id, size_t length);
/* HT_NOT_FOUND: no such unit. */
HT_MUST_CHECK enum ht_status ht_fleet_set_status(struct ht_fleet *fleet, uint32_t index,
                                                 enum ht_unit_status status);
/* A unit that is engaged (by the desk) and told to be idle is busy, whatever the registry says of
 * it meanwhile, until it is not engaged any more. Nothing where there is no such unit. */
void ht_fleet_set_engaged(struct ht_fleet *fleet, uint32_t index, bool engaged);
/* When the unit is on duty: within [from_ms, until_ms), to the minute; nothing at other times. At
 * first always (INT64_MIN to INT64_MAX). Nothing where there is no such unit. */
void ht_fleet_set_duty(struct ht_fleet *fleet, uint32_t index, int64_t from_ms, int64_t until_ms);
/* The duty that was told, to the minute; INT64_MAX: it does not end. False: it has none. */
bool ht_fleet_duty(const struct ht_fleet *fleet, uint32_t index, int64_t *from_ms,
                   int64_t *until_ms);
/* False: no such unit. */
bool ht_fleet_get(struct ht_fleet *fleet, uint32_t index, int64_t now_ms, struct ht_unit *out);
/* The little that tells one life of an index from another, and its id; both cheaper than a copy of
 * all. `generation` grows when a unit goes. False: no such unit, or (id) not of that generation. */
struct ht_unit_life {
    uint32_t profile;
    uint32_t generation;
    uint32_t plain; /* as in struct ht_unit */
};
bool ht_fleet_life(struct ht_fleet *fleet, uint32_t index, struct ht_unit_life *out);
/* ht_fleet_find and ht_fleet_life in one. */
uint32_t ht_fleet_find_life(struct ht_fleet *fleet, const char *id, size_t length,
                            struct ht_unit_life *out);
bool ht_fleet_id(struct ht_fleet *fleet, uint32_t index, uint32_t generation,
                 char id[HT_UNIT_ID_MAX + 1]);
/* One more than the highest index ever given: what to loop over. */
uint32_t ht_fleet_end(const struct ht_fleet *fleet);
uint32_t ht_fleet_count(const struct ht_fleet *fleet);

/* Which sets of permits units hold. Lives as long as the fleet. */
struct ht_permits *ht_fleet_permits(const struct ht_fleet *fleet);

/* Reads atomics only: for the inside of a search. */
bool ht_fleet_matches(const struct ht_fleet *fleet, uint32_t index,
                      const struct ht_unit_filter *filter);

/* Names that were seen. The text lives as long as the fleet; NULL: none. */
uint32_t ht_fleet_profile_count(const struct ht_fleet *fleet);
const char *ht_fleet_profile_name(const struct ht_fleet *fleet, uint32_t profile);
/* How many units have no blue light; one that is being changed may be counted though it has. */
uint32_t ht_fleet_unlit(const struct ht_fleet *fleet);
/* Bits of the profiles by which some unit ever went without its blue light. */
uint32_t ht_fleet_plain_profiles(const struct ht_fleet *fleet);
const char *ht_fleet_skill_name(const struct ht_fleet *fleet, uint32_t bit);
/* Bits of skills by name. HT_NOT_FOUND: one that no unit ever had. */
HT_MUST_CHECK enum ht_status ht_fleet_skills(struct ht_fleet *fleet, const char *const *names,
                                             size_t count, uint64_t *bits);

/* Takes a position (HT_REFUSAL_NONE), or says why not. `streets` (NULL: don't snap) puts it on a
 * street of the unit's profile as follow.h tells; one beyond the reach of any, or when memory runs
 * out, is accepted without a place. `*taken` (may be NULL) is what the fleet now knows. A device
 * whose one wild position was accepted is back as soon as 400 km/h lead from there. */
enum ht_refusal ht_fleet_accept(struct ht_fleet *fleet, struct ht_follow *follow, uint32_t index,
                                const struct ht_report *report,
                                const struct ht_fleet_streets *streets, struct ht_position *taken);

/* Puts the last position on other streets, after the network was swapped or the unit's profile
 * changed. HT_NOT_FOUND: no unit, no position, or no road for it; HT_NO_SEGMENT: no street near.
 * `*taken` (may be NULL) is what the fleet now knows, on no street after an error; the place
 * without blue light may be found though the other is not. */
HT_MUST_CHECK enum ht_status ht_fleet_replace(struct ht_fleet *fleet, struct ht_follow *follow,
                                              uint32_t index,
                                              const struct ht_fleet_streets *streets,
                                              struct ht_position *taken);

/* Units, those that were ever heard, and of them the silent ones. Linear in ht_fleet_end, a
 * nanosecond or two for each. */
struct ht_fleet_counts {
    uint32_t units;
    uint32_t heard;
    uint32_t stale;
};
struct ht_fleet_counts ht_fleet_counts(const struct ht_fleet *fleet, int64_t now_ms);

/* How many positions were accepted, and refused by reason, since the start. */
void ht_fleet_refusals(const struct ht_fleet *fleet, uint64_t counts[HT_REFUSAL_COUNT]);

#endif
