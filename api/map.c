#include "api/map.h"

#include <stdlib.h>
#include <string.h>

#include "api/map_internal.h"
#include "engine/base/array.h"

/* What one world holds. */
struct view {
    struct ht_map *map;
    struct view_profile {
        struct ht_live_road *road;
        struct ht_map_shut *shut;
        bool soon_will_do; /* so `road` is not made yet */
        bool behind_made;  /* under load_lock */
        struct ht_road_behind behind;
    } profiles[];
};

static void map_free(struct ht_map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        struct ht__map_profile *profile = &map->profiles[i];
        ht_conditions_free(profile->conditions);
        ht_traffic_free(profile->traffic);
        ht_locate_graph_free(profile->locate);
        ht_detours_free(profile->detours);
        free(profile->turn_closed);
    }
    ht__map_zones_deinit(map);
    ht_locate_free(map->locate);
    ht_hnet_close(map->file);
    (void)pthread_mutex_destroy(&map->lock);
    (void)pthread_mutex_destroy(&map->load_lock);
    (void)pthread_mutex_destroy(&map->detour_lock);
    free(map->names);
    free(map);
}

void ht_map_retain(struct ht_map *map)
{
    (void)atomic_fetch_add_explicit(&map->references, 1, memory_order_relaxed);
}

void ht_map_release(struct ht_map *map)
{
    if (map != NULL && atomic_fetch_sub_explicit(&map->references, 1, memory_order_acq_rel) == 1) {
        map_free(map);
    }
}

