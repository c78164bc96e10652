/* The inspectors of a round, from the registry and what was asked of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/home.h"
#include "api/json_merge.h"
#include "api/params.h"
#include "api/rounds_make.h"
#include "api/rounds_scene_internal.h"
#include "engine/base/array.h"
#include "geodata/members.h"

#define PROFILE_USUAL "car"

enum { LEAVES_ALL_MOST = 4 * HT_ROUND_LEAVES_MOST };

/* One that is being looked at. */
struct looking {
    struct ht__round_work *work;
    char pointer[64];                        /* to it in the ask; "" it was not named */
    struct ht_round_inspector_ask own;       /* what the registry says */
    const struct ht_round_inspector_ask *as; /* what the ask says; NULL: nothing */
    bool idle;                               /* only what it did counts */
    bool found;
};

/* What the ask and the re-plans say over what the registry says. */
struct merged {
    struct ht_round_inspector_ask ask;
    struct ht_round_leave leaves[LEAVES_ALL_MOST];
    size_t leave_count;
};

static void merge(struct merged *merged, const struct ht_round_inspector_ask *from)
{
    struct ht_round_inspector_ask *ask = &merged->ask;
    ask->shift = from->shift == NULL ? ask->shift : from->shift;
    ask->skills = from->skills == NULL ? ask->skills : from->skills;
    ask->home = from->home == NULL ? ask->home : from->home;
    ask->profile = from->profile == NULL ? ask->profile : from->profile;
    if (from->visits_per_day_most > 0) {
        ask->visits_per_day_most = from->visits_per_day_most;
    }
    if (from->visits_per_week_most > 0) {
        ask->visits_per_week_most = from->visits_per_week_most;
    }
    for (size_t i = 0; i < from->leave_count && merged->leave_count < LEAVES_ALL_MOST; i++) {
        merged->leaves[merged->leave_count++] = from->leaves[i];
    }
}

static void merge_all(const struct looking *looking, const char *id, struct merged *merged)
{
    const struct ht_round_making *making = looking->work->making;
    merge(merged, &looking->own);
    if (looking->as != NULL) {
        merge(merged, looking->as);
    }
    for (size_t a = 0; a < making->again_count; a++) {
        const struct ht_round_again *again = &making->agains[a];
        for (size_t i = 0; i < again->inspector_count; i++) {
            if (again->inspectors[i].id != NULL && strcmp(again->inspectors[i].id, id) == 0) {
                merge(merged, &again->inspectors[i]);
            }
        }
    }
}

/* ---- where it begins ---- */

struct home_found {
    struct ht_point point;
    bool found;
};

static enum ht_status home_take(void *user, const struct ht_store_item *item)
{
    struct home_found *home = user;
    home->found = ht_home_point(item, &home->point);
    return HT_OK;
}

static void tell(const struct looking *looking, const char *member, const char *id, const char *why)
{
    char pointer[96];
    (void)snprintf(pointer, sizeof pointer, "%s%s", looking->pointer,
                   looking->pointer[0] == '\0' ? "" : member);
    ht_round_wrong_add(looking->work->making->wrongs, pointer, "inspector %s: %s", id, why);
}

/* False: it is none, and that was told. */
static bool pair_place(const struct looking *looking, const char *id, yajl_val home, bool asked,
                       struct ht_point *out)
{
    const struct ht_round_making *making = looking->work->making;
    double pair[2] = {NAN, NAN};
    for (int axis = 0; axis < 2; axis++) {
        yajl_val value = home->u.array.values[axis];
        (void)ht_param_doubles(YAJL_GET_NUMBER(value), &pair[axis], 1);
    }
    const struct ht_crs plain = {0};
    const struct ht_crs *crs = asked && making->crs != NULL ? making->crs : &plain;
    if (ht_crs_point(making->context->crs, crs, pair, out) != HT_OK) {
        tell(looking, "/home", id, "its home is no place on Earth");
        return false;
    }
    return true;
}

static enum ht_status home_find(const struct looking *looking, const char *id,
                                const struct merged *merged, struct ht_round_inspector *out)
{
    struct ht__round_work *work = looking->work;
    struct home_found home = {.found = false};
    const char *place = YAJL_GET_STRING(merged->ask.home);
    bool asked = merged->ask.home != looking->own.home;
    if (merged->ask.home == NULL) {
        return HT_OK;
    }
    if (place == NULL) {
        out->placed = pair_place(looking, id, merged->ask.home, asked, &out->home) || out->placed;
        return HT_OK;
    }
    enum ht_status status =
        ht_store_item(work->making->reader, ht_collection_find("facilities", 10), place, false,
                      home_take, &home, work->error);
    if (status == HT_OK && home.found) {
        out->home = home.point;
        out->placed = true;
    } else if (status == HT_OK || status == HT_NOT_FOUND) {
        char why[128];
        (void)snprintf(why, sizeof why, "its home %s is no facility with a place", place);
        tell(looking, "/home", id, why);
    }
    return status == HT_NOT_FOUND ? HT_OK : status;
}

/* ---- when it works ---- */

