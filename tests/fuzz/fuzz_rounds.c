/* Bodies of POST /v1/rounds and of a re-plan, and what items of the registry say of visits and
 * shifts, and wishes for posts: what is accepted is within its bounds, what is not says why and
 * where; and its hours and needs keep the rules of a plan (engine/plan/rounds.h). The first byte
 * chooses which. */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/rounds_days.h"
#include "api/territories_posts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void wish_look(const struct ht_round_wish *wish)
{
    must(!(wish->visits_per_week > 50) && !(wish->visits_per_month > 200));
    must(wish->gap_most_days < 0 || wish->gap_least_days <= wish->gap_most_days);
    must(wish->service_s <= HT_ROUND_SERVICE_MOST_S && wish->crew <= HT_ROUND_CREW_MOST);
    must(wish->risk <= 4 && wish->days < 128);
    must(wish->inspector == NULL || strlen(wish->inspector) <= HT_ID_MAX);
}

static void windows_look(const struct ht_round_open *open, uint32_t days)
{
    for (uint32_t i = 0; i < open->count; i++) {
        const struct ht_rounds_window *window = &open->list[i];
        must(window->day < days && window->from_s >= 0 && window->from_s < window->to_s &&
             window->to_s <= HT_ROUNDS_TIME_MOST_S);
        must(i == 0 || window[-1].day < window->day || window[-1].to_s < window->from_s);
    }
}

static void needs_look(struct ht_round_days *days, const struct ht_round_wish *wish)
{
    for (int32_t last = -40; last < 0; last += 13) {
        struct ht_round_need_list needs = {.list = NULL};
        must(ht_round_needs(days, wish, last < -30 ? HT_ROUNDS_NEVER : last, &needs) == HT_OK);
        for (uint32_t i = 0; i < needs.count; i++) {
            const struct ht_rounds_need *need = &needs.list[i];
            must(need->visits > 0 && need->first_day <= need->last_day &&
                 need->last_day < days->count);
            must(i == 0 || need[-1].last_day < need->first_day);
        }
    }
}

static void days_look(struct ht_round_days *days, const struct ht_round_wish *wish)
{
    struct ht_round_open open;
    wish_look(wish);
    enum ht_status status = ht_round_site_hours(days, wish->open, &open);
    must(status == HT_OK || status == HT_INVALID);
    windows_look(&open, days->count);
    needs_look(days, wish);
    uint64_t bits = 0;
    must(ht_round_weekdays(days, wish->days, &bits) == HT_OK);
}

static void inspector_look(struct ht_round_days *days, const struct ht_round_inspector_ask *ask)
{
    struct ht_round_open open;
    must(ask->leave_count <= HT_ROUND_LEAVES_MOST);
    for (size_t i = 0; i < ask->leave_count; i++) {
        must(ask->leaves[i].from_ms < ask->leaves[i].to_ms);
    }
    enum ht_status status =
        ht_round_shift_hours(days, ask->shift, ask->leaves, ask->leave_count, &open);
    must(status == HT_OK || status == HT_INVALID);
    windows_look(&open, days->count);
}

static void ask_look(const char *text, size_t size)
{
    struct ht_round_ask ask;
    struct ht_round_wrongs wrongs = {.list = NULL};
    enum ht_status status = ht_round_ask_read(text, size, &ask, &wrongs);
    if (status == HT_OK) {
        struct ht_round_days days = {.calendar = NULL};
        must(ask.weeks >= 1 && ask.weeks <= HT_ROUND_WEEKS_MOST && ask.collection != NULL);
        must(wrongs.count == 0 && ask.site_count <= HT_ROUND_SITES_MOST);
        must(ask.id == NULL || strlen(ask.id) <= HT_ROUND_ID_MOST);
        ht_round_days_init(&days, ask.from_ms, ask.weeks, ask.from_ms + 3600 * INT64_C(1000));
        must(days.count == ask.weeks * 7 && days.first_day <= 1);
        days_look(&days, &ask.wish);
        for (size_t i = 0; i < ask.site_count && i < 8; i++) {
            must(ask.sites[i].id != NULL);
            days_look(&days, &ask.sites[i].wish);
        }
        for (size_t i = 0; i < ask.inspector_count && i < 8; i++) {
            must(ask.inspectors[i].id != NULL);
            inspector_look(&days, &ask.inspectors[i]);
        }
        ht_round_days_deinit(&days);
    } else {
        must(status == HT_NOMEM || (wrongs.count > 0 && wrongs.list[0].detail[0] != '\0'));
    }
    ht_round_ask_deinit(&ask);
    ht_round_wrongs_deinit(&wrongs);
}