enum ht_status ht_map_open(const char *path, struct ht_shared_pool *pool,
                           struct ht_office_calendar *calendar, struct ht_map **out,
                           struct ht_error *error)
{
    struct ht_hnet *file = NULL;
    enum ht_status status = ht_hnet_open(path, &file, error);
    if (status != HT_OK) {
        return status;
    }
    uint32_t count = ht_hnet_profile_count(file);
    struct ht_map *map = calloc(1, sizeof *map + count * sizeof map->profiles[0]);
    const char **names = ht_array_new(count, sizeof *names);
    if (map == NULL || names == NULL || count == 0) {
        free(map);
        free(names);
        ht_hnet_close(file);
        return count == 0 ? ht_error_set(error, HT_EMPTY, 0, "%s holds no profile", path)
                          : ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    static atomic_uint_least64_t numbers;
    atomic_init(&map->references, 1);
    map->number = atomic_fetch_add(&numbers, 1) + 1;
    (void)pthread_mutex_init(&map->lock, NULL);
    (void)pthread_mutex_init(&map->load_lock, NULL);
    (void)pthread_mutex_init(&map->detour_lock, NULL);
    map->file = file;
    map->pool = pool;
    map->office = calendar;
    map->calendar = ht_calendar_holidays(calendar);
    map->count = count;
    map->names = names;
    for (uint32_t i = 0; i < count; i++) {
        names[i] = ht_hnet_profile(file, i);
    }
    *out = map;
    return HT_OK;
}

uint64_t ht_map_number(const struct ht_map *map)
{
    return map->number;
}

struct ht_box ht_map_box(const struct ht_map *map)
{
    return ht_hnet_box(map->file);
}

bool ht_map_trusted(const struct ht_map *map)
{
    return ht_hnet_stamped(map->file);
}

/* Checks what queries read of a profile and reads its conditions. Needs load_lock. */
static enum ht_status profile_open(struct ht_map *map, uint32_t index, struct ht_pool *pool,
                                   struct ht_error *error)
{
    struct ht__map_profile *profile = &map->profiles[index];
    if (profile->opened) {
        return HT_OK;
    }
    struct ht_road road;
    enum ht_status status = ht_hnet_road(map->file, map->names[index], pool, &road, error);
    if (status != HT_OK) {
        return status;
    }
    const struct ht_calendar *calendar = map->office == NULL ? NULL : &map->calendar;
    status = ht_conditions_new(&road, calendar, &profile->conditions, NULL);
    profile->base = road;
    profile->opened = status == HT_OK;
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

/* Checks all of a profile. Needs the map's lock. */
static enum ht_status profile_load(struct ht_map *map, uint32_t index, struct ht_error *error)
{
    struct ht__map_profile *profile = &map->profiles[index];
    if (profile->ready) {
        return HT_OK;
    }
    bool shared = pthread_mutex_trylock(&map->pool->lock) == 0;
    struct ht_pool *pool = shared ? map->pool->pool : NULL;
    (void)pthread_mutex_lock(&map->load_lock);
    enum ht_status status = profile_open(map, index, pool, error);
    if (status == HT_OK) {
        status = ht_hnet_check_rest(map->file, map->names[index], pool, error);
    }
    (void)pthread_mutex_unlock(&map->load_lock);
    if (shared) {
        (void)pthread_mutex_unlock(&map->pool->lock);
    }
    profile->ready = status == HT_OK;
    return status;
}

enum ht_status ht_map_check(struct ht_map *map, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < map->count; i++) {
        (void)pthread_mutex_lock(&map->lock);
        status = profile_load(map, i, error);
        (void)pthread_mutex_unlock(&map->lock);
    }
    return status == HT_OK ? ht_hnet_check_whole(map->file, NULL, error) : status;
}

static void view_release(void *user)
{
    struct view *view = user;
    for (uint32_t i = 0; i < view->map->count; i++) {
        ht_live_road_release(view->profiles[i].road);
        ht__map_shut_release(view->profiles[i].shut);
        ht_road_behind_deinit(&view->profiles[i].behind);
    }
    ht_map_release(view->map);
    free(view);
}

struct ht_map *ht__map_of(const struct ht_world *world)
{
    const struct view *view = ht_world_owner(world, view_release);
    return view == NULL ? NULL : view->map;
}

const struct ht_map_shut *ht__map_shut_of(const struct ht_world *world, uint32_t index)
{
    const struct view *view = ht_world_owner(world, view_release);
    return view == NULL ? NULL : view->profiles[index].shut;
}

/* A profile's road as of the map's time, with the pool's threads where nobody else has them. Needs
 * the map's lock. */
static enum ht_status road_live(struct ht_map *map, uint32_t index, struct view *view)
{
    struct ht_live_road **out = &view->profiles[index].road;
    struct ht__map_profile *profile = &map->profiles[index];
    enum ht_status status = ht__map_zones_obey(map, index);
    if (status != HT_OK) {
        return status;
    }
    bool shared = pthread_mutex_trylock(&map->pool->lock) == 0;
    struct ht_pool *pool = shared ? map->pool->pool : NULL;
    if (profile->traffic != NULL) {
        ht_conditions_turns(profile->conditions, map->local_ms, profile->turn_closed);
        status = ht_traffic_apply(profile->traffic, NULL, 0, profile->turn_closed, pool, out);
    } else {
        status = ht_conditions_live(profile->conditions, map->local_ms, pool, out);
    }
    if (shared) {
        (void)pthread_mutex_unlock(&map->pool->lock);
    }
    if (status == HT_OK) {
        view->profiles[index].shut = profile->shut;
        ht__map_shut_retain(profile->shut);
    }
    return status;
}

/* Remembers what a world was given. */
static void road_given(struct ht_map *map, uint32_t index, const struct view *view)
{
    map->profiles[index].live = view->profiles[index].road;
    map->profiles[index].shut_given = ht__map_shut_number(view->profiles[index].shut);
}

/* The world asks for one of its roads. */
static enum ht_status view_load(void *user, uint32_t index, struct ht_world_road *out)
{
    struct view *view = user;
    struct ht_map *map = view->map;
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&map->lock);
    if (view->profiles[index].road == NULL) {
        status = profile_load(map, index, NULL);
        if (status == HT_OK) {
            map->profiles[index].wanted = true;
            status = road_live(map, index, view);
        }
        if (status == HT_OK) {
            road_given(map, index, view);
        }
    }
    (void)pthread_mutex_unlock(&map->lock);
    if (status == HT_OK) {
        *out = view->profiles[index].road->view;
    }
    return status;
}

