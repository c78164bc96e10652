/* The rooms of the sample town: dice and noise, names, the sketch that streets are drawn into,
 * blocks (what fills a rectangle), strips (what lies between two), and the plan that holds them
 * together.
 *
 * Lengths are whole centimetres in the plan, x to the east and y to the north of the town's middle.
 * A sketch keeps the first error and ignores what comes after it, so drawing needs no checks.
 *
 * Threading: one sketch, one thread. Ownership: a sketch owns its memory; tags keep the pointers
 * they get, so they must be literals or come from ht__sketch_keep.
 */
#ifndef HT_GEODATA_SAMPLE_INTERNAL_H
#define HT_GEODATA_SAMPLE_INTERNAL_H

#include <stdbool.h>

#include "geodata/osm.h"
#include "geodata/sample.h"

enum { HT__METRE = 100 };

struct ht__place {
    int32_t x_cm;
    int32_t y_cm;
};

/* --- dice and noise (sample_dice.c) --- */

struct ht__dice {
    uint64_t state;
};

struct ht__dice ht__dice_new(uint64_t seed, uint64_t stream);
uint64_t ht__dice_roll(struct ht__dice *dice);
int32_t ht__dice_range(struct ht__dice *dice, int32_t low, int32_t high); /* both included */
bool ht__dice_chance(struct ht__dice *dice, int32_t permille);

/* Smooth value noise in [-1024, 1024] with this wavelength. */
int32_t ht__noise(uint64_t seed, struct ht__place place, int32_t wave_cm);

/* 1024 * sine of whole degrees, within 2 of the truth. */
int32_t ht__sine(int32_t degrees);

/* Integer square and cube roots, rounded down. */
int64_t ht__square_root(int64_t value);
int64_t ht__cube_root(int64_t value);

/* The plan is bent by noise, so that no street is straight, and laid on the globe. */
struct ht_point ht__place_on_globe(uint64_t seed, struct ht__place place);

/* --- names (sample_names.c) --- */

struct ht__name {
    char zh[64];
    char en[96];
};

enum ht__name_kind {
    HT__NAME_ROAD,
    HT__NAME_AVENUE,
    HT__NAME_LANE,
    HT__NAME_COMPOUND,
    HT__NAME_COMMUNITY,
    HT__NAME_BRIDGE,
    HT__NAME_ROUNDABOUT
};

void ht__name_make(struct ht__dice *dice, enum ht__name_kind kind, struct ht__name *out);

/* --- sketch (sample_sketch.c) --- */

struct ht__sketch;

enum ht_status ht__sketch_new(struct ht__sketch **out);
void ht__sketch_free(struct ht__sketch *sketch);
enum ht_status ht__sketch_status(const struct ht__sketch *sketch);

uint32_t ht__sketch_node(struct ht__sketch *sketch, struct ht__place place);
struct ht__place ht__sketch_place(const struct ht__sketch *sketch, uint32_t node);
void ht__sketch_node_tag(struct ht__sketch *sketch, uint32_t node, const char *key,
                         const char *value);
const char *ht__sketch_keep(struct ht__sketch *sketch, const char *text);

/* A line is drawn point by point; the number that `end` gives is the way's. `leg` adds the node
 * and, where it is far, points in between that the bending can move. */
void ht__sketch_begin(struct ht__sketch *sketch, uint32_t node);
void ht__sketch_point(struct ht__sketch *sketch, uint32_t node);
void ht__sketch_leg(struct ht__sketch *sketch, uint32_t node);
void ht__sketch_tag(struct ht__sketch *sketch, const char *key, const char *value);
void ht__sketch_tag_name(struct ht__sketch *sketch, const struct ht__name *name);
uint32_t ht__sketch_end(struct ht__sketch *sketch);

/* The nodes of a line that was ended. */
const uint32_t *ht__sketch_line(const struct ht__sketch *sketch, uint32_t line, size_t *count);

/* A turn restriction: from a line over a node, or over a line, to a line. */
struct ht__ban {
    uint32_t from;
    uint32_t via; /* node, or line */
    uint32_t to;
    bool via_line;
    const char *kind;
    const char *condition; /* NULL, or opening hours: makes it conditional */
    const char *except;    /* NULL, or the vehicles that it spares */
};
void ht__sketch_ban(struct ht__sketch *sketch, const struct ht__ban *ban);

/* Writes all that was drawn. */
enum ht_status ht__sketch_write(struct ht__sketch *sketch, const char *path, uint64_t seed,
                                struct ht_error *error);

/* --- classes of streets, lowest first (sample_tags.c) --- */

enum ht__class {
    HT__FOOT,
    HT__SERVICE,
    HT__LIVING,
    HT__RESIDENTIAL,
    HT__UNCLASSIFIED,
    HT__TERTIARY,
    HT__SECONDARY,
    HT__PRIMARY,
    HT__TRUNK,
    HT__MOTORWAY
};

/* highway, lanes, maxspeed, surface (NULL: what is usual); `oneway`: one carriageway. */
void ht__tag_street(struct ht__sketch *sketch, struct ht__dice *dice, enum ht__class class,
                    bool oneway, const char *surface);

