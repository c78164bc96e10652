/* Rounds report: what became of a round, week by week and by inspector, as JSON, CSV and a page to
 * be printed (Chinese or English, nothing of it from elsewhere).
 *
 *   planned    visits that were to be made in a week; cancelled ones are none
 *   done       somebody was there (done, rectify, upgrade, shut)
 *   missed, refused
 *   overdue    should have been made by now, and nobody said what became of them
 *   ahead      are still to come
 *   hazards    notices of the round's sites that were opened in its time, and that were closed:
 * what GET /v1/rectifications tells of these sites km, hours  of what was done: the time between
 * check-in and leaving (as planned where nobody said when), and of the day's way the part that its
 * visits that were made are of all planned    km and hours of the tours as planned: travel, and
 * time at sites
 *
 * Fairness is Gini's coefficient of the hours of those who hold sites, as planned and as done;
 * where nobody holds any, of those who have hours.
 *
 * Threading: pure but for the reader. Ownership: a report owns its lists.
 */
#ifndef HT_API_ROUNDS_REPORT_H
#define HT_API_ROUNDS_REPORT_H

#include "api/reply.h"
#include "api/rounds_record.h"
#include "geodata/store.h"

struct ht_round_counts {
    uint32_t planned;
    uint32_t done;
    uint32_t missed;
    uint32_t refused;
    uint32_t overdue;
    uint32_t ahead;
    uint32_t hazards_found;
    uint32_t hazards_mended;
    int64_t distance_m; /* these three: of the tours as planned */
    int64_t travel_s;
    int64_t service_s;
    int64_t done_m; /* and these as done */
    int64_t done_travel_s;
    int64_t done_service_s;
};

/* A notice of one of the sites. */
struct ht_round_notice {
    const char *finder; /* this and the next: NULL: it is not known */
    const char *mender;
    int64_t found_ms;
    int64_t mended_ms; /* 0: not yet */
};

struct ht_round_report {
    const struct ht_round_record *record;
    struct ht_store_reader *reader; /* the caller's, for names on the page; NULL: ids alone */
    int64_t now_ms;
    uint32_t weeks;
    const char **inspectors; /* [inspector_count] by id; borrowed from the record */
    uint32_t inspector_count;
    struct ht_round_counts *cells; /* [week * inspector_count + inspector] */
    uint32_t *made;                /* [day * inspector_count + inspector] visits that were */
    uint32_t gini_ppm;             /* of hours as planned, and as done */
    uint32_t done_gini_ppm;
};

enum ht_round_form { HT_ROUND_JSON, HT_ROUND_CSV, HT_ROUND_HTML };

/* Of a record whose visits are live. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_round_report_make(const struct ht_round_record *record,
                                                  const struct ht_round_notice *notices,
                                                  size_t notice_count, int64_t now_ms,
                                                  struct ht_round_report *out);
void ht_round_report_deinit(struct ht_round_report *report);

void ht_round_report_write(const struct ht_round_report *report, enum ht_round_form form,
                           bool chinese, struct ht_buffer *out);

#endif
