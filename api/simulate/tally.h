/* Tally: what came of a simulated day, and the table at its end.
 *
 *   meals      that were due, came in time, late, not
 *   arrivals   inside the band that was told ten minutes before, how wide it is, how far off
 *   response   from an alarm to the first who is at the door
 *   visits     that were due, and done
 *   requests   by what they were for: how many, how they were answered, how long it took
 *
 * The table holds nothing that hangs on the machine: the same day gives the same table. How long
 * answers took is told apart.
 *
 * Threading: plain values. Ownership: the tally owns what it grows; ht_sim_tally_deinit.
 */
#ifndef HT_API_SIMULATE_TALLY_H
#define HT_API_SIMULATE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/status.h"

/* What a request is for. */
enum ht_sim_call {
    HT_SIM_CALL_CLOCK,
    HT_SIM_CALL_TOWN,
    HT_SIM_CALL_ORDER,
    HT_SIM_CALL_ORDER_EVENT,
    HT_SIM_CALL_ORDER_LOOK,
    HT_SIM_CALL_TRACK,
    HT_SIM_CALL_ALARM,
    HT_SIM_CALL_INCIDENT_EVENT,
    HT_SIM_CALL_INCIDENT_LOOK,
    HT_SIM_CALL_POSITIONS,
    HT_SIM_CALL_PLAN,
    HT_SIM_CALL_UNIT_EVENT,
    HT_SIM_CALL_ROUTE,
    HT_SIM_CALL_VISIT_LOOK,
    HT_SIM_CALL_VISIT_RESULT,
    HT_SIM_CALL_ROUND,
    HT_SIM_CALL_STREETS,
    HT_SIM_CALL_WIRE,  /* what became of what went another way */
    HT_SIM_CALL_WRONG, /* meant to be refused */
    HT_SIM_CALLS
};
const char *ht_sim_call_text(enum ht_sim_call call);

enum { HT_SIM_STATUSES = 600 };

struct ht_sim_series {
    uint32_t *list;
    size_t count;
    size_t capacity;
};

struct ht_sim_tally {
    uint32_t statuses[HT_SIM_STATUSES]; /* [0]: no answer at all */
    uint32_t answers[HT_SIM_CALLS];
    uint32_t refused[HT_SIM_CALLS];        /* 4xx */
    struct ht_sim_series us[HT_SIM_CALLS]; /* how long answers took */
    uint32_t wrong_taken;                  /* what was meant to be refused, and was not */
    uint32_t positions;
    uint32_t positions_refused;
    char position_why[64]; /* the first was */
    uint32_t meals_ordered;
    uint32_t meals_refused; /* the kitchen did not take them */
    uint32_t meals_due;
    uint32_t meals_in_time;
    uint32_t meals_late;
    uint32_t meals_failed;  /* at the door: nobody there */
    uint32_t meals_missing; /* due, and not there at the end */
    struct ht_sim_series late_s;
    uint32_t arrivals_inside;    /* of the bands that were told ten minutes before */
    struct ht_sim_series band_s; /* how wide each is */
    struct ht_sim_series off_s;  /* and how far off the arrival that was expected */
    uint32_t alarms;
    uint32_t incidents; /* those that were not folded into others */
    uint32_t
        reached_due; /* that had to be reached: ten minutes have passed, or somebody is there */
    uint32_t reached_soon; /* within ten minutes */
    struct ht_sim_series response_s;
    uint32_t resolved;
    uint32_t visits_due;
    uint32_t visits_done;
    uint32_t notices;
    uint32_t closures;
    uint32_t zones;
    uint32_t no_way; /* somebody found no way by the streets */
    uint32_t lost;   /* was taken, and is not there at the end */
    bool failed;     /* out of memory */
};

void ht_sim_tally_deinit(struct ht_sim_tally *tally);

/* An answer came, or (status 0) none. */
void ht_sim_tally_answer(struct ht_sim_tally *tally, enum ht_sim_call call, int status,
                         uint32_t took_us);
void ht_sim_series_add(struct ht_sim_tally *tally, struct ht_sim_series *series, uint32_t value);
/* The mean; 0 of none. */
double ht_sim_series_mean(const struct ht_sim_series *series);
/* What lies at a share of the sorted values; 0 of none. Sorts them. */
uint32_t ht_sim_series_at(struct ht_sim_series *series, double share);

uint32_t ht_sim_tally_server_errors(const struct ht_sim_tally *tally);
/* No 5xx, no answer that never came, nothing lost, nothing taken that is wrong. */
bool ht_sim_tally_good(const struct ht_sim_tally *tally);

/* The same for the same day. */
void ht_sim_tally_table(struct ht_sim_tally *tally, FILE *out);
/* How long answers took, on the machine of this run. */
void ht_sim_tally_times(struct ht_sim_tally *tally, double seconds, FILE *out);
/* Both as JSON. HT_IO: it could not be written. */
HT_MUST_CHECK enum ht_status ht_sim_tally_json(struct ht_sim_tally *tally, double seconds,
                                               FILE *out);

#endif
