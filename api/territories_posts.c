#include "api/territories_posts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "engine/base/array.h"
#include "engine/plan/stable.h"

/* One reading. */
struct reading {
    const struct ht_posts_town *town;
    struct ht_round_wrongs *wrongs;
    struct ht_posts *posts;
    enum ht_status status;
};

static void wrong(struct reading *r, enum ht_status status, const char *pointer, const char *detail)
{
    ht_round_wrong_add(r->wrongs, pointer, "%s", detail);
    r->status = r->status == HT_SYNTAX ? HT_SYNTAX : status;
}

/* ---- names ---- */

static uint32_t inspector_find(const void *user, const char *id)
{
    const struct ht_round_scene *scene = ((const struct reading *)user)->town->scene;
    uint32_t i = 0;
    while (i < scene->inspector_count && strcmp(scene->inspectors[i].id, id) != 0) {
        i++;
    }
    return i == scene->inspector_count ? HT_PLAN_NONE : i;
}

static uint32_t site_find(const void *user, const char *id)
{
    const struct ht_posts_town *town = ((const struct reading *)user)->town;
    uint32_t i = 0;
    while (i < town->site_count && strcmp(town->scene->sites[i].id, id) != 0) {
        i++;
    }
    return i == town->site_count ? HT_PLAN_NONE : i;
}

static uint32_t post_find(const void *user, const char *id)
{
    const struct ht_posts *posts = ((const struct reading *)user)->posts;
    uint32_t i = 0;
    while (i < posts->count && strcmp(posts->list[i].id, id) != 0) {
        i++;
    }
    return i == posts->count ? HT_PLAN_NONE : i;
}

/* A list of ids as numbers; those that nobody knows, or that come twice, are told. NULL: not said.
 */
static uint32_t *ids_read(struct reading *r, yajl_val list, const char *pointer,
                          uint32_t (*find)(const void *user, const char *id), uint32_t *count)
{
    char at[128];
    *count = 0;
    if (list == NULL || YAJL_IS_NULL(list)) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(list)) {
        wrong(r, HT_SYNTAX, pointer, "must be a list of ids");
        return NULL;
    }
    uint32_t *out = ht_array_new(list->u.array.len, sizeof *out);
    if (out == NULL) {
        r->status = HT_NOMEM;
        return NULL;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        const char *id = YAJL_GET_STRING(list->u.array.values[i]);
        uint32_t index = id == NULL ? HT_PLAN_NONE : find(r, id);
        (void)snprintf(at, sizeof at, "%s/%zu", pointer, i);
        if (index == HT_PLAN_NONE) {
            wrong(r, id == NULL ? HT_SYNTAX : HT_INVALID, at,
                  id == NULL ? "must be an id" : "there is none of that name here");
        } else if (ht_posts_rank(out, *count, index) != 0) {
            wrong(r, HT_INVALID, at, "comes twice");
        } else {
            out[(*count)++] = index;
        }
    }
    return out;
}

uint32_t ht_posts_rank(const uint32_t *list, uint32_t count, uint32_t one)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == one) {
            return i + 1;
        }
    }
    return 0;
}

/* ---- posts ---- */

static void places_read(struct reading *r, yajl_val value, const char *pointer, uint32_t *out)
{
    *out = 1;
    if (value == NULL || YAJL_IS_NULL(value)) {
        return;
    }
    if (!YAJL_IS_INTEGER(value)) {
        wrong(r, HT_SYNTAX, pointer, "must be a whole number");
    } else if (YAJL_GET_INTEGER(value) < 1 || YAJL_GET_INTEGER(value) > HT_POST_PLACES_MOST) {
        wrong(r, HT_INVALID, pointer, "must be from 1 to 1000");
    } else {
        *out = (uint32_t)YAJL_GET_INTEGER(value);
    }
}

static void post_read(struct reading *r, yajl_val value, size_t place)
{
    char at[64];
    struct ht_post *post = &r->posts->list[r->posts->count];
    const char *id = YAJL_GET_STRING(ht_json_member(value, "id"));
    (void)snprintf(at, sizeof at, "/posts/%zu/id", place);
    if (id == NULL || !ht_id_valid(id, strlen(id))) {
        wrong(r, HT_SYNTAX, at, "must be 1 to 64 letters, digits and ._:-");
        return;
    }
    if (post_find(r, id) != HT_PLAN_NONE) {
        wrong(r, HT_INVALID, at, "comes twice");
        return;
    }
    post->id = id;
    r->posts->count++;
    (void)snprintf(at, sizeof at, "/posts/%zu/places", place);
    places_read(r, ht_json_member(value, "places"), at, &post->places);
    (void)snprintf(at, sizeof at, "/posts/%zu/wanted", place);
    post->wanted =
        ids_read(r, ht_json_member(value, "wanted"), at, inspector_find, &post->wanted_count);
    (void)snprintf(at, sizeof at, "/posts/%zu/sites", place);
    post->sites = ids_read(r, ht_json_member(value, "sites"), at, site_find, &post->site_count);
}

static void posts_read(struct reading *r, yajl_val body)
{
    yajl_val list = ht_json_member(body, "posts");
    if (list == NULL || YAJL_IS_NULL(list)) {
        return;
    }
    if (!YAJL_IS_ARRAY(list) || list->u.array.len > HT_POSTS_MOST) {
        wrong(r, HT_SYNTAX, "/posts", "must be a list of at most 500 objects with an id");
        return;
    }
    r->posts->list = ht_array_new_zeroed(list->u.array.len, sizeof *r->posts->list);
    if (r->posts->list == NULL) {
        r->status = HT_NOMEM;
        return;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        post_read(r, list->u.array.values[i], i);
    }
}