static void again_look(const char *text, size_t size)
{
    struct ht_round_again again;
    struct ht_round_wrongs wrongs = {.list = NULL};
    struct ht_round_days days = {.calendar = NULL};
    enum ht_status status = ht_round_again_read(text, size, &again, &wrongs);
    must((status == HT_OK) == (wrongs.count == 0));
    if (status == HT_OK) {
        enum ht_status known = ht_round_again_members(&again, &wrongs);
        must(known == HT_OK ? wrongs.count == 0 : known == HT_SYNTAX && wrongs.count > 0);
    }
    ht_round_days_init(&days, INT64_C(1772380800000), 2, INT64_C(1772600000000));
    for (size_t i = 0; status == HT_OK && i < again.inspector_count && i < 8; i++) {
        inspector_look(&days, &again.inspectors[i]);
    }
    ht_round_days_deinit(&days);
    ht_round_again_deinit(&again);
    ht_round_wrongs_deinit(&wrongs);
}

static void item_look(const char *text, size_t size)
{
    struct ht_round_wish wish;
    struct ht_round_inspector_ask inspector;
    struct ht_round_days days = {.calendar = NULL};
    yajl_val tree = ht_json_tree_read(text, size);
    ht_round_days_init(&days, INT64_C(1772380800000), 4, INT64_C(1772380800000));
    ht_round_wish_of(tree, &wish);
    days_look(&days, &wish);
    must(ht_round_inspector_of(tree, &inspector) == HT_OK);
    inspector_look(&days, &inspector);
    free(inspector.leaves);
    ht_round_days_deinit(&days);
    yajl_tree_free(tree);
}

/* Wishes and posts (api/territories_posts.h) of a small town: whoever has a post is in its list,
 * and it has no more than its places. */
static void posts_look(const char *text, size_t size)
{
    enum { PEOPLE = 3, SITES = 4 };
    static struct ht_round_inspector people[PEOPLE] = {{.id = "a"}, {.id = "b"}, {.id = "c"}};
    static struct ht_round_site sites[SITES] = {{.id = "s"}, {.id = "t"}, {.id = "u"}, {.id = "v"}};
    static const uint32_t way_s[PEOPLE * SITES] = {1, 2, 3, 4, 5, UINT32_MAX, 7, 8, 9, 10, 11, 12};
    const struct ht_round_scene scene = {
        .sites = sites, .site_count = SITES, .inspectors = people, .inspector_count = PEOPLE};
    const struct ht_posts_town town = {&scene, way_s, SITES};
    struct ht_round_wrongs wrongs = {.list = NULL};
    struct ht_posts posts;
    uint32_t held[HT_POSTS_MOST] = {0};
    yajl_val tree = ht_json_tree_read(text, size);
    enum ht_status status = ht_posts_match(tree, &town, &wrongs, &posts);
    must((status == HT_OK) == (wrongs.count == 0));
    for (uint32_t i = 0; status == HT_OK && i < PEOPLE; i++) {
        uint32_t p = posts.post_of[i];
        if (p != HT_PLAN_NONE) {
            must(p < posts.count && ++held[p] <= posts.list[p].places);
            must(ht_posts_rank(posts.list[p].wanted, posts.list[p].wanted_count, i) > 0);
            must(ht_posts_rank(posts.wanted[i], posts.wanted_count[i], p) > 0);
        }
    }
    ht_posts_deinit(&posts);
    ht_round_wrongs_deinit(&wrongs);
    yajl_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size); /* so that reading past the end is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        ask_look(text, size - 1);
        break;
    case 1:
        again_look(text, size - 1);
        break;
    case 2:
        item_look(text, size - 1);
        break;
    default:
        posts_look(text, size - 1);
        break;
    }
    free(text);
    return 0;
}
