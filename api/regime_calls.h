/* Regime calls: one call between peace and war.
 *
 *   GET  /v1/regimes           which are prepared, which are on, and what is in force by them; of
 *                              that a viewer is told the zones, and not by whom
 *   GET  /v1/regimes/{name}    one: its set, its state, when it was on and off before
 *   POST /v1/regimes/{name}    {"on": true | false, "why": "order-17"}
 *
 * The state is written with an event in one transaction:
 *
 *   regime.on regime.off   subject regimes/NAME
 *   body {"regime","why","settings_version","zones":[ids],"cells","units","settings":[names]}
 *
 * To put on what is on, or off what is off, changes nothing and leaves no event.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_REGIME_CALLS_H
#define HT_API_REGIME_CALLS_H

#include "api/app.h"

void ht_regimes_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_regime_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_regime_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
