#include "api/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/app_internal.h"
#include "engine/base/array.h"

enum { PROFILES_MAX = 127 };

struct entry {
    int64_t osm_from;
    int64_t osm_to;
    int64_t until_ms;
    float speed_mps;
    char profiles[PROFILES_MAX + 1];
};

struct ht_traffic_table {
    struct entry *list; /* in the order in which they were said */
    size_t count;
    size_t capacity;
};

enum ht_status ht_traffic_table_new(struct ht_traffic_table **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_traffic_table_free(struct ht_traffic_table *table)
{
    if (table != NULL) {
        free(table->list);
        free(table);
    }
}

static int key_order(int64_t from_a, int64_t to_a, const char *a, const struct ht_store_traffic *b)
{
    if (from_a != b->osm_from) {
        return from_a < b->osm_from ? -1 : 1;
    }
    return to_a != b->osm_to ? (to_a < b->osm_to ? -1 : 1) : strcmp(a, b->profiles);
}

/* A row among those that are sorted. */
struct ref {
    const struct ht_store_traffic *row;
};

static int row_order(const void *left, const void *right)
{
    const struct ht_store_traffic *a = ((const struct ref *)left)->row;
    const struct ht_store_traffic *b = ((const struct ref *)right)->row;
    int order = key_order(a->osm_from, a->osm_to, a->profiles, b);
    return order != 0 ? order : (a < b ? -1 : 1);
}

/* The last of the rows, sorted, that speak of the entry's street; NULL: none does. */
static const struct ht_store_traffic *row_of(const struct ref *rows, size_t count, int64_t from,
                                             int64_t to, const char *profiles)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) { /* the first that is behind the street */
        size_t middle = low + (high - low) / 2;
        if (key_order(from, to, profiles, rows[middle].row) >= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && key_order(from, to, profiles, rows[low - 1].row) == 0 ? rows[low - 1].row
                                                                            : NULL;
}

static void table_add(struct ht_traffic_table *table, const struct ht_store_traffic *row)
{
    struct entry *entry = &table->list[table->count++];
    *entry = (struct entry){.osm_from = row->osm_from,
                            .osm_to = row->osm_to,
                            .until_ms = row->until_ms,
                            .speed_mps = (float)row->speed_mps};
    (void)strncpy(entry->profiles, row->profiles, PROFILES_MAX);
}

/* The last word on each street of the rows. Room for all was made before; `sorted`: memory for as
 * many. */
static void table_take(struct ht_traffic_table *table, const struct ht_store_traffic *rows,
                       size_t count, struct ref *sorted)
{
    for (size_t i = 0; i < count; i++) {
        sorted[i].row = &rows[i];
    }
    qsort(sorted, count, sizeof *sorted, row_order);
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->list[i];
        if (row_of(sorted, count, entry->osm_from, entry->osm_to, entry->profiles) == NULL) {
            table->list[kept++] = *entry;
        }
    }
    table->count = kept;
    for (size_t i = 0; i < count; i++) {
        const struct ht_store_traffic *row = &rows[i];
        if (row->speed_mps >= 0 &&
            row_of(sorted, count, row->osm_from, row->osm_to, row->profiles) == row) {
            table_add(table, row);
        }
    }
}

static enum ht_status table_room(struct ht_traffic_table *table, size_t more)
{
    void *list = table->list;
    enum ht_status status =
        ht_array_reserve(&list, &table->capacity, table->count + more, sizeof *table->list);
    table->list = list;
    return status;
}

static struct ht_map_piece piece_of(const struct entry *entry)
{
    return (struct ht_map_piece){entry->osm_from, entry->osm_to, entry->speed_mps, entry->profiles};
}

