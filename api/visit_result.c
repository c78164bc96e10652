/* The command by which somebody says what a visit came to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/visit_event.h"
#include "api/visit_site.h"
#include "api/visits.h"
#include "api/visits_internal.h"
#include "engine/base/time.h"

enum { NOTES = HT_VISIT_HAZARDS + 2, LIKE_MOST = 500 };

/* How late what was seen without a network may be told. */
#define LATE_MOST_MS (31 * INT64_C(86400000))
/* A check-in and its report within so long are one. */
#define SAME_MS (INT64_C(60) * 1000)

struct reporting {
    struct ht__visit_turn turn;
    struct ht_visit_result_in in;
    struct ht__systems systems;
    struct ht_visit_office office;
    int64_t now_ms;
    int64_t at_ms;
    int64_t planned_ms; /* how long it was to be */
    struct ht_point point;
    uint32_t distance_m;
    uint32_t flags;
    char shorts[2][HT_VISIT_ID_MAX + 1]; /* visits before that were too short, as is known now */
    int short_count;
    char site[HT_VISIT_ID_MAX + 1];
    char tenant[HT_VISIT_ID_MAX + 1]; /* whom the visit sees alone; "" nobody */
    uint8_t risks[HT_VISIT_HAZARDS];
    char same[HT_VISIT_HAZARDS][HT_VISIT_ID_MAX + 1]; /* as a text is the same; "" none */
    char ids[HT_VISIT_HAZARDS][HT_VISIT_ID_MAX + 1];
};

/* ---- on a worker: where it was ---- */

static enum ht_status place_look(struct ht_app_context *context, struct reporting *r,
                                 const struct ht_visit_site *site, struct ht_error *error)
{
    const struct ht_visit_result_in *in = &r->in;
    r->distance_m = UINT32_MAX;
    if (in->placed && ht_crs_point(context->crs, &r->systems.in, in->pair, &r->point) != HT_OK) {
        return ht_error_set(error, HT_SYNTAX, 0, "/lon: lon and lat are no place on Earth");
    }
    if (in->placed) {
        r->distance_m = ht_visit_site_distance_m(site, r->point);
    }
    if (r->distance_m <= r->office.near_m || in->outcome == HT_VISIT_IS_MISSED) {
        return HT_OK;
    }
    if (in->reason == NULL) {
        return in->placed
                   ? ht_error_set(error, HT_INVALID, 0,
                                  "/reason: %u m away from the site, so say why", r->distance_m)
                   : ht_error_set(error, HT_INVALID, 0,
                                  "/lon: without the place of the check-in, say a reason");
    }
    r->flags |= in->placed ? HT_VISIT_TOO_FAR : HT_VISIT_NO_POSITION;
    return HT_OK;
}

static bool is_short(const struct reporting *r, int64_t length_ms, int64_t planned_ms)
{
    return length_ms < r->office.short_ms ||
           length_ms < planned_ms * (int64_t)r->office.short_percent / 100;
}

/* How long a visit was at most, by its report alone: until they left; where nobody says when, until
 * it was reported. A check-in that is told in the same minute is none of its own: then nobody
 * knows. */
static int64_t length_ms(const struct reporting *r, int64_t now_ms)
{
    if (r->in.until_ms != 0) {
        return r->in.until_ms - r->at_ms;
    }
    return now_ms - r->at_ms > SAME_MS ? now_ms - r->at_ms : INT64_MAX;
}

/* What the check-ins beside this one tell of an inspector. */
static void sequence_look(struct ht_app_context *context, struct ht_store_reader *reader,
                          struct reporting *r, const struct ht__visit_arrival *arrival, bool stays)
{
    struct ht__visit_sequence s;
    ht__visit_sequence_look(context, reader, arrival, &s);
    r->flags |= s.impossible ? HT_VISIT_IMPOSSIBLE : 0;
    if (stays && r->in.until_ms == 0 && is_short(r, s.stay_most_ms, r->planned_ms)) {
        r->flags |= HT_VISIT_TOO_SHORT;
    }
    if (s.before[0] != '\0' && is_short(r, s.before_most_ms, s.before_planned_ms)) {
        memcpy(r->shorts[r->short_count++], s.before, sizeof s.before);
    }
}

