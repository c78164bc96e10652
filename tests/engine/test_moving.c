/* Moving: every answer equals brute force, also while points move. */
#include "engine/live/moving.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

static const struct ht_box town = {{1210000000, 312000000}, {1211500000, 313000000}};

struct model {
    struct ht_moving *moving;
    struct ht_moving_work *work;
    uint32_t capacity;
    struct ht_point *points;
    bool *there;
    struct ht_moving_hit *want;
    uint64_t state;
};

static void model_init(struct model *m, struct ht_box box, uint32_t capacity, uint64_t seed)
{
    *m = (struct model){.capacity = capacity, .state = seed * 77777 + 1};
    m->points = calloc(capacity + 1, sizeof *m->points);
    m->there = calloc(capacity + 1, sizeof *m->there);
    m->want = calloc(capacity + 1, sizeof *m->want);
    if (m->points == NULL || m->there == NULL || m->want == NULL ||
        ht_moving_new(box, capacity, &m->moving) != HT_OK ||
        ht_moving_work_new(&m->work) != HT_OK) {
        abort();
    }
}

static void model_deinit(struct model *m)
{
    ht_moving_free(m->moving);
    ht_moving_work_free(m->work);
    free(m->points);
    free(m->there);
    free(m->want);
}

static int32_t between(uint64_t *state, int64_t low, int64_t high)
{
    return (int32_t)(low + (int64_t)(ht_random(state) % (uint64_t)(high - low + 1)));
}

/* Mostly in town, in clusters, on one spot, at its corners, a few anywhere on Earth. */
static struct ht_point somewhere(struct model *m, struct ht_box box)
{
    switch (ht_random_below(&m->state, 12)) {
    case 0:
        return (struct ht_point){between(&m->state, -HT_LON_MAX_E7, HT_LON_MAX_E7),
                                 between(&m->state, -HT_LAT_MAX_E7, HT_LAT_MAX_E7)};
    case 1:
        return (struct ht_point){
            ht_random_below(&m->state, 2) == 0 ? box.min.lon_e7 : box.max.lon_e7,
            ht_random_below(&m->state, 2) == 0 ? box.min.lat_e7 : box.max.lat_e7};
    case 2:
        return box.min;
    case 3:
    case 4:
    case 5:
        return (struct ht_point){box.min.lon_e7 + (int32_t)ht_random_below(&m->state, 3000),
                                 box.min.lat_e7 + (int32_t)ht_random_below(&m->state, 3000)};
    default:
        return (struct ht_point){between(&m->state, box.min.lon_e7, box.max.lon_e7),
                                 between(&m->state, box.min.lat_e7, box.max.lat_e7)};
    }
}

static void stir(struct model *m, struct ht_box box, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        uint32_t id = ht_random_below(&m->state, m->capacity);
        if (ht_random_below(&m->state, 8) == 0) {
            ht_moving_remove(m->moving, id);
            m->there[id] = false;
            continue;
        }
        struct ht_point p = somewhere(m, box);
        if (m->there[id] && ht_random_below(&m->state, 2) == 0) { /* a small step */
            p = m->points[id];
            p.lon_e7 += p.lon_e7 > 0 ? -20 : 20;
        }
        HT_CHECK_INT(ht_moving_set(m->moving, id, p), HT_OK);
        m->points[id] = p;
        m->there[id] = true;
    }
}

static bool odd(void *user, uint32_t id)
{
    (*(int *)user)++;
    return (id & 1) != 0;
}

