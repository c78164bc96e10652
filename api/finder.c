#include "api/finder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"
#include "geodata/gazetteer_streets.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

enum {
    PORTION = 64,  /* of many: how long appliers wait for each other */
    WAIT_MS = 250, /* between two looks at the network */
    ALL_KINDS = (1 << HT_GAZETTEER_KINDS) - 1,
    TENANTS_MOST = 512, /* of one factory */
    TEXTS_MOST = 2 + 2 * TENANTS_MOST,
    TEXT_MOST = 4097 /* bytes of a name or an address, as the registry allows */
};

struct change {
    enum ht_gazetteer_kind kind;
    char id[HT_GAZETTEER_ID_MAX + 1];
};

struct ht_finder {
    struct ht_store *store;
    struct ht_world_slot *slot;
    const atomic_size_t *swaps;
    struct ht_gazetteer *search;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    atomic_bool ready;
    pthread_mutex_t apply_lock; /* reading an item and putting it in: one at a time */
    struct ht_store_reader *reader;
    pthread_mutex_t queue_lock; /* what follows */
    pthread_cond_t wake;
    bool loaded;
    unsigned stale; /* a bit for each kind that is to be read again */
    struct change *queue;
    size_t queue_count;
    size_t queue_capacity;
};

/* ---- items ---- */

struct taking {
    struct ht_finder *finder;
    struct ht_gazetteer_batch *batch;
    enum ht_gazetteer_kind kind;
    struct ht_geometry geometry;
    char name[TEXT_MOST];
    char address[TEXT_MOST];
    char tenant[TEXT_MOST];
    struct ht_text tenants;                     /* names and ids, one behind the other */
    size_t tenant_ends[2 * TENANTS_MOST];       /* of each */
    struct ht_gazetteer_text texts[TEXTS_MOST]; /* of the item at hand */
};

/* A text member of either half; false: there is none. */
static bool member_of(const struct ht_store_item *item, const char *name, char *out)
{
    struct ht_member member;
    return (ht_member_find(item->properties, name, &member) ||
            (item->personal != NULL && ht_member_find(item->personal, name, &member))) &&
           ht_member_text(&member, out, TEXT_MOST);
}

/* The middle of what a geometry covers. */
static bool middle_of(const struct ht_geometry *geometry, struct ht_point *out)
{
    struct ht_box box = ht_box_empty();
    for (size_t i = 0; i < geometry->point_count; i++) {
        box = ht_box_grow(box, geometry->points[i]);
    }
    *out = (struct ht_point){
        box.min.lon_e7 + (int32_t)(((int64_t)box.max.lon_e7 - box.min.lon_e7) / 2),
        box.min.lat_e7 + (int32_t)(((int64_t)box.max.lat_e7 - box.min.lat_e7) / 2)};
    return geometry->point_count > 0;
}

/* 1, or 0: it has none of that name. */
static size_t tenant_add(struct taking *taking, const struct ht_member *tenant, const char *name,
                         size_t count)
{
    struct ht_member member;
    if (tenant->value[0] != '{' || !ht_member_find(tenant->value, name, &member) ||
        !ht_member_text(&member, taking->tenant, TEXT_MOST) || taking->tenant[0] == '\0') {
        return 0;
    }
    ht_text_add_string(&taking->tenants, taking->tenant);
    taking->tenant_ends[count] = taking->tenants.size;
    return 1;
}

/* Who rents in a factory: name and id of each find it, too. */
static size_t tenants_of(struct taking *taking, const struct ht_store_item *item)
{
    struct ht_member list;
    size_t count = 0;
    ht_text_clear(&taking->tenants);
    if (taking->kind != HT_GAZETTEER_FACTORIES ||
        !ht_member_find(item->properties, "tenants", &list) || list.value[0] != '[') {
        return 0;
    }
    const char *at = list.value;
    struct ht_member tenant;
    while (count + 2 <= 2 * TENANTS_MOST && ht_member_item(&at, &tenant)) {
        count += tenant_add(taking, &tenant, "name", count);
        count += tenant_add(taking, &tenant, "id", count);
    }
    return taking->tenants.failed ? 0 : count;
}

