/* Profile: who drives, told as data. One JSON file each; README documents the format.
 *
 * A profile turns OSM tags into what the graph needs: per way and direction whether, how fast and
 * at what rate; per node barriers and waits; per turn its cost. `car` follows OSRM 6.0's published
 * default car profile (profiles/car.lua and profiles/lib): its rules, tables and turn function,
 * weight "routability".
 *
 * Threading: a profile is read-only once opened. Ownership: heap, freed with ht_profile_free.
 */
#ifndef HT_GEODATA_PROFILE_H
#define HT_GEODATA_PROFILE_H

#include "engine/base/status.h"
#include "engine/road/network.h"
#include "geodata/osm.h"

struct ht_profile;

/* Parses one profile from JSON text. Errors: HT_SYNTAX, HT_INVALID (an unknown key, a value of the
 * wrong kind: the message names it), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_profile_parse(const char *json, size_t size, const char *origin,
                                              struct ht_profile **out, struct ht_error *error);
void ht_profile_free(struct ht_profile *profile);

/* The profiles to import: `spec` is NULL (the five built in), "car,foot" (built in, by name) or a
 * folder of *.json (in order of their names). `*out` is an array of *count profiles, freed with
 * ht_profiles_free. */
HT_MUST_CHECK enum ht_status ht_profiles_open(const char *spec, struct ht_profile ***out,
                                              size_t *count, struct ht_error *error);
void ht_profiles_free(struct ht_profile **profiles, size_t count);
/* The names of those built in, from 0 on; NULL: no more. */
const char *ht_profile_builtin(size_t index);

const char *ht_profile_name(const struct ht_profile *profile);
bool ht_profile_continue_straight(const struct ht_profile *profile);
bool ht_profile_left_hand(const struct ht_profile *profile);
bool ht_profile_emergency(const struct ht_profile *profile);      /* passes zones that are closed */
uint16_t ht_profile_excludable(const struct ht_profile *profile); /* class mask, enum ht_arc_flag */
/* Turn restrictions for all apply to it, not only those that name its vehicles; the vehicle tags
 * (motorcar, motor_vehicle, ...) that a restriction's `except` or `restriction:TYPE` may name, most
 * specific first, NULL-terminated. */
bool ht_profile_obeys_restrictions(const struct ht_profile *profile);
const char *const *ht_profile_restriction_types(const struct ht_profile *profile);

/* One direction of a way. */
struct ht_way_side {
    bool open;
    bool restricted; /* only to begin or end a trip */
    enum ht_mode mode;
    double speed_kmh; /* > 0 where open and duration_s == 0 */
    double rate_mps;  /* weight is length / rate; for weight "duration" equal to speed */
    uint16_t classes; /* enum ht_arc_flag classes */
};

struct ht_way_rule {
    struct ht_way_side side[2]; /* [0] along the way's nodes */
    double duration_s; /* > 0: of the whole way (ferries), shared by length. OSRM gives each segment
                          the same share: no difference to who goes all the way. */
    double weight_s;   /* > 0: weight of the whole way, likewise; else from rate */
    bool start_allowed; /* trips may begin and end here */
};

/* False when the profile can't use the way at all. */
bool ht_profile_way(const struct ht_profile *profile, struct ht_osm_tags tags,
                    struct ht_way_rule *out);

enum ht_obstacle_direction { HT_OBSTACLE_BOTH, HT_OBSTACLE_FORWARD, HT_OBSTACLE_BACKWARD };

/* What stands at a node. Waits are paid by who arrives at it (in the tagged direction of the way,
 * or both), once for each turn there, or by the arc where the node lies inside one. */
struct ht_node_rule {
    bool barrier;    /* can't be passed; turning round before it is allowed */
    bool signal;     /* traffic lights */
    bool stop;       /* a stop sign, stop=minor not among them */
    bool stop_minor; /* the wait is only for minor roads */
    bool turning;    /* turning circle, loop, mini roundabout: turning round is allowed */
    bool directed;   /* `direction` was tagged, be it as "both" */
    double wait_s;
    enum ht_obstacle_direction direction;
};

/* False when nothing stands there for this profile (the common case; `*out` is then zero). */
bool ht_profile_node(const struct ht_profile *profile, struct ht_osm_tags tags,
                     struct ht_node_rule *out);

/* Who arrives at a node, as far as waits ask (OSRM's process_turn and Obstacles). */
struct ht_node_approach {
    int number_of_roads;    /* as in ht_turn_view */
    double source_length_m; /* of the arc it comes by, and of the one it leaves by */
    double target_length_m;
    bool from_minor; /* the source is slower than some other road there (its target among them) */
};

/* Seconds to wait at `rule` for who arrives in the direction that it holds for. */
double ht_node_wait(const struct ht_node_rule *rule, const struct ht_node_approach *approach);

/* A turn at a junction, as the profile's turn function sees it (OSRM's process_turn). */
struct ht_turn_view {
    double angle_deg;    /* OSRM's: 0 straight on, > 0 right, < 0 left, -180..180 */
    int number_of_roads; /* at the junction, usable or not, as OSRM counts them */
    bool is_u_turn;
    bool source_restricted;
    bool target_restricted;
    enum ht_mode source_mode;
    enum ht_mode target_mode;
    double wait_s; /* of obstacles passed when taking it */
    bool left_hand;
};

/* Weight and duration of the turn in ms (weight saturates below HT_WEIGHT_INF / 4). */
void ht_profile_turn(const struct ht_profile *profile, const struct ht_turn_view *turn,
                     uint32_t *weight_ms, uint32_t *duration_ms);

/* Profile-independent facts of a way: class, flags, texts (borrowed from the tags or from
 * `scratch`). */
struct ht_way_facts {
    enum ht_road_class road_class;
    uint8_t flags; /* enum ht_way_flag, without HT_WAY_LEFT_HAND */
    uint8_t lane_count;
    const char *name; /* "" where absent, all of them */
    const char *name_zh;
    const char *name_en;
    const char *ref;
    const char *pronunciation;
    const char *destinations;
    const char *exits;
    const char *lanes_forward; /* turn:lanes as tagged, less the lanes that vehicle:lanes or
                                  lanes:psv take away */
    const char *lanes_backward;
    char driving_side; /* 'l' or 'r' as tagged, 0 untagged: the profile's default holds */
    char scratch[4096];
};
void ht_way_facts(struct ht_osm_tags tags, struct ht_way_facts *out);

#endif
