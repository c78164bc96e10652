#include "api/visit_event.h"

#include <stdio.h>
#include <string.h>

#include "api/event_row.h"
#include "api/json.h"
#include "api/json_merge.h"

static const char *purpose_word(int word)
{
    return ht_visit_purpose_text((enum ht_visit_purpose)word);
}

static const char *state_word(int word)
{
    return ht_visit_state_text((enum ht_visit_state)word);
}

static const char *level_word(int word)
{
    return ht_visit_level_text((unsigned)word);
}

#define AT(member) offsetof(struct ht_visit_event, member)

static const struct ht_event_field fields[] = {
    {"site", HT_VISIT_HAS_SITE | HT_VISIT_HAS_NOTICE, HT_EVENT_TEXT, AT(site), NULL, 0},
    {"purpose", HT_VISIT_HAS_SITE, HT_EVENT_WORD, AT(purpose), purpose_word, HT_VISIT_PURPOSES},
    {"rectification", HT_VISIT_HAS_SITE, HT_EVENT_TEXT, AT(rectification), NULL, 0},
    {"round", HT_VISIT_HAS_TIME, HT_EVENT_TEXT, AT(round), NULL, 0},
    {"inspector", HT_VISIT_HAS_TIME | HT_VISIT_HAS_SEEN, HT_EVENT_TEXT, AT(inspector), NULL, 0},
    {"second", HT_VISIT_HAS_TIME | HT_VISIT_HAS_SEEN, HT_EVENT_TEXT, AT(second), NULL, 0},
    {"start", HT_VISIT_HAS_TIME | HT_VISIT_HAS_BY, HT_EVENT_MOMENT, AT(start_ms), NULL, 0},
    {"end", HT_VISIT_HAS_TIME, HT_EVENT_MOMENT, AT(end_ms), NULL, 0},
    {"outcome", HT_VISIT_HAS_RESULT, HT_EVENT_WORD, AT(outcome), state_word, HT_VISIT_STATES},
    {"seen", HT_VISIT_HAS_SEEN, HT_EVENT_MOMENT, AT(seen_ms), NULL, 0},
    {"until", HT_VISIT_HAS_RESULT, HT_EVENT_MOMENT, AT(until_ms), NULL, 0},
    {"distance_m", HT_VISIT_HAS_RESULT, HT_EVENT_NUMBER, AT(distance_m), NULL, 0},
    {"flags", HT_VISIT_HAS_RESULT, HT_EVENT_NUMBER, AT(flags), NULL, 0},
    {"flags", HT_VISIT_HAS_FLAGS, HT_EVENT_PERHAPS, AT(flags), NULL, 0},
    {"hazards", HT_VISIT_HAS_RESULT, HT_EVENT_NUMBER, AT(hazards), NULL, 0},
    {"number", HT_VISIT_HAS_NOTICE, HT_EVENT_NUMBER, AT(number), NULL, 0},
    {"tenant", HT_VISIT_HAS_SITE | HT_VISIT_HAS_NOTICE, HT_EVENT_TEXT, AT(tenant), NULL, 0},
    {"risk", HT_VISIT_HAS_NOTICE, HT_EVENT_SMALL, AT(risk), NULL, 0},
    {"severity", HT_VISIT_HAS_HAZARD, HT_EVENT_SMALL, AT(severity), NULL, 0},
    {"level", HT_VISIT_HAS_HAZARD | HT_VISIT_HAS_LEVEL, HT_EVENT_WORD, AT(level), level_word,
     HT_VISIT_LEVELS},
    {"due", HT_VISIT_HAS_DUE, HT_EVENT_MOMENT, AT(due_ms), NULL, 0},
    {"remind_by", HT_VISIT_HAS_DUE, HT_EVENT_MOMENT, AT(remind_by_ms), NULL, 0},
    {"rise_by", HT_VISIT_HAS_DUE | HT_VISIT_HAS_LEVEL, HT_EVENT_MOMENT, AT(rise_by_ms), NULL, 0},
    {"visit", HT_VISIT_HAS_VISIT, HT_EVENT_TEXT, AT(visit), NULL, 0},
    {"rank", HT_VISIT_HAS_RANK, HT_EVENT_WORD, AT(rank), level_word, HT_VISIT_LEVELS},
    {"seed", HT_VISIT_HAS_SEED, HT_EVENT_SEED, AT(seed), NULL, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

void ht_visit_subject(bool visit, const char *id, char subject[HT_VISIT_SUBJECT])
{
    (void)snprintf(subject, HT_VISIT_SUBJECT, "%s%.64s",
                   visit ? HT_VISIT_SUBJECT_PREFIX : HT_NOTICE_SUBJECT_PREFIX, id);
}

/* Which member says whom it is about. */
static const char *about(enum ht_visit_event_kind kind)
{
    return ht_visit_event_is_visit(kind) ? "id" : "rectification";
}

void ht_visit_event_write(const void *data, struct ht_json *json)
{
    const struct ht_visit_event *event = data;
    ht_json_key_text(json, about(event->kind), event->id);
    ht_event_fields_write(fields, FIELDS, ht_visit_event_fields(event->kind), event, json);
}

static bool kind_find(const char *kind, enum ht_visit_event_kind *out)
{
    for (int i = 0; i < HT_VISIT_EVENT_KINDS; i++) {
        if (strcmp(ht_visit_event_text((enum ht_visit_event_kind)i), kind) == 0) {
            *out = (enum ht_visit_event_kind)i;
            return true;
        }
    }
    return false;
}

enum ht_status ht_visit_event_read(const char *kind, int64_t at_ms, const char *body,
                                   struct ht_visit_event_read *out)
{
    memset(out, 0, sizeof *out);
    out->event.at_ms = at_ms;
    bool known = kind_find(kind, &out->event.kind);
    out->tree = ht_json_tree_read(body, strlen(body));
    out->note = YAJL_GET_STRING(ht_json_member(out->tree, "note"));
    if (!known) {
        return HT_NOT_FOUND;
    }
    bool good = YAJL_IS_OBJECT(out->tree) &&
                ht_event_text_read(out->tree, about(out->event.kind), &out->event.id) &&
                out->event.id != NULL &&
                ht_event_fields_read(fields, FIELDS, ht_visit_event_fields(out->event.kind),
                                     out->tree, &out->event);
    return good ? HT_OK : HT_INVALID;
}

void ht_visit_event_deinit(struct ht_visit_event_read *event)
{
    yajl_tree_free(event->tree);
    event->tree = NULL;
}