static enum ht_status item_take(void *user, const struct ht_store_item *item)
{
    struct taking *taking = user;
    struct ht_gazetteer_text *texts = taking->texts;
    struct ht_gazetteer_item found = {.kind = taking->kind, .id = item->id, .texts = texts};
    if (atomic_load_explicit(&taking->finder->stop, memory_order_relaxed)) {
        return HT_CANCELLED;
    }
    if (item->wkb_size > 0 &&
        ht_geometry_read_wkb(&taking->geometry, item->wkb, item->wkb_size, NULL) == HT_OK) {
        found.placed = middle_of(&taking->geometry, &found.point);
    }
    if (member_of(item, "name", taking->name)) {
        texts[found.text_count++] =
            (struct ht_gazetteer_text){taking->name, strlen(taking->name), false};
    }
    if (member_of(item, "address", taking->address)) {
        texts[found.text_count++] =
            (struct ht_gazetteer_text){taking->address, strlen(taking->address), true};
    }
    size_t tenants = tenants_of(taking, item);
    size_t begin = 0;
    for (size_t i = 0; i < tenants; i++) {
        texts[found.text_count++] = (struct ht_gazetteer_text){
            taking->tenants.data + begin, taking->tenant_ends[i] - begin, false};
        begin = taking->tenant_ends[i];
    }
    return ht_gazetteer_batch_put(taking->batch, &found);
}

static const struct ht_collection *collection_of(enum ht_gazetteer_kind kind)
{
    const char *name = ht_gazetteer_kind_name(kind);
    return ht_collection_find(name, strlen(name));
}

static struct taking *taking_new(struct ht_finder *finder)
{
    struct taking *taking = malloc(sizeof *taking);
    if (taking != NULL) {
        taking->finder = finder;
        taking->batch = NULL;
        taking->tenants = (struct ht_text){0};
        ht_geometry_init(&taking->geometry);
    }
    if (taking != NULL && ht_gazetteer_batch_new(&taking->batch) != HT_OK) {
        free(taking);
        return NULL;
    }
    return taking;
}

static void taking_free(struct taking *taking)
{
    ht_geometry_deinit(&taking->geometry);
    ht_text_deinit(&taking->tenants);
    ht_gazetteer_batch_free(taking->batch);
    free(taking);
}

/* What the batch holds becomes seen. */
static enum ht_status taking_apply(struct taking *taking)
{
    struct ht_gazetteer_batch *batch = taking->batch;
    taking->batch = NULL;
    return ht_gazetteer_apply(taking->finder->search, batch);
}

/* ---- changes ---- */

/* Reads the items as they are now and puts them in, or takes them out. */
static enum ht_status changes_apply(struct ht_finder *finder, const struct change *changes,
                                    size_t count)
{
    (void)pthread_mutex_lock(&finder->apply_lock);
    struct taking *taking = taking_new(finder);
    enum ht_status status = taking == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK && finder->reader == NULL) {
        status = ht_store_reader_new(finder->store, &finder->reader, NULL);
    }
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        taking->kind = changes[i].kind;
        status = ht_store_item(finder->reader, collection_of(changes[i].kind), changes[i].id, true,
                               item_take, taking, NULL);
        if (status == HT_NOT_FOUND) {
            status = ht_gazetteer_batch_remove(taking->batch, changes[i].kind, changes[i].id);
        }
    }
    if (status == HT_OK) {
        status = taking_apply(taking);
    }
    if (taking != NULL) {
        taking_free(taking);
    }
    (void)pthread_mutex_unlock(&finder->apply_lock);
    return status;
}

/* Keeps changes for the thread. */
static void changes_queue(struct ht_finder *finder, const struct change *changes, size_t count)
{
    (void)pthread_mutex_lock(&finder->queue_lock);
    void *queue = finder->queue;
    enum ht_status status = ht_array_reserve(&queue, &finder->queue_capacity,
                                             finder->queue_count + count, sizeof *finder->queue);
    finder->queue = queue;
    if (status == HT_OK) {
        memcpy(finder->queue + finder->queue_count, changes, count * sizeof *changes);
        finder->queue_count += count;
    } else {
        finder->stale = ALL_KINDS;
    }
    (void)pthread_cond_signal(&finder->wake);
    (void)pthread_mutex_unlock(&finder->queue_lock);
}

