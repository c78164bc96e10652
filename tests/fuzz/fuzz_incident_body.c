/* Bodies of POST /v1/incidents and /events, and the two settings documents: what is accepted is
 * within its bounds; what is not says why. The first byte chooses which. */
#include <stdlib.h>
#include <string.h>

#include "api/calendar.h"
#include "api/incident_read.h"
#include "api/incident_rules.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void alarm_look(const char *text, size_t size)
{
    struct ht_incident_alarm alarm;
    struct ht_error error = {0};
    if (ht_incident_alarm_read(text, size, &alarm, &error) == HT_OK) {
        must(alarm.kind < HT_INCIDENT_KINDS && alarm.severity <= HT_DESK_SEVERITIES);
        must(alarm.units <= HT_DESK_UNITS_MAX && strlen(alarm.skills) <= HT_DESK_SKILLS_MAX);
        must(alarm.household == NULL || strlen(alarm.household) <= HT_DESK_ID_MAX);
        must(alarm.note == NULL || strlen(alarm.note) <= HT_INCIDENT_NOTE_MOST);
    } else {
        must(error.message[0] != '\0');
    }
    ht_incident_alarm_deinit(&alarm);
}

static void step_look(const char *text, size_t size)
{
    struct ht_incident_step step;
    struct ht_error error = {0};
    if (ht_incident_step_read(text, size, &step, &error) == HT_OK) {
        must(step.command > HT_DESK_OPEN && step.command < HT_DESK_TICK);
        must(step.outcome < HT_OUTCOMES && step.rating <= 5);
        must(step.command != HT_DESK_RESOLVE || step.outcome != HT_OUTCOME_NONE);
    } else {
        must(error.message[0] != '\0');
    }
    ht_incident_step_deinit(&step);
}

/* Who is told of what, and whom to call, are the same when they are written and read again. */
static void rules_again(const struct ht_incident_rules *rules)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_incident_rules *again = NULL;
    struct ht_buffer text = {0};
    struct ht_json json;
    ht_json_begin(&json, &text);
    ht_incident_rules_write(rules, &json);
    must(!text.failed);
    yajl_val tree = ht_json_tree_read(text.data, text.size);
    enum ht_status status = ht_incident_rules_read(tree, &again, &wrong);
    must(status == HT_OK || status == HT_NOMEM);
    for (int k = 0; k < HT_INCIDENT_KINDS && status == HT_OK; k++) {
        must(memcmp(&rules->kinds[k].tell, &again->kinds[k].tell, sizeof again->kinds[k].tell) ==
             0);
    }
    for (int l = 0; l < HT_DESK_LEVELS && status == HT_OK; l++) {
        must(rules->duty.count[l] == again->duty.count[l] &&
             rules->duty.count[l] <= HT_DUTY_PHONES);
        for (int i = 0; i < rules->duty.count[l]; i++) {
            must(strcmp(rules->duty.phones[l][i], again->duty.phones[l][i]) == 0);
        }
    }
    must(status != HT_OK || rules->tell_give_up_ms == again->tell_give_up_ms);
    ht_incident_rules_free(again);
    yajl_tree_free(tree);
    ht_buffer_deinit(&text);
}

static void rules_look(yajl_val tree)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_incident_rules *rules = NULL;
    enum ht_status status = ht_incident_rules_read(tree, &rules, &wrong);
    must(status == HT_OK || wrong.detail[0] != '\0' || status == HT_NOMEM);
    if (status == HT_OK) {
        must(ht_desk_rules_check(&rules->desk, NULL) == HT_OK);
        must(rules->walk_mps >= 0.1 && rules->walk_mps <= 10);
        must(rules->tell_give_up_ms >= 60000 && rules->tell_give_up_ms <= 86400000);
        rules_again(rules);
    }
    ht_incident_rules_free(rules);
}

/* What was read is written and read again as the same. */
static void days_look(yajl_val tree)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_days *days = NULL;
    struct ht_days *again = NULL;
    struct ht_buffer text = {0};
    struct ht_buffer other = {0};
    struct ht_json json;
    if (ht_days_read(tree, &days, &wrong) != HT_OK) {
        must(wrong.detail[0] != '\0');
        return;
    }
    ht_json_begin(&json, &text);
    ht_days_write(days, &json);
    must(!text.failed);
    yajl_val copy = ht_json_tree_read(text.data, text.size);
    must(ht_days_read(copy, &again, &wrong) == HT_OK);
    ht_json_begin(&json, &other);
    ht_days_write(again, &json);
    must(text.size == other.size && memcmp(text.data, other.data, text.size) == 0);
    yajl_tree_free(copy);
    ht_days_free(days);
    ht_days_free(again);
    ht_buffer_deinit(&text);
    ht_buffer_deinit(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    if (data[0] % 4 == 0) {
        alarm_look(text, size - 1);
    } else if (data[0] % 4 == 1) {
        step_look(text, size - 1);
    } else {
        yajl_val tree = ht_json_tree_read(text, size - 1);
        if (YAJL_IS_OBJECT(tree) && data[0] % 4 == 2) {
            rules_look(tree);
        } else if (YAJL_IS_OBJECT(tree)) {
            days_look(tree);
        }
        yajl_tree_free(tree);
    }
    free(text);
    return 0;
}
