/* What the files of rounds_scene share among each other. Not a door. */
#ifndef HT_API_ROUNDS_SCENE_INTERNAL_H
#define HT_API_ROUNDS_SCENE_INTERNAL_H

#include "api/rounds_scene.h"
#include "engine/base/names.h"

enum {
    HT__ROUND_KEY = 2 * HT_ID_MAX + 2,
    HT__ROUND_SERVICE_S = 1800, /* of a visit, where nobody says */
};

/* A site or inspector by its id, a tenant by "site/tenant". */
struct ht__round_known {
    struct ht_named named;
    char id[HT__ROUND_KEY];
    uint32_t index; /* HT_PLAN_NONE: known, but not planned for */
};

/* How often a site is to be seen, until it is known when it was last. */
struct ht__round_rate {
    double per_week;
    double per_month;
    bool owned; /* somebody was named for it */
};

/* Time that an inspector does not have. */
struct ht__round_busy {
    char who[HT_ID_MAX + 1];
    struct ht_round_leave time;
};

/* At which visit somebody is, or was last. */
struct ht__round_where {
    char who[HT_ID_MAX + 1];
    char site[HT_ID_MAX + 1];
    int64_t begin_ms;
    int64_t end_ms; /* free from then on */
};

struct ht__round_work {
    const struct ht_round_making *making;
    struct ht_round_scene *scene;
    struct ht_error *error;
    struct ht_names sites; /* the real ones, and tenants that are seen on their own */
    struct ht_names inspectors;
    struct ht__round_rate *rates; /* by site */
    size_t rate_capacity;
    uint32_t real_count;         /* sites of the scene that are; those behind them are notices' */
    struct ht__round_busy *busy; /* by inspector */
    size_t busy_count;
    struct ht__round_where *wheres; /* by inspector */
    size_t where_count;
};

/* HT_PLAN_NONE: none of that id, or not planned for. */
uint32_t ht__round_find(const struct ht_names *names, const char *id);
/* Of a site, or of a tenant of it ("": the site itself). */
uint32_t ht__round_site_find(const struct ht__round_work *work, const char *site,
                             const char *tenant);
/* HT_EXISTS: it is known already. */
HT_MUST_CHECK enum ht_status ht__round_know(struct ht_names *names, const char *id, uint32_t index);
void ht__round_names_free(struct ht_names *names);

/* Bits of a list of skills (NULL: none); HT_TOO_BIG: the plan knows too many names already. */
HT_MUST_CHECK enum ht_status ht__round_skills(struct ht_round_scene *scene, yajl_val list,
                                              uint64_t *bits);

/* Keeps why a site, or a tenant of it (""), is not planned for. */
__attribute__((format(printf, 4, 5))) HT_MUST_CHECK enum ht_status
ht__round_refuse(struct ht_round_scene *scene, const char *const site[2], const char *reason,
                 const char *format, ...);

/* Reads what inspectors have to do elsewhere; before them. */
HT_MUST_CHECK enum ht_status ht__round_busy_read(struct ht__round_work *work);
/* Those of one inspector; `*count` 0: none. */
const struct ht__round_busy *ht__round_busy_of(const struct ht__round_work *work, const char *who,
                                               size_t *count);

/* Reads where inspectors are when the round begins, of the same day; before them. */
HT_MUST_CHECK enum ht_status ht__round_wheres_read(struct ht__round_work *work);
/* NULL: not on the way, at home. */
const struct ht__round_where *ht__round_where_of(const struct ht__round_work *work,
                                                 const char *who);
/* Puts those there, in the scene; after sites and inspectors are read. */
HT_MUST_CHECK enum ht_status ht__round_wheres_place(struct ht__round_work *work);

/* Reads inspectors (first), then sites; into scene and names. */
HT_MUST_CHECK enum ht_status ht__round_inspectors_read(struct ht__round_work *work);
HT_MUST_CHECK enum ht_status ht__round_sites_read(struct ht__round_work *work);
/* Room for one more site. */
HT_MUST_CHECK enum ht_status ht__round_site_room(struct ht__round_work *work);

#endif
