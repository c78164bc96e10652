/* Orders: made by residents, carried by vans, and there at the end. */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/time.h"

enum {
    LEFTOVERS_MOST = 1000,
    HANDOVER_S = 20,       /* beside what a stop takes */
    TOLD_MS = 600000,      /* so long before, arrival bands are held against what comes */
    TOLD_LEAST_MS = 480000 /* what is told later was not known before */
};

#define HELPLESS 0.03 /* the share of households that is served at the door */

struct ht_sim_meal *ht_sim_meal_known(struct ht_sim *sim, const char *id)
{
    struct ht_sim_meal *meal = (struct ht_sim_meal *)ht_names_find(&sim->meals, id);
    if (meal != NULL) {
        return meal;
    }
    if (ht_names_reserve(&sim->meals) != HT_OK || (meal = calloc(1, sizeof *meal)) == NULL) {
        sim->failed = true;
        return NULL;
    }
    (void)snprintf(meal->id, sizeof meal->id, "%s", id);
    meal->named.id = meal->id;
    meal->state = HT_SIM_MEAL_TAKEN;
    ht_names_add(&sim->meals, &meal->named);
    *sim->last_meal = meal;
    sim->last_meal = &meal->next;
    return meal;
}

void ht_sim_meals_free(struct ht_sim *sim)
{
    for (struct ht_sim_meal *meal = sim->first_meal; meal != NULL;) {
        struct ht_sim_meal *next = meal->next;
        free(meal);
        meal = next;
    }
    free(sim->meals.slots);
}

/* ---- ordering ---- */

static void order_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_meal *meal = ask->about;
    if (answer->status != 201) {
        meal->refused = true;
        sim->tally->meals_refused++;
        return;
    }
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *token = ht_sim_text(tree, "token");
    if (token != NULL) {
        (void)snprintf(meal->token, sizeof meal->token, "%s", token);
    }
    if (meal->state == HT_SIM_MEAL_SENT) {
        meal->state = HT_SIM_MEAL_TAKEN;
    }
    yajl_tree_free(tree);
}

/* Whether they fetch their meals from the van: the same each day. */
static bool comes_down(const struct ht_sim *sim, const struct ht_sim_home *home)
{
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "legs", home->id);
    return !ht_sim_dice_chance(&dice, HELPLESS);
}

void ht_sim_meal_order(struct ht_sim *sim, const struct ht_sim_happening *happening)
{
    const struct ht_sim_town *town = &sim->town;
    const struct ht_sim_home *home = &town->homes[happening->subject];
    char id[HT_SIM_ID];
    if (town->kitchen_count == 0) {
        return;
    }
    (void)snprintf(id, sizeof id, "%s-o%u", sim->run, happening->number);
    struct ht_sim_meal *meal = ht_sim_meal_known(sim, id);
    if (meal == NULL) {
        return;
    }
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "order", id);
    struct ht_sim_chaos chaos = {.on = sim->options->chaos};
    const char *kitchen = town->kitchens[home->kitchen].id;
    bool comes = comes_down(sim, home);
    meal->climbed = comes ? NULL : home;
    meal->ours = true;
    meal->state = HT_SIM_MEAL_SENT;
    meal->due_from_ms = happening->due_from_ms;
    meal->due_to_ms = happening->due_to_ms;
    (void)snprintf(meal->kitchen, sizeof meal->kitchen, "%s", kitchen);
    sim->tally->meals_ordered++;
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER, "POST", "/v1/orders");
    ht_text_addf(&ask->body,
                 "{\"id\":\"%s\",\"household\":\"%s\",\"kitchen\":\"%s\",\"load\":%u,"
                 "\"service_s\":%d,\"handover\":\"%s\",\"due\":[",
                 id, home->id, kitchen, happening->load, HANDOVER_S, comes ? "van" : "door");
    ht_sim_add_moment(&ask->body, happening->due_from_ms);
    ht_text_add_char(&ask->body, ',');
    ht_sim_add_moment(&ask->body, happening->due_to_ms);
    ht_text_add_string(&ask->body, "]}");
    ask->lane = happening->number;
    ask->done = order_taken;
    ask->user = sim;
    ask->about = meal;
    ht_sim_send_keyed(sim, ask, &chaos, &dice);
}