static int by_begin(const void *left, const void *right)
{
    const struct ht_round_leave *a = left;
    const struct ht_round_leave *b = right;
    return (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

static void overlaps_tell(const struct looking *looking, const char *id, struct merged *merged)
{
    if (merged->leave_count > 0) {
        qsort(merged->leaves, merged->leave_count, sizeof merged->leaves[0], by_begin);
    }
    int64_t until_ms = INT64_MIN;
    for (size_t i = 0; i < merged->leave_count; i++) {
        const struct ht_round_leave *leave = &merged->leaves[i];
        if (leave->from_ms < until_ms) {
            tell(looking, "/leave", id, "its leaves overlap; each day off counts once");
            return;
        }
        until_ms = leave->to_ms > until_ms ? leave->to_ms : until_ms;
    }
}

static bool road_known(const struct ht__round_work *work, const char *profile)
{
    const struct ht_road *road = NULL;
    return work->making->world != NULL &&
           ht_world_road(work->making->world, profile, 0, &road) == HT_OK;
}

/* ---- one inspector ---- */

static enum ht_status inspector_room(struct ht_round_scene *scene)
{
    size_t want = scene->inspector_count + (size_t)1;
    void *inspectors = scene->inspectors;
    void *plan = scene->plan_inspectors;
    enum ht_status status =
        ht_array_reserve(&inspectors, &scene->inspector_capacity, want, sizeof *scene->inspectors);
    scene->inspectors = inspectors;
    if (status == HT_OK) {
        status = ht_array_reserve(&plan, &scene->plan_inspector_capacity, want,
                                  sizeof *scene->plan_inspectors);
        scene->plan_inspectors = plan;
    }
    return status;
}

/* When it works for this round. */
static enum ht_status shift_find(struct ht__round_work *work, const char *id,
                                 const struct merged *merged, struct ht_round_open *out)
{
    size_t busy_count = 0;
    const struct ht__round_busy *busy = ht__round_busy_of(work, id, &busy_count);
    size_t count = merged->leave_count + busy_count;
    const struct ht__round_where *where = ht__round_where_of(work, id);
    struct ht_round_leave *off = ht_array_new(count + 1, sizeof *off);
    if (off == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        off[i] = i < merged->leave_count ? merged->leaves[i] : busy[i - merged->leave_count].time;
    }
    if (where != NULL && where->end_ms > work->making->since_ms) { /* a visit to be ended first */
        off[count++] = (struct ht_round_leave){work->making->since_ms, where->end_ms};
    }
    enum ht_status status =
        ht_round_shift_hours(&work->scene->days, merged->ask.shift, off, count, out);
    free(off);
    return status;
}

static enum ht_status inspector_put(const struct looking *looking, const char *id,
                                    struct merged *merged, struct ht_round_inspector *inspector)
{
    struct ht__round_work *work = looking->work;
    struct ht_round_scene *scene = work->scene;
    struct ht_round_open shift = {.list = NULL};
    uint64_t skills = 0;
    (void)snprintf(inspector->id, sizeof inspector->id, "%s", id);
    (void)snprintf(inspector->profile, sizeof inspector->profile, "%s",
                   merged->ask.profile == NULL ? PROFILE_USUAL : merged->ask.profile);
    if (!looking->idle && !road_known(work, inspector->profile)) {
        char why[128];
        (void)snprintf(why, sizeof why, "the map has no streets for its profile %s",
                       inspector->profile);
        tell(looking, "/profile", id, why);
    }
    overlaps_tell(looking, id, merged);
    enum ht_status status = home_find(looking, id, merged, inspector);
    if (status == HT_OK && !looking->idle) {
        status = shift_find(work, id, merged, &shift);
    }
    if (status == HT_INVALID) {
        tell(looking, "/shift", id, "its shift can't be read");
        status = HT_OK;
    }
    if (status == HT_OK && ht__round_skills(scene, merged->ask.skills, &skills) == HT_TOO_BIG) {
        tell(looking, "/skills", id, "a plan knows 64 skills at most; those beyond are left out");
    }
    if (status == HT_OK) {
        status = inspector_room(scene);
    }
    if (status == HT_OK) {
        status = ht__round_know(&work->inspectors, id, scene->inspector_count);
    }
    if (status == HT_OK) {
        scene->plan_inspectors[scene->inspector_count] =
            (struct ht_rounds_inspector){.start = HT_PLAN_NONE,
                                         .end = HT_PLAN_NONE,
                                         .skills = skills,
                                         .shifts = shift.list,
                                         .shift_count = shift.count,
                                         .visits_day_most = merged->ask.visits_per_day_most,
                                         .visits_week_most = merged->ask.visits_per_week_most};
        scene->inspectors[scene->inspector_count++] = *inspector;
    }
    return status;
}

static bool is_van(const struct ht_store_item *item)
{
    struct ht_member member;
    char kind[16] = "";
    return ht_member_find(item->properties, "kind", &member) &&
           ht_member_text(&member, kind, sizeof kind) && strcmp(kind, "van") == 0;
}

static enum ht_status van_take(void *user, const struct ht_store_item *item)
{
    bool *van = user;
    *van = is_van(item);
    return HT_OK;
}

enum ht_status ht__round_unit_look(struct ht_store_reader *reader, const char *id, bool *van)
{
    *van = false;
    return ht_store_item(reader, ht_collection_find("units", 5), id, false, van_take, van, NULL);
}

static enum ht_status inspector_take(void *user, const struct ht_store_item *item)
{
    struct looking *looking = user;
    struct ht_round_inspector inspector = {.placed = false};
    looking->found = true;
    if (ht_names_find(&looking->work->inspectors, item->id) != NULL) {
        return HT_OK;
    }
    if (is_van(item)) {
        tell(looking, "", item->id, "is a van, no inspector");
        return HT_OK;
    }
    if (looking->work->scene->inspector_count >= HT_ROUND_INSPECTORS_MOST) {
        return ht_error_set(looking->work->error, HT_TOO_BIG, 0, "more than %d inspectors",
                            (int)HT_ROUND_INSPECTORS_MOST);
    }
    struct merged *merged = calloc(1, sizeof *merged);
    yajl_val properties = ht_json_tree_read(item->properties, strlen(item->properties));
    enum ht_status status =
        merged == NULL ? HT_NOMEM : ht_round_inspector_of(properties, &looking->own);
    if (status == HT_OK) {
        merge_all(looking, item->id, merged);
        inspector.placed = item->wkb_size > 0 && ht_home_point(item, &inspector.home);
        status = inspector_put(looking, item->id, merged, &inspector);
    }
    free(looking->own.leaves);
    looking->own = (struct ht_round_inspector_ask){.id = NULL};
    yajl_tree_free(properties);
    free(merged);
    return status;
}

/* ---- all ---- */

static const struct ht_collection *units(void)
{
    return ht_collection_find("units", 5);
}

static enum ht_status named_read(struct ht__round_work *work,
                                 const struct ht_round_inspector_ask *asked, const char *pointer)
{
    struct looking looking = {.work = work, .as = asked};
    if (ht_names_find(&work->inspectors, asked->id) != NULL) {
        ht_round_wrong_add(work->making->wrongs, pointer, "inspector %s comes twice", asked->id);
        return HT_OK;
    }
    (void)snprintf(looking.pointer, sizeof looking.pointer, "%s", pointer);
    enum ht_status status = ht_store_item(work->making->reader, units(), asked->id, false,
                                          inspector_take, &looking, work->error);
    if (status == HT_NOT_FOUND) {
        ht_round_wrong_add(work->making->wrongs, pointer, "there is no unit %s", asked->id);
        status = HT_OK;
    }
    return status;
}

static enum ht_status kind_read(struct ht__round_work *work)
{
    const struct ht_store_filter kind = {"kind", "inspector", false};
    struct looking looking = {.work = work};
    struct ht_store_query query = ht_store_query_default(units());
    query.filters = &kind;
    query.filter_count = 1;
    return ht_store_items(work->making->reader, &query, inspector_take, &looking, NULL,
                          work->error);
}

/* Those that a re-plan adds to the round. */
static enum ht_status again_read(struct ht__round_work *work, const struct ht_round_again *again)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < again->inspector_count && status == HT_OK; i++) {
        char pointer[40];
        (void)snprintf(pointer, sizeof pointer, "/inspectors/%zu", i);
        if (ht_names_find(&work->inspectors, again->inspectors[i].id) == NULL) {
            const struct ht_round_inspector_ask nothing = {.id = again->inspectors[i].id};
            status = named_read(work, &nothing, pointer);
        }
    }
    return status;
}

