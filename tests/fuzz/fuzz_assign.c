/* The reader of POST /v1/assign: what it accepts must keep its own limits. */
#include <stdlib.h>
#include <string.h>

#include "api/assign_read.h"
#include "engine/plan/assign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void group_check(const struct ht_assign_ask *ask, const struct ht_asked_group *group)
{
    must(group->unit_count <= HT_ASSIGN_UNITS_MOST && (group->listed || group->unit_count == 0));
    for (size_t u = 0; u < group->unit_count; u++) {
        must(group->units[u].id != NULL && strlen(group->units[u].id) <= HT_UNIT_ID_MAX);
    }
    for (size_t i = 0; group->duration_ms != NULL && i < group->unit_count * ask->task_count; i++) {
        must(group->duration_ms[i] <= HT_ASSIGN_UNREACHABLE);
        must(group->length_mm == NULL || group->length_mm[i] >= -1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_assign_ask ask;
    struct ht_error error = {0};
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (ht_assign_read(copy, size, &ask, &error) == HT_OK) {
        must(ask.task_count > 0 && ask.group_count > 0 && ask.group_count <= HT_ASSIGN_ROLES_MOST);
        for (size_t t = 0; t < ask.task_count; t++) {
            must(ask.tasks[t].id != NULL && ask.tasks[t].weight <= HT_ASSIGN_WEIGHT_MAX &&
                 ask.tasks[t].priority <= HT_ASSIGN_PRIORITY_MAX);
        }
        for (size_t g = 0; g < ask.group_count; g++) {
            group_check(&ask, &ask.groups[g]);
        }
    } else {
        must(error.status != HT_OK && error.message[0] != '\0');
    }
    ht_assign_ask_deinit(&ask);
    free(copy);
    return 0;
}