static void order_seen(void *user, const struct ht_sim_ask *ask, const struct ht_sim_answer *answer)
{
    struct ht_sim_meal *meal = ask->about;
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *kitchen = ht_sim_text(tree, "kitchen");
    (void)user;
    if (answer->status == 200 && kitchen != NULL) {
        (void)snprintf(meal->kitchen, sizeof meal->kitchen, "%s", kitchen);
    }
    yajl_tree_free(tree);
}

void ht_sim_meal_ask(struct ht_sim *sim, struct ht_sim_meal *meal, uint32_t lane)
{
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER_LOOK, "GET", "/v1/orders/%s", meal->id);
    ask->lane = lane;
    ask->done = order_seen;
    ask->user = sim;
    ask->about = meal;
    ht_sim_ask_send(sim->client, ask);
}

/* ---- carrying ---- */

static void event_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_meal *meal = ask->about;
    if (answer->status == 200) {
        meal->state = (enum ht_sim_meal_state)ask->number;
        meal->ended_ms = meal->state >= HT_SIM_MEAL_DELIVERED ? sim->now_ms : 0;
    }
}

/* The resident looks where it is. */
static void resident_look(struct ht_sim *sim, const struct ht_sim_meal *meal, uint32_t lane)
{
    if (meal->token[0] != '\0') {
        struct ht_sim_ask *ask =
            ht_sim_ask_new(sim->client, HT_SIM_CALL_TRACK, "GET", "/t/%s", meal->token);
        ask->shown = "/t/TOKEN"; /* which is another one each time */
        ask->lane = lane;
        ht_sim_ask_send(sim->client, ask);
    }
}

void ht_sim_meal_event(struct ht_sim *sim, struct ht_sim_meal *meal, uint32_t lane,
                       const char *event, enum ht_sim_meal_state after)
{
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, event, meal->id);
    struct ht_sim_chaos chaos = {.on = sim->options->chaos};
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER_EVENT, "POST",
                                            "/v1/orders/%s/events", meal->id);
    ht_text_addf(&ask->body, "{\"event\":\"%s\"%s}", event,
                 after == HT_SIM_MEAL_FAILED
                     ? ",\"reason\":\"no_answer\",\"next\":\"left_with_neighbour\""
                     : "");
    ask->lane = lane;
    ask->done = event_taken;
    ask->user = sim;
    ask->about = meal;
    ask->number = (int)after;
    bool looks = after == HT_SIM_MEAL_ENROUTE && ht_sim_dice_chance(&dice, 0.2);
    ht_sim_send_keyed(sim, ask, &chaos, &dice);
    if (looks) {
        resident_look(sim, meal, lane);
    }
}

/* Told by the forecast alone, so that nobody knows yet how it ends. */
void ht_sim_meal_told(struct ht_sim *sim, struct ht_sim_meal *meal, struct ht_sim_band band)
{
    int64_t ahead_ms = band.eta_ms - sim->now_ms;
    if (!meal->told && ahead_ms <= TOLD_MS) {
        meal->told = true;
        meal->band = ahead_ms >= TOLD_LEAST_MS ? band : (struct ht_sim_band){0};
    }
}

/* ---- what earlier days left ---- */

/* Ids as they are made here, "s1-712dbfb0-o7": nobody else's orders are ended. */
static bool is_simulated(const char *id)
{
    size_t size = strspn(id, "s0123456789abcdef");
    size_t more = id[0] == 's' && id[size] == '-' ? strspn(id + size + 1, "0123456789abcdef") : 0;
    return more > 0 && strncmp(id + size + 1 + more, "-o", 2) == 0;
}

static void leftovers_taken(void *user, const struct ht_sim_ask *ask,
                            const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    size_t count = 0;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    yajl_val list = ht_sim_list(tree, "orders", &count);
    (void)ask;
    sim->leftovers = count == LEFTOVERS_MOST;
    for (size_t i = 0; i < count; i++) {
        yajl_val order = ht_sim_item(list, i);
        const char *id = ht_sim_text(order, "id");
        const char *state = ht_sim_text(order, "state");
        if (id == NULL || state == NULL || !is_simulated(id)) {
            continue;
        }
        bool carried = strcmp(state, "loaded") == 0 || strcmp(state, "enroute") == 0;
        struct ht_sim_ask *over = ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER_EVENT, "POST",
                                                 "/v1/orders/%s/events", id);
        ht_text_add_string(&over->body, carried ? "{\"event\":\"fail\",\"reason\":\"other\"}"
                                                : "{\"event\":\"cancel\"}");
        over->lane = (uint32_t)i;
        ht_sim_ask_send(sim->client, over);
    }
    yajl_tree_free(tree);
}

