/* Values of VROOM's documents that jobs, shipments and vehicles share. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/vroom_internal.h"

void ht__vroom_fail(struct ht__vroom_reader *r, int code, const char *format, ...)
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

void *ht__vroom_take(struct ht__vroom_reader *r, size_t count, size_t item)
{
    void *data = ht_vroom_take(r->vroom, count, item);
    if (data == NULL) {
        ht__vroom_fail(r, HT_VROOM_INTERNAL, "Out of memory.");
    }
    return data;
}

/* ---- values ---- */

yajl_val ht__vroom_member(yajl_val object, const char *name)
{
    yajl_val value = ht_json_member(object, name);
    return value == NULL || YAJL_IS_NULL(value) ? NULL : value;
}

size_t ht__vroom_length_of(yajl_val array)
{
    return YAJL_IS_ARRAY(array) ? array->u.array.len : 0;
}

yajl_val ht__vroom_element(yajl_val array, size_t index)
{
    return array->u.array.values[index];
}

bool ht__vroom_whole(yajl_val value, int64_t most, int64_t *out)
{
    if (value == NULL || !YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
        YAJL_GET_INTEGER(value) > most) {
        return false;
    }
    *out = YAJL_GET_INTEGER(value);
    return true;
}

bool ht__vroom_id_of(yajl_val object, uint64_t *out)
{
    yajl_val value = ht__vroom_member(object, "id");
    int64_t small = 0;
    if (ht__vroom_whole(value, INT64_MAX, &small)) {
        *out = (uint64_t)small;
        return true;
    }
    const char *text = YAJL_IS_NUMBER(value) ? YAJL_GET_NUMBER(value) : "";
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return errno == 0;
}

/* A whole number of an object; absent: stays as it is. `what` is told as "Invalid WHAT." */
void ht__vroom_whole_member(struct ht__vroom_reader *r, yajl_val object, const char *name,
                            int64_t most, int64_t *out)
{
    yajl_val value = ht__vroom_member(object, name);
    if (value != NULL && !ht__vroom_whole(value, most, out)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s value.", name);
    }
}

void ht__vroom_seconds_member(struct ht__vroom_reader *r, yajl_val object, const char *name,
                              uint32_t *out)
{
    yajl_val value = ht__vroom_member(object, name);
    int64_t number = *out;
    if (value != NULL && !ht__vroom_whole(value, UINT32_MAX, &number)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s duration.", name);
    }
    *out = (uint32_t)number;
}

void ht__vroom_id_read(struct ht__vroom_reader *r, yajl_val object, const char *type,
                       struct ht_vroom_name *out)
{
    if (!YAJL_IS_OBJECT(object)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s.", type);
        return;
    }
    if (!ht__vroom_id_of(object, &out->id)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid or missing id for %s.", type);
    }
    yajl_val text = ht__vroom_member(object, "description");
    out->description = text == NULL ? NULL : YAJL_GET_STRING(text);
    if (text != NULL && out->description == NULL) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid description value.");
    }
}

/* ---- amounts ---- */

const int64_t *ht__vroom_amount_read(struct ht__vroom_reader *r, yajl_val object, const char *key)
{
    yajl_val value = ht__vroom_member(object, key);
    uint32_t amounts = r->vroom->problem.amounts;
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s array.", key);
        return NULL;
    }
    if (ht__vroom_length_of(value) != amounts) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Inconsistent delivery length: %zu instead of %u.",
                       ht__vroom_length_of(value), (unsigned)amounts);
        return NULL;
    }
    int64_t *out = ht__vroom_take(r, amounts, sizeof *out);
    for (uint32_t i = 0; out != NULL && i < amounts; i++) {
        if (!ht__vroom_whole(ht__vroom_element(value, i), UINT32_MAX, &out[i])) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s value.", key);
            return NULL;
        }
    }
    return out;
}

/* As many dimensions as the first vehicle's capacity has, as VROOM counts them. */
void ht__vroom_amounts_size(struct ht__vroom_reader *r)
{
    yajl_val value = ht__vroom_member(ht__vroom_element(r->vehicles, 0), "capacity");
    r->vroom->problem.amounts = (uint32_t)ht__vroom_length_of(value);
    if (ht__vroom_length_of(value) > HT_PLAN_AMOUNTS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "Amounts of more than %d dimensions.",
                       (int)HT_PLAN_AMOUNTS_MOST);
    }
}