/* --- ports: where a rectangle can be entered --- */

enum ht__side { HT__WEST, HT__EAST, HT__SOUTH, HT__NORTH, HT__SIDES };

struct ht__port {
    uint32_t node;
    int32_t along_cm; /* x on north and south sides, y on the others */
    enum ht__class class;
    bool must; /* the only way in: has to be joined */
};

struct ht__ports {
    struct ht__port *list;
    size_t count;
    size_t capacity;
};

enum ht_status ht__ports_add(struct ht__ports *ports, struct ht__port port);
enum ht_status ht__ports_append(struct ht__ports *ports, const struct ht__ports *more);
void ht__ports_deinit(struct ht__ports *ports);

/* --- blocks (sample_block.c) --- */

struct ht__rect {
    struct ht__place min;
    struct ht__place max;
};

enum ht__block_kind {
    HT__BLOCK_GRID,
    HT__BLOCK_COMPOUND,
    HT__BLOCK_OLD_TOWN,
    HT__BLOCK_VILLAGE,
    HT__BLOCK_WORKS,
    HT__BLOCK_PORT,
    HT__BLOCK_PARK
};

struct ht__block_plan {
    struct ht__rect rect;
    enum ht__block_kind kind;
    int32_t spacing_cm;
    uint64_t seed;
    bool details; /* paths and signs too: a town has them, a city is large enough without */
};

/* What was drawn in a rectangle, for who settles there: its crossings are the nodes from
 * `first_node` on, row by row from the southwest, all of them on streets. */
struct ht__yard {
    uint32_t first_node;
    uint32_t columns;
    uint32_t rows;
    uint32_t wall;             /* line around a compound; UINT32_MAX: none */
    uint32_t gates[HT__SIDES]; /* nodes in the wall; UINT32_MAX: none */
    enum ht__side main_gate;
    const char *name; /* the compound's, the sketch keeps it */
};

/* Fills a rectangle and says where it can be entered. HT_NOMEM. */
enum ht_status ht__block_draw(struct ht__sketch *sketch, const struct ht__block_plan *plan,
                              struct ht__ports ports[HT__SIDES], struct ht__yard *yard);

/* --- strips (sample_strip.c, sample_motorway.c) --- */

enum ht__strip_kind { HT__STRIP_STREET, HT__STRIP_RIVER, HT__STRIP_RAIL, HT__STRIP_MOTORWAY };

/* What lies between a left and a right rectangle, seen along it: a strip that runs north has west
 * on its left, one that runs east has north on its left. `across` is x, or -y. */
struct ht__strip {
    enum ht__strip_kind kind;
    enum ht__class class;
    bool north;
    bool details;
    int32_t along_min_cm;
    int32_t along_max_cm;
    int32_t across_min_cm;
    int32_t across_max_cm;
    size_t crossings; /* streets that go from side to side */
    uint64_t seed;
};

struct ht__place ht__strip_place(const struct ht__strip *strip, int32_t along_cm,
                                 int32_t across_cm);

/* Draws it, joins both sides to it and adds its ends to `first` (where along is least) and `last`.
 */
enum ht_status ht__strip_draw(struct ht__sketch *sketch, const struct ht__strip *strip,
                              const struct ht__ports *left, const struct ht__ports *right,
                              struct ht__ports *first, struct ht__ports *last);

/* Room that a strip takes. */
int32_t ht__strip_width(enum ht__strip_kind kind, enum ht__class class);
bool ht__strip_is_dual(const struct ht__strip *strip);

/* An interchange: two nodes of the avenue beside the motorway, the second further along. */
struct ht__interchange {
    int32_t along_cm;
    uint32_t first;
    uint32_t second;
};

/* Two carriageways in the strip, joined to the avenue by ramps at each interchange and at both of
 * its ends. */
enum ht_status ht__motorway_draw(struct ht__sketch *sketch, const struct ht__strip *strip,
                                 const struct ht__interchange *interchanges, size_t count,
                                 const uint32_t ends[2]);

/* --- the whole (sample.c) --- */

/* A rectangle of the plan: two others with a strip between them, or a leaf. */
struct ht__area {
    struct ht__rect rect;
    uint32_t child[2]; /* left and right of the strip; 0: a leaf */
    uint32_t depth;
    bool north; /* the strip between the children runs north */
    enum ht__strip_kind strip;
    enum ht__class class;
    int64_t nodes;
    struct ht__block_plan block; /* of a leaf */
    struct ht__yard yard;        /* likewise, once drawn */
};

struct ht__town {
    enum ht_sample_scale scale;
    uint64_t seed;
    struct ht__sketch *sketch;
    struct ht__area *areas; /* children behind their parents, the whole first */
    size_t area_count;
    size_t area_capacity;
    int32_t half_width_cm;
    int32_t half_height_cm;
};

/* Plans and draws a town. HT_NOMEM. To be deinited also after an error. */
enum ht_status ht__town_draw(struct ht__town *town, enum ht_sample_scale scale, uint64_t seed);
void ht__town_deinit(struct ht__town *town);

#endif
