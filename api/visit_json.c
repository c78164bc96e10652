/* Visits and rectifications as answers show them. */
#include <string.h>

#include "api/incident_json.h"
#include "api/visits_internal.h"

static void text_or_not(struct ht_json *json, const char *key, const char *text)
{
    if (text != NULL) {
        ht_json_key_text(json, key, text);
    }
}

static void flags_write(struct ht_json *json, const char *key, uint32_t flags)
{
    ht_json_key(json, key);
    ht_json_array(json);
    for (int i = 0; i < HT_VISIT_FLAGS; i++) {
        if ((flags >> i & 1U) != 0) {
            ht_json_text(json, ht_visit_flag_text(UINT32_C(1) << i));
        }
    }
    ht_json_array_end(json);
}

static void result_write(struct ht_json *json, const struct ht_visit *visit)
{
    ht_json_key_text(json, "outcome", ht_visit_state_text(visit->state));
    ht_incident_json_moment(json, "at", visit->seen_ms);
    ht_incident_json_moment(json, "until", visit->until_ms);
    if (visit->distance_m != UINT32_MAX) {
        ht_json_key_int(json, "distance_m", visit->distance_m);
    }
    ht_json_key_int(json, "hazards", visit->hazards);
    flags_write(json, "flags", visit->flags);
}

void ht__visit_json(struct ht_json *json, const struct ht_visit *visit, const char *paper,
                    int64_t now_ms)
{
    bool open = visit->state <= HT_VISIT_IS_PROMISED;
    ht_json_object(json);
    ht_json_key_text(json, "id", visit->id);
    ht_json_key_text(json, "state", ht_visit_state_text(visit->state));
    ht_json_key_text(json, "purpose", ht_visit_purpose_text(visit->purpose));
    ht_json_key_text(json, "site", visit->site);
    text_or_not(json, "tenant", visit->tenant);
    text_or_not(json, "inspector", visit->inspector);
    text_or_not(json, "second", visit->second);
    text_or_not(json, "round", visit->round);
    text_or_not(json, "rectification", visit->rectification);
    ht_incident_json_moment(json, "start", visit->start_ms);
    ht_incident_json_moment(json, "end", visit->end_ms);
    ht_json_key_bool(json, "overdue", open && visit->end_ms < now_ms);
    ht_json_key_int(json, "moves", visit->moves);
    if (ht_visit_is_outcome(visit->state)) {
        result_write(json, visit);
    }
    ht_incident_json_moment(json, "planned_at", visit->planned_ms);
    ht_incident_json_moment(json, "closed_at", visit->closed_ms);
    if (paper != NULL) {
        ht_json_key(json, "paper");
        ht_json_raw(json, paper, strlen(paper));
    }
    ht_json_object_end(json);
}

static void loop_write(struct ht_json *json, const struct ht_rectification *n, int64_t now_ms)
{
    ht_incident_json_moment(json, "due", n->due_ms);
    ht_json_key_bool(json, "overdue", ht_rectification_is_overdue(n, now_ms));
    ht_json_key_text(json, "level", ht_visit_level_text(n->level));
    ht_json_key_bool(json, "reminded", n->reminded);
    ht_incident_json_moment(json, "remind_by", n->reminded ? 0 : n->remind_by_ms);
    ht_incident_json_moment(json, "rise_by", n->rise_by_ms);
    text_or_not(json, "revisit", n->revisit);
    ht_incident_json_moment(json, "revisit_at", n->revisit_ms);
    ht_json_key_int(json, "extensions", n->extensions);
    ht_json_key_int(json, "sightings", n->sightings);
    ht_json_key_int(json, "reopened", n->reopened);
}

static void end_write(struct ht_json *json, const struct ht_rectification *n)
{
    text_or_not(json, "closed_by", n->closed_by);
    if (n->closed_by != NULL) {
        flags_write(json, "closed_flags", n->closed_flags);
    }
    ht_incident_json_moment(json, "mended_at", n->mended_ms);
    ht_incident_json_moment(json, "closed_at", n->closed_ms);
    ht_json_key_bool(json, "sampled", n->sampled);
    text_or_not(json, "checked_by", n->checked_by);
}

void ht__rectification_json(struct ht_json *json, const struct ht_rectification *n,
                            const char *text, int64_t now_ms)
{
    ht_json_object(json);
    ht_json_key_text(json, "id", n->id);
    ht_json_key_int(json, "number", n->number);
    ht_json_key_text(json, "state", ht_rectification_state_text(n->state));
    ht_json_key_text(json, "site", n->site);
    text_or_not(json, "tenant", n->tenant);
    ht_json_key_text(json, "visit", n->visit);
    text_or_not(json, "inspector", n->inspector);
    text_or_not(json, "text", text);
    ht_json_key_int(json, "severity", n->severity);
    ht_json_key_int(json, "risk", n->risk);
    loop_write(json, n, now_ms);
    ht_incident_json_moment(json, "opened_at", n->opened_ms);
    ht_incident_json_moment(json, "begun_at", n->begun_ms);
    ht_incident_json_moment(json, "found_at", n->found_ms);
    end_write(json, n);
    ht_json_object_end(json);
}