enum ht_status ht__traffic_tell(struct ht_app *app, struct ht_map *map, bool all)
{
    struct ht_traffic_table *table = app->traffic;
    bool told = map == app->map; /* what ended is as filed on a new one, which may yet be refused */
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    size_t ended = 0;
    for (size_t i = 0; i < table->count; i++) {
        ended += table->list[i].until_ms <= now_ms;
    }
    if (table->count == 0 || (ended == 0 && !all)) {
        return HT_OK;
    }
    /* what ended is as filed; then all others again, since they may lie on the same streets */
    size_t count = 0;
    struct ht_map_piece *pieces = ht_array_new(table->count, sizeof *pieces);
    bool *matched = ht_array_new(table->count, sizeof *matched);
    enum ht_status status = pieces == NULL || matched == NULL ? HT_NOMEM : HT_OK;
    for (int pass = told ? 0 : 1; status == HT_OK && pass < 2; pass++) {
        for (size_t i = 0; i < table->count; i++) {
            const struct entry *entry = &table->list[i];
            if ((entry->until_ms <= now_ms) == (pass == 0)) {
                pieces[count] = piece_of(entry);
                pieces[count].speed_mps = pass == 0 ? HT_SPEED_AS_FILED : entry->speed_mps;
                count++;
            }
        }
    }
    if (status == HT_OK) {
        status = ht_map_traffic(map, pieces, count, matched);
    }
    free(pieces);
    free(matched);
    size_t kept = 0;
    for (size_t i = 0; status == HT_OK && told && i < table->count; i++) {
        if (table->list[i].until_ms > now_ms) {
            table->list[kept++] = table->list[i];
        }
    }
    table->count = status == HT_OK && told ? kept : table->count;
    return status;
}

int64_t ht__traffic_next_end(const struct ht_app *app)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; app->traffic != NULL && i < app->traffic->count; i++) {
        int64_t until = app->traffic->list[i].until_ms;
        next = until < next ? until : next;
    }
    return next;
}

enum ht_status ht_traffic_at(struct ht_app *app, int64_t at_ms, struct ht_traffic_then *out)
{
    *out = (struct ht_traffic_then){.until_ms = INT64_MAX};
    (void)pthread_mutex_lock(&app->open_lock);
    const struct ht_traffic_table *table = app->traffic;
    out->pieces = ht_array_new(table->count, sizeof *out->pieces + PROFILES_MAX + 1);
    char *texts = (char *)(out->pieces + table->count);
    for (size_t i = 0; out->pieces != NULL && i < table->count; i++) {
        const struct entry *entry = &table->list[i];
        if (entry->until_ms > at_ms) {
            char *text = texts + out->count * (PROFILES_MAX + 1);
            memcpy(text, entry->profiles, sizeof entry->profiles);
            out->pieces[out->count] = piece_of(entry);
            out->pieces[out->count++].profiles = text;
            out->until_ms = entry->until_ms < out->until_ms ? entry->until_ms : out->until_ms;
        }
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return out->pieces == NULL ? HT_NOMEM : HT_OK;
}

static double steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Needs open_lock. */
static enum ht_status apply(struct ht_app *app, const struct ht_store_traffic *rows, size_t count,
                            bool *matched)
{
    struct ht_map_piece *pieces = ht_array_new(count, sizeof *pieces);
    struct ref *sorted = ht_array_new(count, sizeof *sorted);
    enum ht_status status =
        pieces == NULL || sorted == NULL ? HT_NOMEM : table_room(app->traffic, count);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        pieces[i] = (struct ht_map_piece){
            rows[i].osm_from, rows[i].osm_to,
            rows[i].speed_mps < 0 ? HT_SPEED_AS_FILED : (float)rows[i].speed_mps, rows[i].profiles};
    }
    if (status == HT_OK) { /* the store has it: its end must be known even where the map is busy */
        table_take(app->traffic, rows, count, sorted);
        (void)atomic_fetch_add(&app->streets_said, 1);
    }
    if (status == HT_OK && app->map != NULL) {
        status = ht_map_traffic(app->map, pieces, count, matched);
    }
    free(pieces);
    free(sorted);
    return status == HT_OK ? ht__app_map_apply(app) : status;
}

enum ht_status ht_app_traffic(struct ht_app *app, const struct ht_store_traffic *rows, size_t count,
                              bool *matched, struct ht_traffic_done *done)
{
    double begin = steady_ms();
    bool *own = matched == NULL ? ht_array_new_zeroed(count, sizeof *own) : NULL;
    if (matched == NULL && own == NULL) {
        return HT_NOMEM;
    }
    matched = matched == NULL ? own : matched;
    memset(matched, 0, count * sizeof *matched);
    *done = (struct ht_traffic_done){0};
    (void)pthread_mutex_lock(&app->open_lock);
    enum ht_status status = apply(app, rows, count, matched);
    (void)pthread_cond_signal(&app->wake);
    (void)pthread_mutex_unlock(&app->open_lock);
    for (size_t i = 0; i < count; i++) {
        done->applied += matched[i];
    }
    free(own);
    done->customize_ms = steady_ms() - begin;
    struct ht_world *world = ht_world_acquire(app->slot);
    done->metric = world == NULL ? 0 : ht_world_id(world);
    ht_world_release(world);
    return status;
}

