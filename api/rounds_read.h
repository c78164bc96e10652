/* The body of POST /v1/rounds and of /replan, read and checked.
 *
 *   {"from": "2026-03-02", "weeks": 4, "collection": "factories",
 *    "sites": ["f1", {"id": "f2", "visits_per_week": 2, "open": "Mo-Fr 09:00-11:30"}],
 *    "filter": {"risk": 4},                         where no sites are named: those of the
 *                                                   collection whose properties are these
 *    "inspectors": ["i1", {"id": "i2", "shift": "Mo-Fr 08:30-17:00", "profile": "ebike",
 *                          "leave": ["2026-03-04", {"from": "2026-03-09", "to": "2026-03-13"}]}],
 *    "visits_per_week": 2, "gap_days": [2, 5], "service_s": 1800, ...}
 *
 * How a site is to be seen (a wish) may be said for all sites, for one in the list, and by the site
 * itself, in its properties: the list is stronger than the body, and that than the site. So it is
 * with inspectors: what the list says is stronger than the registry. What nobody says is for
 * api/rounds_scene.h to decide.
 *
 * "tenants": true sees each tenant of a factory on its own, as often as its own risk asks for; else
 * a factory and all in it are one site.
 *
 * Every mistake is collected, not the first alone. Members that are not known are passed over, and
 * told where somebody listens.
 *
 * Threading: pure but for the office's zone (a date is a day there). Ownership: texts are the
 * struct's, which keeps the tree they lie in.
 */
#ifndef HT_API_ROUNDS_READ_H
#define HT_API_ROUNDS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/status.h"
#include "geodata/collection.h"

enum {
    HT_ROUND_BODY_MOST = 4 << 20, /* bytes: their tree takes some 40 times that */
    HT_ROUND_WEEKS_MOST = 8,
    HT_ROUND_SITES_MOST = 10000,
    HT_ROUND_INSPECTORS_MOST = 1000,
    HT_ROUND_SKILLS_MOST = 64, /* that one plan knows */
    HT_ROUND_LEAVES_MOST = 64, /* of one inspector */
    HT_ROUND_FILTERS_MOST = 8,
    HT_ROUND_WRONGS_MOST = 100,
    HT_ROUND_ID_MOST = 40, /* so that its visits' ids are none that is too long */
    HT_ROUND_LIMIT_MOST_MS = 60000,
    HT_ROUND_SERVICE_MOST_S = 24 * 3600,
    HT_ROUND_CREW_MOST = 2,
    HT_ROUND_BALANCE = 400, /* where nothing is said: fair shares are worth some travel */
    HT_ROUND_BALANCE_MOST = 1000,
};

/* Something that is wrong: where (a JSON pointer into the body) and what. */
struct ht_round_wrong {
    char pointer[120];
    char detail[160];
};

struct ht_round_wrongs {
    struct ht_round_wrong *list;
    size_t count;
    size_t capacity;
    size_t more; /* that were not kept */
};
/* Keeps it, or counts it where there are too many. */
__attribute__((format(printf, 3, 4))) void
ht_round_wrong_add(struct ht_round_wrongs *wrongs, const char *pointer, const char *format, ...);
void ht_round_wrongs_deinit(struct ht_round_wrongs *wrongs);

/* How a site is to be seen; what nobody said is below 0, NULL or 0. */
struct ht_round_wish {
    double visits_per_week;
    double visits_per_month;
    double gap_least_days;
    double gap_most_days;
    double service_s;
    uint32_t crew;
    uint32_t risk;         /* 1 to 4 */
    uint32_t days;         /* bits, Monday the lowest */
    yajl_val open;         /* as ht_hours_text takes it */
    yajl_val skills;       /* a list of texts; empty: none are needed */
    const char *inspector; /* who has the site (包干) */
};

struct ht_round_site_ask {
    const char *id;
    struct ht_round_wish wish;
};

/* Days off, [from_ms, to_ms). */
struct ht_round_leave {
    int64_t from_ms;
    int64_t to_ms;
};

