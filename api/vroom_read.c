#include "api/vroom_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"

/* Where the reader is, and the first thing that was wrong. */
struct reader {
    struct ht_vroom *vroom;
    struct ht_error *error;
    enum ht_status status;
    yajl_val vehicles;
    yajl_val jobs;
    yajl_val shipments;
    yajl_val matrices;
    struct ht_task *tasks;
    struct ht_vehicle *list; /* vehicles */
    uint64_t *skills;        /* the values that are named, ascending */
    uint32_t skill_count;
    const char **types; /* [0]: none */
    uint32_t *slots;    /* of places by their coordinates: index + 1 */
    size_t slot_mask;
    uint32_t *by_id[3]; /* tasks of each kind, by id */
    uint32_t id_count[3];
    bool any_place;
    bool all_placed;
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *r, int code,
                                                       const char *format, ...)
{
    char text[200];
    va_list list;
    if (r->status != HT_OK) {
        return;
    }
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    r->vroom->code = code;
    r->status = ht_error_set(r->error,
                             code == HT_VROOM_TOO_BIG    ? HT_TOO_BIG
                             : code == HT_VROOM_INTERNAL ? HT_NOMEM
                                                         : HT_INVALID,
                             0, "%s", text);
}

void *ht_vroom_take(struct ht_vroom *vroom, size_t count, size_t item)
{
    if (count > (SIZE_MAX - sizeof(struct ht_vroom_block)) / item) {
        return NULL;
    }
    struct ht_vroom_block *block = calloc(1, sizeof *block + count * item);
    if (block == NULL) {
        return NULL;
    }
    block->next = vroom->blocks;
    vroom->blocks = block;
    return block->data;
}

static void *take(struct reader *r, size_t count, size_t item)
{
    void *data = ht_vroom_take(r->vroom, count, item);
    if (data == NULL) {
        fail(r, HT_VROOM_INTERNAL, "Out of memory.");
    }
    return data;
}

/* ---- values ---- */

static yajl_val member(yajl_val object, const char *name)
{
    yajl_val value = ht_json_member(object, name);
    return value == NULL || YAJL_IS_NULL(value) ? NULL : value;
}

static size_t length_of(yajl_val array)
{
    return YAJL_IS_ARRAY(array) ? array->u.array.len : 0;
}

static yajl_val element(yajl_val array, size_t index)
{
    return array->u.array.values[index];
}

static bool whole(yajl_val value, int64_t most, int64_t *out)
{
    if (value == NULL || !YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
        YAJL_GET_INTEGER(value) > most) {
        return false;
    }
    *out = YAJL_GET_INTEGER(value);
    return true;
}

/* A whole number of an object; absent: stays as it is. `what` is told as "Invalid WHAT." */
static void whole_member(struct reader *r, yajl_val object, const char *name, int64_t most,
                         int64_t *out)
{
    yajl_val value = member(object, name);
    if (value != NULL && !whole(value, most, out)) {
        fail(r, HT_VROOM_INPUT, "Invalid %s value.", name);
    }
}

static void seconds_member(struct reader *r, yajl_val object, const char *name, uint32_t *out)
{
    yajl_val value = member(object, name);
    int64_t number = *out;
    if (value != NULL && !whole(value, UINT32_MAX, &number)) {
        fail(r, HT_VROOM_INPUT, "Invalid %s duration.", name);
    }
    *out = (uint32_t)number;
}

static void id_read(struct reader *r, yajl_val object, const char *type, struct ht_vroom_name *out)
{
    int64_t id = 0;
    if (!YAJL_IS_OBJECT(object)) {
        fail(r, HT_VROOM_INPUT, "Invalid %s.", type);
        return;
    }
    if (!whole(member(object, "id"), INT64_MAX, &id)) {
        fail(r, HT_VROOM_INPUT, "Invalid or missing id for %s.", type);
    }
    yajl_val text = member(object, "description");
    out->id = (uint64_t)id;
    out->description = text == NULL ? NULL : YAJL_GET_STRING(text);
}

/* ---- amounts ---- */

static const int64_t *amount_read(struct reader *r, yajl_val value)
{
    uint32_t amounts = r->vroom->problem.amounts;
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(value)) {
        fail(r, HT_VROOM_INPUT, "Invalid amount array.");
        return NULL;
    }
    if (length_of(value) != amounts) {
        fail(r, HT_VROOM_INPUT, "Inconsistent delivery length: %zu instead of %u.",
             length_of(value), (unsigned)amounts);
        return NULL;
    }
    int64_t *out = take(r, amounts, sizeof *out);
    for (uint32_t i = 0; out != NULL && i < amounts; i++) {
        if (!whole(element(value, i), HT_PLAN_AMOUNT_MOST, &out[i])) {
            fail(r, HT_VROOM_INPUT, "Invalid amount value.");
            return NULL;
        }
    }
    return out;
}

