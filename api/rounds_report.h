/* Rounds report: what became of a round, week by week and by inspector, as JSON, CSV and a page to
 * be printed (Chinese or English, nothing of it from elsewhere).
 *
 *   planned    visits that were to be made in a week; cancelled ones are none
 *   done       somebody was there (done, rectify, upgrade, shut)
 *   missed, refused
 *   overdue    should have been made by now, and nobody said what became of them
 *   ahead      are still to come
 *   hazards    found by these visits; mended: notices of the round's sites that were closed
 *   km, hours  of the tours as planned: travel, and time at sites
 *
 * Fairness is Gini's coefficient of the hours of those who have any.
 *
 * Threading: pure. Ownership: a report owns its lists.
 */
#ifndef HT_API_ROUNDS_REPORT_H
#define HT_API_ROUNDS_REPORT_H

#include "api/reply.h"
#include "api/rounds_record.h"

struct ht_round_counts {
    uint32_t planned;
    uint32_t done;
    uint32_t missed;
    uint32_t refused;
    uint32_t overdue;
    uint32_t ahead;
    uint32_t hazards_found;
    uint32_t hazards_mended;
    int64_t distance_m;
    int64_t travel_s;
    int64_t service_s;
};

/* A notice that was closed. */
struct ht_round_mended {
    const char *inspector; /* who saw it; NULL: it is not known */
    int64_t at_ms;
};

struct ht_round_report {
    const struct ht_round_record *record;
    int64_t now_ms;
    uint32_t weeks;
    const char **inspectors; /* [inspector_count] by id; borrowed from the record */
    uint32_t inspector_count;
    struct ht_round_counts *cells; /* [week * inspector_count + inspector] */
    uint32_t gini_ppm;
};

enum ht_round_form { HT_ROUND_JSON, HT_ROUND_CSV, HT_ROUND_HTML };

/* Of a record whose visits are live. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_round_report_make(const struct ht_round_record *record,
                                                  const struct ht_round_mended *mended,
                                                  size_t mended_count, int64_t now_ms,
                                                  struct ht_round_report *out);
void ht_round_report_deinit(struct ht_round_report *report);

void ht_round_report_write(const struct ht_round_report *report, enum ht_round_form form,
                           bool chinese, struct ht_buffer *out);

#endif
