/* Drivers: each goes where the plan of his van says, and takes the time that he takes.
 *
 *   rests --plan has a stop--> drives --> waits (until the plan says begin) --> serves --> rests
 *
 * At a house he parks; most come to the van. For who can't he walks to the entrance, goes up, hands
 * over, and walks back before he drives on; with another such order in the house he goes there from
 * the first. How long that takes is a matter of the house and of him, and not of the plan.
 *
 * The plan is read again once a minute and after each stop; where it has another first stop now, he
 * goes there. Every other driver says when he arrives; of the rest the positions do.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"

enum {
    LOOK_MS = 60000,
    LOOK_WAITING_MS = 30000,
    AHEAD_MS = 20 * 60000, /* he does not leave for a stop that is later than that */
    SERVICE_LEAST_MS = 10000,
    SERVICE_MOST_MS = 600000,
    PARKING_MS = 60000,
    HANDOVER_MS = 20000,
    UP_MS = 18000, /* a floor on foot */
    DOWN_MS = 12000,
    LIFT_MS = 35000, /* with waiting for it */
    NEXT_MS = 5000,  /* to another one on the same floor, or who waits at the van */
    WALK_MOST_MS = 180000,
    MOMENT_MS = 45000,
};

#define WALK_MPS 1.2

enum phase { RESTS, DRIVES, WAITS, SERVES, LOADS };

struct stop {
    bool loads;
    char id[HT_SIM_ID]; /* of the kitchen or order */
    struct ht_point point;
    int64_t arrival_ms;
    int64_t begin_ms;
    int64_t leave_ms;
};

struct ht_sim_van {
    struct ht_sim_mover *mover;
    enum phase phase;
    struct stop stop; /* where he goes, or is */
    bool served;      /* an order where he stands: the next one is in the same house */
    const struct ht_sim_home *door; /* where he is; NULL: at his van */
    int64_t back_ms;                /* when he is there again */
    int64_t until_ms;
    int64_t look_ms;
    bool asks; /* for the plan */
    bool says; /* a word when he arrives */
    bool said;
};

void ht_sim_vans_make(struct ht_sim *sim)
{
    sim->vans = ht_array_new_zeroed(sim->mover_count, sizeof *sim->vans);
    sim->failed = sim->failed || sim->vans == NULL;
    for (size_t i = 0; sim->vans != NULL && i < sim->mover_count; i++) {
        if (sim->movers[i].unit->kind == HT_SIM_VAN) {
            struct ht_sim_van *van = &sim->vans[sim->van_count++];
            van->mover = &sim->movers[i];
            van->says = sim->van_count % 2 == 0;
        }
    }
}

void ht_sim_vans_free(struct ht_sim *sim)
{
    free(sim->vans);
}

/* ---- the plan ---- */

static bool stop_read(yajl_val value, struct stop *out)
{
    const char *kind = ht_sim_text(value, "kind");
    const char *kitchen = ht_sim_text(value, "kitchen");
    const char *order = ht_sim_text(value, "order");
    *out = (struct stop){.loads = kind != NULL && strcmp(kind, "load") == 0};
    const char *id = out->loads ? kitchen : order;
    if (id == NULL || !ht_sim_place(value, &out->point)) {
        return false;
    }
    (void)snprintf(out->id, sizeof out->id, "%s", id);
    out->arrival_ms = ht_sim_moment_ms(value, "arrival");
    out->begin_ms = ht_sim_moment_ms(value, "begin");
    out->leave_ms = ht_sim_moment_ms(value, "departure");
    return true;
}

static bool same_stop(const struct stop *a, const struct stop *b)
{
    return a->loads == b->loads && strcmp(a->id, b->id) == 0;
}

/* When the plan's orders come; and those of which nobody here has heard. */
static void orders_note(struct ht_sim *sim, const struct ht_sim_van *van, yajl_val list,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        yajl_val value = ht_sim_item(list, i);
        struct stop stop;
        if (!stop_read(value, &stop) || stop.loads) {
            continue;
        }
        struct ht_sim_meal *meal = ht_sim_meal_known(sim, stop.id);
        const struct ht_sim_band band = {.eta_ms = ht_sim_moment_ms(value, "eta"),
                                         .low_ms = ht_sim_moment_ms(value, "eta_low"),
                                         .high_ms = ht_sim_moment_ms(value, "eta_high")};
        if (meal != NULL && meal->kitchen[0] == '\0') {
            ht_sim_meal_ask(sim, meal, van->mover->lane);
        }
        if (meal != NULL && band.eta_ms > 0) {
            ht_sim_meal_told(sim, meal, band);
        }
    }
}

