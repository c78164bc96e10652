/* Conditions and excluded classes: the world's metrics leave out what is closed, and only that. */
#include <pthread.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "engine/live/conditions.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_road.h"

/* The direct way x a b c y has a toll on bc and is 800 m long; the one below is longer. */
static const char map[] = "x a b c y\n"
                          "         \n"
                          "  d   e  \n";
static const struct ht_tiny_way ways[] = {
    {.nodes = "xa", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "ab", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "bc", .road_class = HT_ROAD_RESIDENTIAL, .classes = HT_ARC_TOLL},
    {.nodes = "cy", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "adec", .road_class = HT_ROAD_RESIDENTIAL},
};

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
static const int64_t monday_ms = 20003 * DAY_MS; /* 2024-10-07 */

static struct ht_tiny *town;
static struct ht_tiny_road tiny;
static struct ht_turn_condition condition;

static void begin(const char *schedule)
{
    town = ht_tiny_new(map, 100, ways, sizeof ways / sizeof ways[0], "");
    if (schedule != NULL) {
        uint32_t ab = ht_tiny_arc(town, 'a', 'b', NULL);
        uint32_t turn = ht_graph_turn(&town->graph, ab, ht_tiny_arc(town, 'b', 'c', NULL));
        ht_tiny_require(turn != HT_NONE, "no turn at b");
        condition =
            (struct ht_turn_condition){.turn = turn, .schedule = ht_tiny_string(town, schedule)};
        town->graph.conditions = &condition;
        town->graph.condition_count = 1;
    }
    ht_tiny_road_init(&tiny, town);
}

static void end(void)
{
    ht_tiny_road_free(&tiny);
    ht_tiny_free(town);
}

/* To ten metres: the grid is drawn on a globe. */
static int64_t metres(const struct ht_road *road)
{
    struct ht_query *query = NULL;
    struct ht_way_found found = {0};
    struct ht_place from = ht_tiny_place(town, 'x', 'a', 0.5);
    struct ht_place to = ht_tiny_place(town, 'c', 'y', 0.5);
    enum ht_status status = ht_query_new(&query);
    if (status == HT_OK) {
        status = ht_query_cost(query, road, &from, HT_SIDES_BOTH, &to, HT_SIDES_BOTH, &found);
    }
    ht_query_free(query);
    return status == HT_OK ? (found.cost.length_mm + 5000) / 10000 * 10 : -1;
}

static int64_t metres_excluding(struct ht_world *world, uint16_t exclude)
{
    const struct ht_road *road = NULL;
    return ht_world_road(world, "car", exclude, &road) == HT_OK ? metres(road) : -2;
}

enum { DIRECT = 600, AROUND = 1000 };

HT_CASE(excluded_class_is_left_out_once_asked_for)
{
    begin(NULL);
    struct ht_world *world = NULL;
    HT_REQUIRE(ht_world_new(&tiny.road, 1, NULL, NULL, &world) == HT_OK);
    HT_CHECK(!ht_world_ready(world, "car", HT_ARC_TOLL));
    HT_CHECK(ht_world_ready(world, "car", 0));
    HT_CHECK_INT(metres_excluding(world, 0), DIRECT);
    HT_CHECK_INT(metres_excluding(world, HT_ARC_TOLL), AROUND);
    HT_CHECK(ht_world_ready(world, "driving", HT_ARC_TOLL));
    const struct ht_road *once = NULL;
    const struct ht_road *again = NULL;
    HT_CHECK_INT(ht_world_road(world, "car", HT_ARC_TOLL, &once), HT_OK);
    HT_CHECK_INT(ht_world_road(world, "driving", HT_ARC_TOLL, &again), HT_OK);
    HT_CHECK(once == again);
    HT_CHECK_INT(metres_excluding(world, HT_ARC_MOTORWAY), DIRECT);
    HT_CHECK_INT(metres_excluding(world, 0), DIRECT);
    ht_world_release(world);
    end();
}

