#include "api/assign_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/live_json.h"
#include "api/params.h"
#include "engine/base/array.h"
#include "engine/plan/assign.h"
#include "geodata/collection.h"

/* Where the reader is, and the first thing that was wrong. */
struct reader {
    struct ht_assign_ask *ask;
    struct ht_error *error;
    enum ht_status status;
    char where[120]; /* "tasks/3/", a JSON pointer without its first slash */
};

/* `member`: of the object at hand, or a path below it; "": the object itself. */
__attribute__((format(printf, 4, 5))) static void fail(struct reader *reader, enum ht_status status,
                                                       const char *member, const char *format, ...)
{
    char text[160];
    va_list list;
    if (reader->status != HT_OK) {
        return;
    }
    int end = (int)strlen(reader->where);
    while (end > 0 && strchr("/: ", reader->where[end - 1]) != NULL) {
        end--;
    }
    (void)snprintf(reader->ask->wrong_at, sizeof reader->ask->wrong_at, "%s%.*s%s%.64s",
                   end > 0 ? "/" : "", end, reader->where, member[0] == '\0' ? "" : "/", member);
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    reader->status = ht_error_set(reader->error, status, 0, "%s%s", reader->where, text);
}

static bool number_read(yajl_val value, double *out)
{
    return YAJL_IS_NUMBER(value) && ht_param_doubles(YAJL_GET_NUMBER(value), out, 1);
}

/* A member in [low, high]; absent or null: stays as it is. */
static void number_member(struct reader *reader, yajl_val object, const char *name,
                          const double range[2], double *out)
{
    yajl_val value = ht_json_member(object, name);
    double number = 0;
    if (value == NULL || YAJL_IS_NULL(value)) {
        return;
    }
    if (!number_read(value, &number) || !(number >= range[0] && number <= range[1])) {
        fail(reader, HT_SYNTAX, name, "%s must be a number from %.15g to %.15g", name, range[0],
             range[1]);
        return;
    }
    *out = number;
}

static void count_member(struct reader *reader, yajl_val object, const char *name, uint32_t most,
                         uint32_t *out)
{
    const double range[2] = {0, most};
    double number = *out;
    number_member(reader, object, name, range, &number);
    if (number != floor(number)) {
        fail(reader, HT_SYNTAX, name, "%s must be a whole number", name);
        return;
    }
    *out = (uint32_t)number;
}

static void bool_member(struct reader *reader, yajl_val object, const char *name, bool *out)
{
    yajl_val value = ht_json_member(object, name);
    if (value == NULL || YAJL_IS_NULL(value)) {
        return;
    }
    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        fail(reader, HT_SYNTAX, name, "%s must be true or false", name);
    }
    *out = YAJL_IS_TRUE(value);
}

/* An id; NULL: absent. */
static const char *id_member(struct reader *reader, yajl_val object, const char *name)
{
    yajl_val value = ht_json_member(object, name);
    if (value == NULL || YAJL_IS_NULL(value)) {
        return NULL;
    }
    const char *text = YAJL_GET_STRING(value);
    if (text == NULL || !ht_id_valid(text, strlen(text))) {
        fail(reader, HT_SYNTAX, name, "%s must be 1 to 64 letters, digits and ._:-", name);
        return NULL;
    }
    return text;
}

/* ---- words ---- */

static void word_bit(struct reader *reader, const char *name, const char *text,
                     const char *const *words, uint32_t *bits)
{
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (text != NULL && strcmp(words[i], text) == 0) {
            *bits |= UINT32_C(1) << i;
            return;
        }
    }
    fail(reader, HT_SYNTAX, name, "%s is none that a unit has", name);
}

/* One word of a list of words, or several in a list. */
static void words_member(struct reader *reader, yajl_val object, const char *name,
                         const char *const *words, uint32_t *bits)
{
    yajl_val value = ht_json_member(object, name);
    if (value == NULL || YAJL_IS_NULL(value)) {
        return;
    }
    if (!YAJL_IS_ARRAY(value)) {
        word_bit(reader, name, YAJL_GET_STRING(value), words, bits);
        return;
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        word_bit(reader, name, YAJL_GET_STRING(value->u.array.values[i]), words, bits);
    }
}