/* What the plan has him take along here: what follows, up to his next coming back. */
static void orders_load(struct ht_sim *sim, const struct ht_sim_van *van, yajl_val list,
                        size_t count)
{
    for (size_t i = 1; i < count; i++) {
        yajl_val value = ht_sim_item(list, i);
        const char *state = ht_sim_text(value, "state");
        struct stop stop;
        if (!stop_read(value, &stop)) {
            continue;
        }
        if (stop.loads && strcmp(stop.id, van->stop.id) == 0) {
            break;
        }
        struct ht_sim_meal *meal = stop.loads ? NULL : ht_sim_meal_known(sim, stop.id);
        if (meal != NULL && strcmp(meal->kitchen, van->stop.id) == 0 && state != NULL &&
            strcmp(state, "planned") == 0) {
            ht_sim_meal_event(sim, meal, van->mover->lane, "load", HT_SIM_MEAL_LOADED);
        }
    }
}

/* ---- stops ---- */

/* The driver's word. */
static void arrival_say(struct ht_sim *sim, struct ht_sim_van *van)
{
    if (!van->says || van->said) {
        return;
    }
    van->said = true;
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_UNIT_EVENT, "POST",
                                            "/v1/units/%s/events", van->mover->unit->id);
    ht_text_addf(&ask->body, "{\"event\":\"arrive\",\"%s\":\"%s\"}",
                 van->stop.loads ? "kitchen" : "order", van->stop.id);
    ask->lane = van->mover->lane;
    ht_sim_ask_send(sim->client, ask);
}

/* Floors above or below the ground. */
static int floors_of(const struct ht_sim_home *home)
{
    return home->floor > 0 ? home->floor - 1 : home->floor;
}

/* Up (down, where it is less than none) so many floors. */
static int64_t floors_ms(const struct ht_sim_home *home, int floors)
{
    int64_t on_foot_ms = floors > 0 ? (int64_t)floors * UP_MS : -(int64_t)floors * DOWN_MS;
    return home->lift && on_foot_ms > LIFT_MS ? LIFT_MS : on_foot_ms;
}

/* On the level, between van and door. */
static int64_t level_ms(const struct ht_sim_van *van, const struct ht_sim_home *home)
{
    double far_m =
        ht_distance_m(van->mover->point, home->door) + ht_distance_m(home->door, home->point);
    return (int64_t)fmin(far_m / WALK_MPS * 1000, WALK_MOST_MS);
}

static int64_t up_ms(const struct ht_sim_van *van, const struct ht_sim_home *home)
{
    return level_ms(van, home) + floors_ms(home, floors_of(home));
}

/* 0: he is at his van. */
static int64_t back_ms(const struct ht_sim_van *van)
{
    const struct ht_sim_home *home = van->door;
    return home == NULL ? 0 : level_ms(van, home) + floors_ms(home, -floors_of(home));
}

/* To where the next order is handed over, at `home` or at the van (NULL). */
static int64_t there_ms(const struct ht_sim_van *van, const struct ht_sim_home *home)
{
    if (!van->served) {
        return PARKING_MS + (home == NULL ? 0 : up_ms(van, home));
    }
    if (home == NULL) {
        return NEXT_MS + back_ms(van);
    }
    return van->door == NULL ? up_ms(van, home)
                             : NEXT_MS + floors_ms(home, floors_of(home) - floors_of(van->door));
}

/* What he does next is over then. What he did since the last look, and will have done before the
 * next, is not looked at then. */
static int64_t done_ms(const struct ht_sim *sim, struct ht_sim_van *van, int64_t took_ms)
{
    double part = ht_sim_dice_within(&van->mover->dice, 0.75, 1.3);
    took_ms = (int64_t)((double)took_ms * part - sim->options->step_s * 1000);
    return sim->now_ms + (took_ms > 0 ? took_ms : 0);
}

static void load_begin(struct ht_sim *sim, struct ht_sim_van *van)
{
    int64_t took_ms = van->stop.leave_ms - van->stop.begin_ms;
    took_ms = took_ms < SERVICE_LEAST_MS  ? SERVICE_LEAST_MS
              : took_ms > SERVICE_MOST_MS ? SERVICE_MOST_MS
                                          : took_ms;
    van->phase = LOADS;
    van->until_ms = done_ms(sim, van, took_ms);
    van->served = false;
}

static void serve_begin(struct ht_sim *sim, struct ht_sim_van *van)
{
    struct ht_sim_meal *meal = ht_sim_meal_known(sim, van->stop.id);
    const struct ht_sim_home *home = meal == NULL ? NULL : meal->climbed;
    van->phase = SERVES;
    van->until_ms = done_ms(sim, van, there_ms(van, home) + HANDOVER_MS);
    van->served = true;
    van->door = home;
    if (meal != NULL && meal->state < HT_SIM_MEAL_ENROUTE) {
        ht_sim_meal_event(sim, meal, van->mover->lane, "enroute", HT_SIM_MEAL_ENROUTE);
    }
}

static void stop_leave_for(struct ht_sim *sim, struct ht_sim_van *van)
{
    struct ht_sim_meal *meal = van->stop.loads ? NULL : ht_sim_meal_known(sim, van->stop.id);
    van->phase = DRIVES;
    van->said = false;
    van->served = false;
    ht_sim_go(sim, van->mover, van->stop.point);
    if (meal != NULL && meal->state == HT_SIM_MEAL_LOADED) {
        ht_sim_meal_event(sim, meal, van->mover->lane, "enroute", HT_SIM_MEAL_ENROUTE);
    }
}

