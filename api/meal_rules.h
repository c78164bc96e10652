/* Meal rules: the settings document `meals`: when kitchens cook, how much and what, and what
 * follows where nobody answers the door.
 *
 *   {"default": {"hours": "Mo-Su 06:00-20:00", "cutoff_s": 0, "order_by": null, "capacity": 0,
 *                "diets": [], "out_of_order": []},
 *    "kitchens": {"k1": {"cutoff_s": 3600, "order_by": "10:30", "capacity": 40,
 *                        "diets": ["halal", "soft"],
 *                        "out_of_order": [{"from": "2026-03-02T10:00:00+08:00", "until": null}]}},
 *    "service_s": 60, "lead_s": 1800, "step_s": 120,
 *    "welfare": {"kind": "other", "severity": 3}}
 *
 * A meal is ready within `hours` (an opening hours text; null: those that the registry has of the
 * kitchen, `open`, and without these at any time; holidays are those of the calendar), `capacity`
 * of them in each quarter of an hour (0: any number), and not while the kitchen is out of order. An
 * order has to come in `cutoff_s` before its due time begins, and where `order_by` says a time of
 * the day (null: none) before that on that day. Its diets have to be among those that the kitchen
 * cooks. What a kitchen leaves out is as in `default`, also for those that are not named.
 *
 * `service_s`: of an order that says none; `lead_s`: it is ready so long before its due time, where
 * it does not say; `step_s`: an arrival that shifts by as much is told to everybody. `welfare`: the
 * incident that is opened where nobody answers a frail household's door, door or other (severity
 * null: the kind's own).
 *
 * Threading: read-only once read. Ownership: heap, ht_meal_rules_free.
 */
#ifndef HT_API_MEAL_RULES_H
#define HT_API_MEAL_RULES_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "engine/base/schedule.h"
#include "engine/live/desk.h"
#include "engine/live/orders.h"

struct ht_json;
struct ht_office_calendar;
struct ht_setting_wrong;

enum { HT_KITCHEN_OUTAGES = 16, HT_KITCHENS_MOST = 1000 };

struct ht_kitchen_outage {
    int64_t from_ms;
    int64_t until_ms; /* INT64_MAX: until it is said otherwise */
};

struct ht_kitchen_rule {
    char id[HT_ORDER_ID_MAX + 1];
    char *hours; /* NULL: as the registry says */
    struct ht_schedule *schedule;
    uint32_t cutoff_ms;
    int32_t order_by_min; /* of the day; -1: none */
    uint32_t capacity;    /* meals in a quarter of an hour; 0: any number */
    char diets[HT_DESK_SKILLS_MAX + 1];
    struct ht_kitchen_outage outages[HT_KITCHEN_OUTAGES];
    uint32_t outage_count;
};

struct ht_meal_rules {
    struct ht_kitchen_rule first; /* default */
    struct ht_kitchen_rule *kitchens;
    size_t kitchen_count;
    uint32_t service_ms;
    uint32_t lead_ms;
    uint32_t step_ms;
    enum ht_incident_kind welfare_kind;
    uint8_t welfare_severity; /* 0: the kind's own */
};

/* Reads a document; NULL: as at first. HT_INVALID with what is wrong, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_meal_rules_read(yajl_val tree, struct ht_meal_rules **out,
                                                struct ht_setting_wrong *wrong);
void ht_meal_rules_write(const struct ht_meal_rules *rules, struct ht_json *json);
void ht_meal_rules_free(struct ht_meal_rules *rules);

/* That of a kitchen, never NULL. */
const struct ht_kitchen_rule *ht_meal_rules_kitchen(const struct ht_meal_rules *rules,
                                                    const char *kitchen);
/* Whether it is out of order at a moment. */
bool ht_kitchen_is_out(const struct ht_kitchen_rule *rule, int64_t at_ms);

struct ht_meal_ask {
    const char *kitchen;
    const struct ht_schedule *open; /* by the registry; NULL: at any time */
    const char *diets;              /* joined by ';' */
    int64_t now_ms;
    int64_t ready_ms;
    int64_t due_from_ms;
    int64_t due_to_ms;
};
/* Whether the kitchen takes such an order, but for its capacity. HT_INVALID with the reason, which
 * begins with the pointer ("/due: ..."). */
HT_MUST_CHECK enum ht_status ht_meal_rules_check(const struct ht_meal_rules *rules,
                                                 struct ht_office_calendar *calendar,
                                                 const struct ht_meal_ask *ask,
                                                 struct ht_error *error);

#endif
