/* Conditions: what parses must be consistent about its next change. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool every_ninth(void *user, int64_t day, enum ht_holiday kind)
{
    (void)user;
    return (day + (kind == HT_HOLIDAY_SCHOOL)) % 9 == 0;
}

static void check(const struct ht_schedule *schedule)
{
    const struct ht_calendar calendar = {.holiday = every_ninth};
    int64_t time = INT64_C(1748822400000); /* Monday, June 2nd 2025 */
    bool now = ht_schedule_active(schedule, time, &calendar);
    for (int i = 0; i < 4; i++) {
        int64_t next = ht_schedule_next_change(schedule, time, &calendar);
        if (next == INT64_MAX) {
            return;
        }
        bool before = ht_schedule_active(schedule, next - 1, &calendar);
        bool then = ht_schedule_active(schedule, next, &calendar);
        if (next <= time || before != now || then == now) {
            abort();
        }
        time = next;
        now = then;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    struct ht_schedule *schedule = NULL;
    struct ht_error error;
    if (ht_schedule_parse(text, &schedule, &error) == HT_OK) {
        check(schedule);
    } else if (schedule != NULL) {
        abort();
    }
    ht_schedule_free(schedule);
    free(text);
    return 0;
}
