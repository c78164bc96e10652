/* The sites of a round, from the registry and what was asked of them. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/home.h"
#include "api/json_merge.h"
#include "api/rounds_scene_internal.h"
#include "engine/base/array.h"
#include "geodata/members.h"

enum {
    HOME_SERVICE_S = 900,
    RISK_MOST = HT_ROUNDS_RISK_MOST,
    FLOOR_MOST = 200,
};

/* ---- names ---- */

uint32_t ht__round_find(const struct ht_names *names, const char *id)
{
    const struct ht__round_known *known = (const struct ht__round_known *)ht_names_find(names, id);
    return known == NULL ? HT_PLAN_NONE : known->index;
}

static void key_write(const char *site, const char *tenant, char key[HT__ROUND_KEY])
{
    (void)snprintf(key, HT__ROUND_KEY, "%.64s%s%.64s", site, tenant[0] == '\0' ? "" : "/", tenant);
}

uint32_t ht__round_site_find(const struct ht__round_work *work, const char *site,
                             const char *tenant)
{
    char key[HT__ROUND_KEY];
    key_write(site, tenant, key);
    return ht__round_find(&work->sites, key);
}

enum ht_status ht__round_know(struct ht_names *names, const char *id, uint32_t index)
{
    if (ht_names_find(names, id) != NULL) {
        return HT_EXISTS;
    }
    struct ht__round_known *known = calloc(1, sizeof *known);
    if (known == NULL || ht_names_reserve(names) != HT_OK) {
        free(known);
        return HT_NOMEM;
    }
    (void)snprintf(known->id, sizeof known->id, "%s", id);
    known->named.id = known->id;
    known->index = index;
    ht_names_add(names, &known->named);
    return HT_OK;
}

void ht__round_names_free(struct ht_names *names)
{
    for (size_t i = 0; i < names->slot_count; i++) {
        while (names->slots[i] != NULL) {
            struct ht_named *named = names->slots[i];
            names->slots[i] = named->next;
            free(named);
        }
    }
    free(names->slots);
    *names = (struct ht_names){.slots = NULL};
}

enum ht_status ht__round_skills(struct ht_round_scene *scene, yajl_val list, uint64_t *bits)
{
    *bits = 0;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        const char *name = YAJL_GET_STRING(list->u.array.values[i]);
        uint32_t skill = 0;
        while (skill < scene->skill_count && strcmp(scene->skills[skill], name) != 0) {
            skill++;
        }
        if (skill == HT_ROUND_SKILLS_MOST) {
            return HT_TOO_BIG;
        }
        if (skill == scene->skill_count) {
            (void)snprintf(scene->skills[scene->skill_count++], HT_NAME_MAX + 1, "%s", name);
        }
        *bits |= UINT64_C(1) << skill;
    }
    return HT_OK;
}

enum ht_status ht__round_refuse(struct ht_round_scene *scene, const char *const site[2],
                                const char *reason, const char *format, ...)
{
    va_list words;
    void *list = scene->refused;
    enum ht_status status = ht_array_reserve(&list, &scene->refused_capacity,
                                             scene->refused_count + 1, sizeof *scene->refused);
    scene->refused = list;
    if (status != HT_OK) {
        return status;
    }
    struct ht_round_refused *refused = &scene->refused[scene->refused_count++];
    (void)snprintf(refused->site, sizeof refused->site, "%s", site[0]);
    (void)snprintf(refused->tenant, sizeof refused->tenant, "%s", site[1]);
    refused->reason = reason;
    va_start(words, format);
    (void)vsnprintf(refused->hint, sizeof refused->hint, format, words);
    va_end(words);
    return HT_OK;
}

/* ---- one site ---- */

/* Where one goes in; a site with a border and no entrance: its middle. */
static bool point_of(const struct ht_store_item *item, struct ht_point *out)
{
    struct ht_geometry geometry;
    struct ht_member entrance;
    if (!ht_home_point(item, out)) {
        return false;
    }
    if (ht_member_find(item->properties, "entrance", &entrance) || item->wkb_size == 0) {
        return true;
    }
    ht_geometry_init(&geometry);
    if (ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL) == HT_OK &&
        geometry.type != HT_GEOMETRY_POINT && geometry.type != HT_GEOMETRY_NONE) {
        const struct ht_box *box = &geometry.box;
        out->lon_e7 = (int32_t)(((int64_t)box->min.lon_e7 + box->max.lon_e7) / 2);
        out->lat_e7 = (int32_t)(((int64_t)box->min.lat_e7 + box->max.lat_e7) / 2);
    }
    ht_geometry_deinit(&geometry);
    return true;
}