/* The bit of a skill among those that this body names. */
static uint64_t skill_bit(struct reader *reader, yajl_val value)
{
    struct ht_assign_ask *ask = reader->ask;
    const char *text = YAJL_GET_STRING(value);
    if (text == NULL || text[0] == '\0' || strlen(text) > HT_NAME_MAX) {
        fail(reader, HT_SYNTAX, "skills", "skills must be texts of 1 to %d bytes", HT_NAME_MAX);
        return 0;
    }
    for (uint32_t i = 0; i < ask->skill_count; i++) {
        if (strcmp(ask->skills[i], text) == 0) {
            return UINT64_C(1) << i;
        }
    }
    if (ask->skill_count == HT_ASSIGN_SKILLS_MOST) {
        fail(reader, HT_TOO_BIG, "skills", "skills: more than %d names in one body",
             HT_ASSIGN_SKILLS_MOST);
        return 0;
    }
    ask->skills[ask->skill_count] = text;
    return UINT64_C(1) << ask->skill_count++;
}

static void needs_read(struct reader *reader, yajl_val object, struct ht_asked_needs *needs)
{
    yajl_val skills = ht_json_member(object, "skills");
    words_member(reader, object, "kind", ht_unit_kinds, &needs->kinds);
    if (skills == NULL || YAJL_IS_NULL(skills)) {
        return;
    }
    if (!YAJL_IS_ARRAY(skills)) {
        fail(reader, HT_SYNTAX, "skills", "skills must be a list of texts");
        return;
    }
    for (size_t i = 0; i < skills->u.array.len; i++) {
        needs->skills |= skill_bit(reader, skills->u.array.values[i]);
    }
}

/* ---- tasks ---- */

static void place_read(struct reader *reader, yajl_val value, struct ht_asked_task *task)
{
    static const double any[2] = {-1e9, 1e9};
    double lon = NAN;
    double lat = NAN;
    task->household = id_member(reader, value, "household");
    number_member(reader, value, "lon", any, &lon);
    number_member(reader, value, "lat", any, &lat);
    if (isnan(lon) != isnan(lat)) {
        fail(reader, HT_SYNTAX, isnan(lon) ? "lon" : "lat", "lon and lat come together");
    } else if (!isnan(lon) && task->household != NULL) {
        fail(reader, HT_SYNTAX, "", "lies at a household or at lon and lat, not both");
    }
    task->placed = !isnan(lon);
    task->pair[0] = lon;
    task->pair[1] = lat;
}

static void task_read(struct reader *reader, yajl_val value, struct ht_asked_task *task)
{
    *task = (struct ht_asked_task){.places = 1, .weight = 1};
    if (!YAJL_IS_OBJECT(value)) {
        fail(reader, HT_SYNTAX, "", "must be an object");
        return;
    }
    task->id = id_member(reader, value, "id");
    if (task->id == NULL) {
        fail(reader, HT_SYNTAX, "id", "id is missing");
    }
    place_read(reader, value, task);
    count_member(reader, value, "units", HT_ASSIGN_UNITS_MOST, &task->places);
    count_member(reader, value, "weight", HT_ASSIGN_WEIGHT_MAX, &task->weight);
    count_member(reader, value, "priority", HT_ASSIGN_PRIORITY_MAX, &task->priority);
    yajl_val needs = ht_json_member(value, "needs");
    if (needs != NULL && !YAJL_IS_NULL(needs) && !YAJL_IS_OBJECT(needs)) {
        fail(reader, HT_SYNTAX, "needs", "needs must be an object");
    }
    needs_read(reader, needs, &task->needs);
    task->role_needs = ht_json_member(needs, "roles");
    if (task->role_needs != NULL && !YAJL_IS_OBJECT(task->role_needs)) {
        fail(reader, HT_SYNTAX, "needs/roles", "needs/roles must be an object");
    }
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void ids_check(struct reader *reader)
{
    const struct ht_assign_ask *ask = reader->ask;
    const char **ids = ht_array_new(ask->task_count, sizeof *ids);
    if (ids == NULL) {
        reader->status = HT_NOMEM;
        return;
    }
    for (size_t i = 0; i < ask->task_count; i++) {
        ids[i] = ask->tasks[i].id;
    }
    qsort(ids, ask->task_count, sizeof *ids, by_text);
    for (size_t i = 1; i < ask->task_count; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0) {
            fail(reader, HT_INVALID, "tasks", "two tasks have the id %s", ids[i]);
        }
    }
    free(ids);
}