static void wishes_read(struct reading *r, yajl_val body)
{
    yajl_val list = ht_json_member(body, "inspectors");
    struct ht_posts *posts = r->posts;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        char at[64];
        yajl_val value = list->u.array.values[i];
        const char *id = YAJL_GET_STRING(ht_json_member(value, "id"));
        uint32_t who = id == NULL ? HT_PLAN_NONE : inspector_find(r, id);
        (void)snprintf(at, sizeof at, "/inspectors/%zu/wanted", i);
        if (who != HT_PLAN_NONE && posts->wanted[who] == NULL) {
            posts->wanted[who] = ids_read(r, ht_json_member(value, "wanted"), at, post_find,
                                          &posts->wanted_count[who]);
        }
    }
}

/* ---- who says nothing ---- */

struct near {
    uint32_t index;
    uint64_t way_s;
};

static int by_way(const void *left, const void *right)
{
    const struct near *a = left;
    const struct near *b = right;
    return a->way_s != b->way_s ? (a->way_s < b->way_s ? -1 : 1)
                                : (a->index > b->index) - (a->index < b->index);
}

/* To all sites of a post. */
static uint64_t way_of(const struct ht_posts_town *town, uint32_t who, const struct ht_post *post)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < post->site_count; i++) {
        sum += town->way_s[(size_t)who * town->site_count + post->sites[i]];
    }
    return sum;
}

/* All of the other side, the nearest first; of a post (`post` not NULL) or an inspector. */
static uint32_t *near_list(struct reading *r, uint32_t one, const struct ht_post *post,
                           uint32_t *count)
{
    uint32_t all = post != NULL ? r->posts->inspector_count : r->posts->count;
    struct near *list = ht_array_new(all, sizeof *list);
    uint32_t *out = ht_array_new(all, sizeof *out);
    if (list == NULL || out == NULL) {
        r->status = HT_NOMEM;
        free(list);
        free(out);
        return NULL;
    }
    for (uint32_t i = 0; i < all; i++) {
        list[i] = (struct near){i, post != NULL ? way_of(r->town, i, post)
                                                : way_of(r->town, one, &r->posts->list[i])};
    }
    if (all > 1) {
        qsort(list, all, sizeof *list, by_way);
    }
    for (uint32_t i = 0; i < all; i++) {
        out[i] = list[i].index;
    }
    free(list);
    *count = all;
    return out;
}

static void silent_fill(struct reading *r)
{
    struct ht_posts *posts = r->posts;
    for (uint32_t i = 0; i < posts->inspector_count && r->status == HT_OK; i++) {
        if (posts->wanted[i] == NULL) {
            posts->wanted[i] = near_list(r, i, NULL, &posts->wanted_count[i]);
        }
    }
    for (uint32_t p = 0; p < posts->count && r->status == HT_OK; p++) {
        struct ht_post *post = &posts->list[p];
        if (post->wanted == NULL) {
            post->wanted = near_list(r, p, post, &post->wanted_count);
        }
    }
}

/* ---- matching ---- */

static enum ht_status match(struct ht_posts *posts)
{
    struct ht_stable_list *applicants = ht_array_new(posts->inspector_count, sizeof *applicants);
    struct ht_stable_list *lists = ht_array_new(posts->count, sizeof *lists);
    uint32_t *places = ht_array_new(posts->count, sizeof *places);
    enum ht_status status =
        applicants == NULL || lists == NULL || places == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t i = 0; i < posts->inspector_count && status == HT_OK; i++) {
        applicants[i] = (struct ht_stable_list){posts->wanted[i], posts->wanted_count[i]};
    }
    for (uint32_t p = 0; p < posts->count && status == HT_OK; p++) {
        lists[p] = (struct ht_stable_list){posts->list[p].wanted, posts->list[p].wanted_count};
        places[p] = posts->list[p].places;
    }
    if (status == HT_OK) {
        const struct ht_stable_problem problem = {.applicant_count = posts->inspector_count,
                                                  .post_count = posts->count,
                                                  .applicants = applicants,
                                                  .posts = lists,
                                                  .places = places};
        status = ht_stable_match(&problem, posts->post_of, NULL);
    }
    free(applicants);
    free(lists);
    free(places);
    return status;
}

enum ht_status ht_posts_match(yajl_val body, const struct ht_posts_town *town,
                              struct ht_round_wrongs *wrongs, struct ht_posts *out)
{
    uint32_t inspectors = town->scene->inspector_count;
    struct reading r = {.town = town, .wrongs = wrongs, .posts = out};
    *out = (struct ht_posts){.inspector_count = inspectors};
    out->wanted = ht_array_new_zeroed(inspectors, sizeof(uint32_t *));
    out->wanted_count = ht_array_new_zeroed(inspectors, sizeof *out->wanted_count);
    out->post_of = ht_array_new(inspectors, sizeof *out->post_of);
    if (out->wanted == NULL || out->wanted_count == NULL || out->post_of == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < inspectors; i++) {
        out->post_of[i] = HT_PLAN_NONE;
    }
    posts_read(&r, body);
    if (r.status == HT_OK) {
        wishes_read(&r, body);
    }
    if (r.status == HT_OK && out->count > 0) {
        silent_fill(&r);
        r.status = r.status == HT_OK ? match(out) : r.status;
    }
    return r.status;
}

void ht_posts_deinit(struct ht_posts *posts)
{
    for (uint32_t i = 0; posts->wanted != NULL && i < posts->inspector_count; i++) {
        free(posts->wanted[i]);
    }
    for (uint32_t p = 0; p < posts->count; p++) {
        free(posts->list[p].wanted);
        free(posts->list[p].sites);
    }
    free((void *)posts->wanted);
    free(posts->wanted_count);
    free(posts->post_of);
    free(posts->list);
    *posts = (struct ht_posts){.list = NULL};
}
