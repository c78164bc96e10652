/* How the devices of a simulated day tell something.
 *
 *   http     vans' positions by POST /v1/positions, kits' alarms by POST /v1/incidents
 *   osmand   positions by GET /osmand, one each
 *   jt808    positions by a terminal of each van (terminals.h)
 *   mqtt     positions and alarms by the broker that the server listens to (broker.h)
 *
 * Who walks, and alarms where the wire has none, keep to HTTP. A broker's answer says only that the
 * broker has it: what the server made of it stands in its /metrics, which is waited for in lockstep
 * after each step, and at the end. So nobody else may publish meanwhile, and no other server share
 * the positions.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/json_merge.h"
#include "api/simulate/broker.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "api/simulate/terminals.h"
#include "engine/base/array.h"

#define KNOTS_OF_MPS (3600.0 / 1852)

enum { LOOKS = 2000, NAP_MS = 5, OFF_M = 6 };

/* By houtao_mqtt_messages_total. */
struct outcomes {
    size_t taken;
    size_t others; /* unknown, refused, unread */
};

struct ht_sim_wire {
    struct ht_sim_terminals *terminals; /* of jt808 */
    struct ht_sim_broker *broker;       /* of mqtt */
    struct outcomes begun;
    struct outcomes now;
    size_t settled; /* of what was sent */
    bool *rings;    /* one for each kit: its alarm is not seen as an incident yet */
};

/* ---- begin and end ---- */

static enum ht_status terminals_make(struct ht_sim *sim, struct ht_error *error)
{
    for (size_t i = 0; i < sim->mover_count; i++) {
        if (sim->movers[i].unit->kind == HT_SIM_VAN) {
            ht_sim_terminal_put(sim->client, i, sim->movers[i].unit->id, sim->movers[i].lane);
        }
    }
    return ht_sim_terminals_new(sim->options->door, sim->mover_count, &sim->wire->terminals, error);
}

/* The value of a line that begins with this; 0: there is none. */
static size_t metric_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtoul(at + strlen(name), NULL, 10);
}

static void outcomes_taken(void *user, const struct ht_sim_ask *ask,
                           const struct ht_sim_answer *answer)
{
    static const char *const others[] = {"\nhoutao_mqtt_messages_total{outcome=\"unknown\"} ",
                                         "\nhoutao_mqtt_messages_total{outcome=\"refused\"} ",
                                         "\nhoutao_mqtt_messages_total{outcome=\"unread\"} "};
    struct ht_sim_wire *wire = user;
    (void)ask;
    if (answer->status != 200) {
        return;
    }
    char *text = strndup(answer->body, answer->size);
    if (text != NULL) {
        wire->now = (struct outcomes){
            .taken = metric_of(text, "\nhoutao_mqtt_messages_total{outcome=\"taken\"} ")};
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            wire->now.others += metric_of(text, others[i]);
        }
    }
    free(text);
}

static enum ht_status outcomes_look(struct ht_sim *sim, struct ht_error *error)
{
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_WIRE, "GET", "/metrics");
    ask->done = outcomes_taken;
    ask->user = sim->wire;
    ht_sim_ask_send(sim->client, ask);
    return ht_sim_client_run(sim->client, sim->options->stop, error);
}

static enum ht_status broker_make(struct ht_sim *sim, struct ht_error *error)
{
    struct ht_sim_wire *wire = sim->wire;
    char client_id[48];
    (void)snprintf(client_id, sizeof client_id, "houtao-simulate-%s", sim->run);
    wire->rings = ht_array_new_zeroed(sim->town.device_count, sizeof *wire->rings);
    if (wire->rings == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, "out of memory");
    }
    enum ht_status status = ht_sim_broker_new(sim->options->door, client_id, &wire->broker, error);
    status = status == HT_OK ? outcomes_look(sim, error) : status;
    wire->begun = wire->now;
    return status;
}

enum ht_status ht_sim_wire_begin(struct ht_sim *sim, struct ht_error *error)
{
    sim->wire = calloc(1, sizeof *sim->wire);
    if (sim->wire == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, "out of memory");
    }
    switch (sim->options->protocol) {
    case HT_SIM_JT808:
        return terminals_make(sim, error);
    case HT_SIM_MQTT:
        return broker_make(sim, error);
    case HT_SIM_HTTP:
    case HT_SIM_OSMAND:
    default:
        return HT_OK;
    }
}

void ht_sim_wire_free(struct ht_sim *sim)
{
    if (sim->wire != NULL) {
        ht_sim_terminals_free(sim->wire->terminals);
        ht_sim_broker_free(sim->wire->broker);
        free(sim->wire->rings);
        free(sim->wire);
    }
}

/* ---- positions ---- */

static void osmand_taken(void *user, const struct ht_sim_ask *ask,
                         const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_tally *tally = sim->tally;
    (void)ask;
    if (answer->status < 400 || answer->status >= 500) {
        return;
    }
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *why = ht_sim_text(tree, "detail");
    if (why != NULL && tally->positions_refused == 0) {
        (void)snprintf(tally->position_why, sizeof tally->position_why, "%s", why);
    }
    tally->positions_refused++;
    yajl_tree_free(tree);
}

