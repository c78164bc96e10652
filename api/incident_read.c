#include "api/incident_read.h"

#include <string.h>

#include "api/incident_rules.h"
#include "api/json_merge.h"
#include "api/params.h"
#include "geodata/collection.h"

static enum ht_status wrong(struct ht_error *error, const char *why)
{
    return ht_error_set(error, HT_SYNTAX, 0, "%s", why);
}

/* Absent and null are the same. */
static yajl_val member(yajl_val tree, const char *name)
{
    yajl_val value = ht_json_member(tree, name);
    return YAJL_IS_NULL(value) ? NULL : value;
}

static enum ht_status object_read(const char *text, size_t size, yajl_val *out,
                                  struct ht_error *error)
{
    if (ht_json_has_nul(text, size)) {
        return wrong(error, "a text of the body has a NUL in it");
    }
    *out = ht_json_tree_read(text, size);
    return YAJL_IS_OBJECT(*out) ? HT_OK : wrong(error, "the body is not a JSON object");
}

static enum ht_status id_read(yajl_val tree, const char *name, const char **out,
                              struct ht_error *error)
{
    yajl_val value = member(tree, name);
    const char *text = YAJL_GET_STRING(value);
    *out = text;
    if (value != NULL && (text == NULL || !ht_id_valid(text, strlen(text)))) {
        return ht_error_set(error, HT_SYNTAX, 0, "/%s: 1 to 64 letters, digits and ._:-", name);
    }
    return HT_OK;
}

static enum ht_status note_read(yajl_val tree, const char **out, struct ht_error *error)
{
    yajl_val value = member(tree, "note");
    *out = YAJL_GET_STRING(value);
    if (value != NULL && (*out == NULL || strlen(*out) > HT_INCIDENT_NOTE_MOST)) {
        return wrong(error, "/note: a text of at most 4,096 bytes");
    }
    *out = *out != NULL && (*out)[0] == '\0' ? NULL : *out;
    return HT_OK;
}

/* `pointer`: to the value. */
static enum ht_status small_read(yajl_val value, const char *pointer, int64_t most, uint8_t *out,
                                 struct ht_error *error)
{
    if (value == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_INTEGER(value)) {
        return ht_error_set(error, HT_SYNTAX, 0, "%s: a whole number", pointer);
    }
    if (YAJL_GET_INTEGER(value) < 1 || YAJL_GET_INTEGER(value) > most) {
        return ht_error_set(error, HT_INVALID, 0, "%s: 1 to %d", pointer, (int)most);
    }
    *out = (uint8_t)YAJL_GET_INTEGER(value);
    return HT_OK;
}

static enum ht_status kind_read(yajl_val tree, enum ht_incident_kind *out, struct ht_error *error)
{
    yajl_val value = member(tree, "kind");
    *out = ht_incident_kind_of(YAJL_GET_STRING(value));
    if (!YAJL_IS_STRING(value)) {
        return wrong(error, value == NULL ? "/kind: is missing" : "/kind: a text");
    }
    return *out == HT_INCIDENT_KINDS
               ? ht_error_set(error, HT_INVALID, 0,
                              "/kind: one of sos, fall, heart, door, gas, water, request, other")
               : HT_OK;
}

static enum ht_status place_read(yajl_val tree, struct ht_incident_alarm *alarm,
                                 struct ht_error *error)
{
    yajl_val lon = member(tree, "lon");
    yajl_val lat = member(tree, "lat");
    alarm->placed = lon != NULL || lat != NULL;
    if (alarm->placed && (!YAJL_IS_NUMBER(lon) || !YAJL_IS_NUMBER(lat) ||
                          !ht_param_doubles(YAJL_GET_NUMBER(lon), &alarm->pair[0], 1) ||
                          !ht_param_doubles(YAJL_GET_NUMBER(lat), &alarm->pair[1], 1))) {
        bool good =
            YAJL_IS_NUMBER(lon) && ht_param_doubles(YAJL_GET_NUMBER(lon), &alarm->pair[0], 1);
        return wrong(error, good ? "/lat: lon and lat are two numbers"
                                 : "/lon: lon and lat are two numbers");
    }
    return alarm->placed && alarm->household != NULL
               ? wrong(error,
                       "/household: an incident is at a household or at lon and lat, not both")
               : HT_OK;
}

static enum ht_status needs_read(yajl_val tree, struct ht_incident_alarm *alarm,
                                 struct ht_error *error)
{
    yajl_val needs = member(tree, "needs");
    if (needs == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_OBJECT(needs)) {
        return wrong(error, "/needs: an object");
    }
    yajl_val skills = member(needs, "skills");
    alarm->skilled = skills != NULL;
    if (skills != NULL && !ht_incident_skills_read(skills, alarm->skills)) {
        return wrong(error, "/needs/skills: a list of texts, 255 bytes in all");
    }
    return small_read(member(needs, "units"), "/needs/units", HT_DESK_UNITS_MAX, &alarm->units,
                      error);
}