static void time_look(struct ht_app_context *context, struct ht_store_reader *reader,
                      struct reporting *r, const struct ht_visit *visit,
                      const struct ht_visit_site *site)
{
    const struct ht_visit_result_in *in = &r->in;
    bool there = in->outcome != HT_VISIT_IS_MISSED && in->outcome != HT_VISIT_IS_REFUSED;
    const char *inspector = in->inspector == NULL ? visit->inspector : in->inspector;
    r->planned_ms = visit->end_ms - visit->start_ms;
    if (there && is_short(r, length_ms(r, r->now_ms), r->planned_ms)) {
        r->flags |= HT_VISIT_TOO_SHORT;
    }
    if (in->outcome == HT_VISIT_IS_MISSED || inspector == NULL || (!in->placed && !site->placed)) {
        return;
    }
    bool planned = ht_visit_is_by(visit, inspector);
    const char *two[2] = {planned ? visit->inspector : inspector, in->second != NULL ? in->second
                                                                  : planned          ? visit->second
                                                                                     : NULL};
    for (int i = 0; i < 2; i++) {
        const struct ht__visit_arrival arrival = {.visit = visit->id,
                                                  .inspector = two[i],
                                                  .point = in->placed ? r->point : site->point,
                                                  .at_ms = r->at_ms,
                                                  .until_ms =
                                                      in->until_ms != 0 ? in->until_ms : r->at_ms,
                                                  .slack_ms = r->office.slack_ms};
        if (two[i] != NULL) {
            sequence_look(context, reader, r, &arrival, there);
        }
    }
}

/* ---- on a worker: whether a hazard is known ---- */

/* The next sign of a text that says something: of both widths the narrow one, of both cases the
 * small one; blanks and punctuation say nothing. 0: there is none. */
static uint32_t sign_next(const char **text)
{
    uint32_t sign = 0;
    while (**text != '\0') {
        size_t size = ht_utf8_read(*text, strlen(*text), &sign);
        *text += size == 0 ? 1 : size;
        sign = sign >= 0xFF01 && sign <= 0xFF5E ? sign - 0xFEE0 : sign;
        sign = sign >= 'A' && sign <= 'Z' ? sign - 'A' + 'a' : sign;
        bool word = (sign >= '0' && sign <= '9') || (sign >= 'a' && sign <= 'z');
        bool blank = sign == 0xA0 || sign == 0xB7 || (sign >= 0x2000 && sign <= 0x206F) ||
                     (sign >= 0x3000 && sign <= 0x303F) || sign == 0xFEFF ||
                     (sign >= 0xFF5F && sign <= 0xFF65);
        if (word || (sign >= 0x80 && !blank)) {
            return sign;
        }
    }
    return 0;
}

/* Whether two descriptions say the same. Of signs alone ("!!!") each is the same as itself. */
static bool is_like(const char *a, const char *b)
{
    const char *left = a;
    const char *right = b;
    uint32_t one = sign_next(&left);
    uint32_t other = sign_next(&right);
    if (one == 0 || other == 0) {
        return strcmp(a, b) == 0;
    }
    while (one == other && one != 0) {
        one = sign_next(&left);
        other = sign_next(&right);
    }
    return one == other;
}

static bool same_tenant(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The newest notice of the same site and tenant that says the same. */
static enum ht_status hazard_known(struct ht_store_reader *reader,
                                   const struct ht_rectification *const *list, size_t count,
                                   const struct ht_visit_hazard_in *hazard,
                                   char same[HT_VISIT_ID_MAX + 1])
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count && status == HT_OK && same[0] == '\0'; i++) {
        char *text = NULL;
        if (!same_tenant(list[i]->tenant, hazard->tenant)) {
            continue;
        }
        status = ht__hazard_text(reader, list[i]->id, &text);
        if (text != NULL && is_like(text, hazard->text)) {
            (void)snprintf(same, HT_VISIT_ID_MAX + 1, "%s", list[i]->id);
        }
        free(text);
    }
    return status;
}

