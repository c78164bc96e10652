#include "api/homes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/home.h"
#include "engine/base/array.h"
#include "geodata/members.h"

enum {
    EVENTS_MOST = 2000, /* more than that since the last look: all is read anew */
    BLOCK = 64 * 1024,
    RESIDENTS_MOST = 10000, /* as the registry allows */
};

/* --- one household ---------------------------------------------------------------------------- */

int64_t ht_home_residents(const struct ht_store_item *item)
{
    struct ht_member residents;
    return ht_member_find(item->properties, "residents", &residents)
               ? (int64_t)strtod(residents.value, NULL)
               : 0;
}

static bool is_frail(const struct ht_store_item *item)
{
    struct ht_member frail;
    return item->personal != NULL && ht_member_find(item->personal, "frail", &frail) &&
           frail.value_size == 4 && memcmp(frail.value, "true", 4) == 0;
}

/* --- a list ----------------------------------------------------------------------------------- */

struct block {
    struct block *next;
    size_t used;
    char text[BLOCK];
};

struct home {
    const char *id;
    const char *cell; /* NULL: none */
    struct ht_point point;
    struct ht_home_inside inside;
    uint32_t residents;
    bool frail;
};

struct reading {
    struct block *blocks;
    struct home *list;
    size_t count;
    size_t capacity;
};

static void blocks_free(void *texts)
{
    struct block *block = texts;
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

static const char *text_keep(struct reading *reading, const char *text)
{
    size_t size = strlen(text) + 1;
    struct block *block = reading->blocks;
    if (size > BLOCK) {
        return NULL;
    }
    if (block == NULL || BLOCK - block->used < size) {
        block = malloc(sizeof *block);
        if (block == NULL) {
            return NULL;
        }
        block->next = reading->blocks;
        block->used = 0;
        reading->blocks = block;
    }
    char *kept = block->text + block->used;
    memcpy(kept, text, size);
    block->used += size;
    return kept;
}

static enum ht_status home_take(void *user, const struct ht_store_item *item)
{
    struct reading *reading = user;
    struct home home = {.frail = is_frail(item)};
    int64_t residents = ht_home_residents(item);
    struct ht_home own;
    if (!ht_home_read(item, &own)) {
        return HT_OK;
    }
    home.point = own.entrance;
    home.inside = ht_home_inside(&own);
    home.residents = residents < 0                ? 0
                     : residents > RESIDENTS_MOST ? RESIDENTS_MOST
                                                  : (uint32_t)residents;
    home.id = text_keep(reading, item->id);
    if (item->cell != NULL && item->cell[0] != '\0') {
        home.cell = text_keep(reading, item->cell);
    }
    void *list = reading->list;
    enum ht_status status =
        ht_array_reserve(&list, &reading->capacity, reading->count + 1, sizeof *reading->list);
    reading->list = list;
    if (status != HT_OK || home.id == NULL ||
        (home.cell == NULL && item->cell != NULL && item->cell[0] != '\0')) {
        return HT_NOMEM;
    }
    reading->list[reading->count++] = home;
    return reading->count < UINT32_MAX / 2 ? HT_OK : HT_TOO_BIG;
}

void ht_homes_retain(struct ht_homes *homes)
{
    if (homes != NULL) {
        (void)atomic_fetch_add(&homes->references, 1);
    }
}

void ht_homes_release(struct ht_homes *homes)
{
    if (homes == NULL || atomic_fetch_sub(&homes->references, 1) != 1) {
        return;
    }
    free((void *)homes->ids);
    free(homes->points);
    free(homes->inside);
    free(homes->residents);
    free(homes->cell);
    free(homes->frail);
    free((void *)homes->cells);
    blocks_free(homes->texts);
    free(homes);
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The cells that households lie in, each once. */
static enum ht_status cells_list(struct ht_homes *homes, const struct reading *reading)
{
    size_t count = 0;
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->list[i].cell != NULL) {
            homes->cells[count++] = reading->list[i].cell;
        }
    }
    if (count > 0) {
        qsort((void *)homes->cells, count, sizeof(const char *), by_text);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(homes->cells[i], homes->cells[homes->cell_count - 1]) != 0) {
            homes->cells[homes->cell_count++] = homes->cells[i];
        }
    }
    for (size_t i = 0; i < reading->count; i++) {
        const char *cell = reading->list[i].cell;
        const char **found = cell == NULL
                                 ? NULL
                                 : bsearch((const void *)&cell, (const void *)homes->cells,
                                           homes->cell_count, sizeof(const char *), by_text);
        homes->cell[i] = found == NULL ? homes->cell_count : (uint32_t)(found - homes->cells);
    }
    return HT_OK;
}

