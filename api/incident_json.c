#include "api/incident_json.h"

#include <string.h>

#include "api/incident_rules.h"
#include "engine/base/time.h"

void ht_incident_json_moment(struct ht_json *json, const char *key, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    if (at_ms == 0) {
        return;
    }
    if (at_ms == INT64_MAX) {
        ht_json_key(json, key);
        ht_json_null(json);
        return;
    }
    ht_time_format(at_ms, text);
    ht_json_key_text(json, key, text);
}

static void text_or_not(struct ht_json *json, const char *key, const char *text)
{
    if (text != NULL) {
        ht_json_key_text(json, key, text);
    }
}

void ht_incident_json_place(struct ht_json *json, const struct ht_incident_place *place,
                            const struct ht_crs_out *out)
{
    struct ht_point point = place->point;
    double pair[1][2] = {{point.lon_e7 / 1e7, point.lat_e7 / 1e7}};
    if (ht_crs_plain(out->crs)) {
        ht_json_key(json, "lon");
        ht_json_fixed(json, point.lon_e7, 7);
        ht_json_key(json, "lat");
        ht_json_fixed(json, point.lat_e7, 7);
        return;
    }
    if (out->crs->kind != HT_CRS_PROJ && ht_crs_from_wgs84(out->work, out->crs, pair, 1) == HT_OK) {
        ht_json_key_double(json, "lon", pair[0][0], 7);
        ht_json_key_double(json, "lat", pair[0][1], 7);
        return;
    }
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "Point");
    ht_json_key(json, "coordinates");
    if (place->written != NULL) {
        ht_json_raw(json, place->written, strlen(place->written));
    } else {
        ht_live_json_point(json, point, out);
    }
    ht_json_object_end(json);
}

static void seat_write(struct ht_json *json, const struct ht_desk_seat *seat)
{
    ht_json_object(json);
    ht_json_key_text(json, "unit", seat->unit);
    ht_json_key_text(json, "state", ht_incident_state_text(seat->state));
    ht_json_key_double(json, "duration_s", seat->duration_ms / 1000.0, 3);
    ht_json_key_double(json, "distance_m", (double)seat->length_mm / 1000.0, 3);
    ht_incident_json_moment(json, "eta", seat->eta_ms);
    ht_json_key_double(json, "turnout_s", seat->turnout_ms / 1000.0, 3);
    ht_json_key_double(json, "access_s", seat->access_ms / 1000.0, 3);
    if (seat->paid_ms > 0) {
        ht_json_key_double(json, "paid_s", seat->paid_ms / 1000.0, 3);
    }
    ht_incident_json_moment(json, "assigned_at", seat->assigned_ms);
    ht_incident_json_moment(json, "ack_by",
                            seat->state == HT_INCIDENT_IS_ASSIGNED ? seat->ack_by_ms : 0);
    ht_incident_json_moment(json, "acknowledged_at", seat->acknowledged_ms);
    ht_incident_json_moment(json, "enroute_at", seat->enroute_ms);
    ht_incident_json_moment(json, "arrived_at", seat->arrived_ms);
    ht_json_object_end(json);
}

void ht_incident_json_row(struct ht_json *json, const struct ht_store_event *row, size_t prefix)
{
    ht_json_key_int(json, "seq", row->seq);
    ht_incident_json_moment(json, "at", row->at_ms);
    ht_json_key_text(json, "actor", row->actor);
    ht_json_key_text(json, "event", row->kind + prefix);
    ht_json_key(json, "body");
    ht_json_raw(json, row->body, strlen(row->body));
    ht_json_key_text(json, "hash", row->hash);
}

static bool is_open(const struct ht_incident *incident)
{
    return incident->state < HT_INCIDENT_IS_RESOLVED;
}

/* What was promised, and what of it holds. */
static void promise_write(struct ht_json *json, const struct ht_incident *incident,
                          const struct ht_incident_place *place)
{
    bool coming = place != NULL && incident->first_arrived_ms == 0 && incident->seat_count > 0;
    bool late = coming && place->live_eta_ms > incident->deadline_ms; /* whatever was promised */
    ht_incident_json_moment(json, "deadline", incident->deadline_ms);
    ht_json_key_bool(json, "within_promise", !late && ht_incident_within_promise(incident));
    ht_json_key_bool(json, "at_risk", incident->at_risk);
    ht_incident_json_moment(json, "arrived_at", incident->first_arrived_ms);
    if (coming) {
        ht_incident_json_moment(json, "live_eta", place->live_eta_ms);
    }
}

