/* Regimes: the settings document `regimes`: sets that are prepared in peace and put into force by
 * one call (POST /v1/regimes/{name}, api/regime_calls.h).
 *
 *   {"outbreak": {"zones": ["z1", "z2"],
 *                 "answers": {"grid-07": {"community": "hq-3"}, "*": {"district": "hq-1"}},
 *                 "duties": {"r-01": {"status": "idle", "skills": ["ppe"], "shift": null}},
 *                 "settings": {"incidents": {"preempt": false}, "calendar": {"working": "24/7"}}}}
 *
 * `zones`: ids; a zone that any regime names holds only while one that names it is on. `answers`:
 * who answers for which cell on which level (geodata/answers.h). `duties`: units, each with a merge
 * patch (RFC 7396) of kind, profile, skills, shift and status. `settings`: merge patches of the
 * documents of these names. Of several that are on the one that stands later in the document goes
 * last, and so before others.
 *
 * Threading: read-only once read. Ownership: heap, ht_regimes_free.
 */
#ifndef HT_API_REGIMES_H
#define HT_API_REGIMES_H

#include <yajl/yajl_tree.h>

#include "geodata/answers.h"

struct ht_json;
struct ht_setting_wrong;

enum {
    HT_REGIMES_MOST = 64,
    HT_REGIME_ZONES_MOST = 1000,
    HT_REGIME_CELLS_MOST = 20000,
    HT_REGIME_UNITS_MOST = 20000
};

/* The settings that a regime may patch. */
enum ht_regime_setting { HT_REGIME_INCIDENTS, HT_REGIME_CALENDAR, HT_REGIME_SETTINGS };
const char *ht_regime_setting_name(enum ht_regime_setting setting);

struct ht_regime_answer {
    char cell[HT_ID_MAX + 1];
    char who[HT_ANSWER_LEVELS][HT_ID_MAX + 1]; /* "" not said */
};

/* What of a unit a duty may change: what the choice of units goes by. */
enum { HT_REGIME_DUTY_FIELDS = 5 };
extern const char *const ht_regime_duty_fields[HT_REGIME_DUTY_FIELDS];

struct ht_regime_duty {
    char unit[HT_ID_MAX + 1];
    char *patch;
};

struct ht_regime {
    char name[HT_ID_MAX + 1];
    char (*zones)[HT_ID_MAX + 1]; /* this and the next two in the order of their ids */
    size_t zone_count;
    struct ht_regime_answer *answers;
    size_t answer_count;
    struct ht_regime_duty *duties;
    size_t duty_count;
    char *patches[HT_REGIME_SETTINGS]; /* NULL: none */
};

struct ht_regimes {
    struct ht_regime *list; /* in the order of the document */
    size_t count;
};

/* Reads a document; NULL: none are prepared. HT_INVALID with what is wrong, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_regimes_read(yajl_val tree, struct ht_regimes **out,
                                             struct ht_setting_wrong *wrong);
void ht_regimes_write(const struct ht_regimes *regimes, struct ht_json *json);
void ht_regimes_free(struct ht_regimes *regimes);

/* One of them, as the document has it. */
void ht_regime_write(const struct ht_regime *regime, struct ht_json *json);
/* Its number; `count`: there is none of that name. */
size_t ht_regimes_find(const struct ht_regimes *regimes, const char *name);

bool ht_regime_has_zone(const struct ht_regime *regime, const char *zone);
/* NULL: it says nothing of that. */
const struct ht_regime_answer *ht_regime_answer_of(const struct ht_regime *regime,
                                                   const char *cell);
const struct ht_regime_duty *ht_regime_duty_of(const struct ht_regime *regime, const char *unit);

#endif