void ht_finder_follow(struct ht_finder *finder, const char *collection, const char *const *ids,
                      size_t count, bool now)
{
    struct change changes[PORTION];
    enum ht_gazetteer_kind kind = HT_GAZETTEER_KINDS;
    if (finder == NULL || finder->store == NULL || !ht_gazetteer_kind_find(collection, &kind)) {
        return;
    }
    (void)pthread_mutex_lock(&finder->queue_lock);
    bool at_once = finder->loaded && now;
    (void)pthread_mutex_unlock(&finder->queue_lock);
    for (size_t i = 0; i < count;) {
        size_t portion = 0;
        for (; portion < PORTION && i < count; portion++, i++) {
            size_t size = strnlen(ids[i], HT_GAZETTEER_ID_MAX);
            changes[portion].kind = kind;
            memcpy(changes[portion].id, ids[i], size);
            changes[portion].id[size] = '\0';
        }
        if (!at_once || changes_apply(finder, changes, portion) != HT_OK) {
            changes_queue(finder, changes, portion);
        }
    }
}

void ht_finder_reload(struct ht_finder *finder, const char *collection)
{
    enum ht_gazetteer_kind kind = HT_GAZETTEER_KINDS;
    if (finder == NULL || finder->store == NULL || !ht_gazetteer_kind_find(collection, &kind)) {
        return;
    }
    (void)pthread_mutex_lock(&finder->queue_lock);
    finder->stale |= 1U << kind;
    (void)pthread_cond_signal(&finder->wake);
    (void)pthread_mutex_unlock(&finder->queue_lock);
}

/* ---- the thread ---- */

/* Until something was queued, or (`whole`) even then. */
static void sleep_ms(struct ht_finder *finder, int64_t wait_ms, bool whole)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_mutex_lock(&finder->queue_lock);
    if (!atomic_load(&finder->stop) &&
        (whole || (finder->queue_count == 0 && finder->stale == 0))) {
        (void)pthread_cond_timedwait(&finder->wake, &finder->queue_lock, &until);
    }
    (void)pthread_mutex_unlock(&finder->queue_lock);
}

/* All that the store has of these kinds (bits). Changes meanwhile are queued, so that what was read
 * too early is read again. */
static enum ht_status load(struct ht_finder *finder, unsigned kinds)
{
    struct ht_store_reader *reader = NULL;
    struct taking *taking = taking_new(finder);
    enum ht_status status = taking == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK && finder->store != NULL) {
        status = ht_store_reader_new(finder->store, &reader, NULL);
    }
    for (int kind = 0; status == HT_OK && reader != NULL && kind < HT_GAZETTEER_KINDS; kind++) {
        taking->kind = (enum ht_gazetteer_kind)kind;
        if (kind == HT_GAZETTEER_STREETS || (kinds >> kind & 1) == 0) {
            continue;
        }
        ht_gazetteer_batch_clear(taking->batch, taking->kind);
        struct ht_store_query query = ht_store_query_default(collection_of(taking->kind));
        query.personal = true;
        status = ht_store_items(reader, &query, item_take, taking, NULL, NULL);
    }
    ht_store_reader_free(reader);
    if (status == HT_OK) {
        status = taking_apply(taking);
    }
    if (taking != NULL) {
        taking_free(taking);
    }
    return status;
}

/* Follows what was queued; true once nothing is left. */
static bool queue_run(struct ht_finder *finder)
{
    (void)pthread_mutex_lock(&finder->queue_lock);
    struct change *changes = finder->queue;
    size_t count = finder->queue_count;
    unsigned stale = finder->stale;
    finder->queue = NULL;
    finder->queue_count = 0;
    finder->queue_capacity = 0;
    finder->stale = 0;
    if (stale != 0) {
        finder->loaded = false;
    } else if (count == 0) {
        finder->loaded = true;
    }
    (void)pthread_mutex_unlock(&finder->queue_lock);
    size_t done = 0;
    while (stale == 0 && done < count && !atomic_load(&finder->stop)) {
        size_t portion = count - done < PORTION ? count - done : PORTION;
        if (changes_apply(finder, changes + done, portion) != HT_OK) {
            break;
        }
        done += portion;
    }
    bool failed = stale == 0 ? done < count : load(finder, stale) != HT_OK;
    if (done < count) {
        changes_queue(finder, changes + done, count - done);
    }
    if (failed) { /* the store can't be read, or memory is short */
        (void)pthread_mutex_lock(&finder->queue_lock);
        finder->stale |= stale;
        (void)pthread_mutex_unlock(&finder->queue_lock);
        sleep_ms(finder, WAIT_MS, true);
    }
    free(changes);
    return count == 0 && stale == 0;
}

