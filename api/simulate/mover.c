/* Somebody on the way, and the positions that are told of him. */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"

enum {
    SAMPLE_MS = 5000,
    STANDS_MS = 120000, /* who stands tells so */
    OFF_M = 6,          /* as a rule a receiver is */
    THERE_M = 40,
    TOLD_MOST = 64 /* positions of one in one step */
};
#define WALKS_MPS 1.3

struct ht_sim_mover *ht_sim_mover_of(struct ht_sim *sim, const char *unit)
{
    for (size_t i = 0; i < sim->mover_count; i++) {
        if (strcmp(sim->movers[i].unit->id, unit) == 0) {
            return &sim->movers[i];
        }
    }
    return NULL;
}

bool ht_sim_is_there(const struct ht_sim_mover *mover, struct ht_point point)
{
    bool meant = mover->to.lon_e7 == point.lon_e7 && mover->to.lat_e7 == point.lat_e7;
    return !mover->drives && !mover->asks &&
           (meant || ht_distance_m(mover->point, point) < THERE_M);
}

/* ---- ways ---- */

static void set_off(struct ht_sim *sim, struct ht_sim_mover *mover, const struct ht_point *points,
                    size_t count, double duration_s)
{
    if (ht_sim_drive_begin(&mover->drive, points, count, duration_s) != HT_OK) {
        sim->failed = true;
    }
    mover->drives = count > 0;
}

/* Straight on, on foot, where there is no way by the streets. */
static void set_off_straight(struct ht_sim *sim, struct ht_sim_mover *mover)
{
    const struct ht_point points[] = {mover->point, mover->to};
    sim->tally->no_way++;
    set_off(sim, mover, points, 2, ht_distance_m(mover->point, mover->to) / WALKS_MPS);
}

static void way_take(void *user, const struct ht_sim_ask *ask, const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_mover *mover = ask->about;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    size_t routes = 0;
    size_t count = 0;
    size_t kept = 0;
    mover->asks = false;
    yajl_val list = ht_sim_list(tree, "routes", &routes);
    yajl_val route = routes > 0 ? ht_sim_item(list, 0) : NULL;
    yajl_val line = ht_sim_list(ht_json_member(route, "geometry"), "coordinates", &count);
    struct ht_point *points = ht_array_new(count + 1, sizeof *points);
    for (size_t i = 0; points != NULL && i < count; i++) {
        kept += ht_sim_pair(ht_sim_item(line, i), &points[kept]);
    }
    if (points != NULL && kept > 0) {
        set_off(sim, mover, points, kept, ht_sim_number(route, "duration", 0));
    } else {
        set_off_straight(sim, mover);
    }
    free(points);
    yajl_tree_free(tree);
}

void ht_sim_go(struct ht_sim *sim, struct ht_sim_mover *mover, struct ht_point to)
{
    mover->to = to;
    mover->asks = true;
    mover->drives = false;
    struct ht_sim_ask *ask = ht_sim_ask_new(
        sim->client, HT_SIM_CALL_ROUTE, "GET",
        "/route/v1/%s/%.7f,%.7f;%.7f,%.7f?overview=full&geometries=geojson", mover->unit->profile,
        mover->point.lon_e7 / 1e7, mover->point.lat_e7 / 1e7, to.lon_e7 / 1e7, to.lat_e7 / 1e7);
    ask->lane = mover->lane;
    ask->done = way_take;
    ask->user = sim;
    ask->about = mover;
    ht_sim_ask_send(sim->client, ask);
}

/* ---- what is told ---- */

static void position_write(struct ht_sim *sim, struct ht_text *text,
                           const struct ht_sim_mover *mover, const struct ht_sim_position *position)
{
    if (ht_sim_wire_position(sim, mover, position)) {
        return;
    }
    ht_text_addf(text, "%s{\"unit\":\"%s%s\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld",
                 text->size > 1 ? "," : "", position->stranger ? "nobody-" : "", mover->unit->id,
                 position->point.lon_e7 / 1e7, position->point.lat_e7 / 1e7,
                 (long long)position->ts_ms);
    ht_text_addf(text, ",\"speed_mps\":%.1f,\"bearing_deg\":%.0f,\"accuracy_m\":%d}",
                 position->speed_mps, position->bearing_deg, OFF_M);
}