static int by_distance(const void *a, const void *b)
{
    const struct ht_moving_hit *x = a;
    const struct ht_moving_hit *y = b;
    if (x->distance_m != y->distance_m) {
        return x->distance_m < y->distance_m ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

static int differences(const struct ht_moving_hit *got, const struct ht_moving_hit *want,
                       uint32_t count)
{
    int wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        wrong += got[i].id != want[i].id || got[i].distance_m != want[i].distance_m ||
                 got[i].point.lon_e7 != want[i].point.lon_e7 ||
                 got[i].point.lat_e7 != want[i].point.lat_e7;
    }
    return wrong;
}

static void check_near(struct model *m, struct ht_box box)
{
    static const uint32_t ks[] = {0, 1, 3, 10, 1000, UINT32_MAX};
    static const double radii[] = {-1, 0, 50, 3000, 200000, 30000000};
    int calls = 0;
    struct ht_moving_ask ask = {.center = somewhere(m, box),
                                .k = ks[ht_random_below(&m->state, 6)],
                                .radius_m = radii[ht_random_below(&m->state, 6)]};
    if (ht_random_below(&m->state, 3) == 0) {
        ask.filter = (struct ht_moving_filter){odd, &calls};
    }
    const struct ht_moving_hit *hits = NULL;
    uint32_t found = 0;
    uint32_t want = 0;
    for (uint32_t id = 0; id < m->capacity; id++) {
        double distance = ht_distance_m(ask.center, m->points[id]);
        if (m->there[id] && (ask.radius_m < 0 || distance <= ask.radius_m) &&
            (ask.filter.want == NULL || (id & 1) != 0)) {
            m->want[want++] = (struct ht_moving_hit){id, m->points[id], distance};
        }
    }
    qsort(m->want, want, sizeof *m->want, by_distance);
    HT_REQUIRE(ht_moving_near(m->moving, m->work, &ask, &hits, &found) == HT_OK);
    HT_CHECK_INT(found, want < ask.k ? want : ask.k);
    HT_CHECK_INT(differences(hits, m->want, found < want ? found : want), 0);
}

static void check_box(struct model *m, struct ht_box box)
{
    struct ht_point a = somewhere(m, box);
    struct ht_point b = somewhere(m, box);
    struct ht_box ask = {{a.lon_e7, a.lat_e7 < b.lat_e7 ? a.lat_e7 : b.lat_e7},
                         {b.lon_e7, a.lat_e7 < b.lat_e7 ? b.lat_e7 : a.lat_e7}};
    const struct ht_moving_hit *hits = NULL;
    uint32_t found = 0;
    uint32_t want = 0;
    for (uint32_t id = 0; id < m->capacity; id++) {
        struct ht_point p = m->points[id];
        bool in = a.lon_e7 <= b.lon_e7 ? p.lon_e7 >= a.lon_e7 && p.lon_e7 <= b.lon_e7
                                       : p.lon_e7 >= a.lon_e7 || p.lon_e7 <= b.lon_e7;
        if (m->there[id] && in && p.lat_e7 >= ask.min.lat_e7 && p.lat_e7 <= ask.max.lat_e7) {
            m->want[want++] = (struct ht_moving_hit){id, p, 0};
        }
    }
    HT_REQUIRE(ht_moving_in_box(m->moving, m->work, ask, NULL, &hits, &found) == HT_OK);
    HT_CHECK_INT(found, want);
    HT_CHECK_INT(differences(hits, m->want, found < want ? found : want), 0);
}

HT_CASE(answers_equal_brute_force)
{
    static const struct ht_box boxes[] = {
        {{1210000000, 312000000}, {1211500000, 313000000}},
        {{-1800000000, -900000000}, {1800000000, 900000000}},
        {{1799000000, -10000}, {1800000000, 10000}}, /* at the antimeridian and the equator */
        {{0, 400000000}, {100000000, 400100000}},    /* long */
        {{0, 400000000}, {100000, 410000000}},       /* tall */
        {{5, 5}, {5, 5}},                            /* a point */
        {{0, 890000000}, {10000000, 900000000}},     /* the pole */
    };
    static const uint32_t capacities[] = {1, 2, 17, 300, 3000};
    int rounds = HT_LONG ? 40 : 4;
    for (int r = 0; r < rounds; r++) {
        for (size_t b = 0; b < sizeof boxes / sizeof boxes[0]; b++) {
            struct model m;
            uint32_t capacity = capacities[(b + (size_t)r) % 5];
            model_init(&m, boxes[b], capacity, (uint64_t)r * 100 + b);
            for (int i = 0; i < 30; i++) {
                stir(&m, boxes[b], 1 + (int)capacity / 4);
                check_near(&m, boxes[b]);
                check_near(&m, boxes[b]);
                check_box(&m, boxes[b]);
            }
            uint32_t there = 0;
            for (uint32_t id = 0; id < capacity; id++) {
                struct ht_point p;
                bool is = ht_moving_get(m.moving, id, &p);
                there += is ? 1U : 0U;
                HT_CHECK(is == m.there[id]);
                HT_CHECK(!is ||
                         (p.lon_e7 == m.points[id].lon_e7 && p.lat_e7 == m.points[id].lat_e7));
            }
            HT_CHECK_INT(ht_moving_count(m.moving), there);
            model_deinit(&m);
        }
    }
}

HT_CASE(what_is_not_there_is_refused_or_ignored)
{
    struct model m;
    model_init(&m, town, 4, 1);
    struct ht_point p = {0, 0};
    const struct ht_moving_hit *hits = NULL;
    uint32_t found = 9;
    struct ht_moving *none = NULL;
    HT_CHECK_INT(ht_moving_set(m.moving, 4, p), HT_RANGE);
    HT_CHECK_INT(ht_moving_set(m.moving, 0, (struct ht_point){HT_LON_MAX_E7 + 1, 0}), HT_RANGE);
    HT_CHECK(!ht_moving_get(m.moving, 0, &p));
    HT_CHECK(!ht_moving_get(m.moving, 4, &p));
    ht_moving_remove(m.moving, 0);
    ht_moving_remove(m.moving, 4);
    HT_CHECK_INT(ht_moving_count(m.moving), 0);
    struct ht_moving_ask ask = {.center = {0, 0}, .k = 3, .radius_m = -1};
    HT_CHECK_INT(ht_moving_near(m.moving, m.work, &ask, &hits, &found), HT_OK);
    HT_CHECK_INT(found, 0);
    ask.center.lat_e7 = HT_LAT_MAX_E7 + 1;
    HT_CHECK_INT(ht_moving_near(m.moving, m.work, &ask, &hits, &found), HT_RANGE);
    HT_CHECK_INT(ht_moving_new((struct ht_box){{5, 5}, {4, 5}}, 1, &none), HT_RANGE);
    HT_CHECK_INT(ht_moving_new(town, UINT32_MAX, &none), HT_RANGE);
    HT_CHECK_INT(ht_moving_new(town, 0, &none), HT_OK);
    HT_CHECK_INT(ht_moving_set(none, 0, p), HT_RANGE);
    ht_moving_free(none);
    model_deinit(&m);
}

/* Points that jump between two far cells all the time, among others that rest. However they move,
 * each of them is in the answer once, at one of its two places. */
enum { JUMPERS = 64, RESTING = 1000, READERS = 2 };

static struct ht_moving *shared;
static atomic_bool stop;

static struct ht_point jumper_at(uint32_t id, int side)
{
    return (struct ht_point){town.min.lon_e7 + (int32_t)id * 1000 + side * 1000000,
                             town.min.lat_e7 + (int32_t)id * 500 + side * 700000};
}

static void *jump(void *user)
{
    uint64_t *moves = user;
    for (int side = 1; !atomic_load(&stop); side = 1 - side) {
        for (uint32_t id = 0; id < JUMPERS; id++) {
            if (ht_moving_set(shared, id, jumper_at(id, side)) != HT_OK) {
                return NULL;
            }
            (*moves)++;
        }
    }
    return NULL;
}

struct reader {
    int rounds;
    int wrong;
    int asked;
};

static int wrong_hits(const struct ht_moving_hit *hits, uint32_t found)
{
    int wrong = found != JUMPERS + RESTING;
    uint8_t seen[JUMPERS + RESTING] = {0};
    for (uint32_t i = 0; i < found; i++) {
        uint32_t id = hits[i].id;
        struct ht_point p = hits[i].point;
        wrong += seen[id]++ != 0;
        if (id < JUMPERS) {
            struct ht_point a = jumper_at(id, 0);
            struct ht_point b = jumper_at(id, 1);
            wrong += !((p.lon_e7 == a.lon_e7 && p.lat_e7 == a.lat_e7) ||
                       (p.lon_e7 == b.lon_e7 && p.lat_e7 == b.lat_e7));
        }
    }
    return wrong;
}

static void *watch(void *user)
{
    struct reader *reader = user;
    struct ht_moving_work *work = NULL;
    if (ht_moving_work_new(&work) != HT_OK) {
        reader->wrong++;
        return NULL;
    }
    for (; reader->asked < reader->rounds; reader->asked++) {
        const struct ht_moving_hit *hits = NULL;
        uint32_t found = 0;
        struct ht_moving_ask ask = {.center = town.min, .k = UINT32_MAX, .radius_m = -1};
        reader->wrong += ht_moving_near(shared, work, &ask, &hits, &found) != HT_OK;
        reader->wrong += wrong_hits(hits, found);
        reader->wrong += ht_moving_in_box(shared, work, town, NULL, &hits, &found) != HT_OK;
        reader->wrong += wrong_hits(hits, found);
        ask.k = 10; /* ten of those that rest are nearer than any jumper can be */
        ask.center = (struct ht_point){town.max.lon_e7, town.min.lat_e7};
        reader->wrong += ht_moving_near(shared, work, &ask, &hits, &found) != HT_OK || found != 10;
        for (uint32_t i = 0; i < found; i++) {
            reader->wrong += hits[i].id != JUMPERS + i;
        }
    }
    ht_moving_work_free(work);
    return NULL;
}

HT_CASE(no_point_is_lost_or_seen_twice_while_points_move)
{
    pthread_t threads[READERS + 1];
    struct reader readers[READERS] = {0};
    uint64_t moves = 0;
    HT_REQUIRE(ht_moving_new(town, JUMPERS + RESTING, &shared) == HT_OK);
    for (uint32_t id = 0; id < JUMPERS + RESTING; id++) {
        struct ht_point p =
            id < JUMPERS
                ? jumper_at(id, 0)
                : (struct ht_point){town.max.lon_e7, town.min.lat_e7 + (int32_t)(id - JUMPERS)};
        HT_REQUIRE(ht_moving_set(shared, id, p) == HT_OK);
    }
    atomic_store(&stop, false);
    HT_REQUIRE(pthread_create(&threads[READERS], NULL, jump, &moves) == 0);
    for (int i = 0; i < READERS; i++) {
        readers[i].rounds = HT_LONG ? 20000 : 1000;
        HT_REQUIRE(pthread_create(&threads[i], NULL, watch, &readers[i]) == 0);
    }
    for (int i = 0; i < READERS; i++) {
        (void)pthread_join(threads[i], NULL);
        HT_CHECK_INT(readers[i].wrong, 0);
        HT_CHECK_INT(readers[i].asked, readers[i].rounds);
    }
    atomic_store(&stop, true);
    (void)pthread_join(threads[READERS], NULL);
    HT_CHECK(moves > 0);
    ht_moving_free(shared);
}

static enum ht_status make_all(void)
{
    struct ht_moving *moving = NULL;
    struct ht_moving_work *work = NULL;
    const struct ht_moving_hit *hits = NULL;
    uint32_t found = 0;
    struct ht_moving_ask ask = {.center = town.min, .k = 5, .radius_m = -1};
    enum ht_status status = ht_moving_new(town, 100, &moving);
    if (status == HT_OK) {
        status = ht_moving_work_new(&work);
    }
    for (uint32_t id = 0; id < 100 && status == HT_OK; id++) {
        status = ht_moving_set(moving, id, town.min);
    }
    if (status == HT_OK) {
        status = ht_moving_near(moving, work, &ask, &hits, &found);
    }
    if (status == HT_OK) {
        status = ht_moving_in_box(moving, work, town, NULL, &hits, &found);
    }
    ht_moving_free(moving);
    ht_moving_work_free(work);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all();
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 6);
}

HT_MAIN()
