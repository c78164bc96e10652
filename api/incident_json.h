/* Incident JSON: an incident as answers show it. What was noted and whose device it was stands in
 * its history, for those who may see it. In whose home it is is told to dispatchers and admins
 * alone: alarms come from devices, and those are in the homes of the frail.
 *
 * Threading: pure but for the thread's own ht_crs_work. Ownership: everything is borrowed.
 */
#ifndef HT_API_INCIDENT_JSON_H
#define HT_API_INCIDENT_JSON_H

#include "api/incident_places.h"
#include "api/json.h"
#include "api/live_json.h"
#include "engine/live/desk.h"
#include "geodata/answers.h"

/* Its members, within an object; `place` NULL: not known (any more). Without `homes` neither the
 * household nor where that is. */
void ht_incident_json_members(struct ht_json *json, const struct ht_incident *incident,
                              const struct ht_incident_place *place, const struct ht_crs_out *out,
                              bool homes);
/* The whole object. */
void ht_incident_json(struct ht_json *json, const struct ht_incident *incident,
                      const struct ht_incident_place *place, const struct ht_crs_out *out,
                      bool homes);

/* Members `cell` and `answers`: whose it is now, and who answers on each level. */
void ht_incident_json_answers(struct ht_json *json, const struct ht_incident *incident,
                              const struct ht_answers *answers);

/* Who answers on a level of the desk (HT_DESK_LEVELS), or above where nobody does; "" nobody. */
const char *ht_incident_answers_now(const struct ht_answers *answers, uint8_t level);

/* The members of a row of the event table, in an object that is begun; its kind without `prefix`
 * bytes at the front. */
void ht_incident_json_row(struct ht_json *json, const struct ht_store_event *row, size_t prefix);

/* Lon and lat; in PROJ's systems, which may be of metres, a geometry. */
void ht_incident_json_place(struct ht_json *json, const struct ht_incident_place *place,
                            const struct ht_crs_out *out);

/* A moment as RFC 3339; nothing for 0 and null for INT64_MAX. */
void ht_incident_json_moment(struct ht_json *json, const char *key, int64_t at_ms);

#endif
