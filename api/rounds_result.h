/* Rounds result: a plan (engine/plan/rounds.h) as what the outside knows of it: visits with ids and
 * moments, rows for the ledger of visits, tours with their days, what is missing and why, in words.
 *
 * A visit that the running plan had keeps its id, wherever it went; so does one that was due before
 * and that nobody reported. All that is over, or was missed, stays in the round.
 *
 * Threading: pure but for the office's zone. Ownership: a result owns its lists; rows borrow from
 * it.
 */
#ifndef HT_API_ROUNDS_RESULT_H
#define HT_API_ROUNDS_RESULT_H

#include "api/json.h"
#include "api/rounds_scene.h"

/* A day of an inspector. */
struct ht_round_tour {
    char inspector[HT_ID_MAX + 1];
    uint32_t day;
    int64_t start_ms;
    int64_t end_ms;
    uint32_t travel_s;
    uint32_t service_s;
    uint32_t distance_m;
    uint32_t visits;
};

struct ht_round_result {
    struct ht_round_visit *visits; /* by moment, then inspector */
    size_t visit_count;
    struct ht_visit_row *rows; /* of those that are planned now */
    size_t row_count;
    struct ht_round_tour *tours; /* by inspector, then day */
    size_t tour_count;
    uint32_t next; /* the number of the next visit that is made */
};

struct ht_round_goal {
    const struct ht_round_scene *scene;
    const struct ht_rounds_plan *plan;
    const struct ht_round_before *before; /* NULL: a new round */
    const struct ht_round_tour *tours;    /* of the running plan */
    size_t tour_count;
    int64_t since_ms;
    const char *round;
    uint32_t next;
};

/* HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_round_result_make(const struct ht_round_goal *goal,
                                                  struct ht_round_result *out);
void ht_round_result_deinit(struct ht_round_result *result);

/* Members of the round's JSON, as api/openapi.json has them: visits, tours, unplanned, broken,
 * idle, errors, owners, summary. */
void ht_round_result_write(const struct ht_round_goal *goal, const struct ht_round_result *result,
                           const struct ht_round_wrongs *wrongs, struct ht_json *json);

/* [{"pointer", "detail"}]. */
void ht_round_wrongs_write(const struct ht_round_wrongs *wrongs, struct ht_json *json);

#endif