/* The five steps, and how far up it has come. */
static void steps_write(struct ht_json *json, const struct ht_incident *incident)
{
    static const char *const steps[HT_DESK_STEPS + 1] = {
        "", "received", "handled", "followed_up", "coordinated", "evaluated"};
    static const char *const levels[HT_DESK_LEVELS] = {"community", "sub_district", "district"};
    if (incident->step >= 1 && incident->step <= HT_DESK_STEPS) {
        ht_json_key_text(json, "step", steps[incident->step]);
    }
    ht_incident_json_moment(json, "step_by", incident->step_by_ms);
    if (incident->level < HT_DESK_LEVELS) {
        ht_json_key_text(json, "level", levels[incident->level]);
    }
}

const char *ht_incident_answers_now(const struct ht_answers *answers, uint8_t level)
{
    static const enum ht_answer_level levels[HT_DESK_LEVELS] = {
        HT_ANSWER_COMMUNITY, HT_ANSWER_SUB_DISTRICT, HT_ANSWER_DISTRICT};
    const char *who = "";
    for (int i = level < HT_DESK_LEVELS ? level : HT_DESK_LEVELS - 1;
         i < HT_DESK_LEVELS && who[0] == '\0'; i++) {
        who = answers->who[levels[i]];
    }
    return who;
}

void ht_incident_json_answers(struct ht_json *json, const struct ht_incident *incident,
                              const struct ht_answers *answers)
{
    const char *now = ht_incident_answers_now(answers, incident->level);
    if (answers->cell[0] != '\0') {
        ht_json_key_text(json, "cell", answers->cell);
    }
    ht_json_key(json, "answers");
    ht_json_object(json);
    if (now[0] != '\0') {
        ht_json_key_text(json, "now", now);
    }
    for (int i = 0; i < HT_ANSWER_LEVELS; i++) {
        if (answers->who[i][0] != '\0') {
            ht_json_key_text(json, ht_answer_level_name((enum ht_answer_level)i), answers->who[i]);
        }
    }
    ht_json_object_end(json);
}

static void end_write(struct ht_json *json, const struct ht_incident *incident)
{
    if (incident->outcome != HT_OUTCOME_NONE) {
        ht_json_key_text(json, "outcome",
                         ht_desk_outcome_text((enum ht_desk_outcome)incident->outcome));
    }
    if (incident->rating > 0) {
        ht_json_key_int(json, "rating", incident->rating);
    }
    ht_incident_json_moment(json, "resolved_at", incident->resolved_ms);
    ht_incident_json_moment(json, "closed_at", is_open(incident) ? 0 : incident->closed_ms);
}

void ht_incident_json_members(struct ht_json *json, const struct ht_incident *incident,
                              const struct ht_incident_place *place, const struct ht_crs_out *out,
                              bool homes)
{
    ht_json_key_text(json, "id", incident->id);
    ht_json_key_text(json, "state", ht_incident_state_text(incident->state));
    ht_json_key_text(json, "kind", ht_incident_kind_text(incident->kind));
    ht_json_key_int(json, "severity", incident->severity);
    text_or_not(json, "household", homes ? incident->household : NULL);
    if (place != NULL && (homes || incident->household == NULL)) {
        ht_incident_json_place(json, place, out);
    }
    ht_json_key(json, "assigned");
    ht_json_array(json);
    for (uint32_t i = 0; i < incident->seat_count; i++) {
        seat_write(json, &incident->seats[i]);
    }
    ht_json_array_end(json);
    promise_write(json, incident, place);
    ht_json_key_int(json, "units", incident->units);
    if (incident->skills != NULL) {
        ht_json_key(json, "skills");
        ht_incident_skills_write(json, incident->skills);
    }
    ht_incident_json_moment(json, "received_at", incident->received_ms);
    ht_incident_json_moment(json, "opened_at", incident->opened_ms);
    ht_json_key_int(json, "alarms", incident->alarms);
    ht_json_key_bool(json, "confirmed", incident->confirmed);
    ht_incident_json_moment(json, "confirm_by", incident->confirmed ? 0 : incident->confirm_by_ms);
    steps_write(json, incident);
    end_write(json, incident);
}

void ht_incident_json(struct ht_json *json, const struct ht_incident *incident,
                      const struct ht_incident_place *place, const struct ht_crs_out *out,
                      bool homes)
{
    ht_json_object(json);
    ht_incident_json_members(json, incident, place, out, homes);
    ht_json_object_end(json);
}
