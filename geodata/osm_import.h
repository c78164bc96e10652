/* OSM import: from extracts to a network file, profile by profile.
 *
 * Threading: one call uses `threads` threads of its own. Memory: the network and one profile at a
 * time.
 */
#ifndef HT_GEODATA_OSM_IMPORT_H
#define HT_GEODATA_OSM_IMPORT_H

#include "engine/base/status.h"
#include "engine/road/cch.h"
#include "geodata/network_build.h"

enum ht_import_stage {
    HT_IMPORT_READ, /* `done` of `total` bytes; the others have no parts */
    HT_IMPORT_OPEN, /* the next thing that is done is to make the file beside the output, */
    HT_IMPORT_OURS, /* which is made, and of this import, from now on */
    HT_IMPORT_GRAPH,
    HT_IMPORT_ORDER,
    HT_IMPORT_HIERARCHY,
    HT_IMPORT_METRIC,
    HT_IMPORT_SNAP,
    HT_IMPORT_WRITE,
};

struct ht_import_progress {
    enum ht_import_stage stage;
    const char *profile; /* NULL: all */
    size_t index;        /* of how many profiles */
    size_t count;
    uint64_t done;
    uint64_t total;
};

struct ht_import {
    const char *const *inputs; /* of the same id the one that comes first counts */
    size_t input_count;
    const char *output;
    const char *profiles; /* as for ht_profiles_open; NULL: the built-in ones */
    size_t threads;       /* 0: as many as cores */
    /* May be NULL. Called from one thread at a time. */
    void (*progress)(void *user, const struct ht_import_progress *progress);
    void *user;
};

struct ht_import_profile {
    char name[64];
    bool left_out; /* it can use no street here */
    uint32_t junctions;
    uint32_t arcs; /* copies among them */
    uint32_t turns;
    uint32_t conditions;
    struct ht_graph_counts counts;
    struct ht_order_stats order;
    double graph_s;
    double snap_s;
    double write_s;
};

struct ht_import_report {
    struct ht_build_counts counts;
    struct ht_box box;
    uint32_t nodes;
    uint32_t ways;
    double read_s;
    double total_s;
    size_t profile_count;
    struct ht_import_profile *profiles;
};

/* `report` is filled as far as it came, also on an error, and freed by its deinit. Errors: those of
 * reading, of profiles, and of writing; HT_EMPTY: nothing in it that any profile can use;
 * HT_INVALID: the output is one of the inputs. Then no file is left, and none was changed. */
HT_MUST_CHECK enum ht_status ht_import(const struct ht_import *import,
                                       struct ht_import_report *report, struct ht_error *error);
void ht_import_report_deinit(struct ht_import_report *report);

const char *ht_import_stage_text(enum ht_import_stage stage);

#endif