static void *exclude_on(void *world)
{
    return metres_excluding(world, HT_ARC_TOLL) != AROUND ? world : NULL;
}

HT_CASE(excluded_class_asked_for_by_many_at_once_is_made_once)
{
    enum { THREADS = 4 };
    begin(NULL);
    struct ht_world *world = NULL;
    pthread_t threads[THREADS];
    HT_REQUIRE(ht_world_new(&tiny.road, 1, NULL, NULL, &world) == HT_OK);
    for (int i = 0; i < THREADS; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, exclude_on, world) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        HT_CHECK(pthread_join(threads[i], &wrong) == 0);
        HT_CHECK(wrong == NULL);
    }
    ht_world_release(world);
    end();
}

/* The length of the way as of a time; *live is let go before it gets the new one. */
static int64_t metres_at(struct ht_conditions *conditions, int64_t local_ms,
                         struct ht_live_road **live)
{
    ht_live_road_release(*live);
    *live = NULL;
    if (ht_conditions_live(conditions, local_ms, NULL, live) != HT_OK) {
        return -3;
    }
    struct ht_world_road view = (*live)->view;
    return metres(&view.road);
}

HT_CASE(turn_is_closed_while_its_schedule_holds)
{
    begin("Mo-Fr 07:00-09:00");
    struct ht_conditions *conditions = NULL;
    struct ht_live_road *live = NULL;
    struct ht_live_road *held = NULL;
    uint32_t unread = 9;
    HT_REQUIRE(ht_conditions_new(&tiny.road, NULL, &conditions, &unread) == HT_OK);
    HT_CHECK_INT(unread, 0);
    HT_CHECK_INT(metres_at(conditions, monday_ms + 6 * HOUR_MS, &live), DIRECT);
    HT_CHECK_INT(ht_conditions_next_change(conditions, monday_ms + 6 * HOUR_MS),
                 monday_ms + 7 * HOUR_MS);
    HT_CHECK_INT(metres_at(conditions, monday_ms + 7 * HOUR_MS, &live), AROUND);
    HT_CHECK_INT(ht_conditions_live(conditions, monday_ms + 8 * HOUR_MS, NULL, &held), HT_OK);
    HT_CHECK(held == live); /* nothing changed in between */
    HT_CHECK_INT(metres_at(conditions, monday_ms + 9 * HOUR_MS, &live), DIRECT);
    HT_CHECK_INT(metres_at(conditions, monday_ms - 2 * DAY_MS + 8 * HOUR_MS, &live), DIRECT);
    ht_conditions_free(conditions);
    struct ht_world_road view = held->view;
    HT_CHECK_INT(metres(&view.road), AROUND); /* who holds on to it keeps it */
    ht_live_road_release(held);
    ht_live_road_release(live);
    end();
}

/* Every Tuesday. */
static bool tuesdays(void *user, int64_t day, enum ht_holiday kind)
{
    return kind == HT_HOLIDAY_PUBLIC && *(const bool *)user && (day + 3) % 7 == 1;
}