/* Those who made visits of the round and are not of it any more: they do nothing new. */
static enum ht_status former_read(struct ht__round_work *work)
{
    const struct ht_round_before *before = work->making->before;
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < before->visit_count && status == HT_OK; i++) {
        for (int second = 0; second < 2 && status == HT_OK; second++) {
            const char *id = second == 0 ? before->visits[i].inspector : before->visits[i].second;
            if (id[0] == '\0' || ht_names_find(&work->inspectors, id) != NULL) {
                continue;
            }
            struct ht_round_inspector inspector = {.placed = false};
            struct looking looking = {.work = work, .idle = true};
            struct merged *merged = calloc(1, sizeof *merged);
            status = merged == NULL ? HT_NOMEM : inspector_put(&looking, id, merged, &inspector);
            free(merged);
        }
    }
    return status;
}

enum ht_status ht__round_inspectors_read(struct ht__round_work *work)
{
    const struct ht_round_making *making = work->making;
    enum ht_status status = HT_OK;
    if (!making->ask->inspectors_named) {
        status = kind_read(work);
    }
    for (size_t i = 0; i < making->ask->inspector_count && status == HT_OK; i++) {
        char pointer[40];
        (void)snprintf(pointer, sizeof pointer, "/inspectors/%zu", i);
        status = named_read(work, &making->ask->inspectors[i], pointer);
    }
    for (size_t a = 0; a < making->again_count && status == HT_OK; a++) {
        status = again_read(work, &making->agains[a]);
    }
    if (status == HT_OK && making->before != NULL) {
        status = former_read(work);
    }
    return status;
}