/* A road for ways, while that one is being made. Of streets that traffic or zones have changed
 * there is none. */
static enum ht_status view_behind(void *user, uint32_t index, const struct ht_road **out)
{
    struct view *view = user;
    struct ht_map *map = view->map;
    struct view_profile *profile = &view->profiles[index];
    if (atomic_load(&map->changed)) {
        return HT_BUSY;
    }
    (void)pthread_mutex_lock(&map->load_lock);
    enum ht_status status = profile_open(map, index, NULL, NULL);
    if (status == HT_OK && !profile->behind_made) {
        int64_t local_ms = atomic_load(&map->local_ms);
        uint64_t days = ht_calendar_version(map->office);
        status = ht_conditions_behind(map->profiles[index].conditions, local_ms, &profile->behind);
        profile->behind_made = status == HT_OK;
        map->profiles[index].behind = true;
        map->profiles[index].behind_ms = local_ms;
        map->profiles[index].behind_days = days;
    }
    (void)pthread_mutex_unlock(&map->load_lock);
    *out = &profile->behind.road;
    return status;
}

/* Whether a road for ways will do: a metric of its own holds sixty megabytes for each profile of a
 * city, so it is made only where it was once asked for. Where many turns close, many ways would be
 * searched around them. Needs the map's lock. */
static bool soon_will_do(const struct ht_map *map, const struct ht__map_profile *profile)
{
    enum { FEW = 64 };
    return !profile->wanted && profile->traffic == NULL && !atomic_load(&map->changed) &&
           profile->base.graph->condition_count <= FEW &&
           ht_conditions_any(profile->conditions, map->local_ms);
}

/* Gets the roads that are ready as of now; true in *changed when one differs from the last world's.
 */
static enum ht_status view_fill(struct ht_map *map, struct view *view, bool *changed)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < map->count; i++) {
        struct ht__map_profile *profile = &map->profiles[i];
        if (profile->ready) {
            view->profiles[i].soon_will_do = soon_will_do(map, profile);
            status = view->profiles[i].soon_will_do ? HT_OK : road_live(map, i, view);
            *changed = *changed || view->profiles[i].road != profile->live ||
                       ht__map_shut_number(view->profiles[i].shut) != profile->shut_given;
        }
    }
    return status;
}

/* Whether a road for ways was given out by a time since which a turn has opened or closed, or by
 * another calendar; such roads are forgotten with it: the next world makes its own. */
static bool behind_is_past(struct ht_map *map, int64_t local_ms)
{
    bool past = false;
    (void)pthread_mutex_lock(&map->load_lock);
    for (uint32_t i = 0; i < map->count; i++) {
        struct ht__map_profile *profile = &map->profiles[i];
        if (profile->behind && profile->live == NULL) {
            int64_t from_ms = profile->behind_ms < local_ms ? profile->behind_ms : local_ms;
            int64_t until_ms = profile->behind_ms < local_ms ? local_ms : profile->behind_ms;
            past = past || profile->behind_days != ht_calendar_version(map->office) ||
                   ht_conditions_next_change(profile->conditions, from_ms) <= until_ms;
        }
    }
    for (uint32_t i = 0; past && i < map->count; i++) {
        map->profiles[i].behind = false;
    }
    (void)pthread_mutex_unlock(&map->load_lock);
    return past;
}

/* The roads that the view has, or has for ways, become the world's at once: by them it is known
 * that the network is the one before, whose closest index and isochrones go on. */
static void world_begin(struct ht_world *world, const struct view *view)
{
    for (uint32_t i = 0; i < view->map->count; i++) {
        const char *profile = view->map->names[i];
        const struct ht_road *road = NULL;
        enum ht_status status = HT_OK;
        if (view->profiles[i].road != NULL) {
            status = ht_world_road(world, profile, 0, &road);
        } else if (view->profiles[i].soon_will_do) {
            status = ht_world_road_soon(world, profile, &road);
        }
        (void)status; /* there is nothing to make */
    }
}