HT_CASE(holidays_are_those_of_the_calendar_at_the_question)
{
    begin("Mo-Fr 07:00-09:00; PH off");
    bool on = true;
    const struct ht_calendar calendar = {.holiday = tuesdays, .user = &on};
    struct ht_conditions *conditions = NULL;
    struct ht_live_road *live = NULL;
    struct ht_road_behind behind;
    int64_t tuesday_ms = monday_ms + DAY_MS + 8 * HOUR_MS;
    uint8_t *closed = ht_array_new_zeroed(town->graph.turn_count, 1);
    HT_REQUIRE(closed != NULL &&
               ht_conditions_new(&tiny.road, &calendar, &conditions, NULL) == HT_OK);
    HT_CHECK_INT(metres_at(conditions, monday_ms + 8 * HOUR_MS, &live), AROUND);
    HT_CHECK_INT(metres_at(conditions, tuesday_ms, &live), DIRECT);
    HT_CHECK(!ht_conditions_any(conditions, tuesday_ms));
    HT_CHECK_INT(ht_conditions_next_change(conditions, monday_ms + 9 * HOUR_MS),
                 monday_ms + 2 * DAY_MS + 7 * HOUR_MS);
    on = false; /* the office strikes the holiday out */
    HT_CHECK_INT(metres_at(conditions, tuesday_ms, &live), AROUND);
    HT_CHECK(ht_conditions_any(conditions, tuesday_ms));
    HT_REQUIRE(ht_conditions_behind(conditions, tuesday_ms, &behind) == HT_OK);
    HT_CHECK_INT(metres(&behind.road), AROUND);
    ht_road_behind_deinit(&behind);
    ht_conditions_turns(conditions, tuesday_ms, closed);
    HT_CHECK_INT(closed[condition.turn], 1);
    free(closed);
    ht_live_road_release(live);
    ht_conditions_free(conditions);
    end();
}

static enum ht_status load_view(void *owner, uint32_t index, struct ht_world_road *out)
{
    (void)index;
    *out = ((struct ht_live_road *)owner)->view;
    return HT_OK;
}

HT_CASE(closed_turn_stays_closed_when_a_class_is_excluded)
{
    begin("24/7");
    struct ht_world *world = NULL;
    struct ht_conditions *conditions = NULL;
    struct ht_live_road *live = NULL;
    static const char *const profiles[] = {"car"};
    const struct ht_world_source source = {.count = 1, .profiles = profiles, .load = load_view};
    HT_REQUIRE(ht_conditions_new(&tiny.road, NULL, &conditions, NULL) == HT_OK);
    HT_CHECK_INT(metres_at(conditions, monday_ms, &live), AROUND);
    HT_REQUIRE(ht_world_new_lazy(&source, live, NULL, &world) == HT_OK);
    HT_CHECK(!ht_world_ready(world, "car", 0));
    HT_CHECK_INT(metres_excluding(world, HT_ARC_MOTORWAY), AROUND);
    HT_CHECK(ht_world_ready(world, "car", 0));
    ht_world_release(world);
    ht_live_road_release(live);
    ht_conditions_free(conditions);
    end();
}

HT_CASE(schedule_that_cannot_be_read_never_holds)
{
    begin("weight > 7.5");
    struct ht_conditions *conditions = NULL;
    struct ht_live_road *live = NULL;
    uint32_t unread = 0;
    HT_REQUIRE(ht_conditions_new(&tiny.road, NULL, &conditions, &unread) == HT_OK);
    HT_CHECK_INT(unread, 1);
    HT_CHECK_INT(metres_at(conditions, monday_ms, &live), DIRECT);
    HT_CHECK(ht_conditions_next_change(conditions, monday_ms) == INT64_MAX);
    ht_live_road_release(live);
    ht_conditions_free(conditions);
    end();
}

/* Everything from the schedules to a metric without the closed turn and the excluded class. */
static enum ht_status make_all(void)
{
    struct ht_conditions *conditions = NULL;
    struct ht_live_road *live = NULL;
    struct ht_world *world = NULL;
    const struct ht_road *road = NULL;
    static const char *const profiles[] = {"car"};
    const struct ht_world_source source = {.count = 1, .profiles = profiles, .load = load_view};
    enum ht_status status = ht_conditions_new(&tiny.road, NULL, &conditions, NULL);
    if (status == HT_OK) {
        status = ht_conditions_live(conditions, monday_ms, NULL, &live);
    }
    if (status == HT_OK) {
        status = ht_world_new_lazy(&source, live, NULL, &world);
    }
    if (status == HT_OK) {
        status = ht_world_road(world, "car", HT_ARC_MOTORWAY, &road);
    }
    ht_world_release(world);
    ht_live_road_release(live);
    ht_conditions_free(conditions);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    begin("24/7");
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all();
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 10);
    end();
}

HT_MAIN()
