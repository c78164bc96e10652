/* The reader of VROOM's documents, and what follows: whatever it accepts is a whole problem, whose
 * answer the solver's own check accepts. */
#include <stdlib.h>
#include <string.h>

#include "api/json_fault.h"
#include "api/json_merge.h"
#include "api/vroom.h"
#include "engine/plan/check.h"
#include "engine/plan/given.h"
#include "engine/plan/solve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void solve(struct ht_vroom *vroom)
{
    struct ht_error error = {0};
    struct ht_plan *plan = NULL;
    const struct ht_solve_options options = {.iterations = 20, .threads = 1, .seed = 1};
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        if (vroom->profiles[i].wants_times || vroom->profiles[i].wants_metres) {
            return; /* to be routed */
        }
    }
    if (ht_vroom_walks(vroom, &error) != HT_OK) {
        return;
    }
    if (vroom->given) {
        enum ht_status made =
            ht_given_plan(&vroom->problem, vroom->routes, vroom->route_count, &plan, &error);
        must(made == HT_OK || error.message[0] != '\0');
        ht_given_free(plan);
        return;
    }
    enum ht_status status = ht_vroom_solve(vroom, &options, &plan, &error);
    must(status == HT_OK || (error.status == status && error.message[0] != '\0'));
    if (status == HT_OK) {
        must(ht_plan_check(&vroom->problem, plan, &error) == HT_OK);
        ht_plan_free(plan);
    } else { /* only what the steps ask for may be impossible, or limits of size */
        must(status == HT_INVALID || status == HT_TOO_BIG || status == HT_NOMEM);
    }
}

/* What yajl takes is no fault, but where it takes what RapidJSON would not. */
static void fault(const char *text, size_t size)
{
    const char *words = NULL;
    size_t offset = 0;
    enum ht_status status = ht_json_fault(text, size, &words, &offset);
    must(status != HT_INVALID || (words != NULL && offset <= size));
    yajl_val tree = ht_json_tree_read(text, size);
    must(tree == NULL || status != HT_INVALID || strstr(words, "too big") != NULL ||
         strstr(words, "surrogate") != NULL || strstr(words, "followed") != NULL);
    yajl_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_vroom vroom;
    struct ht_error error = {0};
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (ht_vroom_read(copy, size, &vroom, &error) == HT_OK) {
        must(vroom.problem.task_count > 0 && vroom.problem.vehicle_count > 0);
        must(vroom.problem.location_count > 0);
        if (vroom.problem.location_count < 64) {
            solve(&vroom);
        }
    } else {
        must(vroom.code >= HT_VROOM_INTERNAL && vroom.code <= HT_VROOM_TOO_BIG);
        must(error.message[0] != '\0');
    }
    fault(copy, size);
    ht_vroom_deinit(&vroom);
    free(copy);
    return 0;
}