static void osmand_tell(struct ht_sim *sim, const struct ht_sim_mover *mover,
                        const struct ht_sim_position *position)
{
    struct ht_sim_ask *ask = ht_sim_ask_new(
        sim->client, HT_SIM_CALL_POSITIONS, "GET",
        "/osmand?id=%s%s&lat=%.7f&lon=%.7f&timestamp=%lld&speed=%.2f&bearing=%.0f&accuracy=%d",
        position->stranger ? "nobody-" : "", mover->unit->id, position->point.lat_e7 / 1e7,
        position->point.lon_e7 / 1e7, (long long)position->ts_ms,
        position->speed_mps * KNOTS_OF_MPS, position->bearing_deg, OFF_M);
    ask->lane = mover->lane;
    ask->done = osmand_taken;
    ask->user = sim;
    ht_sim_ask_send(sim->client, ask);
}

/* At once. What a terminal can't be is not told. */
static void terminal_tell(struct ht_sim *sim, const struct ht_sim_mover *mover,
                          const struct ht_sim_position *position)
{
    if (!position->stranger &&
        !ht_sim_terminal_tell(sim->wire->terminals, (size_t)(mover - sim->movers), position)) {
        sim->tally->positions_refused++;
    }
}

static void broker_tell(struct ht_sim *sim, const struct ht_sim_mover *mover,
                        const struct ht_sim_position *position)
{
    char name[HT_SIM_ID + 8];
    (void)snprintf(name, sizeof name, "%s%s", position->stranger ? "nobody-" : "", mover->unit->id);
    if (!ht_sim_broker_position(sim->wire->broker, name, position)) {
        sim->tally->positions_refused++;
    }
}

bool ht_sim_wire_position(struct ht_sim *sim, const struct ht_sim_mover *mover,
                          const struct ht_sim_position *position)
{
    if (mover->unit->kind != HT_SIM_VAN) {
        return false;
    }
    switch (sim->options->protocol) {
    case HT_SIM_JT808:
        terminal_tell(sim, mover, position);
        return true;
    case HT_SIM_MQTT:
        broker_tell(sim, mover, position);
        return true;
    case HT_SIM_OSMAND:
        osmand_tell(sim, mover, position);
        return true;
    case HT_SIM_HTTP:
    default:
        return false;
    }
}

/* ---- alarms ---- */

void ht_sim_wire_alarm(struct ht_sim *sim, size_t number, bool twice)
{
    struct ht_sim_wire *wire = sim->wire;
    const struct ht_sim_device *device = &sim->town.devices[number];
    char id[48];
    bool told = true;
    (void)snprintf(id, sizeof id, "%s-%llu", sim->run, (unsigned long long)sim->made++);
    for (int i = 0; told && i < (twice ? 2 : 1); i++) {
        told = ht_sim_broker_alarm(wire->broker, device->id, device->alarm, id);
    }
    wire->rings[number] = true; /* for the count, also of one that the broker did not take */
}

bool ht_sim_wire_rang(struct ht_sim *sim, const char *household)
{
    struct ht_sim_wire *wire = sim->wire;
    bool rang = false;
    if (wire->rings == NULL || household == NULL) {
        return false;
    }
    for (size_t i = 0; i < sim->town.device_count; i++) {
        if (wire->rings[i] && strcmp(sim->town.devices[i].household, household) == 0) {
            wire->rings[i] = false;
            rang = true;
        }
    }
    return rang;
}

/* ---- what became of it ---- */

static size_t arrived(const struct ht_sim_wire *wire)
{
    return wire->now.taken - wire->begun.taken + wire->now.others - wire->begun.others;
}

enum ht_status ht_sim_wire_settle(struct ht_sim *sim, struct ht_error *error)
{
    struct ht_sim_wire *wire = sim->wire;
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    enum ht_status status = HT_OK;
    if (wire->broker == NULL || wire->settled == ht_sim_broker_sent(wire->broker)) {
        return HT_OK;
    }
    wire->settled = ht_sim_broker_sent(wire->broker);
    if (ht_sim_broker_wait(wire->broker) > 0 || ht_sim_broker_refused(wire->broker) > 0) {
        return HT_OK; /* it won't come, which the end counts */
    }
    status = outcomes_look(sim, error);
    for (int i = 0; status == HT_OK && i < LOOKS && arrived(wire) < wire->settled; i++) {
        (void)nanosleep(&nap, NULL);
        status = outcomes_look(sim, error);
    }
    return status;
}

void ht_sim_wire_count(struct ht_sim *sim)
{
    const struct ht_sim_wire *wire = sim->wire;
    if (wire->broker == NULL) {
        return;
    }
    size_t sent = ht_sim_broker_sent(wire->broker);
    sim->tally->positions_refused += (uint32_t)(wire->now.others - wire->begun.others);
    sim->tally->lost += arrived(wire) < sent ? (uint32_t)(sent - arrived(wire)) : 0;
    for (size_t i = 0; i < sim->town.device_count; i++) {
        sim->tally->lost += wire->rings[i];
    }
}