/* As many dimensions as the first that is given has. */
static void amounts_size(struct reader *r)
{
    static const char *const keys[] = {"capacity", "delivery", "pickup", "amount"};
    yajl_val lists[] = {r->vehicles, r->jobs, r->shipments};
    for (int l = 0; l < 3; l++) {
        for (size_t i = 0; i < length_of(lists[l]); i++) {
            for (int k = l == 2 ? 3 : 0; k < 4; k++) {
                yajl_val value = member(element(lists[l], i), keys[k]);
                if (YAJL_IS_ARRAY(value)) {
                    r->vroom->problem.amounts = (uint32_t)length_of(value);
                    if (length_of(value) > HT_PLAN_AMOUNTS_MOST) {
                        fail(r, HT_VROOM_TOO_BIG, "Amounts of more than %d dimensions.",
                             (int)HT_PLAN_AMOUNTS_MOST);
                    }
                    return;
                }
            }
        }
    }
}

/* ---- skills ---- */

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void skills_note(struct reader *r, yajl_val object)
{
    yajl_val value = member(object, "skills");
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        fail(r, HT_VROOM_INPUT, "Invalid skills object.");
    }
    for (size_t i = 0; r->status == HT_OK && i < length_of(value); i++) {
        int64_t skill = 0;
        if (!whole(element(value, i), UINT32_MAX, &skill)) {
            fail(r, HT_VROOM_INPUT, "Invalid skill value.");
            return;
        }
        uint64_t key = (uint64_t)skill;
        if (r->skill_count > 0 &&
            bsearch(&key, r->skills, r->skill_count, sizeof *r->skills, by_value) != NULL) {
            continue;
        }
        if (r->skill_count == HT_VROOM_SKILLS_MOST) {
            fail(r, HT_VROOM_TOO_BIG, "More than %d skills.", (int)HT_VROOM_SKILLS_MOST);
            return;
        }
        uint32_t at = r->skill_count++;
        for (; at > 0 && r->skills[at - 1] > key; at--) {
            r->skills[at] = r->skills[at - 1];
        }
        r->skills[at] = key;
    }
}

static void skills_collect(struct reader *r)
{
    yajl_val lists[] = {r->vehicles, r->jobs, r->shipments};
    r->skills = take(r, HT_VROOM_SKILLS_MOST, sizeof *r->skills);
    for (int l = 0; r->status == HT_OK && l < 3; l++) {
        for (size_t i = 0; r->status == HT_OK && i < length_of(lists[l]); i++) {
            skills_note(r, element(lists[l], i));
        }
    }
    r->vroom->problem.skill_words = (r->skill_count + 63) / 64;
}