static enum ht_status homes_make(struct reading *reading, uint64_t number, struct ht_homes **out)
{
    struct ht_homes *homes = calloc(1, sizeof *homes);
    if (homes == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&homes->references, 1);
    homes->number = number;
    homes->count = (uint32_t)reading->count;
    homes->ids = ht_array_new(reading->count, sizeof(const char *));
    homes->points = ht_array_new(reading->count, sizeof *homes->points);
    homes->inside = ht_array_new(reading->count, sizeof *homes->inside);
    homes->residents = ht_array_new(reading->count, sizeof *homes->residents);
    homes->cell = ht_array_new(reading->count, sizeof *homes->cell);
    homes->frail = ht_array_new_zeroed(reading->count / 64 + 1, sizeof *homes->frail);
    homes->cells = ht_array_new(reading->count, sizeof(const char *));
    if (homes->ids == NULL || homes->points == NULL || homes->inside == NULL ||
        homes->residents == NULL || homes->cell == NULL || homes->frail == NULL ||
        homes->cells == NULL) {
        ht_homes_release(homes);
        return HT_NOMEM;
    }
    for (size_t i = 0; i < reading->count; i++) {
        const struct home *home = &reading->list[i];
        homes->ids[i] = home->id;
        homes->points[i] = home->point;
        homes->inside[i] = home->inside;
        homes->residents[i] = home->residents;
        homes->frail[i / 64] |= (uint64_t)home->frail << i % 64;
    }
    homes->texts = reading->blocks;
    reading->blocks = NULL;
    *out = homes;
    return cells_list(homes, reading);
}

/* --- keeping it ------------------------------------------------------------------------------- */

struct ht_homes_keeper {
    pthread_mutex_t lock;
    struct ht_homes *homes; /* NULL: not read yet */
    int64_t seq;            /* of the last event that it may know of */
    uint64_t number;
};

enum ht_status ht_homes_keeper_new(struct ht_homes_keeper **out)
{
    struct ht_homes_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL || pthread_mutex_init(&keeper->lock, NULL) != 0) {
        free(keeper);
        return HT_NOMEM;
    }
    *out = keeper;
    return HT_OK;
}

void ht_homes_keeper_free(struct ht_homes_keeper *keeper)
{
    if (keeper != NULL) {
        ht_homes_release(keeper->homes);
        (void)pthread_mutex_destroy(&keeper->lock);
        free(keeper);
    }
}

struct look {
    uint32_t seen;
    bool changed;
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static enum ht_status event_look(void *user, const struct ht_store_event *event)
{
    struct look *look = user;
    look->seen++;
    look->changed = look->changed ||
                    (begins(event->kind, "item") &&
                     (begins(event->subject, "households/") || begins(event->subject, "cells/")));
    return HT_OK;
}

/* Whether households may differ from what was read; `seq`: the last event of now. */
static enum ht_status look_for_changes(struct ht_homes_keeper *keeper,
                                       struct ht_store_reader *reader, int64_t seq, bool *changed,
                                       struct ht_error *error)
{
    struct look look = {.changed = keeper->homes == NULL || seq < keeper->seq};
    enum ht_status status = HT_OK;
    if (!look.changed && seq > keeper->seq) {
        status = ht_store_events(reader, keeper->seq, EVENTS_MOST, event_look, &look, error);
    }
    *changed = look.changed || look.seen == EVENTS_MOST;
    return status;
}

static enum ht_status read_all(struct ht_homes_keeper *keeper, struct ht_store_reader *reader,
                               struct ht_homes **out, struct ht_error *error)
{
    struct reading reading = {0};
    static const char name[] = "households";
    struct ht_store_query query = ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    query.personal = true;
    enum ht_status status = ht_store_items(reader, &query, home_take, &reading, NULL, error);
    if (status == HT_OK) {
        status = homes_make(&reading, keeper->number + 1, out);
        if (status != HT_OK) {
            status = ht_error_set(error, status, 0, NULL);
        }
    }
    blocks_free(reading.blocks);
    free(reading.list);
    return status;
}

enum ht_status ht_homes_get(struct ht_homes_keeper *keeper, struct ht_store_reader *reader,
                            struct ht_homes **out, struct ht_error *error)
{
    int64_t seq = 0;
    bool changed = false;
    (void)pthread_mutex_lock(&keeper->lock);
    enum ht_status status = ht_store_event_last(reader, &seq, error); /* before what it tells of */
    if (status == HT_OK) {
        status = look_for_changes(keeper, reader, seq, &changed, error);
    }
    if (status == HT_OK && changed) {
        struct ht_homes *made = NULL;
        status = read_all(keeper, reader, &made, error);
        if (status == HT_OK) {
            ht_homes_release(keeper->homes);
            keeper->homes = made;
            keeper->number++;
        }
    }
    if (status == HT_OK) {
        keeper->seq = seq;
        ht_homes_retain(keeper->homes);
        *out = keeper->homes;
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    return status;
}