/* A factory is as dangerous as the worst of those in it. */
static uint32_t risk_of(yajl_val properties, const struct ht_round_wish *wish)
{
    yajl_val tenants = ht_json_member(properties, "tenants");
    uint32_t risk = wish->risk;
    for (size_t i = 0; YAJL_IS_ARRAY(tenants) && i < tenants->u.array.len; i++) {
        yajl_val of = ht_json_member(tenants->u.array.values[i], "risk");
        if (YAJL_IS_INTEGER(of) && YAJL_GET_INTEGER(of) > risk &&
            YAJL_GET_INTEGER(of) <= RISK_MOST) {
            risk = (uint32_t)YAJL_GET_INTEGER(of);
        }
    }
    return risk;
}

/* What is being looked at. */
struct looking {
    struct ht__round_work *work;
    const struct ht_round_site_ask *asked; /* NULL: found by the filter */
    size_t place;                          /* of it in the list */
    bool found;
};

static bool is_frail(const struct ht_store_item *item)
{
    struct ht_member member;
    return item->personal != NULL && ht_member_find(item->personal, "frail", &member) &&
           member.value[0] == 't';
}

static bool is_households(const struct ht_round_ask *ask)
{
    return strcmp(ask->collection->name, "households") == 0;
}

/* How often, where nobody says. */
static void rate_usual(const struct looking *looking, const struct ht_store_item *item,
                       uint32_t risk, struct ht_round_wish *wish)
{
    static const double months[RISK_MOST + 1] = {0, 0.5, 1, 2, 4};
    bool said = wish->visits_per_week >= 0 || wish->visits_per_month >= 0;
    if (is_households(looking->work->making->ask)) {
        double weekly = said && wish->visits_per_week < 0 ? wish->visits_per_month / 4
                        : said                            ? wish->visits_per_week
                                                          : 0;
        bool least = (is_frail(item) || (looking->asked != NULL && !said)) && weekly < 1;
        wish->visits_per_week = least ? 1 : weekly;
        wish->visits_per_month = -1;
    } else if (!said && risk > 0) {
        wish->visits_per_month = months[risk];
    } else if (!said && looking->asked != NULL) {
        wish->visits_per_week = 1;
    }
}

/* The wish of a site; texts of `properties` may be in it. */
static struct ht_round_wish wish_of(const struct looking *looking, yajl_val properties)
{
    struct ht_round_wish own;
    struct ht_round_wish wish;
    const struct ht_round_ask *ask = looking->work->making->ask;
    ht_round_wish_of(properties, &own);
    wish = looking->asked == NULL ? ask->wish : looking->asked->wish;
    ht_round_wish_fill(&wish, &ask->wish);
    ht_round_wish_fill(&wish, &own);
    return wish;
}

enum ht_status ht__round_site_room(struct ht__round_work *work)
{
    struct ht_round_scene *scene = work->scene;
    size_t want = scene->site_count + (size_t)1;
    void *sites = scene->sites;
    void *plan = scene->plan_sites;
    void *rates = work->rates;
    enum ht_status status =
        ht_array_reserve(&sites, &scene->site_capacity, want, sizeof *scene->sites);
    scene->sites = sites;
    if (status == HT_OK) {
        status =
            ht_array_reserve(&plan, &scene->plan_site_capacity, want, sizeof *scene->plan_sites);
        scene->plan_sites = plan;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&rates, &work->rate_capacity, want, sizeof *work->rates);
        work->rates = rates;
    }
    return status;
}

/* A number for each cell: what of its name's hash is enough to tell some thousands apart. */
static uint32_t cell_of(const struct ht_store_item *item)
{
    return item->cell == NULL ? HT_PLAN_NONE : (uint32_t)(ht_names_hash(item->cell) % HT_PLAN_NONE);
}