enum ht_status ht_incident_alarm_read(const char *text, size_t size, struct ht_incident_alarm *out,
                                      struct ht_error *error)
{
    memset(out, 0, sizeof *out);
    enum ht_status status = object_read(text, size, &out->tree, error);
    if (status == HT_OK) {
        status = kind_read(out->tree, &out->kind, error);
    }
    if (status == HT_OK) {
        status = small_read(member(out->tree, "severity"), "/severity", HT_DESK_SEVERITIES,
                            &out->severity, error);
    }
    if (status == HT_OK) {
        status = id_read(out->tree, "household", &out->household, error);
    }
    if (status == HT_OK) {
        status = id_read(out->tree, "device", &out->device, error);
    }
    if (status == HT_OK) {
        status = place_read(out->tree, out, error);
    }
    if (status == HT_OK) {
        status = needs_read(out->tree, out, error);
    }
    return status == HT_OK ? note_read(out->tree, &out->note, error) : status;
}

void ht_incident_alarm_deinit(struct ht_incident_alarm *alarm)
{
    yajl_tree_free(alarm->tree);
    alarm->tree = NULL;
}

/* ---- what happens to one ---- */

static enum ht_status event_read(yajl_val tree, enum ht_desk_command_kind *out,
                                 struct ht_error *error)
{
    static const struct {
        const char *name;
        enum ht_desk_command_kind command;
    } events[] = {{"ack", HT_DESK_ACK},
                  {"confirm", HT_DESK_CONFIRM},
                  {"decline", HT_DESK_DECLINE},
                  {"enroute", HT_DESK_GO},
                  {"arrive", HT_DESK_ARRIVE},
                  {"follow_up", HT_DESK_FOLLOW_UP},
                  {"coordinate", HT_DESK_COORDINATE},
                  {"resolve", HT_DESK_RESOLVE},
                  {"evaluate", HT_DESK_EVALUATE},
                  {"cancel", HT_DESK_CANCEL},
                  {"reassign", HT_DESK_REASSIGN},
                  {"reopen", HT_DESK_REOPEN}};
    yajl_val value = member(tree, "event");
    const char *name = YAJL_GET_STRING(value);
    if (name == NULL) {
        return wrong(error, value == NULL ? "/event: is missing" : "/event: a text");
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].name, name) == 0) {
            *out = events[i].command;
            return HT_OK;
        }
    }
    return ht_error_set(error, HT_INVALID, 0,
                        "/event: one of ack, confirm, decline, enroute, arrive, follow_up, "
                        "coordinate, resolve, evaluate, cancel, reassign, reopen");
}

static enum ht_status outcome_read(yajl_val tree, struct ht_incident_step *step,
                                   struct ht_error *error)
{
    yajl_val value = member(tree, "outcome");
    const char *text = YAJL_GET_STRING(value);
    if (value != NULL && text == NULL) {
        return wrong(error, "/outcome: a text");
    }
    for (int i = HT_OUTCOME_NONE + 1; text != NULL && i < HT_OUTCOMES; i++) {
        if (strcmp(ht_desk_outcome_text((enum ht_desk_outcome)i), text) == 0) {
            step->outcome = (enum ht_desk_outcome)i;
        }
    }
    bool known = step->outcome != HT_OUTCOME_NONE;
    if ((text != NULL && !known) || (step->command == HT_DESK_RESOLVE && !known)) {
        return ht_error_set(error, HT_INVALID, 0,
                            "/outcome: one of helped, false_alarm, transferred_120, "
                            "transferred_119");
    }
    return HT_OK;
}

enum ht_status ht_incident_step_read(const char *text, size_t size, struct ht_incident_step *out,
                                     struct ht_error *error)
{
    memset(out, 0, sizeof *out);
    enum ht_status status = object_read(text, size, &out->tree, error);
    if (status == HT_OK) {
        status = event_read(out->tree, &out->command, error);
    }
    if (status == HT_OK) {
        status = id_read(out->tree, "unit", &out->unit, error);
    }
    if (status == HT_OK) {
        status = id_read(out->tree, "instead_of", &out->instead_of, error);
    }
    if (status == HT_OK) {
        status = outcome_read(out->tree, out, error);
    }
    if (status == HT_OK) {
        status = small_read(member(out->tree, "rating"), "/rating", 5, &out->rating, error);
    }
    if (status == HT_OK && out->command == HT_DESK_EVALUATE && out->rating == 0) {
        status = ht_error_set(error, HT_INVALID, 0, "/rating: 1 to 5, which is missing");
    }
    return status == HT_OK ? note_read(out->tree, &out->note, error) : status;
}

void ht_incident_step_deinit(struct ht_incident_step *step)
{
    yajl_tree_free(step->tree);
    step->tree = NULL;
}