static void tasks_read(struct reader *reader, yajl_val list)
{
    struct ht_assign_ask *ask = reader->ask;
    if (!YAJL_IS_ARRAY(list) || list->u.array.len == 0) {
        fail(reader, HT_SYNTAX, "tasks", "tasks must be a list, and not empty");
        return;
    }
    if (list->u.array.len > HT_ASSIGN_TASKS_MOST) {
        fail(reader, HT_TOO_BIG, "tasks", "tasks: more than %d", HT_ASSIGN_TASKS_MOST);
        return;
    }
    ask->tasks = ht_array_new(list->u.array.len, sizeof *ask->tasks);
    if (ask->tasks == NULL) {
        reader->status = HT_NOMEM;
        return;
    }
    for (; ask->task_count < list->u.array.len && reader->status == HT_OK; ask->task_count++) {
        (void)snprintf(reader->where, sizeof reader->where, "tasks/%zu/", ask->task_count);
        task_read(reader, list->u.array.values[ask->task_count], &ask->tasks[ask->task_count]);
    }
    reader->where[0] = '\0';
    if (reader->status == HT_OK) {
        ids_check(reader);
    }
}

/* ---- matrices ---- */

static bool cell_read(yajl_val value, double most, double *out)
{
    return YAJL_IS_NULL(value) || (number_read(value, out) && *out >= 0 && *out <= most);
}

/* Calls take(group, index, value in thousandths, -1: null) for each cell. */
static void cells_read(struct reader *reader, yajl_val rows, struct ht_asked_group *group,
                       double most,
                       void (*take)(struct ht_asked_group *group, size_t at, int64_t value))
{
    size_t columns = reader->ask->task_count;
    if (!YAJL_IS_ARRAY(rows) || rows->u.array.len != group->unit_count) {
        fail(reader, YAJL_IS_ARRAY(rows) ? HT_INVALID : HT_SYNTAX, "",
             "must be a list of %zu rows, one for each unit", group->unit_count);
        return;
    }
    for (size_t u = 0; u < group->unit_count && reader->status == HT_OK; u++) {
        yajl_val row = rows->u.array.values[u];
        char at[48];
        (void)snprintf(at, sizeof at, "%zu", u);
        if (!YAJL_IS_ARRAY(row) || row->u.array.len != columns) {
            fail(reader, YAJL_IS_ARRAY(row) ? HT_INVALID : HT_SYNTAX, at,
                 "row %zu must be a list of %zu, one for each task", u, columns);
            return;
        }
        for (size_t t = 0; t < columns; t++) {
            double value = -1;
            if (!cell_read(row->u.array.values[t], most, &value)) {
                (void)snprintf(at, sizeof at, "%zu/%zu", u, t);
                fail(reader, HT_SYNTAX, at, "%zu/%zu is not null or a number from 0 to %.15g", u, t,
                     most);
                return;
            }
            take(group, u * columns + t, value < 0 ? -1 : (int64_t)(value * 1000 + 0.5));
        }
    }
}

static void duration_take(struct ht_asked_group *group, size_t at, int64_t value)
{
    group->duration_ms[at] = value < 0 ? HT_ASSIGN_UNREACHABLE : (uint32_t)value;
}

static void length_take(struct ht_asked_group *group, size_t at, int64_t value)
{
    group->length_mm[at] = value;
}

static void matrix_read(struct reader *reader, yajl_val matrix, struct ht_asked_group *group)
{
    size_t cells = reader->ask->task_count * group->unit_count;
    size_t end = strlen(reader->where);
    yajl_val lengths = ht_json_member(matrix, "distances");
    if (!group->listed) {
        fail(reader, HT_SYNTAX, "matrix", "a matrix needs a list of units");
        return;
    }
    if (cells > HT_ASSIGN_CELLS_MOST) {
        fail(reader, HT_TOO_BIG, "matrix", "more than %d pairs of task and unit",
             HT_ASSIGN_CELLS_MOST);
        return;
    }
    group->duration_ms = ht_array_new(cells, sizeof *group->duration_ms);
    group->length_mm = lengths == NULL ? NULL : ht_array_new(cells, sizeof *group->length_mm);
    if (group->duration_ms == NULL || (lengths != NULL && group->length_mm == NULL)) {
        reader->status = HT_NOMEM;
        return;
    }
    (void)snprintf(reader->where + end, sizeof reader->where - end, "matrix/durations: ");
    cells_read(reader, ht_json_member(matrix, "durations"), group, 2147483, duration_take);
    if (lengths != NULL) {
        (void)snprintf(reader->where + end, sizeof reader->where - end, "matrix/distances: ");
        cells_read(reader, lengths, group, 1e9, length_take);
    }
    reader->where[end] = '\0';
}

/* ---- units ---- */