static int16_t floor_of(yajl_val properties)
{
    yajl_val value = ht_json_member(properties, "floor");
    bool sound = YAJL_IS_INTEGER(value) && YAJL_GET_INTEGER(value) >= -FLOOR_MOST &&
                 YAJL_GET_INTEGER(value) <= FLOOR_MOST;
    return sound ? (int16_t)YAJL_GET_INTEGER(value) : 1;
}

/* Who has the site, as it was asked. */
static uint32_t owner_of(const struct looking *looking, const struct ht_store_item *item,
                         const struct ht_round_wish *wish)
{
    char pointer[64] = "";
    if (wish->inspector == NULL) {
        return HT_PLAN_NONE;
    }
    uint32_t owner = ht__round_find(&looking->work->inspectors, wish->inspector);
    if (owner == HT_PLAN_NONE) {
        if (looking->asked != NULL) {
            (void)snprintf(pointer, sizeof pointer, "/sites/%zu/inspector", looking->place);
        }
        ht_round_wrong_add(looking->work->making->wrongs, pointer,
                           "%s: inspector %s, who has it, is not in this round", item->id,
                           wish->inspector);
    }
    return owner;
}

/* One that is seen: a site, or a tenant of it. */
struct stop {
    const char *id[2];   /* of the site, and of the tenant, "" */
    yajl_val properties; /* its own */
    uint32_t risk;
    struct ht_round_wish wish;
};

/* When it is open, on which days, and what it takes. `*refused`: it can't be planned for, and that
 * is kept. */
static enum ht_status terms_read(struct ht_round_scene *scene, const struct stop *stop,
                                 struct ht_rounds_site *out, bool *refused)
{
    struct ht_round_open open = {.list = NULL};
    enum ht_status status = ht_round_site_hours(&scene->days, stop->wish.open, &open);
    *refused = status == HT_INVALID || open.never;
    if (*refused) {
        return ht__round_refuse(scene, stop->id, "closed", "%s",
                                open.never ? "it is open on none of these days"
                                           : "its opening hours can't be read");
    }
    *out = (struct ht_rounds_site){.open = open.list, .open_count = open.count};
    if (status == HT_OK) {
        status = ht_round_weekdays(&scene->days, stop->wish.days, &out->days);
    }
    if (status == HT_OK) {
        status = ht__round_skills(scene, stop->wish.skills, &out->skills);
    }
    *refused = status == HT_TOO_BIG;
    return *refused ? ht__round_refuse(scene, stop->id, "skills", "a plan knows %d skills at most",
                                       (int)HT_ROUND_SKILLS_MOST)
                    : status;
}

static enum ht_status site_put(const struct looking *looking, const struct ht_store_item *item,
                               const struct stop *stop)
{
    struct ht__round_work *work = looking->work;
    struct ht_round_scene *scene = work->scene;
    const struct ht_round_wish *wish = &stop->wish;
    bool home = is_households(work->making->ask);
    struct ht_rounds_site terms;
    bool refused = false;
    enum ht_status status = terms_read(scene, stop, &terms, &refused);
    if (status != HT_OK || refused) {
        return status;
    }
    struct ht_round_site *site = &scene->sites[scene->site_count];
    *site = (struct ht_round_site){.purpose = HT_VISIT_FOR_ROUND,
                                   .floor = floor_of(stop->properties),
                                   .barred = {HT_PLAN_NONE, HT_PLAN_NONE}};
    (void)snprintf(site->id, sizeof site->id, "%s", stop->id[0]);
    (void)snprintf(site->tenant, sizeof site->tenant, "%s", stop->id[1]);
    if (!point_of(item, &site->point)) {
        return ht__round_refuse(scene, stop->id, "no_place", "the registry has no place for it");
    }
    uint32_t owner = owner_of(looking, item, wish);
    double service_s = wish->service_s >= 0 ? wish->service_s
                       : home               ? HOME_SERVICE_S
                                            : HT__ROUND_SERVICE_S;
    scene->plan_sites[scene->site_count] = (struct ht_rounds_site){
        .service_s = (uint32_t)ceil(service_s),
        .risk = stop->risk == 0 ? 1 : stop->risk,
        .crew = wish->crew > 1 ? HT_ROUNDS_CREW_MOST : 1,
        .skills = terms.skills,
        .open = terms.open,
        .open_count = terms.open_count,
        .days = terms.days,
        .gap_least_days = wish->gap_least_days > 0 ? (uint32_t)ceil(wish->gap_least_days) : 0,
        .gap_most_days = wish->gap_most_days > 0 ? (uint32_t)wish->gap_most_days : 0,
        .last_day = HT_ROUNDS_NEVER,
        .owner = owner,
        .owner_hard = owner != HT_PLAN_NONE,
        .cell = cell_of(item)};
    work->rates[scene->site_count] = (struct ht__round_rate){
        wish->visits_per_week, wish->visits_per_month, wish->inspector != NULL};
    scene->site_count++;
    return HT_OK;
}