struct ht_round_inspector_ask {
    const char *id; /* NULL in what an item of the registry says */
    yajl_val shift; /* this and below: NULL: not said */
    yajl_val skills;
    yajl_val home; /* an item's id or [lon, lat] */
    const char *profile;
    uint32_t visits_per_day_most; /* 0: not said */
    uint32_t visits_per_week_most;
    struct ht_round_leave *leaves;
    size_t leave_count;
};

struct ht_round_filter {
    const char *name;
    char value[160]; /* as ht_store_filter has it */
};

struct ht_round_ask {
    yajl_val tree;
    const char *id;  /* NULL: not said */
    int64_t from_ms; /* as it came; a date: the day's begin */
    uint32_t weeks;
    const struct ht_collection *collection;
    bool sites_named;
    struct ht_round_site_ask *sites;
    size_t site_count;
    struct ht_round_filter filters[HT_ROUND_FILTERS_MOST];
    size_t filter_count;
    bool inspectors_named;
    struct ht_round_inspector_ask *inspectors;
    size_t inspector_count;
    struct ht_round_wish wish; /* for all sites */
    bool tenants;              /* a factory's are seen on their own; false where nothing is said */
    bool keep;                 /* each site keeps its inspector; true where nothing is said */
    uint32_t balance;          /* what unequal loads cost, per cent; as HT_ROUND_BALANCE */
    uint64_t seed;
    uint32_t limit_ms;   /* of the search; 0: not said */
    uint32_t iterations; /* likewise */
};

/* HT_SYNTAX (400: no JSON, or something is not of its type), HT_INVALID (422: out of range, or
 * nothing of that name), HT_TOO_BIG (413) with all that is wrong in `wrongs`, at least one;
 * HT_NOMEM. `wrongs`: the caller's, zeroed. */
HT_MUST_CHECK enum ht_status ht_round_ask_read(const char *text, size_t size,
                                               struct ht_round_ask *out,
                                               struct ht_round_wrongs *wrongs);
/* Also after an error. */
void ht_round_ask_deinit(struct ht_round_ask *ask);
/* Members that a round, its sites and its inspectors don't have: each is told, the rest counts. */
void ht_round_ask_members(const struct ht_round_ask *ask, struct ht_round_wrongs *wrongs);

/* What an item of the registry says of itself, from its properties; what can't be read counts as
 * not said (the registry checks what comes in). The tree must outlive it. */
void ht_round_wish_of(yajl_val properties, struct ht_round_wish *out);
/* HT_NOMEM. `leaves` are the caller's to free. */
HT_MUST_CHECK enum ht_status ht_round_inspector_of(yajl_val properties,
                                                   struct ht_round_inspector_ask *out);
/* Fills what `wish` leaves open. A number of visits is one wish, by week or by month, and so are
 * the two gaps. */
void ht_round_wish_fill(struct ht_round_wish *wish, const struct ht_round_wish *from);

/* The body of a re-plan. */
struct ht_round_again {
    yajl_val tree;
    int64_t from_ms; /* INT64_MIN: from now */
    /* What is new of these; others stay as the round asked for them. Leaves add up. */
    struct ht_round_inspector_ask *inspectors;
    size_t inspector_count;
    uint32_t limit_ms; /* this and the next: of the search; 0: not said */
    uint32_t iterations;
};
HT_MUST_CHECK enum ht_status ht_round_again_read(const char *text, size_t size,
                                                 struct ht_round_again *out,
                                                 struct ht_round_wrongs *wrongs);
/* Members that a re-plan does not know, which would go unnoticed; HT_SYNTAX with each of them. */
HT_MUST_CHECK enum ht_status ht_round_again_members(const struct ht_round_again *again,
                                                    struct ht_round_wrongs *wrongs);
void ht_round_again_deinit(struct ht_round_again *again);

/* A day of the office's zone, "2026-03-02", or a moment of RFC 3339, between 2000 and 2100. `*day`:
 * it is a day, and `*utc_ms` its begin. */
bool ht_round_time_read(const char *text, int64_t *utc_ms, bool *day);

#endif
