/* What app.c and app_town.c share. Not a door. */
#ifndef HT_API_APP_INTERNAL_H
#define HT_API_APP_INTERNAL_H

#include "api/app.h"

HT_MUST_CHECK enum ht_status ht__app_context_new(void *user, void **out);
void ht__app_context_free(void *user);

/* Publishes the world of now, if a map is open; needs open_lock. */
HT_MUST_CHECK enum ht_status ht__app_map_apply(struct ht_app *app);

/* The handler's submit_write. */
bool ht__app_submit_write(void *user, struct ht_job *job);

/* Store, writer and tokens, as far as there are any. */
void ht__app_town_free(struct ht_app *app);

#endif