/* What he tells of where he is; returns how many positions. */
static unsigned position_tell(struct ht_sim *sim, struct ht_sim_mover *mover,
                              struct ht_sim_position position, struct ht_text *text)
{
    double seconds = (double)(position.ts_ms - mover->told_ms) / 1000;
    unsigned told = 1;
    position.point = ht_sim_gps_see(&mover->gps, &mover->dice, position.point, OFF_M, seconds);
    mover->told_ms = position.ts_ms;
    switch (ht_sim_chaos_fate(&mover->chaos, &mover->dice, position.ts_ms, seconds)) {
    case HT_SIM_SILENT:
        return 0;
    case HT_SIM_LATE:
        if (!mover->holds) {
            mover->held = position;
            mover->holds = true;
            return 0;
        }
        break;
    case HT_SIM_TWICE:
        position_write(sim, text, mover, &position);
        told++;
        break;
    case HT_SIM_WRONG:
        ht_sim_chaos_spoil(&mover->dice, &position);
        break;
    case HT_SIM_TOLD:
    case HT_SIM_FATES:
    default:
        break;
    }
    position_write(sim, text, mover, &position);
    if (mover->holds && mover->held.ts_ms != position.ts_ms) {
        position_write(sim, text, mover, &mover->held);
        mover->holds = false;
        told++;
    }
    return told;
}

static void positions_taken(void *user, const struct ht_sim_ask *ask,
                            const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    size_t refused = 0;
    (void)ask;
    if (answer->status == 200) {
        yajl_val tree = ht_json_tree_read(answer->body, answer->size);
        yajl_val list = ht_sim_list(tree, "rejected", &refused);
        const char *why = refused > 0 ? ht_sim_text(ht_sim_item(list, 0), "reason") : NULL;
        if (why != NULL && sim->tally->positions_refused == 0) {
            (void)snprintf(sim->tally->position_why, sizeof sim->tally->position_why, "%s", why);
        }
        sim->tally->positions_refused += (uint32_t)refused;
        yajl_tree_free(tree);
    }
}

/* One on to now. */
static void mover_step(struct ht_sim *sim, struct ht_sim_mover *mover)
{
    struct ht_text text = {0};
    unsigned told = 0;
    ht_text_add_char(&text, '[');
    while (mover->at_ms < sim->now_ms) {
        int64_t left_ms = sim->now_ms - mover->at_ms;
        int64_t on_ms = mover->drives && left_ms > SAMPLE_MS ? SAMPLE_MS : left_ms;
        double bearing_deg = 0;
        bool was_driving = mover->drives;
        mover->at_ms += on_ms;
        if (mover->drives && ht_sim_drive_on(&mover->drive, &mover->dice, (double)on_ms / 1000,
                                             &mover->point, &bearing_deg)) {
            mover->drives = false;
        }
        bool due = mover->at_ms - mover->told_ms >= (was_driving ? SAMPLE_MS : STANDS_MS);
        if (due && told < TOLD_MOST) {
            const struct ht_sim_position position = {
                .point = mover->point,
                .ts_ms = mover->at_ms,
                .speed_mps = mover->drives ? ht_sim_drive_mps(&mover->drive) : 0,
                .bearing_deg = bearing_deg};
            told += position_tell(sim, mover, position, &text);
        }
    }
    sim->tally->positions += told;
    if (text.size > 1) { /* what went no other way */
        struct ht_sim_ask *ask =
            ht_sim_ask_new(sim->client, HT_SIM_CALL_POSITIONS, "POST", "/v1/positions");
        ht_text_add_char(&text, ']');
        ask->lane = mover->lane;
        ht_text_add(&ask->body, ht_text_string(&text), text.size);
        ask->done = positions_taken;
        ask->user = sim;
        ht_sim_ask_send(sim->client, ask);
    }
    sim->failed = sim->failed || text.failed;
    ht_text_deinit(&text);
}

void ht_sim_movers_step(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->mover_count; i++) {
        mover_step(sim, &sim->movers[i]);
    }
}

void ht_sim_movers_free(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->mover_count; i++) {
        ht_sim_drive_deinit(&sim->movers[i].drive);
    }
    free(sim->movers);
}