static void unit_read(struct reader *reader, yajl_val value, const struct ht_asked_group *group,
                      struct ht_asked_unit *unit)
{
    *unit = (struct ht_asked_unit){.capacity = group->capacity};
    if (YAJL_IS_STRING(value)) {
        unit->id = YAJL_GET_STRING(value);
        if (!ht_id_valid(unit->id, strlen(unit->id))) {
            fail(reader, HT_SYNTAX, "", "must be 1 to 64 letters, digits and ._:-");
        }
        return;
    }
    unit->id = id_member(reader, value, "id");
    if (unit->id == NULL) {
        fail(reader, HT_SYNTAX, "", "must be an id, or an object with one");
        return;
    }
    count_member(reader, value, "capacity", HT_ASSIGN_TASKS_MOST, &unit->capacity);
    unit->described =
        ht_json_member(value, "skills") != NULL || ht_json_member(value, "kind") != NULL;
    needs_read(reader, value, &unit->has);
}

static void unit_list_read(struct reader *reader, yajl_val list, struct ht_asked_group *group)
{
    size_t end = strlen(reader->where);
    group->listed = true;
    if (list->u.array.len > HT_ASSIGN_UNITS_MOST) {
        fail(reader, HT_TOO_BIG, "units", "units: more than %d", HT_ASSIGN_UNITS_MOST);
        return;
    }
    group->units = ht_array_new(list->u.array.len, sizeof *group->units);
    if (group->units == NULL) {
        reader->status = HT_NOMEM;
        return;
    }
    for (; group->unit_count < list->u.array.len && reader->status == HT_OK; group->unit_count++) {
        (void)snprintf(reader->where + end, sizeof reader->where - end, "units/%zu/",
                       group->unit_count);
        unit_read(reader, list->u.array.values[group->unit_count], group,
                  &group->units[group->unit_count]);
    }
    reader->where[end] = '\0';
}

/* What tasks need of this role beyond what they need of all. */
static void role_needs_read(struct reader *reader, struct ht_asked_group *group)
{
    struct ht_assign_ask *ask = reader->ask;
    for (size_t t = 0; t < ask->task_count && reader->status == HT_OK; t++) {
        yajl_val needs = ht_json_member(ask->tasks[t].role_needs, group->role);
        if (needs == NULL) {
            continue;
        }
        if (group->needs == NULL) {
            group->needs = ht_array_new_zeroed(ask->task_count, sizeof *group->needs);
        }
        if (group->needs == NULL) {
            reader->status = HT_NOMEM;
            return;
        }
        (void)snprintf(reader->where, sizeof reader->where, "tasks/%zu/needs/roles/%.64s/", t,
                       group->role);
        needs_read(reader, needs, &group->needs[t]);
    }
    reader->where[0] = '\0';
}

/* Which units of the fleet: what they are like, what they do, and whether they are on shift. */
static void filter_read(struct reader *reader, yajl_val units, struct ht_asked_group *group)
{
    static const char *const duties[] = {"any", "on", "off", NULL};
    yajl_val shift = ht_json_member(units, "shift");
    const char *word = YAJL_GET_STRING(shift);
    size_t duty = 0;
    if (ht_json_member(units, "status") != NULL) {
        group->statuses = 0;
    }
    needs_read(reader, units, &group->filter);
    words_member(reader, units, "status", ht_unit_statuses, &group->statuses);
    while (word != NULL && duties[duty] != NULL && strcmp(duties[duty], word) != 0) {
        duty++;
    }
    if (shift != NULL && !YAJL_IS_NULL(shift) && (word == NULL || duties[duty] == NULL)) {
        fail(reader, HT_SYNTAX, "shift", "shift is on, off or any");
    } else if (word != NULL) {
        group->duty = (enum ht_duty)duty;
    }
}

/* Units, capacity and matrix of a role, or of the whole body. */
static void group_read(struct reader *reader, yajl_val object, const char *role)
{
    struct ht_asked_group *group = &reader->ask->groups[reader->ask->group_count++];
    yajl_val units = ht_json_member(object, "units");
    yajl_val matrix = ht_json_member(object, "matrix");
    *group = (struct ht_asked_group){
        .role = role, .capacity = 1, .statuses = UINT32_C(1) << HT_UNIT_IDLE, .duty = HT_DUTY_ON};
    count_member(reader, object, "capacity", HT_ASSIGN_TASKS_MOST, &group->capacity);
    if (YAJL_IS_ARRAY(units)) {
        unit_list_read(reader, units, group);
    } else if (YAJL_IS_OBJECT(units)) {
        filter_read(reader, units, group);
    } else if (units != NULL && !YAJL_IS_NULL(units)) {
        fail(reader, HT_SYNTAX, "units", "units must be a list or a filter");
    }
    if (matrix != NULL && !YAJL_IS_NULL(matrix) && reader->status == HT_OK) {
        matrix_read(reader, matrix, group);
    }
}