/* Whether another hazard of this result is that notice. */
static bool is_taken(const struct reporting *r, size_t i)
{
    bool taken = false;
    for (size_t j = 0; j < r->in.hazard_count; j++) {
        const char *named = r->in.hazards[j].same_as;
        taken = taken || (named != NULL && strcmp(named, r->same[i]) == 0) ||
                (j < i && strcmp(r->same[j], r->same[i]) == 0);
    }
    return taken;
}

static enum ht_status hazards_look(struct ht_app_context *context, struct ht_store_reader *reader,
                                   struct reporting *r, const struct ht_visit_site *site,
                                   struct ht_error *error)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    const struct ht_rectification_filter filter = {.site = r->site};
    const struct ht_rectification **list = calloc(LIKE_MOST, sizeof(struct ht_rectification *));
    enum ht_status status = list == NULL ? HT_NOMEM : HT_OK;
    size_t count = r->in.hazard_count == 0 || list == NULL
                       ? 0
                       : ht_rectifications_list(visits, &filter, LIKE_MOST, list);
    for (size_t i = 0; i < r->in.hazard_count && status == HT_OK; i++) {
        struct ht_visit_hazard_in *hazard = &r->in.hazards[i];
        r->risks[i] = site->risk;
        if (hazard->tenant == NULL && !hazard->of_site && r->tenant[0] != '\0') {
            hazard->tenant = r->tenant; /* what was found at a tenant's is that tenant's */
        }
        if (hazard->tenant != NULL && site->properties != NULL &&
            ht_visit_site_tenant(site, hazard->tenant, &r->risks[i]) == HT_NOT_FOUND) {
            status = ht_error_set(error, HT_INVALID, 0,
                                  "/hazards/%zu/tenant: there is no tenant %s of this site", i,
                                  hazard->tenant);
        }
        if (status == HT_OK && hazard->same_as == NULL) {
            status = hazard_known(reader, list, count, hazard, r->same[i]);
        }
        if (status == HT_OK) {
            status = ht_visits_room_id("r", r->ids[i]);
        }
        if (is_taken(r, i)) {
            r->same[i][0] = '\0';
        }
    }
    for (size_t i = 0; i < count; i++) {
        ht_rectification_release(list[i]);
    }
    free((void *)list);
    return status;
}

/* ---- on a worker ---- */

static enum ht_status report_look(struct ht_app_context *context, struct ht_command *command,
                                  struct ht_store_reader *reader, struct reporting *r,
                                  struct ht_error *error)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    struct ht_visit_site site;
    const struct ht_visit *visit = ht_visits_get(visits, command->params[0]);
    if (visit == NULL) {
        return ht_error_set(error, HT_NOT_FOUND, 0, "there is no such visit");
    }
    (void)snprintf(r->site, sizeof r->site, "%s", visit->site);
    (void)snprintf(r->tenant, sizeof r->tenant, "%s", visit->tenant == NULL ? "" : visit->tenant);
    enum ht_status status = ht_visit_site_find(reader, visit->site, &site, error);
    status = status == HT_NOT_FOUND ? HT_OK : status; /* it left the registry meanwhile */
    if (status == HT_OK) {
        status = place_look(context, r, &site, error);
    }
    if (status == HT_OK) {
        time_look(context, reader, r, visit, &site);
        status = hazards_look(context, reader, r, &site, error);
    }
    ht_visit_site_deinit(&site);
    ht_visit_release(visit);
    return status;
}

static bool report_prepare(struct ht_app_context *context, struct ht_command *command,
                           struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct reporting *r = ht__visit_turn_new(command, sizeof *r, reply);
    struct ht_store_reader *reader = r == NULL ? NULL : ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    r->turn.tree = &r->in.tree;
    r->office = ht_visits_room_office(context->app->visits);
    enum ht_status status = ht_visit_result_read(command->body, command->body_size, &r->in, &error);
    if (status == HT_OK && !ht__systems_read(context, &command->query, &r->systems, reply)) {
        return false;
    }
    r->now_ms = command->at_ms;
    r->at_ms = r->in.at_ms == 0 ? command->at_ms : r->in.at_ms;
    if (status == HT_OK && r->at_ms < command->at_ms - LATE_MOST_MS) {
        status = ht_error_set(&error, HT_INVALID, 0, "/at: is more than 31 days ago");
    }
    if (status == HT_OK) {
        status = report_look(context, command, reader, r, &error);
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return false;
    }
    return true;
}

