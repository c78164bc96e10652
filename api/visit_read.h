/* Visit read: the bodies of POST /v1/visits, /v1/visits/{id}/result and events,
 * /v1/rectifications/{id}/events and /v1/rectifications/checks.
 *
 *   {"site": "f7", "inspector": "i3", "start": "2026-03-02T09:00:00+08:00", "end": "..."}
 *   {"outcome": "rectify", "at": "2026-03-02T09:12:00+08:00", "lon": 121.7, "lat": 29.95,
 *    "hazards": [{"text": "fire door blocked", "severity": 3, "due": "2026-03-09",
 *                 "tenant": "t2"}],
 *    "photos": [{"url": "https://...", "sha256": "..."}], "signature": "..."}
 *   {"event": "extend", "due": "2026-03-20", "reason": "parts are late", "rank": "community"}
 *   {"event": "close", "visit": "v-17"}
 *
 * `"tenant": null` of a hazard: it is of the site itself, though the visit is a tenant's; of a
 * visit: it sees all of the site, though the notice that it looks after is a tenant's.
 *
 * A date without a time is the end of that day by the office's clock. Members that are not known
 * are passed over. What is known has to be of its type.
 *
 * Threading: pure functions. Ownership: texts lie in the struct or in its tree.
 */
#ifndef HT_API_VISIT_READ_H
#define HT_API_VISIT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_tree.h>

#include "engine/live/visits.h"

enum {
    HT_VISIT_TEXT_MOST = 4096, /* bytes of a hazard's text, a reason, a signature, a URL */
    HT_VISIT_PHOTOS = 64,
    HT_VISIT_SAMPLE_MOST = 1000 /* notices that are drawn at once */
};

struct ht_visit_in {
    yajl_val tree;
    const char *id; /* this and the next five: NULL: not said */
    const char *site;
    const char *tenant;
    const char *inspector;
    const char *second;
    const char *rectification;
    bool of_site;                  /* it was said that it sees no tenant alone */
    enum ht_visit_purpose purpose; /* unplanned, revisit, check */
    int64_t start_ms;              /* this and the next: 0: not said */
    int64_t end_ms;
};

struct ht_visit_hazard_in {
    const char *text;
    const char *tenant; /* this and the next: NULL: none */
    const char *same_as;
    bool of_site; /* it was said that it is no tenant's */
    uint8_t severity;
    int64_t due_ms; /* 0: by the rules */
};

struct ht_visit_photo_in {
    const char *url;
    const char *sha256;
};

struct ht_visit_result_in {
    yajl_val tree;
    enum ht_visit_state outcome;
    int64_t at_ms; /* this and the next: 0: not said */
    int64_t until_ms;
    bool placed;
    double pair[2];
    const char *inspector; /* this and the next three: NULL: not said */
    const char *second;
    const char *reason;
    const char *signature;
    struct ht_visit_hazard_in hazards[HT_VISIT_HAZARDS];
    size_t hazard_count;
    struct ht_visit_photo_in photos[HT_VISIT_PHOTOS];
    size_t photo_count;
};

struct ht_visit_step_in {
    yajl_val tree;
    enum ht_visit_command_kind command; /* promise, cancel; extend, close */
    const char *visit;
    const char *reason;
    int64_t due_ms;
    uint8_t rank;
};

struct ht_visit_draw_in {
    yajl_val tree;
    uint64_t seed;
    uint32_t count;
    int64_t from_ms; /* closed since; 0: any */
    int64_t to_ms;   /* closed until; 0: any */
};

/* Each: HT_SYNTAX (400) or HT_INVALID (422) with what is wrong where. _deinit also after an error.
 */
HT_MUST_CHECK enum ht_status ht_visit_body_read(const char *text, size_t size,
                                                struct ht_visit_in *out, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_visit_result_read(const char *text, size_t size,
                                                  struct ht_visit_result_in *out,
                                                  struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_visit_step_read(const char *text, size_t size, bool notice,
                                                struct ht_visit_step_in *out,
                                                struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_visit_draw_read(const char *text, size_t size,
                                                struct ht_visit_draw_in *out,
                                                struct ht_error *error);
void ht_visit_tree_free(yajl_val *tree);

/* A moment, or a date: the end of that day. False: neither, or before 2000 or after 2100. */
bool ht_visit_moment(const char *text, int64_t *out);

#endif
