/* Within what households are to be reached: as the desk promises it to those who call. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "api/coverage_internal.h"
#include "api/desk_room.h"

/* Skills and kinds of units, where the question leaves them to the kind of incident it names. */
static void filter_complete(struct ht_app *app, const struct ht_params *params,
                            enum ht_incident_kind kind, const struct ht_desk_rule *rule,
                            struct ht_ask *ask)
{
    if (ht_param(params, "kind") == NULL) {
        ask->live.filter.kinds = ht_desk_room_kind(app->desk, kind).kind.unit_kinds;
    }
    if (ht_param(params, "skills") == NULL) {
        ask->nobody =
            !ht_ask_skills(ht_live_fleet(app->live), rule->skills, &ask->live.filter.skills);
    }
}

/* The kind of incident, and its rule. */
static const char *rule_find(struct ht_app *app, const struct ht_params *params, struct ht_ask *ask,
                             struct ht_desk_rule *rule)
{
    const char *incident = ht_param(params, "incident");
    const char *severity = ht_param(params, "severity");
    enum ht_incident_kind kind = incident == NULL ? HT_INCIDENT_SOS : ht_incident_kind_of(incident);
    int64_t number = 0;
    if (kind == HT_INCIDENT_KINDS) {
        ask->wrong_name = "incident";
        return "incident is sos, fall, heart, door, gas, water, request or other";
    }
    if (severity != NULL && !ht_param_number(severity, 1, HT_DESK_SEVERITIES, &number)) {
        ask->wrong_name = "severity";
        return "severity is 1 to 4";
    }
    *rule = ht_desk_room_rule(app->desk, kind, (uint8_t)number);
    if (incident != NULL) {
        filter_complete(app, params, kind, rule, ask);
    }
    return NULL;
}

static const char *seconds_read(const struct ht_params *params, struct ht_ask *ask,
                                uint32_t *limit_ms)
{
    const char *max_s = ht_param(params, "max_s");
    double seconds = 0;
    if (max_s == NULL) {
        return NULL;
    }
    if (!ht_param_doubles(max_s, &seconds, 1) ||
        !(seconds >= 0.001 && seconds <= HT__COVERAGE_SECONDS_MOST)) {
        ask->wrong_name = "max_s";
        return "max_s is a number of seconds, from 0.001 to 3600";
    }
    *limit_ms = (uint32_t)lround(seconds * 1000);
    return NULL;
}

const char *ht__promise_read(struct ht_app_context *context, const struct ht_params *params,
                             uint32_t limit_ms, struct ht_ask *ask, struct ht__promise *out)
{
    const uint32_t most_ms = HT__COVERAGE_SECONDS_MOST * UINT32_C(1000);
    const char *by = ht_param(params, "by");
    struct ht_desk_rule rule = {.promise_ms = most_ms};
    const char *wrong =
        context->app->desk == NULL ? NULL : rule_find(context->app, params, ask, &rule);
    if (wrong == NULL) {
        wrong = seconds_read(params, ask, &limit_ms);
    }
    if (wrong == NULL && by != NULL && strcmp(by, "promise") != 0 && strcmp(by, "travel") != 0) {
        ask->wrong_name = "by";
        wrong = "by is promise or travel";
    }
    /* seconds without a word limit travel, as they do everywhere else */
    bool travel = by == NULL ? limit_ms != 0 : strcmp(by, "travel") == 0;
    uint32_t promise_ms = rule.promise_ms < most_ms ? rule.promise_ms : most_ms;
    *out = (struct ht__promise){.limit_ms = limit_ms != 0 ? limit_ms : promise_ms,
                                .turnout_ms = travel ? 0 : rule.turnout_ms,
                                .plain = ht_param(params, "blue_light") == NULL ? !rule.blue_light
                                                                                : ask->live.plain,
                                .travel = travel};
    return wrong;
}

void ht__promise_write(struct ht_json *json, const struct ht__promise *promise)
{
    ht_json_key_double(json, "max_s", promise->limit_ms / 1000.0, 3);
    ht_json_key_text(json, "by", promise->travel ? "travel" : "promise");
    ht_json_key_double(json, "turnout_s", promise->turnout_ms / 1000.0, 3);
    ht_json_key_bool(json, "blue_light", !promise->plain);
}