/* ---- on the writer's thread: what is written down ---- */

static void photos_write(struct ht_json *json, const struct ht_visit_result_in *in)
{
    ht_json_key(json, "photos");
    ht_json_array(json);
    for (size_t i = 0; i < in->photo_count; i++) {
        ht_json_object(json);
        ht_json_key_text(json, "url", in->photos[i].url);
        ht_json_key_text(json, "sha256", in->photos[i].sha256);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static bool has_paper(const struct reporting *r)
{
    return r->in.placed || r->in.reason != NULL || r->in.signature != NULL ||
           r->in.photo_count > 0 || r->in.hazard_count > 0;
}

/* What can be erased of a result, as one JSON object. */
static void paper_write(const struct reporting *r, struct ht_buffer *out)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    if (r->in.placed) {
        ht_json_key_double(&json, "lon", r->point.lon_e7 / 1e7, 7);
        ht_json_key_double(&json, "lat", r->point.lat_e7 / 1e7, 7);
    }
    if (r->in.reason != NULL) {
        ht_json_key_text(&json, "reason", r->in.reason);
    }
    if (r->in.signature != NULL) {
        ht_json_key_text(&json, "signature", r->in.signature);
    }
    photos_write(&json, &r->in);
    ht_json_object_end(&json);
    ht_buffer_append(out, "", 1);
}

static void hazard_write(const struct reporting *r, size_t i, struct ht_buffer *out)
{
    char at[HT_TIME_TEXT_SIZE];
    struct ht_json json;
    ht_time_format(r->at_ms, at);
    ht_buffer_clear(out);
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "text", r->in.hazards[i].text);
    ht_json_key_text(&json, "at", at);
    ht_json_object_end(&json);
    ht_buffer_append(out, "", 1);
}

/* The notes of the decision's events, in their order: first the result's, then the hazards'. */
static enum ht_status notes_put(const struct reporting *r, struct ht_store_tx *tx,
                                char digests[][HT_DIGEST_TEXT], const char **notes,
                                struct ht_error *error)
{
    struct ht_buffer text = {0};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < r->turn.decision->event_count && status == HT_OK; i++) {
        const struct ht_visit_event *event = r->turn.decision->events[i];
        char subject[HT_VISIT_SUBJECT];
        bool visit = ht_visit_event_is_visit(event->kind);
        notes[i] = NULL;
        if ((visit && !has_paper(r)) || i > r->in.hazard_count) {
            continue;
        }
        ht_buffer_clear(&text);
        if (visit) {
            paper_write(r, &text);
        } else {
            hazard_write(r, i - 1, &text);
        }
        ht_visit_subject(visit, event->id, subject);
        status = text.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                             : ht_store_visit_note_put(tx, subject, text.data, digests[i], error);
        notes[i] = digests[i];
    }
    ht_buffer_deinit(&text);
    return status;
}

static enum ht_status report_write(const struct ht_command *command, struct ht_store_tx *tx,
                                   const struct reporting *r, struct ht_error *error)
{
    size_t count = r->turn.decision->event_count;
    char(*digests)[HT_DIGEST_TEXT] = calloc(count, sizeof *digests);
    const char **notes = calloc(count, sizeof(const char *));
    enum ht_status status = digests == NULL || notes == NULL
                                ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                : notes_put(r, tx, digests, notes, error);
    if (status == HT_OK) {
        status = ht_visits_room_write(command->app->visits, tx, r->turn.decision,
                                      command->caller.name, notes, error);
    }
    free(digests);
    free((void *)notes);
    return status;
}

/* ---- on the writer's thread ---- */