/* ---- skills ---- */

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void skills_note(struct ht__vroom_reader *r, yajl_val object)
{
    yajl_val value = ht__vroom_member(object, "skills");
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid skills object.");
    }
    for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(value); i++) {
        int64_t skill = 0;
        if (!ht__vroom_whole(ht__vroom_element(value, i), UINT32_MAX, &skill)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid skill value.");
            return;
        }
        uint64_t key = (uint64_t)skill;
        if (r->skill_count > 0 &&
            bsearch(&key, r->skills, r->skill_count, sizeof *r->skills, by_value) != NULL) {
            continue;
        }
        if (r->skill_count == HT_VROOM_SKILLS_MOST) {
            ht__vroom_fail(r, HT_VROOM_TOO_BIG, "More than %d skills.", (int)HT_VROOM_SKILLS_MOST);
            return;
        }
        uint32_t at = r->skill_count++;
        for (; at > 0 && r->skills[at - 1] > key; at--) {
            r->skills[at] = r->skills[at - 1];
        }
        r->skills[at] = key;
    }
}

void ht__vroom_skills_collect(struct ht__vroom_reader *r)
{
    yajl_val lists[] = {r->vehicles, r->jobs, r->shipments};
    r->skills = ht__vroom_take(r, HT_VROOM_SKILLS_MOST, sizeof *r->skills);
    for (int l = 0; r->status == HT_OK && l < 3; l++) {
        for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(lists[l]); i++) {
            skills_note(r, ht__vroom_element(lists[l], i));
        }
    }
    r->vroom->problem.skill_words = (r->skill_count + 63) / 64;
}

const uint64_t *ht__vroom_skills_read(struct ht__vroom_reader *r, yajl_val object)
{
    yajl_val value = ht__vroom_member(object, "skills");
    if (ht__vroom_length_of(value) == 0) {
        return NULL;
    }
    uint64_t *words = ht__vroom_take(r, r->vroom->problem.skill_words, sizeof *words);
    for (size_t i = 0; words != NULL && i < ht__vroom_length_of(value); i++) {
        uint64_t key = (uint64_t)YAJL_GET_INTEGER(ht__vroom_element(value, i));
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

bool ht__vroom_window_read(struct ht__vroom_reader *r, yajl_val value, struct ht_window *out)
{
    if (ht__vroom_length_of(value) < 2 ||
        !ht__vroom_whole(ht__vroom_element(value, 0), UINT32_MAX, &out->from_s) ||
        !ht__vroom_whole(ht__vroom_element(value, 1), UINT32_MAX, &out->to_s)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid time-window.");
        return false;
    }
    if (out->from_s > out->to_s) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid time window: [%lld, %lld]",
                       (long long)out->from_s, (long long)out->to_s);
        return false;
    }
    return true;
}

static int by_window(const void *left, const void *right)
{
    const struct ht_window *a = left;
    const struct ht_window *b = right;
    return a->from_s != b->from_s ? (a->from_s > b->from_s) - (a->from_s < b->from_s)
                                  : (a->to_s > b->to_s) - (a->to_s < b->to_s);
}

const struct ht_window *ht__vroom_windows_read(struct ht__vroom_reader *r, yajl_val object,
                                               const char *type, uint64_t id, uint32_t *count)
{
    yajl_val value = ht__vroom_member(object, "time_windows");
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(value) || ht__vroom_length_of(value) == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT,
                       YAJL_IS_ARRAY(value) ? "Empty time windows for %s %llu."
                                            : "Invalid time_windows array for %s %llu.",
                       type, (unsigned long long)id);
        return NULL;
    }
    struct ht_window *out = ht__vroom_take(r, ht__vroom_length_of(value), sizeof *out);
    for (size_t i = 0; out != NULL && i < ht__vroom_length_of(value); i++) {
        if (!ht__vroom_window_read(r, ht__vroom_element(value, i), &out[i])) {
            return NULL;
        }
    }
    if (out != NULL) {
        qsort(out, ht__vroom_length_of(value), sizeof *out, by_window);
    }
    for (size_t i = 1; out != NULL && i < ht__vroom_length_of(value); i++) {
        if (out[i].from_s <= out[i - 1].to_s) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Unsorted or overlapping time-windows for %s %llu.",
                           type, (unsigned long long)id);
            return NULL;
        }
    }
    *count = (uint32_t)ht__vroom_length_of(value);
    return out;
}