void ht_sim_meals_tidy(struct ht_sim *sim)
{
    char moment[HT_TIME_TEXT_SIZE];
    ht_time_format(sim->day_ms, moment);
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER_LOOK, "GET",
                       "/v1/orders?state=received,planned,loaded,enroute&due=../%s&limit=%d",
                       moment, LEFTOVERS_MOST);
    ask->done = leftovers_taken;
    ask->user = sim;
    ht_sim_ask_send(sim->client, ask);
}

/* ---- at the end ---- */

static void order_found(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    static const struct {
        const char *text;
        enum ht_sim_meal_state least;
    } states[] = {{"received", HT_SIM_MEAL_TAKEN},      {"planned", HT_SIM_MEAL_TAKEN},
                  {"loaded", HT_SIM_MEAL_LOADED},       {"enroute", HT_SIM_MEAL_ENROUTE},
                  {"delivered", HT_SIM_MEAL_DELIVERED}, {"failed", HT_SIM_MEAL_FAILED},
                  {"cancelled", HT_SIM_MEAL_CANCELLED}};
    struct ht_sim_meal *meal = ask->about;
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *state = ht_sim_text(tree, "state");
    (void)user;
    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++) {
        meal->found =
            meal->found || (strcmp(state, states[i].text) == 0 && states[i].least >= meal->state);
    }
    yajl_tree_free(tree);
}

void ht_sim_meals_check(struct ht_sim *sim)
{
    uint32_t lane = 0;
    for (struct ht_sim_meal *meal = sim->first_meal; meal != NULL; meal = meal->next) {
        if (meal->ours && !meal->refused) {
            struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_ORDER_LOOK, "GET",
                                                    "/v1/orders/%s", meal->id);
            ask->lane = lane++;
            ask->done = order_found;
            ask->user = sim;
            ask->about = meal;
            ht_sim_ask_send(sim->client, ask);
        }
    }
}

/* A delivered meal's band, and when handing over began. */
static void band_count(struct ht_sim_tally *tally, const struct ht_sim_meal *meal)
{
    const struct ht_sim_band *band = &meal->band;
    int64_t came_ms = meal->ended_ms - HANDOVER_S * 1000;
    if (band->eta_ms == 0) {
        return;
    }
    int64_t off_ms = came_ms > band->eta_ms ? came_ms - band->eta_ms : band->eta_ms - came_ms;
    tally->arrivals_inside += band->low_ms <= came_ms && came_ms <= band->high_ms;
    ht_sim_series_add(tally, &tally->band_s, (uint32_t)((band->high_ms - band->low_ms) / 1000));
    ht_sim_series_add(tally, &tally->off_s, (uint32_t)(off_ms / 1000));
}

void ht_sim_meals_count(struct ht_sim *sim)
{
    struct ht_sim_tally *tally = sim->tally;
    for (const struct ht_sim_meal *meal = sim->first_meal; meal != NULL; meal = meal->next) {
        if (!meal->ours || meal->refused) {
            continue;
        }
        bool delivered = meal->state == HT_SIM_MEAL_DELIVERED;
        bool over = meal->due_to_ms <= sim->now_ms;
        tally->lost += !meal->found;
        tally->meals_failed += meal->state == HT_SIM_MEAL_FAILED;
        if (delivered) {
            band_count(tally, meal);
        }
        if (meal->state > HT_SIM_MEAL_DELIVERED || (!delivered && !over)) {
            continue;
        }
        tally->meals_due++;
        if (!delivered) {
            tally->meals_missing++;
        } else if (meal->ended_ms <= meal->due_to_ms) {
            tally->meals_in_time++;
        } else {
            tally->meals_late++;
            ht_sim_series_add(tally, &tally->late_s,
                              (uint32_t)((meal->ended_ms - meal->due_to_ms) / 1000));
        }
    }
}
