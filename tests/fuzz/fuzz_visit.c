/* Bodies about visits and rectifications, the settings document visits, rows of their events, and
 * exports of the event table: what is accepted is within its bounds, and the same when it is
 * written and read again; what is not says why. The first byte chooses which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/settings.h"
#include "api/visit_event.h"
#include "api/visit_read.h"
#include "api/visit_rules.h"
#include "geodata/event_export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void told(enum ht_status status, const struct ht_error *error)
{
    must(status == HT_OK || error->message[0] != '\0');
}

static void bodies_look(const char *text, size_t size)
{
    struct ht_error error = {0};
    struct ht_visit_in visit;
    struct ht_visit_step_in step;
    struct ht_visit_draw_in draw;
    enum ht_status status = ht_visit_body_read(text, size, &visit, &error);
    told(status, &error);
    must(status != HT_OK || (visit.site != NULL && strlen(visit.site) <= HT_VISIT_ID_MAX));
    ht_visit_tree_free(&visit.tree);
    for (int notice = 0; notice < 2; notice++) {
        error.message[0] = '\0';
        status = ht_visit_step_read(text, size, notice == 1, &step, &error);
        told(status, &error);
        must(status != HT_OK ||
             ((step.command >= HT_NOTICE_EXTEND) == (notice == 1) && step.rank < HT_VISIT_LEVELS));
        ht_visit_tree_free(&step.tree);
    }
    error.message[0] = '\0';
    status = ht_visit_draw_read(text, size, &draw, &error);
    told(status, &error);
    must(status != HT_OK || (draw.count >= 1 && draw.count <= HT_VISIT_SAMPLE_MOST));
    ht_visit_tree_free(&draw.tree);
}

static void result_look(const char *text, size_t size)
{
    struct ht_error error = {0};
    struct ht_visit_result_in *in = malloc(sizeof *in);
    must(in != NULL);
    enum ht_status status = ht_visit_result_read(text, size, in, &error);
    told(status, &error);
    if (status == HT_OK) {
        must(ht_visit_is_outcome(in->outcome) && in->hazard_count <= HT_VISIT_HAZARDS &&
             in->photo_count <= HT_VISIT_PHOTOS);
        for (size_t i = 0; i < in->hazard_count; i++) {
            must(in->hazards[i].text != NULL && in->hazards[i].severity >= 1 &&
                 in->hazards[i].severity <= HT_VISIT_SEVERITIES);
        }
        for (size_t i = 0; i < in->photo_count; i++) {
            must(in->photos[i].url != NULL && strlen(in->photos[i].sha256) == 64);
        }
    }
    ht_visit_tree_free(&in->tree);
    free(in);
}

static void rules_look(const char *text, size_t size)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_visit_office office;
    struct ht_visit_office again;
    struct ht_buffer out = {0};
    struct ht_json json;
    yajl_val tree = ht_json_tree_read(text, size);
    enum ht_status status =
        YAJL_IS_OBJECT(tree) ? ht_visit_office_read(tree, &office, &wrong) : HT_SYNTAX;
    yajl_tree_free(tree);
    must(status != HT_INVALID || wrong.detail[0] != '\0');
    if (status != HT_OK) {
        return;
    }
    ht_json_begin(&json, &out);
    ht_visit_office_write(&office, &json);
    must(!out.failed);
    tree = ht_json_tree_read(out.data, out.size);
    must(ht_visit_office_read(tree, &again, &wrong) == HT_OK);
    must(again.rules.again_ms == office.rules.again_ms && again.near_m == office.near_m &&
         again.slack_ms == office.slack_ms && again.rules.due_ms[3] == office.rules.due_ms[3] &&
         again.rules.rise_ms[1] == office.rules.rise_ms[1]);
    yajl_tree_free(tree);
    ht_buffer_deinit(&out);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct ht_visit_event *a, const struct ht_visit_event *b)
{
    bool texts = same_text(a->id, b->id) && same_text(a->round, b->round) &&
                 same_text(a->site, b->site) && same_text(a->tenant, b->tenant) &&
                 same_text(a->inspector, b->inspector) && same_text(a->visit, b->visit) &&
                 same_text(a->rectification, b->rectification);
    return texts && a->kind == b->kind && a->purpose == b->purpose && a->outcome == b->outcome &&
           a->severity == b->severity && a->risk == b->risk && a->level == b->level &&
           a->rank == b->rank && a->start_ms == b->start_ms && a->end_ms == b->end_ms &&
           a->seen_ms == b->seen_ms && a->until_ms == b->until_ms && a->due_ms == b->due_ms &&
           a->remind_by_ms == b->remind_by_ms && a->rise_by_ms == b->rise_by_ms &&
           a->seed == b->seed && a->distance_m == b->distance_m && a->flags == b->flags &&
           a->hazards == b->hazards && a->number == b->number;
}

static void row_look(const char *body, unsigned which)
{
    struct ht_visit_event_read read;
    struct ht_visit_event_read again;
    struct ht_visits *visits = NULL;
    struct ht_buffer text = {0};
    struct ht_json json;
    const char *kind =
        ht_visit_event_text((enum ht_visit_event_kind)(which % HT_VISIT_EVENT_KINDS));
    if (ht_visit_event_read(kind, INT64_C(1772416800000), body, &read) == HT_OK) {
        ht_json_begin(&json, &text);
        ht_json_object(&json);
        ht_visit_event_write(&read.event, &json);
        ht_json_object_end(&json);
        ht_buffer_append(&text, "", 1);
        must(!text.failed);
        must(ht_visit_event_read(kind, read.event.at_ms, text.data, &again) == HT_OK);
        must(same(&read.event, &again.event));
        ht_visit_event_deinit(&again);
        ht_buffer_deinit(&text);
        must(ht_visits_new(&visits) == HT_OK);
        enum ht_status status = ht_visits_replay(visits, &read.event);
        must(status == HT_OK || status == HT_INVALID);
        ht_visits_free(visits);
    }
    ht_visit_event_deinit(&read);
}

static void export_look(const char *text, size_t size)
{
    struct ht_store_audit audit;
    struct ht_error error = {0};
    enum ht_status status = ht_event_export_audit(text, size, NULL, &audit, &error);
    told(status, &error);
    must(strlen(audit.last_hash) == 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size); /* so that reading past the end is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 5 == 0) {
        bodies_look(text, size - 1);
    } else if (data[0] % 5 == 1) {
        result_look(text, size - 1);
    } else if (data[0] % 5 == 2) {
        rules_look(text, size - 1);
    } else if (data[0] % 5 == 3) {
        row_look(text, data[0] / 5);
    } else {
        export_look(text, size - 1);
    }
    free(text);
    return 0;
}