static void roles_read(struct reader *reader, yajl_val list)
{
    struct ht_assign_ask *ask = reader->ask;
    if (!YAJL_IS_ARRAY(list) || list->u.array.len == 0) {
        fail(reader, HT_SYNTAX, "roles", "roles must be a list, and not empty");
        return;
    }
    if (list->u.array.len > HT_ASSIGN_ROLES_MOST) {
        fail(reader, HT_TOO_BIG, "roles", "roles: more than %d", HT_ASSIGN_ROLES_MOST);
        return;
    }
    for (size_t i = 0; i < list->u.array.len && reader->status == HT_OK; i++) {
        yajl_val value = list->u.array.values[i];
        (void)snprintf(reader->where, sizeof reader->where, "roles/%zu/", i);
        const char *role = id_member(reader, value, "role");
        if (role == NULL) {
            fail(reader, HT_SYNTAX, "role", "role is missing");
            return;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(ask->groups[k].role, role) == 0) {
                fail(reader, HT_INVALID, "role", "role %s came before", role);
            }
        }
        group_read(reader, value, role);
        role_needs_read(reader, &ask->groups[i]);
    }
}

/* Every task lies somewhere, unless all matrices are given. */
static void places_check(struct reader *reader)
{
    const struct ht_assign_ask *ask = reader->ask;
    bool given = true;
    for (size_t g = 0; g < ask->group_count; g++) {
        given = given && ask->groups[g].duration_ms != NULL;
    }
    for (size_t t = 0; !given && t < ask->task_count; t++) {
        if (!ask->tasks[t].placed && ask->tasks[t].household == NULL) {
            char at[32];
            (void)snprintf(at, sizeof at, "tasks/%zu", t);
            fail(reader, HT_SYNTAX, at, "tasks/%zu: lon and lat, or household, is missing", t);
        }
    }
}

static void body_read(struct reader *reader, yajl_val body)
{
    static const double range[2] = {0, 1e9};
    struct ht_assign_ask *ask = reader->ask;
    double max_s = INFINITY;
    bool blue_light = true;
    yajl_val roles = ht_json_member(body, "roles");
    bool_member(reader, body, "balanced", &ask->balanced);
    bool_member(reader, body, "blue_light", &blue_light);
    ask->plain = !blue_light;
    number_member(reader, body, "max_s", range, &max_s);
    ask->max_ms = max_s * 1000 < UINT32_MAX ? (uint32_t)(max_s * 1000) : UINT32_MAX;
    tasks_read(reader, ht_json_member(body, "tasks"));
    if (reader->status != HT_OK) {
        return;
    }
    if (roles == NULL || YAJL_IS_NULL(roles)) {
        group_read(reader, body, NULL);
    } else if (ht_json_member(body, "units") != NULL || ht_json_member(body, "matrix") != NULL) {
        fail(reader, HT_SYNTAX, "roles", "with roles, units and matrix are those of each role");
    } else {
        roles_read(reader, roles);
    }
    if (reader->status == HT_OK) {
        reader->where[0] = '\0';
        places_check(reader);
    }
}

enum ht_status ht_assign_read(const char *text, size_t size, struct ht_assign_ask *out,
                              struct ht_error *error)
{
    struct reader reader = {.ask = out, .error = error};
    *out = (struct ht_assign_ask){0};
    if (size > HT_ASSIGN_BODY_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "a body of more than %d bytes",
                            HT_ASSIGN_BODY_MOST);
    }
    out->tree = ht_json_tree_read(text, size);
    if (!YAJL_IS_OBJECT(out->tree)) {
        return ht_error_set(error, HT_SYNTAX, 0, "the body is not a JSON object");
    }
    body_read(&reader, out->tree);
    if (reader.status == HT_NOMEM) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return reader.status;
}

void ht_assign_ask_deinit(struct ht_assign_ask *ask)
{
    for (size_t g = 0; g < ask->group_count; g++) {
        free(ask->groups[g].units);
        free(ask->groups[g].needs);
        free(ask->groups[g].duration_ms);
        free(ask->groups[g].length_mm);
    }
    free(ask->tasks);
    yajl_tree_free(ask->tree);
    *ask = (struct ht_assign_ask){0};
}