static enum ht_status stop_add(const struct looking *looking, const struct ht_store_item *item,
                               struct stop *stop)
{
    struct ht__round_work *work = looking->work;
    struct ht_round_scene *scene = work->scene;
    uint32_t before = scene->site_count;
    char key[HT__ROUND_KEY];
    rate_usual(looking, item, stop->risk, &stop->wish);
    bool wanted =
        work->making->errands || stop->wish.visits_per_week > 0 || stop->wish.visits_per_month > 0;
    if (work->making->errands) {
        stop->wish.visits_per_week = 0;
    }
    enum ht_status status = HT_OK;
    if (wanted && scene->site_count >= HT_ROUNDS_SITES_MOST) {
        return ht_error_set(work->error, HT_TOO_BIG, 0, "more than %d sites",
                            (int)HT_ROUNDS_SITES_MOST);
    }
    if (wanted) {
        status = ht__round_site_room(work);
        status = status == HT_OK ? site_put(looking, item, stop) : status;
    } else {
        scene->passed++;
    }
    if (status == HT_OK) {
        uint32_t index = scene->site_count > before ? before : HT_PLAN_NONE;
        key_write(stop->id[0], stop->id[1], key);
        status = ht__round_know(&work->sites, key, index);
    }
    return status;
}

/* ---- its tenants ---- */

/* The wish of a tenant: what was asked, then what it says itself; where it says nothing of hours,
 * weekdays, skills, inspector and risk, what the factory does. */
static struct ht_round_wish tenant_wish(const struct looking *looking, yajl_val tenant,
                                        const struct ht_round_wish *factory)
{
    struct ht_round_wish wish = wish_of(looking, tenant);
    wish.days = wish.days == 0 ? factory->days : wish.days;
    wish.open = wish.open == NULL ? factory->open : wish.open;
    wish.skills = wish.skills == NULL ? factory->skills : wish.skills;
    wish.inspector = wish.inspector == NULL ? factory->inspector : wish.inspector;
    return wish;
}

/* The n-th tenant of a factory as a stop of its own; false: it has no id, and is seen with the
 * factory itself. */
static bool tenant_of(const struct looking *looking, const struct stop *factory, size_t n,
                      struct stop *out)
{
    yajl_val tenant = ht_json_member(factory->properties, "tenants")->u.array.values[n];
    const char *id = YAJL_GET_STRING(ht_json_member(tenant, "id"));
    if (id == NULL || !ht_id_valid(id, strlen(id))) {
        return false;
    }
    *out = (struct stop){.id = {factory->id[0], id},
                         .properties = tenant,
                         .wish = tenant_wish(looking, tenant, &factory->wish)};
    out->risk = out->wish.risk == 0 ? factory->risk : out->wish.risk;
    return true;
}

static size_t tenant_count(yajl_val properties)
{
    yajl_val list = ht_json_member(properties, "tenants");
    return YAJL_IS_ARRAY(list) ? list->u.array.len : 0;
}

/* What is left of a factory's time for itself: all that it says less its tenants', and half an hour
 * of that at least. */
static double own_service_s(const struct looking *looking, const struct stop *factory)
{
    double said_s = factory->wish.service_s;
    double left_s = said_s;
    struct stop tenant;
    for (size_t i = 0; i < tenant_count(factory->properties); i++) {
        if (tenant_of(looking, factory, i, &tenant)) {
            left_s -= tenant.wish.service_s >= 0 ? tenant.wish.service_s : HT__ROUND_SERVICE_S;
        }
    }
    return said_s < 0 ? said_s : fmin(said_s, fmax(left_s, HT__ROUND_SERVICE_S));
}