uint32_t ht__vroom_type_find(const struct ht__vroom_reader *r, const char *name)
{
    for (uint32_t i = 1; i < r->vroom->problem.types; i++) {
        if (strcmp(r->types[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

void ht__vroom_types_collect(struct ht__vroom_reader *r)
{
    r->types = ht__vroom_take(r, ht__vroom_length_of(r->vehicles) + 1, sizeof *r->types);
    r->vroom->problem.types = 1;
    for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(r->vehicles); i++) {
        yajl_val value = ht__vroom_member(ht__vroom_element(r->vehicles, i), "type");
        const char *name = value == NULL ? NULL : YAJL_GET_STRING(value);
        if (value != NULL && name == NULL) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid type value.");
        } else if (name != NULL && ht__vroom_type_find(r, name) == 0) {
            if (r->vroom->problem.types > 64) {
                ht__vroom_fail(r, HT_VROOM_TOO_BIG, "More than 64 types of vehicles.");
                return;
            }
            r->types[r->vroom->problem.types++] = name;
        }
    }
}

/* {"type": seconds}; types that no vehicle has are left out. */
const uint32_t *ht__vroom_per_type_read(struct ht__vroom_reader *r, yajl_val object,
                                        const char *name, uint32_t other,
                                        const struct ht__vroom_about *about)
{
    yajl_val value = ht__vroom_member(object, name);
    uint32_t types = r->vroom->problem.types;
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_OBJECT(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s for %s %llu.", name, about->type,
                       (unsigned long long)about->id);
        return NULL;
    }
    uint32_t *out = ht__vroom_take(r, types, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < types; i++) {
        out[i] = other;
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        int64_t seconds = 0;
        uint32_t type = ht__vroom_type_find(r, value->u.object.keys[i]);
        if (!ht__vroom_whole(value->u.object.values[i], UINT32_MAX, &seconds)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid value in %s for %s %llu.", name, about->type,
                           (unsigned long long)about->id);
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
static uint32_t place_find(struct ht__vroom_reader *r, struct ht_vroom_place place)
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
    if (ht__vroom_length_of(value) < 2 || !YAJL_IS_NUMBER(ht__vroom_element(value, 0)) ||
        !YAJL_IS_NUMBER(ht__vroom_element(value, 1))) {
        return false;
    }
    out->lon = strtod(YAJL_GET_NUMBER(ht__vroom_element(value, 0)), NULL);
    out->lat = strtod(YAJL_GET_NUMBER(ht__vroom_element(value, 1)), NULL);
    out->placed = isfinite(out->lon) && isfinite(out->lat);
    return out->placed;
}

/* A place by its index or its coordinates; HT_PLAN_NONE: neither is there. */
uint32_t ht__vroom_location_read(struct ht__vroom_reader *r, yajl_val object, const char *pair_name,
                                 const char *index_name, const struct ht__vroom_about *about)
{
    struct ht_vroom *vroom = r->vroom;
    yajl_val pair = ht__vroom_member(object, pair_name);
    yajl_val number = ht__vroom_member(object, index_name);
    struct ht_vroom_place place = {0};
    int64_t index = 0;
    if (r->status != HT_OK || (pair == NULL && number == NULL)) {
        return HT_PLAN_NONE;
    }
    if (pair != NULL && !pair_read(pair, &place)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s array.", pair_name);
        return HT_PLAN_NONE;
    }
    if (r->any_place && vroom->indexed != (number != NULL)) {
        bool vehicle = strcmp(about->type, "vehicle") == 0;
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing %s.",
                       vehicle ? "start_index or end_index" : "location index");
        return HT_PLAN_NONE;
    }
    r->any_place = true;
    r->all_placed = r->all_placed && place.placed;
    vroom->indexed = number != NULL;
    if (number == NULL) {
        return place_find(r, place);
    }
    if (!ht__vroom_whole(number, HT_PLAN_CELLS_MOST, &index)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s for %s %llu.", index_name, about->type,
                       (unsigned long long)about->id);
        return HT_PLAN_NONE;
    }
    if (index >= vroom->problem.location_count) {
        /* the matrices say later how many there are; here only what memory it may take */
        if (index > 65535) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "%s exceeding matrix size.", index_name);
            return HT_PLAN_NONE;
        }
        vroom->problem.location_count = (uint32_t)index + 1;
    }
    vroom->places[index] = place.placed ? place : vroom->places[index];
    return (uint32_t)index;
}

void ht__vroom_places_begin(struct ht__vroom_reader *r)
{
    /* each task has a place, and one where it is parked for it */
    size_t most = 2 * ht__vroom_length_of(r->jobs) + 4 * ht__vroom_length_of(r->shipments) +
                  2 * ht__vroom_length_of(r->vehicles);
    for (size_t v = 0; v < ht__vroom_length_of(r->vehicles); v++) {
        most += ht__vroom_length_of(ht__vroom_member(ht__vroom_element(r->vehicles, v), "reloads"));
    }
    size_t slots = 16;
    while (slots < most * 2) {
        slots *= 2;
    }
    r->slots = ht__vroom_take(r, slots, sizeof *r->slots);
    r->slot_mask = slots - 1;
    r->all_placed = true;
    r->vroom->places = ht__vroom_take(r, most > 65536 ? most : 65536, sizeof *r->vroom->places);
}