static struct view *view_new(struct ht_map *map)
{
    struct view *view = calloc(1, sizeof *view + map->count * sizeof view->profiles[0]);
    if (view == NULL) {
        return NULL;
    }
    ht_map_retain(map);
    view->map = map;
    return view;
}

enum ht_status ht_map_world(struct ht_map *map, int64_t local_ms, struct ht_world **out)
{
    *out = NULL;
    struct view *view = view_new(map);
    if (view == NULL) {
        return HT_NOMEM;
    }
    const struct ht_world_source source = {
        .count = map->count, .profiles = map->names, .load = view_load, .behind = view_behind};
    (void)pthread_mutex_lock(&map->lock);
    atomic_store(&map->local_ms, local_ms); /* before the next looks at what was made by another */
    bool changed = behind_is_past(map, local_ms) || !map->given;
    enum ht_status status = view_fill(map, view, &changed);
    if (status == HT_OK && changed) {
        status = ht_world_new_lazy(&source, view, view_release, out);
    }
    for (uint32_t i = 0; status == HT_OK && changed && i < map->count; i++) {
        road_given(map, i, view);
    }
    map->given = status == HT_OK && (map->given || changed); /* else the next time again */
    (void)pthread_mutex_unlock(&map->lock);
    if (*out == NULL) {
        view_release(view);
    } else {
        world_begin(*out, view);
    }
    return status;
}

int64_t ht_map_next_change(struct ht_map *map, int64_t local_ms)
{
    int64_t next = INT64_MAX;
    (void)pthread_mutex_lock(&map->lock);
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->profiles[i].ready) {
            int64_t change = ht_conditions_next_change(map->profiles[i].conditions, local_ms);
            next = change < next ? change : next;
        }
    }
    (void)pthread_mutex_unlock(&map->lock);
    return next;
}

/* ---- traffic ---- */

/* A motor profile is one that drives. */
bool ht_map_is_motor(const struct ht_graph *graph)
{
    for (uint32_t i = 0; i < graph->base_arc_count; i++) {
        if (graph->arcs[i].mode == HT_MODE_DRIVING) {
            return true;
        }
        if (graph->arcs[i].mode == HT_MODE_CYCLING || graph->arcs[i].mode == HT_MODE_WALKING) {
            return false;
        }
    }
    return false;
}

