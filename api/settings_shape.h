/* Settings with a shape: the documents `incidents`, `calendar`, `regimes`, `meals` and `visits`,
 * which are more than whole numbers: how each is read, written and handed to whom it concerns, and
 * what it is with what regimes lay over it.
 *
 * Threading: constant tables; `tell` on the writer's thread. Ownership: values are the caller's
 * until told.
 */
#ifndef HT_API_SETTINGS_SHAPE_H
#define HT_API_SETTINGS_SHAPE_H

#include "api/regime_book.h"
#include "api/settings.h"

struct ht_setting_shape {
    const char *name;
    enum ht_status (*read)(yajl_val tree, void **out, struct ht_setting_wrong *wrong);
    void (*write)(const void *value, struct ht_json *json);
    void (*free)(void *value);
    void (*tell)(struct ht_app *app, void *value); /* takes it over; NULL: nobody is told */
    /* What is asked besides of one that is put, lest it go wrong later; NULL: nothing. */
    enum ht_status (*check)(const void *value, struct ht_setting_wrong *wrong);
};

extern const struct ht_setting_shape ht_setting_incidents;
extern const struct ht_setting_shape ht_setting_calendar;
extern const struct ht_setting_shape ht_setting_regimes;
extern const struct ht_setting_shape ht_setting_meals;
extern const struct ht_setting_shape ht_setting_visits;

/* That of a setting that regimes may patch. */
const struct ht_setting_shape *ht_setting_shape_of(enum ht_regime_setting setting);

/* A value as a document of its own; NULL: out of memory. */
char *ht_setting_text(const struct ht_setting_shape *shape, const void *value);

/* What holds: the document `base` (NULL: as at first) with what the regimes of `book` that are on
 * lay over it. HT_INVALID with what is wrong with that; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_setting_in_force(enum ht_regime_setting setting, const char *base,
                                                 const struct ht_regime_book *book, void **out,
                                                 struct ht_setting_wrong *wrong);

#endif