static enum ht_status report_decide(struct ht_visits *visits, const struct ht_command *command,
                                    struct reporting *r, struct ht_error *error)
{
    struct ht_visit_hazard hazards[HT_VISIT_HAZARDS];
    for (size_t i = 0; i < r->in.hazard_count; i++) {
        const struct ht_visit_hazard_in *in = &r->in.hazards[i];
        hazards[i] = (struct ht_visit_hazard){.id = r->ids[i],
                                              .same_as = in->same_as != NULL     ? in->same_as
                                                         : r->same[i][0] != '\0' ? r->same[i]
                                                                                 : NULL,
                                              .tenant = in->tenant,
                                              .severity = in->severity,
                                              .risk = r->risks[i],
                                              .due_ms = in->due_ms};
    }
    const struct ht_visit_command report = {.kind = HT_VISIT_REPORT,
                                            .now_ms = command->at_ms,
                                            .visit = command->params[0],
                                            .rules = &r->office.rules,
                                            .inspector = r->in.inspector,
                                            .second = r->in.second,
                                            .outcome = r->in.outcome,
                                            .seen_ms = r->at_ms,
                                            .until_ms = r->in.until_ms,
                                            .distance_m = r->distance_m,
                                            .flags = r->flags,
                                            .hazards = hazards,
                                            .hazard_count = r->in.hazard_count,
                                            .shorts = {r->short_count > 0 ? r->shorts[0] : NULL,
                                                       r->short_count > 1 ? r->shorts[1] : NULL}};
    return ht_visits_decide(visits, &report, &r->turn.decision, error);
}

static bool report_allow(const struct ht_command *command, struct reporting *r,
                         const struct ht_visit *visit, struct ht_reply *reply)
{
    const char *own = command->caller.unit;
    if (command->caller.role == HT_ROLE_DEVICE) {
        bool other = r->in.inspector != NULL && own != NULL && strcmp(r->in.inspector, own) != 0;
        if (own == NULL || other || (visit->inspector != NULL && !ht_visit_is_by(visit, own))) {
            ht_reply_problem(reply, 403, "Forbidden", "a unit's token reports its own visits");
            return false;
        }
        r->in.inspector = own;
    }
    if (!ht_command_expects(command, visit->version)) {
        ht_reply_problem(reply, 412, "Precondition Failed", "the visit was changed meanwhile");
        return false;
    }
    return true;
}

/* The notices that came of it, or were seen again. */
static void report_answer(struct ht_visits *visits, const struct reporting *r,
                          struct ht_reply *reply, int64_t now_ms)
{
    const struct ht_visit *visit = r->turn.decision->visit;
    struct ht_json json;
    (void)snprintf(reply->etag, sizeof reply->etag, "%llu", (unsigned long long)visit->version);
    ht_json_begin(&json, &reply->body);
    ht__visit_json(&json, visit, NULL, now_ms);
    reply->body.size--; /* within the object */
    json.comma = true;
    ht_json_key(&json, "rectifications");
    ht_json_array(&json);
    for (size_t i = 1; i <= r->in.hazard_count; i++) {
        const struct ht_rectification *notice =
            ht_rectifications_pending(visits, r->turn.decision->events[i]->id);
        ht__rectification_json(&json, notice, NULL, now_ms);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

static void report_run(struct ht_app_context *context, struct ht_command *command,
                       struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct reporting *r = command->parsed;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    struct ht_error error = {0};
    const struct ht_visit *visit = ht_visits_pending(visits, command->params[0]);
    if (visit == NULL) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such visit");
        return;
    }
    if (!report_allow(command, r, visit, reply)) {
        return;
    }
    enum ht_status status =
        ht__visit_inspector_check(context, "inspector", r->in.inspector, &error);
    if (status == HT_OK) {
        status = ht__visit_inspector_check(context, "second", r->in.second, &error);
    }
    if (status == HT_OK) {
        status = report_decide(visits, command, r, &error);
    }
    if (status == HT_OK) {
        status = report_write(command, tx, r, &error);
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    report_answer(visits, r, reply, command->at_ms);
}

static const struct ht_command_kind report_kind = {.prepare = report_prepare,
                                                   .run = report_run,
                                                   .applied = ht__visit_turn_applied,
                                                   .free = ht__visit_turn_free,
                                                   .undone = ht__visit_turn_undone};

void ht_visit_result_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &report_kind);
    }
}