/* The network of a world, made ready where nobody asked for any of its profiles yet. */
static const struct ht_network *network_of(struct ht_world *world)
{
    const struct ht_network *network = world == NULL ? NULL : ht_world_network(world);
    const struct ht_road *road = NULL;
    if (world == NULL || network != NULL || ht_world_road_count(world) == 0 ||
        ht_world_road_soon(world, ht_world_profile(world, 0), &road) != HT_OK) {
        return network;
    }
    return road->network;
}

/* The streets of the open network, where it is another than before; false: not yet. */
static bool streets_follow(struct ht_finder *finder, size_t *seen)
{
    size_t swaps = atomic_load(finder->swaps);
    struct ht_gazetteer_batch *batch = NULL;
    if (swaps == *seen) {
        return true;
    }
    struct ht_world *world = ht_world_acquire(finder->slot);
    const struct ht_network *network = network_of(world);
    bool good = network != NULL && ht_gazetteer_batch_new(&batch) == HT_OK;
    if (good && ht_gazetteer_streets(network, batch) != HT_OK) {
        ht_gazetteer_batch_free(batch);
        good = false;
    } else if (good) {
        good = ht_gazetteer_apply(finder->search, batch) == HT_OK;
    }
    ht_world_release(world);
    *seen = good ? swaps : *seen;
    return good;
}

static void *finder_main(void *user)
{
    struct ht_finder *finder = user;
    size_t seen = 0;
    while (!atomic_load(&finder->stop) && load(finder, ALL_KINDS) != HT_OK) {
        sleep_ms(finder, WAIT_MS, true);
    }
    while (!atomic_load(&finder->stop)) {
        bool quiet = queue_run(finder);
        if (streets_follow(finder, &seen) && quiet) {
            atomic_store(&finder->ready, true);
        }
        enum ht_status status = ht_gazetteer_tidy(finder->search);
        (void)status; /* short of memory: the next time */
        if (quiet) {
            sleep_ms(finder, atomic_load(&finder->ready) ? WAIT_MS : WAIT_MS / 10, false);
        }
    }
    return NULL;
}

static void locks_init(struct ht_finder *finder)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&finder->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&finder->apply_lock, NULL);
    (void)pthread_mutex_init(&finder->queue_lock, NULL);
}

enum ht_status ht_finder_new(struct ht_store *store, struct ht_world_slot *slot,
                             const atomic_size_t *swaps, struct ht_finder **out)
{
    struct ht_finder *finder = calloc(1, sizeof *finder);
    if (finder == NULL) {
        return HT_NOMEM;
    }
    finder->store = store;
    finder->slot = slot;
    finder->swaps = swaps;
    locks_init(finder);
    enum ht_status status = ht_gazetteer_new(&finder->search);
    if (status == HT_OK) {
        finder->started = pthread_create(&finder->thread, NULL, finder_main, finder) == 0;
        status = finder->started ? HT_OK : HT_NOMEM;
    }
    if (status != HT_OK) {
        ht_finder_free(finder);
        return status;
    }
    *out = finder;
    return HT_OK;
}

void ht_finder_free(struct ht_finder *finder)
{
    if (finder == NULL) {
        return;
    }
    if (finder->started) {
        atomic_store(&finder->stop, true);
        (void)pthread_mutex_lock(&finder->queue_lock);
        (void)pthread_cond_signal(&finder->wake);
        (void)pthread_mutex_unlock(&finder->queue_lock);
        (void)pthread_join(finder->thread, NULL);
    }
    ht_store_reader_free(finder->reader);
    ht_gazetteer_free(finder->search);
    free(finder->queue);
    (void)pthread_cond_destroy(&finder->wake);
    (void)pthread_mutex_destroy(&finder->apply_lock);
    (void)pthread_mutex_destroy(&finder->queue_lock);
    free(finder);
}

bool ht_finder_ready(struct ht_finder *finder)
{
    return atomic_load(&finder->ready);
}

struct ht_gazetteer *ht_finder_search(struct ht_finder *finder)
{
    return finder->search;
}