/* When he can begin there: a kitchen says it by the plan, which is made anew all the time, so that
 * a moment is nothing; a door by the window that the resident was told, and the stairs. */
static int64_t stop_ready_ms(struct ht_sim *sim, const struct ht_sim_van *van,
                             const struct stop *stop)
{
    const struct ht_sim_meal *meal = stop->loads ? NULL : ht_sim_meal_known(sim, stop->id);
    if (stop->loads || meal == NULL) {
        return stop->loads ? stop->begin_ms - MOMENT_MS : 0;
    }
    return meal->due_from_ms - (meal->climbed == NULL ? 0 : up_ms(van, meal->climbed));
}

/* What he does about the first stop of his plan. */
static void stop_face(struct ht_sim *sim, struct ht_sim_van *van, const struct stop *stop)
{
    bool same = same_stop(stop, &van->stop) && van->phase != RESTS;
    bool bound = van->mover->drives && van->mover->to.lon_e7 == stop->point.lon_e7 &&
                 van->mover->to.lat_e7 == stop->point.lat_e7;
    van->stop = *stop;
    van->look_ms = sim->now_ms + LOOK_MS;
    if (ht_sim_is_there(van->mover, stop->point)) {
        van->said = van->said && same;
        arrival_say(sim, van);
        int64_t ready_ms = stop_ready_ms(sim, van, stop);
        if (ready_ms > sim->now_ms) {
            van->phase = WAITS;
            van->look_ms =
                ready_ms < sim->now_ms + LOOK_WAITING_MS ? ready_ms : sim->now_ms + LOOK_WAITING_MS;
        } else if (stop->loads) {
            load_begin(sim, van);
        } else {
            serve_begin(sim, van);
        }
    } else if (van->back_ms > sim->now_ms) { /* he is on the stairs */
        van->phase = RESTS;
        van->look_ms = van->back_ms;
    } else if (bound) {
        van->phase = DRIVES;
    } else if (stop->arrival_ms > sim->now_ms + AHEAD_MS) {
        van->phase = RESTS;
    } else {
        stop_leave_for(sim, van);
    }
}

static void plan_taken(void *user, const struct ht_sim_ask *ask, const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_van *van = ask->about;
    size_t count = 0;
    struct stop stop;
    van->asks = false;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    yajl_val list = ht_sim_list(tree, "stops", &count);
    bool any = count > 0 && stop_read(ht_sim_item(list, 0), &stop);
    orders_note(sim, van, list, count);
    if (van->phase == LOADS) {
        van->phase = RESTS;
        van->look_ms = sim->now_ms; /* what was loaded changes the plan */
        if (any && stop.loads && strcmp(stop.id, van->stop.id) == 0) {
            orders_load(sim, van, list, count);
        }
    } else if (any) {
        stop_face(sim, van, &stop);
    } else {
        van->phase = RESTS;
        van->mover->drives = false;
        van->look_ms = sim->now_ms + LOOK_WAITING_MS;
    }
    yajl_tree_free(tree);
}

static void plan_ask(struct ht_sim *sim, struct ht_sim_van *van)
{
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_PLAN, "GET",
                                            "/v1/units/%s/plan", van->mover->unit->id);
    van->asks = true;
    ask->lane = van->mover->lane;
    ask->done = plan_taken;
    ask->user = sim;
    ask->about = van;
    ht_sim_ask_send(sim->client, ask);
}

/* It was handed over, or nobody is there. */
static void order_end(struct ht_sim *sim, struct ht_sim_van *van)
{
    struct ht_sim_meal *meal = ht_sim_meal_known(sim, van->stop.id);
    if (meal != NULL) {
        struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "door", meal->id);
        bool fails = ht_sim_dice_chance(&dice, 0.01);
        ht_sim_meal_event(sim, meal, van->mover->lane, fails ? "fail" : "deliver",
                          fails ? HT_SIM_MEAL_FAILED : HT_SIM_MEAL_DELIVERED);
    }
    van->back_ms = done_ms(sim, van, back_ms(van));
    van->phase = RESTS;
}

static void van_step(struct ht_sim *sim, struct ht_sim_van *van)
{
    bool looks = sim->now_ms >= van->look_ms;
    switch (van->phase) {
    case SERVES:
        looks = sim->now_ms >= van->until_ms;
        if (looks) {
            order_end(sim, van);
        }
        break;
    case LOADS:
        looks = sim->now_ms >= van->until_ms;
        break;
    case DRIVES:
        looks = looks || (!van->mover->drives && !van->mover->asks);
        break;
    case RESTS:
    case WAITS:
    default:
        break;
    }
    if (looks && !van->asks) {
        plan_ask(sim, van);
    }
}

void ht_sim_vans_step(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->van_count; i++) {
        van_step(sim, &sim->vans[i]);
    }
}