static bool is_listed(const char *profiles, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = profiles; *at != '\0';
         at += strcspn(at, ",") + (strchr(at, ',') != NULL)) {
        if (strncmp(at, name, size) == 0 && (at[size] == ',' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

bool ht_map_is_named(const char *profiles, const char *name)
{
    const char *alias = ht_world_alias(name);
    return is_listed(profiles, name) || (alias != NULL && is_listed(profiles, alias));
}

enum ht_status ht__map_live_begin(struct ht__map_profile *profile)
{
    if (profile->turn_closed == NULL) {
        profile->turn_closed = ht_array_new_zeroed(profile->base.graph->turn_count, 1);
    }
    if (profile->turn_closed == NULL) {
        return HT_NOMEM;
    }
    return profile->traffic != NULL ? HT_OK : ht_traffic_new(&profile->base, &profile->traffic);
}

/* What is needed to find pieces by their nodes. Needs the map's lock, as below. */
static enum ht_status locate_begin(struct ht_map *map, struct ht__map_profile *profile)
{
    enum ht_status status = HT_OK;
    if (map->locate == NULL) {
        status = ht_locate_new(profile->base.network, &map->locate);
    }
    if (status == HT_OK && profile->locate == NULL) {
        status = ht_locate_graph_new(profile->base.graph, &profile->locate);
    }
    return status;
}

/* What traffic needs of a profile. */
static enum ht_status traffic_begin(struct ht_map *map, struct ht__map_profile *profile)
{
    enum ht_status status = locate_begin(map, profile);
    if (status == HT_OK) {
        status = ht__map_live_begin(profile);
    }
    if (status == HT_OK) {
        bool shared = pthread_mutex_trylock(&map->pool->lock) == 0;
        status = ht_traffic_prepare(profile->traffic, shared ? map->pool->pool : NULL);
        if (shared) {
            (void)pthread_mutex_unlock(&map->pool->lock);
        }
    }
    return status;
}

enum { PIECES_MOST = 64 };

/* The changes that a piece means to a profile. */
static enum ht_status changes_add(const struct ht_map *map, const struct ht__map_profile *profile,
                                  const struct ht_map_piece *piece, struct ht__map_changes *changes,
                                  bool *matched)
{
    struct ht_located found[PIECES_MOST];
    size_t count = ht_locate_pieces(map->locate, profile->locate, piece->osm_from, piece->osm_to,
                                    found, PIECES_MOST);
    count = count < PIECES_MOST ? count : PIECES_MOST;
    void *list = changes->list;
    enum ht_status status =
        ht_array_reserve(&list, &changes->capacity, changes->count + count, sizeof *changes->list);
    changes->list = list;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        changes->list[changes->count++] = (struct ht_traffic_change){
            found[i].arc, found[i].segment_first, found[i].segment_end, piece->speed_mps};
        *matched = true;
    }
    return status;
}

enum ht_status ht__map_profile_load(struct ht_map *map, uint32_t index)
{
    return profile_load(map, index, NULL);
}

enum ht_status ht__map_changes_find(struct ht_map *map, uint32_t index,
                                    const struct ht_map_piece *pieces, size_t count, bool *matched,
                                    struct ht__map_changes *changes)
{
    struct ht__map_profile *profile = &map->profiles[index];
    bool motor = ht_map_is_motor(profile->base.graph);
    enum ht_status status = HT_OK;
    bool begun = false;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const char *names = pieces[i].profiles;
        if (names[0] == '\0' ? !motor : !ht_map_is_named(names, map->names[index])) {
            continue;
        }
        if (!begun) {
            status = locate_begin(map, profile);
            begun = true;
        }
        if (status == HT_OK) {
            status = changes_add(map, profile, &pieces[i], changes, &matched[i]);
        }
    }
    return status;
}

static enum ht_status profile_traffic(struct ht_map *map, uint32_t index,
                                      const struct ht_map_piece *pieces, size_t count,
                                      bool *matched)
{
    struct ht__map_profile *profile = &map->profiles[index];
    struct ht__map_changes changes = {0};
    enum ht_status status = profile_load(map, index, NULL);
    if (status == HT_OK) {
        status = ht__map_changes_find(map, index, pieces, count, matched, &changes);
    }
    if (status == HT_OK && changes.count > 0) {
        status = traffic_begin(map, profile);
    }
    if (status == HT_OK && changes.count > 0) {
        struct ht_live_road *live = NULL;
        atomic_store(&map->changed, true);
        ht_conditions_turns(profile->conditions, map->local_ms, profile->turn_closed);
        status = ht_traffic_apply(profile->traffic, changes.list, changes.count,
                                  profile->turn_closed, NULL, &live);
        ht_live_road_release(live); /* the next world takes its own */
    }
    free(changes.list);
    return status;
}

enum ht_status ht_map_traffic(struct ht_map *map, const struct ht_map_piece *pieces, size_t count,
                              bool *matched)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count; i++) {
        matched[i] = false;
    }
    (void)pthread_mutex_lock(&map->lock);
    for (uint32_t p = 0; status == HT_OK && p < map->count; p++) {
        status = profile_traffic(map, p, pieces, count, matched);
    }
    (void)pthread_mutex_unlock(&map->lock);
    return status;
}

/* Those that drive first, since what is said of streets is most often meant for them, then those
 * that the border of a zone stops, too. */
enum ht_status ht_map_traffic_prepare(struct ht_map *map)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < 2 * map->count; i++) {
        struct ht__map_profile *profile = &map->profiles[i % map->count];
        (void)pthread_mutex_lock(&map->lock);
        status = profile_load(map, i % map->count, NULL);
        if (status == HT_OK && ht_map_is_motor(profile->base.graph) == (i < map->count)) {
            status = traffic_begin(map, profile);
        }
        (void)pthread_mutex_unlock(&map->lock);
    }
    return status;
}