static enum ht_status row_read(void *user, const struct ht_store_traffic *row)
{
    struct ht_app *app = user;
    if (strlen(row->profiles) > PROFILES_MAX || row->until_ms <= ht_clock_now_ms(&app->clock)) {
        return HT_OK; /* none that we wrote, or one that ended meanwhile */
    }
    enum ht_status status = table_room(app->traffic, 1);
    if (status == HT_OK) {
        table_add(app->traffic, row); /* the store has one for each street */
    }
    return status;
}

enum ht_status ht_app_traffic_open(struct ht_app *app, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    if (app->store == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_store_reader_new(app->store, &reader, error);
    (void)pthread_mutex_lock(&app->open_lock);
    if (status == HT_OK) {
        status = ht_store_traffic(reader, row_read, app, error);
    }
    if (status == HT_OK && app->map != NULL) {
        status = ht__traffic_tell(app, app->map, true);
        if (status == HT_OK) {
            status = ht__app_map_apply(app);
        }
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    ht_store_reader_free(reader);
    return status;
}

/* ---- where another process is told of it ---- */

/* What the store has now, and takes back of what this table has. */
static enum ht_status rows_make(const struct ht_traffic_table *now,
                                const struct ht_traffic_table *before,
                                struct ht_store_traffic **out, size_t *count)
{
    struct ht_store_traffic *rows = ht_array_new(now->count + before->count, sizeof *rows);
    *out = rows;
    *count = 0;
    for (size_t i = 0; rows != NULL && i < before->count; i++) { /* told again below, or not */
        const struct entry *e = &before->list[i];
        rows[(*count)++] =
            (struct ht_store_traffic){e->osm_from, e->osm_to, e->profiles, -1, e->until_ms};
    }
    for (size_t i = 0; rows != NULL && i < now->count; i++) {
        const struct entry *e = &now->list[i];
        rows[(*count)++] = (struct ht_store_traffic){e->osm_from, e->osm_to, e->profiles,
                                                     (double)e->speed_mps, e->until_ms};
    }
    return rows == NULL ? HT_NOMEM : HT_OK;
}

struct following {
    struct ht_traffic_table table;
    int64_t now_ms;
};

static enum ht_status row_follow(void *user, const struct ht_store_traffic *row)
{
    struct following *following = user;
    if (strlen(row->profiles) > PROFILES_MAX || row->until_ms <= following->now_ms) {
        return HT_OK;
    }
    enum ht_status status = table_room(&following->table, 1);
    if (status == HT_OK) {
        table_add(&following->table, row);
    }
    return status;
}

enum ht_status ht_app_traffic_follow(struct ht_app *app, struct ht_store_reader *reader)
{
    struct following following = {.now_ms = ht_clock_now_ms(&app->clock)};
    struct ht_store_traffic *rows = NULL;
    size_t count = 0;
    enum ht_status status = ht_store_traffic(reader, row_follow, &following, NULL);
    (void)pthread_mutex_lock(&app->open_lock);
    /* a copy: what is told moves the table's own rows */
    struct ht_traffic_table before = {.count = app->traffic->count};
    before.list = ht_array_new(before.count, sizeof *before.list);
    if (before.list == NULL) {
        status = HT_NOMEM;
    } else if (before.count > 0) {
        memcpy(before.list, app->traffic->list, before.count * sizeof *before.list);
    }
    if (status == HT_OK) {
        status = rows_make(&following.table, &before, &rows, &count);
    }
    bool *matched = status == HT_OK ? ht_array_new_zeroed(count, sizeof *matched) : NULL;
    if (status == HT_OK) {
        status = matched == NULL ? HT_NOMEM : apply(app, rows, count, matched);
    }
    (void)pthread_cond_signal(&app->wake);
    (void)pthread_mutex_unlock(&app->open_lock);
    free(matched);
    free(rows);
    free(before.list);
    free(following.table.list);
    return status;
}
