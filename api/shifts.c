#include "api/shifts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/calendar.h"
#include "api/hours.h"
#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "geodata/members.h"

struct shift {
    struct ht_schedule *schedule; /* NULL: always on duty */
    int64_t until_ms;             /* the end of the duty that the fleet knows */
};

struct ht_shifts {
    struct ht_fleet *fleet;
    struct ht_office_calendar *calendar; /* NULL: no holidays */
    pthread_mutex_t lock;
    struct shift *list; /* by unit; memory of those that never come is not touched */
    uint32_t end;       /* one more than the highest unit with a shift */
    int64_t due_ms;
};

enum ht_status ht_shifts_new(struct ht_fleet *fleet, struct ht_shifts **out)
{
    struct ht_shifts *shifts = calloc(1, sizeof *shifts);
    if (shifts == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_init(&shifts->lock, NULL);
    shifts->fleet = fleet;
    shifts->due_ms = INT64_MAX;
    shifts->list = ht_array_new_zeroed(ht_fleet_capacity(fleet), sizeof *shifts->list);
    if (shifts->list == NULL) {
        ht_shifts_free(shifts);
        return HT_NOMEM;
    }
    *out = shifts;
    return HT_OK;
}

void ht_shifts_free(struct ht_shifts *shifts)
{
    if (shifts == NULL) {
        return;
    }
    for (uint32_t i = 0; shifts->list != NULL && i < shifts->end; i++) {
        ht_schedule_free(shifts->list[i].schedule);
    }
    (void)pthread_mutex_destroy(&shifts->lock);
    free(shifts->list);
    free(shifts);
}

/* Tells the fleet of the duty that runs or comes next. Needs the lock. */
static void duty_find(struct ht_shifts *shifts, uint32_t unit, int64_t now_ms)
{
    struct shift *shift = &shifts->list[unit];
    int64_t from_ms = INT64_MIN;
    int64_t until_ms = INT64_MAX;
    if (shift->schedule != NULL) {
        until_ms = ht_calendar_next_change(shifts->calendar, shift->schedule, now_ms);
        if (!ht_calendar_active(shifts->calendar, shift->schedule, now_ms)) {
            from_ms = until_ms; /* INT64_MAX: never */
            until_ms = from_ms == INT64_MAX
                           ? INT64_MAX
                           : ht_calendar_next_change(shifts->calendar, shift->schedule, from_ms);
        }
    }
    shift->until_ms = until_ms;
    shifts->due_ms = until_ms < shifts->due_ms ? until_ms : shifts->due_ms;
    ht_fleet_set_duty(shifts->fleet, unit, from_ms, until_ms);
}

void ht_shifts_set_calendar(struct ht_shifts *shifts, struct ht_office_calendar *calendar,
                            int64_t now_ms)
{
    (void)pthread_mutex_lock(&shifts->lock);
    shifts->calendar = calendar;
    shifts->due_ms = INT64_MAX;
    for (uint32_t i = 0; i < shifts->end; i++) {
        if (shifts->list[i].schedule != NULL) {
            duty_find(shifts, i, now_ms);
        }
    }
    (void)pthread_mutex_unlock(&shifts->lock);
}

enum ht_status ht_shifts_put(struct ht_shifts *shifts, uint32_t unit, const char *properties,
                             int64_t now_ms)
{
    struct ht_member member;
    struct ht_schedule *schedule = NULL;
    enum ht_status status = HT_OK;
    if (ht_member_find(properties, "shift", &member)) {
        status = ht_hours_schedule(&member, &schedule);
    }
    (void)pthread_mutex_lock(&shifts->lock);
    ht_schedule_free(shifts->list[unit].schedule);
    shifts->list[unit].schedule = schedule;
    shifts->end = shifts->end > unit ? shifts->end : unit + 1;
    duty_find(shifts, unit, now_ms);
    (void)pthread_mutex_unlock(&shifts->lock);
    return status;
}

void ht_shifts_remove(struct ht_shifts *shifts, uint32_t unit)
{
    (void)pthread_mutex_lock(&shifts->lock);
    ht_schedule_free(shifts->list[unit].schedule);
    shifts->list[unit] = (struct shift){0};
    (void)pthread_mutex_unlock(&shifts->lock);
}

void ht_shifts_refresh(struct ht_shifts *shifts, int64_t now_ms)
{
    (void)pthread_mutex_lock(&shifts->lock);
    if (shifts->due_ms <= now_ms) {
        shifts->due_ms = INT64_MAX;
        for (uint32_t i = 0; i < shifts->end; i++) {
            struct shift *shift = &shifts->list[i];
            if (shift->schedule != NULL && shift->until_ms <= now_ms) {
                duty_find(shifts, i, now_ms);
            } else if (shift->schedule != NULL && shift->until_ms < shifts->due_ms) {
                shifts->due_ms = shift->until_ms;
            }
        }
    }
    (void)pthread_mutex_unlock(&shifts->lock);
}

int64_t ht_shifts_due_ms(struct ht_shifts *shifts)
{
    (void)pthread_mutex_lock(&shifts->lock);
    int64_t due_ms = shifts->due_ms;
    (void)pthread_mutex_unlock(&shifts->lock);
    return due_ms;
}