static enum ht_status tenants_add(const struct looking *looking, const struct ht_store_item *item,
                                  const struct stop *factory)
{
    enum ht_status status = HT_OK;
    struct stop tenant;
    for (size_t i = 0; i < tenant_count(factory->properties) && status == HT_OK; i++) {
        if (tenant_of(looking, factory, i, &tenant)) {
            status = stop_add(looking, item, &tenant);
        }
    }
    return status;
}

static enum ht_status site_look(const struct looking *looking, const struct ht_store_item *item,
                                yajl_val properties)
{
    struct stop stop = {
        .id = {item->id, ""}, .properties = properties, .wish = wish_of(looking, properties)};
    bool apart = looking->work->making->ask->tenants;
    stop.risk = apart && stop.wish.risk > 0 ? stop.wish.risk : risk_of(properties, &stop.wish);
    const struct stop factory = stop; /* as it was asked for, not as its risk has it */
    stop.wish.service_s = apart ? own_service_s(looking, &factory) : stop.wish.service_s;
    enum ht_status status = stop_add(looking, item, &stop);
    return status == HT_OK && apart ? tenants_add(looking, item, &factory) : status;
}

static enum ht_status site_take(void *user, const struct ht_store_item *item)
{
    struct looking *looking = user;
    struct ht__round_work *work = looking->work;
    looking->found = true;
    if (work->making->cancel != NULL && __atomic_load_n(work->making->cancel, __ATOMIC_RELAXED)) {
        return HT_CANCELLED;
    }
    if (work->scene->site_count >= HT_ROUNDS_SITES_MOST) {
        return ht_error_set(work->error, HT_TOO_BIG, 0, "more than %d sites",
                            (int)HT_ROUNDS_SITES_MOST);
    }
    yajl_val properties = ht_json_tree_read(item->properties, strlen(item->properties));
    enum ht_status status = site_look(looking, item, properties);
    yajl_tree_free(properties);
    return status;
}

/* ---- all ---- */

static enum ht_status named_read(struct ht__round_work *work, size_t place)
{
    const struct ht_round_ask *ask = work->making->ask;
    const struct ht_round_site_ask *asked = &ask->sites[place];
    struct looking looking = {.work = work, .asked = asked, .place = place};
    char pointer[32];
    (void)snprintf(pointer, sizeof pointer, "/sites/%zu", place);
    if (ht_names_find(&work->sites, asked->id) != NULL) {
        ht_round_wrong_add(work->making->wrongs, pointer, "site %s comes twice", asked->id);
        return HT_OK;
    }
    enum ht_status status = ht_store_item(work->making->reader, ask->collection, asked->id,
                                          is_households(ask), site_take, &looking, work->error);
    if (status == HT_NOT_FOUND) {
        ht_round_wrong_add(work->making->wrongs, pointer, "there is no %s in %s", asked->id,
                           ask->collection->name);
        const char *const unknown[2] = {asked->id, ""};
        status = ht__round_refuse(work->scene, unknown, "unknown", "there is no such site in %s",
                                  ask->collection->name);
        status = status == HT_OK ? ht__round_know(&work->sites, asked->id, HT_PLAN_NONE) : status;
    }
    return status;
}

static enum ht_status filtered_read(struct ht__round_work *work)
{
    const struct ht_round_ask *ask = work->making->ask;
    struct looking looking = {.work = work};
    struct ht_store_filter filters[HT_ROUND_FILTERS_MOST];
    struct ht_store_query query = ht_store_query_default(ask->collection);
    for (size_t i = 0; i < ask->filter_count; i++) {
        const char *name = ask->filters[i].name;
        const struct ht_property *property =
            ht_collection_property(ask->collection, name, strlen(name));
        filters[i] = (struct ht_store_filter){name, ask->filters[i].value,
                                              property != NULL && property->personal};
    }
    query.filters = filters;
    query.filter_count = ask->filter_count;
    query.personal = is_households(ask);
    return ht_store_items(work->making->reader, &query, site_take, &looking, NULL, work->error);
}

enum ht_status ht__round_sites_read(struct ht__round_work *work)
{
    const struct ht_round_ask *ask = work->making->ask;
    enum ht_status status = HT_OK;
    work->scene->personal = is_households(ask);
    if (!ask->sites_named) {
        status = filtered_read(work);
    }
    for (size_t i = 0; i < ask->site_count && status == HT_OK; i++) {
        status = named_read(work, i);
    }
    return status;
}
