#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/orders_internal.h"

enum ht_status ht__orders_unit_of(struct ht_orders *o, const char *id, struct ht__order_unit **out)
{
    struct ht__order_unit *unit = (struct ht__order_unit *)ht_names_find(&o->units, id);
    if (unit == NULL) {
        size_t size = strlen(id);
        unit = calloc(1, sizeof *unit);
        if (unit == NULL) {
            return HT_NOMEM;
        }
        assert(size <= HT_ORDER_ID_MAX);
        memcpy(unit->id, id, size + 1);
        unit->named.id = unit->id;
        (void)pthread_mutex_lock(&o->lock);
        enum ht_status status = ht_names_reserve(&o->units);
        if (status == HT_OK) {
            ht_names_add(&o->units, &unit->named);
        }
        (void)pthread_mutex_unlock(&o->lock);
        if (status != HT_OK) {
            free(unit);
            return status;
        }
    }
    *out = unit;
    return HT_OK;
}

/* ---- quarters ---------------------------------------------------------------------------------
 */

void ht__orders_quarter_key(char text[HT__ORDER_QUARTER_TEXT], const char *kitchen, int64_t at_ms)
{
    int64_t quarter = at_ms / HT_ORDER_QUARTER_MS - (at_ms % HT_ORDER_QUARTER_MS < 0);
    (void)snprintf(text, HT__ORDER_QUARTER_TEXT, "%.64s %" PRId64, kitchen, quarter);
}

static enum ht_status quarter_of(struct ht_orders *o, const struct ht_order_event *event,
                                 struct ht__order_quarter **out)
{
    char key[HT__ORDER_QUARTER_TEXT];
    ht__orders_quarter_key(key, event->kitchen, event->ready_ms);
    struct ht__order_quarter *quarter =
        (struct ht__order_quarter *)ht_names_find(&o->quarters, key);
    if (quarter == NULL) {
        size_t size = strlen(key) + 1;
        quarter = calloc(1, sizeof *quarter + size);
        if (quarter == NULL || ht_names_reserve(&o->quarters) != HT_OK) {
            free(quarter);
            return HT_NOMEM;
        }
        memcpy(quarter->id, key, size);
        quarter->named.id = quarter->id;
        ht_names_add(&o->quarters, &quarter->named);
    }
    quarter->entries++;
    *out = quarter;
    return HT_OK;
}

static void quarter_release(struct ht_orders *o, struct ht__order_quarter *quarter)
{
    if (--quarter->entries == 0) {
        ht_names_remove(&o->quarters, &quarter->named);
        free(quarter);
    }
}

void ht__orders_pending_set(struct ht__order_entry *e, struct ht__order_version *version)
{
    struct ht__order_version *old = e->pending;
    e->quarter->meals -= ht__orders_meals(&old->view);
    e->quarter->meals += ht__orders_meals(&version->view);
    e->pending = version;
    ht__orders_version_release(old);
}

/* ---- versions ---------------------------------------------------------------------------------
 */

static const char *copy_text(char **at, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    char *copy = *at;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

static struct ht__order_facts *facts_new(const struct ht_order_event *event)
{
    const char *const texts[] = {event->order, event->household, event->kitchen};
    size_t size = sizeof(struct ht__order_facts);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size += texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
    }
    struct ht__order_facts *facts = malloc(size);
    if (facts != NULL) {
        char *at = facts->text;
        atomic_init(&facts->refs, 1);
        facts->id = copy_text(&at, event->order);
        facts->household = copy_text(&at, event->household);
        facts->kitchen = copy_text(&at, event->kitchen);
    }
    return facts;
}

static void facts_release(struct ht__order_facts *facts)
{
    if (facts != NULL && atomic_fetch_sub(&facts->refs, 1) == 1) {
        free(facts);
    }
}

struct ht__order_version *ht__orders_version_of(const struct ht_order *order)
{
    struct ht__order_version *version = NULL;
    memcpy(&version, &order, sizeof(struct ht__order_version *)); /* its first: no more const */
    return version;
}

struct ht__order_version *ht__orders_version_copy(const struct ht__order_version *from,
                                                  struct ht__order_facts *facts)
{
    struct ht__order_version *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return NULL;
    }
    atomic_init(&v->refs, 1);
    v->facts = facts;
    (void)atomic_fetch_add(&facts->refs, 1);
    if (from != NULL) {
        v->view = from->view; /* not its counter, which readers change */
        memcpy(v->incident, from->incident, sizeof v->incident);
    }
    v->view.id = facts->id;
    v->view.household = facts->household;
    v->view.kitchen = facts->kitchen;
    v->view.incident = v->view.incident == NULL ? NULL : v->incident;
    return v;
}

struct ht__order_version *ht__orders_version_hold(struct ht__order_version *version)
{
    if (version != NULL) {
        (void)atomic_fetch_add(&version->refs, 1);
    }
    return version;
}

void ht__orders_version_release(struct ht__order_version *version)
{
    if (version != NULL && atomic_fetch_sub(&version->refs, 1) == 1) {
        facts_release(version->facts);
        free(version);
    }
}

/* ---- entries ----------------------------------------------------------------------------------
 */

/* All that applying the entry may need, so that it can't fail then. */
static enum ht_status make_room(struct ht_orders *o)
{
    size_t committed = o->list_count - o->list_holes;
    size_t uncommitted = o->entries.count - committed;
    enum ht_status status = ht_names_reserve(&o->entries);
    return status == HT_OK ? ht_array_reserve((void **)&o->list, &o->list_room,
                                              o->list_count + uncommitted + 1, sizeof *o->list)
                           : status;
}

static enum ht_status enter(struct ht_orders *o, struct ht__order_entry *e)
{
    (void)pthread_mutex_lock(&o->lock);
    enum ht_status status = make_room(o);
    if (status == HT_OK) {
        ht_names_add(&o->entries, &e->named);
    }
    (void)pthread_mutex_unlock(&o->lock);
    return status;
}

enum ht_status ht__orders_entry_new(struct ht_orders *o, const struct ht_order_event *event,
                                    struct ht__order_entry **out)
{
    struct ht__order_entry *e = calloc(1, sizeof *e);
    struct ht__order_facts *facts = facts_new(event);
    struct ht__order_version *v = facts == NULL ? NULL : ht__orders_version_copy(NULL, facts);
    enum ht_status status = e == NULL || v == NULL ? HT_NOMEM : quarter_of(o, event, &e->quarter);
    if (status == HT_OK) {
        e->named.id = facts->id;
        e->pending = v;
        status = enter(o, e);
        if (status != HT_OK) {
            quarter_release(o, e->quarter);
        }
    }
    if (status != HT_OK) {
        ht__orders_version_release(v);
        facts_release(facts);
        free(e);
        return status;
    }
    facts_release(facts); /* the version has its own */
    v->view.order = ++o->next_order;
    *out = e;
    return HT_OK;
}

void ht__orders_entry_remove(struct ht_orders *o, struct ht__order_entry *e)
{
    assert(!e->gone);
    e->quarter->meals -= ht__orders_meals(&e->pending->view);
    quarter_release(o, e->quarter);
    (void)pthread_mutex_lock(&o->lock);
    ht_names_remove(&o->entries, &e->named);
    (void)pthread_mutex_unlock(&o->lock);
    e->gone = true;
}

void ht__orders_entry_release(struct ht__order_entry *e)
{
    if (e->gone && e->held == 0) {
        ht__orders_version_release(e->pending);
        ht__orders_version_release(e->committed);
        free(e);
    }
}
