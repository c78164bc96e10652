/* Doors: where devices come in beside HTTP (api/mqtt.h, api/jt808.h), of a process whose terms come
 * and go (api/nodes.h). Connections stay when the node becomes the desk or follows another: the
 * doors move to the app that answers from then on.
 *
 * Threading: from one thread at a time, but for what the doors themselves say. Ownership: each app
 * they were in borrows them; they go after the last of these.
 */
#ifndef HT_API_DOORS_H
#define HT_API_DOORS_H

#include "api/app.h"

struct ht_doors {
    struct ht_relay *relay;
    struct ht_jt808 *jt808;
    struct ht_mqtt *mqtt;
    struct ht_app *app; /* whom they serve; NULL: they are not open yet */
};

/* Lets an app that is about to answer know them. */
void ht_doors_lend(const struct ht_doors *doors, struct ht_app *app);
/* What devices say goes to that app from now on; the one before may end. Where memory is short, or
 * the files of TLS are not what they were, they are closed instead; the reason is logged. */
void ht_doors_move(struct ht_doors *doors, struct ht_app *app);
/* Closes them, before the device book of their app stops; and frees them, once what was under way
 * there is answered. */
void ht_doors_stop(struct ht_doors *doors);
void ht_doors_deinit(struct ht_doors *doors);

#endif