static const uint64_t *skills_read(struct reader *r, yajl_val object)
{
    yajl_val value = member(object, "skills");
    if (length_of(value) == 0) {
        return NULL;
    }
    uint64_t *words = take(r, r->vroom->problem.skill_words, sizeof *words);
    for (size_t i = 0; words != NULL && i < length_of(value); i++) {
        uint64_t key = (uint64_t)YAJL_GET_INTEGER(element(value, i));
        const uint64_t *found =
            bsearch(&key, r->skills, r->skill_count, sizeof *r->skills, by_value);
        if (found != NULL) {
            size_t bit = (size_t)(found - r->skills);
            words[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    }
    return words;
}

/* ---- time ---- */

static bool window_read(struct reader *r, yajl_val value, struct ht_window *out)
{
    if (length_of(value) < 2 || !whole(element(value, 0), HT_PLAN_TIME_MOST, &out->from_s) ||
        !whole(element(value, 1), HT_PLAN_TIME_MOST, &out->to_s)) {
        fail(r, HT_VROOM_INPUT, "Invalid time-window.");
        return false;
    }
    if (out->from_s > out->to_s) {
        fail(r, HT_VROOM_INPUT, "Invalid time window: [%lld, %lld]", (long long)out->from_s,
             (long long)out->to_s);
        return false;
    }
    return true;
}

static const struct ht_window *windows_read(struct reader *r, yajl_val object, const char *type,
                                            uint64_t id, uint32_t *count)
{
    yajl_val value = member(object, "time_windows");
    if (value == NULL) {
        return NULL;
    }
    if (length_of(value) == 0) {
        fail(r, HT_VROOM_INPUT, "Invalid time_windows array for %s %llu.", type,
             (unsigned long long)id);
        return NULL;
    }
    struct ht_window *out = take(r, length_of(value), sizeof *out);
    for (size_t i = 0; out != NULL && i < length_of(value); i++) {
        if (!window_read(r, element(value, i), &out[i])) {
            return NULL;
        }
        if (i > 0 && out[i].from_s <= out[i - 1].to_s) {
            fail(r, HT_VROOM_INPUT, "Unsorted or overlapping time-windows for %s %llu.", type,
                 (unsigned long long)id);
            return NULL;
        }
    }
    *count = (uint32_t)length_of(value);
    return out;
}

static uint32_t type_find(const struct reader *r, const char *name)
{
    for (uint32_t i = 1; i < r->vroom->problem.types; i++) {
        if (strcmp(r->types[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

static void types_collect(struct reader *r)
{
    r->types = take(r, length_of(r->vehicles) + 1, sizeof *r->types);
    r->vroom->problem.types = 1;
    for (size_t i = 0; r->status == HT_OK && i < length_of(r->vehicles); i++) {
        yajl_val value = member(element(r->vehicles, i), "type");
        const char *name = value == NULL ? NULL : YAJL_GET_STRING(value);
        if (value != NULL && name == NULL) {
            fail(r, HT_VROOM_INPUT, "Invalid type value.");
        } else if (name != NULL && type_find(r, name) == 0) {
            if (r->vroom->problem.types > 64) {
                fail(r, HT_VROOM_TOO_BIG, "More than 64 types of vehicles.");
                return;
            }
            r->types[r->vroom->problem.types++] = name;
        }
    }
}

/* {"type": seconds}; types that no vehicle has are left out. */
static const uint32_t *per_type_read(struct reader *r, yajl_val object, const char *name,
                                     uint32_t other)
{
    yajl_val value = member(object, name);
    uint32_t types = r->vroom->problem.types;
    if (value == NULL) {
        return NULL;
    }
    uint32_t *out = YAJL_IS_OBJECT(value) ? take(r, types, sizeof *out) : NULL;
    if (out == NULL) {
        fail(r, HT_VROOM_INPUT, "Invalid %s object.", name);
        return NULL;
    }
    for (uint32_t i = 0; i < types; i++) {
        out[i] = other;
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        int64_t seconds = 0;
        uint32_t type = type_find(r, value->u.object.keys[i]);
        if (!whole(value->u.object.values[i], UINT32_MAX, &seconds)) {
            fail(r, HT_VROOM_INPUT, "Invalid value in %s.", name);
            return NULL;
        }
        if (type != 0) {
            out[type] = (uint32_t)seconds;
        }
    }
    return out;
}

/* ---- places ---- */

static size_t place_hash(double lon, double lat)
{
    uint64_t a = 0;
    uint64_t b = 0;
    memcpy(&a, &lon, sizeof a);
    memcpy(&b, &lat, sizeof b);
    a = (a ^ (b >> 7) ^ (b << 33)) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(a ^ a >> 29);
}

/* The index of coordinates without one: the first free one where they are new. */
static uint32_t place_find(struct reader *r, struct ht_vroom_place place)
{
    struct ht_problem *problem = &r->vroom->problem;
    place.lon += 0; /* -0 is 0 */
    place.lat += 0;
    for (size_t at = place_hash(place.lon, place.lat);; at++) {
        uint32_t *slot = &r->slots[at & r->slot_mask];
        if (*slot == 0) {
            r->vroom->places[problem->location_count++] = place;
            *slot = problem->location_count;
        }
        const struct ht_vroom_place *found = &r->vroom->places[*slot - 1];
        if (found->lon == place.lon && found->lat == place.lat) {
            return *slot - 1;
        }
    }
}

static bool pair_read(yajl_val value, struct ht_vroom_place *out)
{
    if (length_of(value) < 2 || !YAJL_IS_NUMBER(element(value, 0)) ||
        !YAJL_IS_NUMBER(element(value, 1))) {
        return false;
    }
    out->lon = strtod(YAJL_GET_NUMBER(element(value, 0)), NULL);
    out->lat = strtod(YAJL_GET_NUMBER(element(value, 1)), NULL);
    out->placed = isfinite(out->lon) && isfinite(out->lat);
    return out->placed;
}

/* A place by its index or its coordinates; HT_PLAN_NONE: neither is there. */
static uint32_t location_read(struct reader *r, yajl_val object, const char *pair_name,
                              const char *index_name, const struct ht_vroom_name *what)
{
    struct ht_vroom *vroom = r->vroom;
    yajl_val pair = member(object, pair_name);
    yajl_val number = member(object, index_name);
    struct ht_vroom_place place = {0};
    int64_t index = 0;
    if (r->status != HT_OK || (pair == NULL && number == NULL)) {
        return HT_PLAN_NONE;
    }
    if (pair != NULL && !pair_read(pair, &place)) {
        fail(r, HT_VROOM_INPUT, "Invalid %s for %llu.", pair_name, (unsigned long long)what->id);
        return HT_PLAN_NONE;
    }
    if (r->any_place && vroom->indexed != (number != NULL)) {
        fail(r, HT_VROOM_INPUT, "Missing location index.");
        return HT_PLAN_NONE;
    }
    r->any_place = true;
    r->all_placed = r->all_placed && place.placed;
    vroom->indexed = number != NULL;
    if (number == NULL) {
        return place_find(r, place);
    }
    if (!whole(number, HT_PLAN_CELLS_MOST, &index)) {
        fail(r, HT_VROOM_INPUT, "Invalid %s for %llu.", index_name, (unsigned long long)what->id);
        return HT_PLAN_NONE;
    }
    if (index >= vroom->problem.location_count) {
        /* the matrices say later how many there are; here only what memory it may take */
        if (index > 65535) {
            fail(r, HT_VROOM_INPUT, "%s exceeding matrix size.", index_name);
            return HT_PLAN_NONE;
        }
        vroom->problem.location_count = (uint32_t)index + 1;
    }
    vroom->places[index] = place.placed ? place : vroom->places[index];
    return (uint32_t)index;
}

static void places_begin(struct reader *r)
{
    size_t most = length_of(r->jobs) + 2 * length_of(r->shipments) + 2 * length_of(r->vehicles);
    size_t slots = 16;
    while (slots < most * 2) {
        slots *= 2;
    }
    r->slots = take(r, slots, sizeof *r->slots);
    r->slot_mask = slots - 1;
    r->all_placed = true;
    r->vroom->places = take(r, most > 65536 ? most : 65536, sizeof *r->vroom->places);
}

/* ---- tasks ---- */

static void task_read(struct reader *r, yajl_val object, enum ht_task_kind kind, uint32_t index)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    struct ht_task *task = &r->tasks[index];
    struct ht_vroom_name *name = &r->vroom->tasks[index];
    *task = (struct ht_task){.kind = kind};
    id_read(r, object, types[kind], name);
    task->location = location_read(r, object, "location", "location_index", name);
    if (task->location == HT_PLAN_NONE) {
        fail(r, HT_VROOM_INPUT, "Invalid location for %s %llu.", types[kind],
             (unsigned long long)name->id);
        return;
    }
    seconds_member(r, object, "setup", &task->setup_s);
    seconds_member(r, object, "service", &task->service_s);
    task->setup_by_type_s = per_type_read(r, object, "setup_per_type", task->setup_s);
    task->service_by_type_s = per_type_read(r, object, "service_per_type", task->service_s);
    task->windows = windows_read(r, object, types[kind], name->id, &task->window_count);
}

static void shared_read(struct reader *r, yajl_val object, struct ht_task *task)
{
    int64_t priority = 0;
    whole_member(r, object, "priority", HT_PLAN_PRIORITY_MOST, &priority);
    task->priority = (uint32_t)priority;
    task->skills = skills_read(r, object);
}

static void job_read(struct reader *r, size_t i, uint32_t index)
{
    yajl_val object = element(r->jobs, i);
    task_read(r, object, HT_TASK_JOB, index);
    if (r->status == HT_OK) {
        yajl_val delivery = member(object, "delivery");
        struct ht_task *task = &r->tasks[index];
        shared_read(r, object, task);
        task->delivery = amount_read(r, delivery == NULL ? member(object, "amount") : delivery);
        task->pickup = amount_read(r, member(object, "pickup"));
    }
}

static void shipment_read(struct reader *r, size_t i, uint32_t index)
{
    yajl_val object = element(r->shipments, i);
    yajl_val pickup = member(object, "pickup");
    yajl_val delivery = member(object, "delivery");
    if (!YAJL_IS_OBJECT(object)) {
        fail(r, HT_VROOM_INPUT, "Invalid shipment.");
    } else if (!YAJL_IS_OBJECT(pickup)) {
        fail(r, HT_VROOM_INPUT, "Missing pickup for shipment.");
    } else if (!YAJL_IS_OBJECT(delivery)) {
        fail(r, HT_VROOM_INPUT, "Missing delivery for shipment.");
    }
    if (r->status != HT_OK) {
        return;
    }
    task_read(r, pickup, HT_TASK_PICKUP, index);
    task_read(r, delivery, HT_TASK_DELIVERY, index + 1);
    shared_read(r, object, &r->tasks[index]);
    r->tasks[index].pickup = amount_read(r, member(object, "amount"));
    r->tasks[index + 1].pickup = r->tasks[index].pickup;
    r->tasks[index + 1].skills = r->tasks[index].skills;
    r->tasks[index + 1].priority = r->tasks[index].priority;
}

/* ---- ids ---- */

static int by_task_id(const void *left, const void *right, void *user)
{
    const struct ht_vroom_name *names = user;
    uint64_t a = names[*(const uint32_t *)left].id;
    uint64_t b = names[*(const uint32_t *)right].id;
    return (a > b) - (a < b);
}

/* Tasks of each kind by id; two of the same are an error. */
static void ids_sort(struct reader *r)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    uint32_t count = r->vroom->problem.task_count;
    for (int k = 0; r->status == HT_OK && k < 3; k++) {
        uint32_t *list = take(r, count, sizeof *list);
        uint32_t found = 0;
        for (uint32_t t = 0; list != NULL && t < count; t++) {
            if ((int)r->tasks[t].kind == k) {
                list[found++] = t;
            }
        }
        if (found > 0) {
            qsort_r(list, found, sizeof *list, by_task_id, r->vroom->tasks);
        }
        for (uint32_t i = 1; i < found; i++) {
            uint64_t id = r->vroom->tasks[list[i]].id;
            if (id == r->vroom->tasks[list[i - 1]].id) {
                fail(r, HT_VROOM_INPUT, "Duplicate %s id: %llu.", types[k], (unsigned long long)id);
            }
        }
        r->by_id[k] = list;
        r->id_count[k] = found;
    }
}

static uint32_t id_find(const struct reader *r, int kind, uint64_t id)
{
    uint32_t low = 0;
    uint32_t high = r->id_count[kind];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t its = r->vroom->tasks[r->by_id[kind][middle]].id;
        if (its == id) {
            return r->by_id[kind][middle];
        }
        if (its < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return HT_PLAN_NONE;
}

/* ---- vehicles ---- */

static void breaks_read(struct reader *r, yajl_val object, size_t v)
{
    yajl_val value = member(object, "breaks");
    size_t count = length_of(value);
    struct ht_vehicle *vehicle = &r->list[v];
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        fail(r, HT_VROOM_INPUT, "Invalid breaks for vehicle %llu.",
             (unsigned long long)r->vroom->vehicles[v].id);
    } else if (count > HT_PLAN_BREAKS_MOST) {
        fail(r, HT_VROOM_TOO_BIG, "More than %d breaks for vehicle %llu.", (int)HT_PLAN_BREAKS_MOST,
             (unsigned long long)r->vroom->vehicles[v].id);
    }
    if (r->status != HT_OK || count == 0) {
        return;
    }
    struct ht_plan_break *list = take(r, count, sizeof *list);
    struct ht_vroom_name *names = take(r, count, sizeof *names);
    struct ht_window *always = take(r, 1, sizeof *always);
    for (size_t i = 0; r->status == HT_OK && i < count; i++) {
        yajl_val each = element(value, i);
        struct ht_plan_break rest = {0};
        struct ht_vroom_name name = {0};
        id_read(r, each, "break", &name);
        seconds_member(r, each, "service", &rest.service_s);
        rest.windows = windows_read(r, each, "break", name.id, &rest.window_count);
        if (member(each, "max_load") != NULL) {
            fail(r, HT_VROOM_INPUT, "max_load of a break is not supported.");
        }
        if (rest.windows == NULL) {
            *always = (struct ht_window){0, HT_PLAN_TIME_MOST};
            rest.windows = always;
            rest.window_count = 1;
        }
        /* by their first window, as they are taken */
        size_t at = i;
        for (; at > 0 && list[at - 1].windows[0].from_s > rest.windows[0].from_s; at--) {
            list[at] = list[at - 1];
            names[at] = names[at - 1];
        }
        list[at] = rest;
        names[at] = name;
    }
    vehicle->breaks = list;
    vehicle->break_count = (uint32_t)count;
    r->vroom->breaks[v] = names;
}

static void costs_read(struct reader *r, yajl_val object, struct ht_vehicle *vehicle)
{
    yajl_val value = member(object, "costs");
    int64_t fixed = 0;
    int64_t per_hour = 3600;
    int64_t per_km = 0;
    int64_t per_task_hour = 0;
    if (value != NULL && !YAJL_IS_OBJECT(value)) {
        fail(r, HT_VROOM_INPUT, "Invalid costs value.");
        return;
    }
    whole_member(r, value, "fixed", HT_PLAN_FIXED_MOST, &fixed);
    whole_member(r, value, "per_hour", HT_PLAN_RATE_MOST, &per_hour);
    whole_member(r, value, "per_km", HT_PLAN_RATE_MOST, &per_km);
    whole_member(r, value, "per_task_hour", INT64_MAX, &per_task_hour);
    if (per_task_hour != 0) {
        fail(r, HT_VROOM_INPUT, "A per_task_hour cost is not supported.");
    }
    vehicle->fixed = fixed;
    vehicle->per_hour = (uint32_t)per_hour;
    vehicle->per_km = (uint32_t)per_km;
}

/* The matrix of a name and speed; a new one where there is none yet. */
static uint32_t profile_find(struct reader *r, yajl_val object)
{
    struct ht_vroom *vroom = r->vroom;
    yajl_val name_value = member(object, "profile");
    yajl_val speed_value = member(object, "speed_factor");
    const char *name = name_value == NULL ? "car" : YAJL_GET_STRING(name_value);
    double speed = 1;
    if (name == NULL) {
        fail(r, HT_VROOM_INPUT, "Invalid profile value.");
        return 0;
    }
    if (speed_value != NULL) {
        speed = YAJL_IS_NUMBER(speed_value) ? strtod(YAJL_GET_NUMBER(speed_value), NULL) : 0;
        if (!(speed > 0 && speed <= 5)) {
            fail(r, HT_VROOM_INPUT, "Invalid speed_factor value.");
            return 0;
        }
    }
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        if (strcmp(vroom->profiles[i].name, name) == 0 && vroom->profiles[i].speed == speed) {
            return i;
        }
    }
    vroom->profiles[vroom->problem.profile_count] =
        (struct ht_vroom_profile){name, speed, member(r->matrices, name)};
    return vroom->problem.profile_count++;
}

static void limits_read(struct reader *r, yajl_val object, struct ht_vehicle *vehicle)
{
    yajl_val window = member(object, "time_window");
    int64_t tasks = UINT32_MAX;
    vehicle->window = (struct ht_window){0, HT_PLAN_TIME_MOST};
    vehicle->travel_most_s = HT_PLAN_UNLIMITED;
    vehicle->distance_most_m = HT_PLAN_UNLIMITED;
    if (window != NULL) {
        (void)window_read(r, window, &vehicle->window);
    }
    whole_member(r, object, "max_tasks", UINT32_MAX, &tasks);
    whole_member(r, object, "max_travel_time", UINT32_MAX, &vehicle->travel_most_s);
    whole_member(r, object, "max_distance", UINT32_MAX, &vehicle->distance_most_m);
    vehicle->tasks_most = (uint32_t)tasks;
}

static void vehicle_read(struct reader *r, size_t v)
{
    yajl_val object = element(r->vehicles, v);
    struct ht_vehicle *vehicle = &r->list[v];
    struct ht_vroom_name *name = &r->vroom->vehicles[v];
    id_read(r, object, "vehicle", name);
    if (r->status != HT_OK) {
        return;
    }
    vehicle->profile = profile_find(r, object);
    vehicle->start = location_read(r, object, "start", "start_index", name);
    vehicle->end = location_read(r, object, "end", "end_index", name);
    if (vehicle->start == HT_PLAN_NONE && vehicle->end == HT_PLAN_NONE) {
        fail(r, HT_VROOM_INPUT, "No start or end specified for vehicle %llu.",
             (unsigned long long)name->id);
    }
    yajl_val type = member(object, "type");
    vehicle->type = type == NULL ? 0 : type_find(r, YAJL_GET_STRING(type));
    vehicle->capacity = amount_read(r, member(object, "capacity"));
    if (vehicle->capacity == NULL && r->vroom->problem.amounts > 0) {
        fail(r, HT_VROOM_INPUT, "Inconsistent delivery length: 0 instead of %u.",
             (unsigned)r->vroom->problem.amounts);
    }
    vehicle->skills = skills_read(r, object);
    limits_read(r, object, vehicle);
    costs_read(r, object, vehicle);
    breaks_read(r, object, v);
}

static void steps_read(struct reader *r, size_t v)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    yajl_val object = element(r->vehicles, v);
    yajl_val value = member(object, "steps");
    struct ht_vehicle *vehicle = &r->list[v];
    int64_t pinned = 0;
    uint32_t *list = length_of(value) == 0 ? NULL : take(r, length_of(value), sizeof *list);
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        fail(r, HT_VROOM_INPUT, "Invalid vehicle steps.");
    }
    for (size_t i = 0; list != NULL && i < length_of(value); i++) {
        const char *type = YAJL_GET_STRING(member(element(value, i), "type"));
        int64_t id = 0;
        for (int k = 0; type != NULL && k < 3; k++) {
            if (strcmp(type, types[k]) != 0) {
                continue;
            }
            bool good = whole(member(element(value, i), "id"), INT64_MAX, &id);
            uint32_t task = good ? id_find(r, k, (uint64_t)id) : HT_PLAN_NONE;
            if (task == HT_PLAN_NONE) {
                fail(r, HT_VROOM_INPUT, "Invalid %s id in steps for vehicle %llu.", types[k],
                     (unsigned long long)r->vroom->vehicles[v].id);
                return;
            }
            list[vehicle->task_count++] = task;
        }
    }
    whole_member(r, object, "pinned", UINT32_MAX, &pinned);
    if (pinned > vehicle->task_count) {
        fail(r, HT_VROOM_INPUT, "More pinned stops than steps for vehicle %llu.",
             (unsigned long long)r->vroom->vehicles[v].id);
    }
    vehicle->pinned = (uint32_t)pinned;
    vehicle->tasks = list;
}

/* ---- matrices ---- */

static uint32_t scaled(uint32_t value, double speed)
{
    double slow = (double)value / speed + 0.5;
    return speed == 1 ? value : slow < (double)UINT32_MAX - 1 ? (uint32_t)slow : UINT32_MAX - 1;
}

/* Rows and columns up to the largest index that is used; null is no way. */
static uint32_t *matrix_read(struct reader *r, const struct ht_vroom_profile *profile,
                             const char *kind)
{
    yajl_val value = YAJL_IS_ARRAY(profile->given) && strcmp(kind, "durations") == 0
                         ? profile->given
                         : member(profile->given, kind);
    size_t count = r->vroom->problem.location_count;
    double speed = strcmp(kind, "durations") == 0 ? profile->speed : 1;
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(value)) {
        fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
    } else if (length_of(value) == 0) {
        fail(r, HT_VROOM_INPUT, "Empty %s matrix for %s profile.", kind, profile->name);
    } else if (length_of(value) < count) {
        fail(r, HT_VROOM_INPUT, "location_index exceeding %s matrix size for %s profile.", kind,
             profile->name);
    }
    uint32_t *out = r->status == HT_OK ? take(r, count * count, sizeof *out) : NULL;
    for (size_t i = 0; out != NULL && i < length_of(value); i++) {
        yajl_val row = element(value, i);
        if (!YAJL_IS_ARRAY(row) || length_of(row) != length_of(value)) {
            fail(r, HT_VROOM_INPUT, "Unexpected matrix line length.");
            return NULL;
        }
        for (size_t j = 0; i < count && j < count; j++) {
            int64_t number = HT_PLAN_NO_WAY;
            yajl_val cell = element(row, j);
            if (!YAJL_IS_NULL(cell) && !whole(cell, UINT32_MAX - 1, &number)) {
                fail(r, HT_VROOM_INPUT, "Invalid matrix entry.");
                return NULL;
            }
            out[i * count + j] =
                number == HT_PLAN_NO_WAY ? HT_PLAN_NO_WAY : scaled((uint32_t)number, speed);
        }
    }
    return out;
}

/* Limits before anything large is allocated. */
static void size_check(struct reader *r)
{
    struct ht_problem *problem = &r->vroom->problem;
    uint64_t cells = (uint64_t)problem->location_count * problem->location_count;
    if (cells * (problem->profile_count + 1) > HT_PLAN_CELLS_MOST) {
        fail(r, HT_VROOM_TOO_BIG, "Too many locations (%u) in query for %u profiles.",
             (unsigned)problem->location_count, (unsigned)problem->profile_count);
    }
}

static void matrices_read(struct reader *r)
{
    struct ht_vroom *vroom = r->vroom;
    vroom->matrices = take(r, vroom->problem.profile_count, sizeof *vroom->matrices);
    vroom->problem.profiles = vroom->matrices;
    vroom->distances = true;
    for (uint32_t i = 0; r->status == HT_OK && i < vroom->problem.profile_count; i++) {
        const struct ht_vroom_profile *profile = &vroom->profiles[i];
        if (profile->given == NULL) {
            if (!r->all_placed) {
                fail(r, HT_VROOM_INPUT, "Missing coordinates for routing engine.");
            }
            continue;
        }
        vroom->matrices[i].duration_s = matrix_read(r, profile, "durations");
        vroom->matrices[i].distance_m = matrix_read(r, profile, "distances");
        vroom->matrices[i].cost = matrix_read(r, profile, "costs");
        vroom->distances = vroom->distances && vroom->matrices[i].distance_m != NULL;
        if (vroom->matrices[i].duration_s == NULL) {
            fail(r, HT_VROOM_INPUT, "Missing durations matrix for %s profile.", profile->name);
        }
    }
    for (uint32_t v = 0; r->status == HT_OK && v < vroom->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &r->list[v];
        const struct ht_plan_profile *matrix = &vroom->matrices[vehicle->profile];
        bool given = vroom->profiles[vehicle->profile].given != NULL;
        if (matrix->cost != NULL && vehicle->per_hour != 3600) {
            fail(r, HT_VROOM_INPUT, "Custom costs are incompatible with using a per_hour value.");
        } else if (matrix->cost != NULL && vehicle->per_km != 0) {
            fail(r, HT_VROOM_INPUT, "Custom costs are incompatible with using a per_km value.");
        } else if (given && matrix->distance_m == NULL &&
                   (vehicle->per_km != 0 || vehicle->distance_most_m != HT_PLAN_UNLIMITED)) {
            fail(r, HT_VROOM_INPUT, "Missing distances matrix for %s profile.",
                 vroom->profiles[vehicle->profile].name);
        }
    }
}

/* ---- all of it ---- */

static void options_read(struct reader *r)
{
    yajl_val options = member(r->vroom->tree, "options");
    int64_t limit_ms = 0;
    int64_t limit_s = 0;
    int64_t iterations = 0;
    int64_t threads = 0;
    int64_t seed = 0;
    if (options != NULL && !YAJL_IS_OBJECT(options)) {
        fail(r, HT_VROOM_INPUT, "Invalid options.");
        return;
    }
    whole_member(r, options, "l", 86400, &limit_s);
    whole_member(r, options, "limit_ms", 86400000, &limit_ms);
    whole_member(r, options, "iterations", INT64_C(1) << 40, &iterations);
    whole_member(r, options, "threads", 64, &threads);
    whole_member(r, options, "t", 64, &threads);
    whole_member(r, options, "seed", INT32_MAX, &seed);
    yajl_val geometry = member(options, "g");
    yajl_val plan = member(options, "c");
    if (geometry != NULL && !YAJL_IS_FALSE(geometry)) {
        fail(r, HT_VROOM_INPUT, "Route geometry (option g) is not supported.");
    } else if (plan != NULL && !YAJL_IS_FALSE(plan)) {
        fail(r, HT_VROOM_INPUT, "Plan mode (option c) is not supported.");
    }
    r->vroom->limit_ms = limit_ms > 0 ? limit_ms : limit_s * 1000;
    r->vroom->iterations = (uint64_t)iterations;
    r->vroom->threads = (unsigned)threads;
    r->vroom->seed = (uint64_t)seed;
}

static void lists_find(struct reader *r)
{
    yajl_val tree = r->vroom->tree;
    r->vehicles = member(tree, "vehicles");
    r->jobs = member(tree, "jobs");
    r->shipments = member(tree, "shipments");
    r->matrices = member(tree, "matrices");
    if (r->jobs != NULL && !YAJL_IS_ARRAY(r->jobs)) {
        fail(r, HT_VROOM_INPUT, "Invalid jobs.");
    } else if (r->shipments != NULL && !YAJL_IS_ARRAY(r->shipments)) {
        fail(r, HT_VROOM_INPUT, "Invalid shipments.");
    } else if (length_of(r->jobs) + length_of(r->shipments) == 0) {
        fail(r, HT_VROOM_INPUT, "Invalid jobs or shipments.");
    } else if (length_of(r->vehicles) == 0) {
        fail(r, HT_VROOM_INPUT, "Invalid vehicles.");
    } else if (r->matrices != NULL && !YAJL_IS_OBJECT(r->matrices)) {
        fail(r, HT_VROOM_INPUT, "Unexpected matrices value.");
    }
    size_t count = length_of(r->jobs) + 2 * length_of(r->shipments);
    if (count > HT_VROOM_JOBS_MOST) {
        fail(r, HT_VROOM_TOO_BIG, "Too many jobs (%zu) in query, maximum is set to %d", count,
             (int)HT_VROOM_JOBS_MOST);
    } else if (length_of(r->vehicles) > HT_VROOM_JOBS_MOST) {
        fail(r, HT_VROOM_TOO_BIG, "Too many vehicles (%zu) in query, maximum is set to %d",
             length_of(r->vehicles), (int)HT_VROOM_JOBS_MOST);
    }
}

static void arrays_make(struct reader *r)
{
    struct ht_vroom *vroom = r->vroom;
    size_t tasks = length_of(r->jobs) + 2 * length_of(r->shipments);
    size_t vehicles = length_of(r->vehicles);
    r->tasks = take(r, tasks, sizeof *r->tasks);
    r->list = take(r, vehicles, sizeof *r->list);
    vroom->tasks = take(r, tasks, sizeof *vroom->tasks);
    vroom->vehicles = take(r, vehicles, sizeof *vroom->vehicles);
    vroom->breaks = take(r, vehicles, sizeof *vroom->breaks);
    vroom->profiles = take(r, vehicles, sizeof *vroom->profiles);
    vroom->problem.tasks = r->tasks;
    vroom->problem.task_count = (uint32_t)tasks;
    vroom->problem.vehicles = r->list;
    vroom->problem.vehicle_count = (uint32_t)vehicles;
    places_begin(r);
}

/* "matrix": the durations of cars, as VROOM took them before it had "matrices". */
static void matrix_old(struct reader *r)
{
    yajl_val matrix = member(r->vroom->tree, "matrix");
    for (uint32_t i = 0; matrix != NULL && i < r->vroom->problem.profile_count; i++) {
        if (r->vroom->profiles[i].given == NULL && strcmp(r->vroom->profiles[i].name, "car") == 0) {
            r->vroom->profiles[i].given = matrix;
            if (!YAJL_IS_ARRAY(matrix)) {
                fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
            }
        }
    }
}

static void all_read(struct reader *r)
{
    size_t jobs = length_of(r->jobs);
    for (size_t v = 0; r->status == HT_OK && v < length_of(r->vehicles); v++) {
        vehicle_read(r, v);
    }
    for (size_t i = 0; r->status == HT_OK && i < jobs; i++) {
        job_read(r, i, (uint32_t)i);
    }
    for (size_t i = 0; r->status == HT_OK && i < length_of(r->shipments); i++) {
        shipment_read(r, i, (uint32_t)(jobs + 2 * i));
    }
    if (r->status == HT_OK) {
        ids_sort(r);
    }
    for (size_t v = 0; r->status == HT_OK && v < length_of(r->vehicles); v++) {
        steps_read(r, v);
    }
}

enum ht_status ht_vroom_read(const char *text, size_t size, struct ht_vroom *out,
                             struct ht_error *error)
{
    struct reader r = {.vroom = out, .error = error};
    *out = (struct ht_vroom){.tree = ht_json_tree_read(text, size)};
    if (size == 0) {
        fail(&r, HT_VROOM_INPUT, "The document is empty. (offset: 0)");
    } else if (!YAJL_IS_OBJECT(out->tree)) {
        fail(&r, HT_VROOM_INPUT, out->tree == NULL ? "Invalid JSON." : "Error while parsing.");
    }
    void (*const parts[])(struct reader *) = {
        lists_find,    options_read, arrays_make, amounts_size, skills_collect,
        types_collect, all_read,     matrix_old,  size_check,   matrices_read};
    for (size_t i = 0; r.status == HT_OK && i < sizeof parts / sizeof parts[0]; i++) {
        parts[i](&r);
    }
    return r.status;
}

void ht_vroom_deinit(struct ht_vroom *vroom)
{
    while (vroom->blocks != NULL) {
        struct ht_vroom_block *next = vroom->blocks->next;
        free(vroom->blocks);
        vroom->blocks = next;
    }
    yajl_tree_free(vroom->tree);
    vroom->tree = NULL;
}
