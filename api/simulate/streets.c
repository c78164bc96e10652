/* Streets that are dug up and small zones that are drawn, for half an hour each. */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"

enum { ZONE_M = 35 };

/* A zone that is taken away again. */
struct ht_sim_closed {
    char id[HT_SIM_ID];
    int64_t until_ms; /* 0: it is gone */
};

void ht_sim_streets_free(struct ht_sim *sim)
{
    free(sim->closed);
}

/* The street's two nodes, closed both ways until the moment that the ask carries. */
static void street_found(void *user, const struct ht_sim_ask *ask,
                         const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    const struct ht_sim_happening *happening = ask->about;
    size_t count = 0;
    size_t nodes = 0;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    yajl_val list = ht_sim_list(tree, "waypoints", &count);
    yajl_val pair = count > 0 ? ht_sim_list(ht_sim_item(list, 0), "nodes", &nodes) : NULL;
    if (nodes == 2 && YAJL_IS_INTEGER(ht_sim_item(pair, 0)) &&
        YAJL_IS_INTEGER(ht_sim_item(pair, 1))) {
        long long from = YAJL_GET_INTEGER(ht_sim_item(pair, 0));
        long long to = YAJL_GET_INTEGER(ht_sim_item(pair, 1));
        struct ht_sim_ask *close =
            ht_sim_ask_new(sim->client, HT_SIM_CALL_STREETS, "POST", "/v1/traffic");
        for (int way = 0; way < 2; way++) {
            ht_text_addf(&close->body,
                         "%c{\"osm_from\":%lld,\"osm_to\":%lld,\"closed\":true,\"until\":",
                         way == 0 ? '[' : ',', way == 0 ? from : to, way == 0 ? to : from);
            ht_sim_add_moment(&close->body, happening->due_to_ms);
            ht_text_add_char(&close->body, '}');
        }
        ht_text_add_char(&close->body, ']');
        ht_sim_ask_send(sim->client, close);
        sim->tally->closures++;
    }
    yajl_tree_free(tree);
}

void ht_sim_street_close(struct ht_sim *sim, const struct ht_sim_happening *happening)
{
    struct ht_point point = sim->town.homes[happening->subject].point;
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_STREETS, "GET", "/nearest/v1/car/%.7f,%.7f",
                       point.lon_e7 / 1e7, point.lat_e7 / 1e7);
    struct ht_sim_happening *kept = &sim->happenings[happening - sim->happenings];
    ask->done = street_found;
    ask->user = sim;
    ask->about = kept;
    ht_sim_ask_send(sim->client, ask);
}

static void zone_write(struct ht_text *text, const char *id, struct ht_point middle, bool closed)
{
    static const int corners[5][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}};
    ht_text_addf(text,
                 "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                 "\"coordinates\":[[",
                 id);
    for (int i = 0; i < 5; i++) {
        struct ht_point corner =
            ht_sim_point_off(middle, corners[i][0] * ZONE_M, corners[i][1] * ZONE_M);
        ht_text_addf(text, "%s[%.7f,%.7f]", i > 0 ? "," : "", corner.lon_e7 / 1e7,
                     corner.lat_e7 / 1e7);
    }
    ht_text_addf(text, "]]},\"properties\":{\"name\":\"模拟管控区\",\"kind\":\"%s\"}}",
                 closed ? "closed" : "watched");
}

void ht_sim_zone_draw(struct ht_sim *sim, const struct ht_sim_happening *happening)
{
    void *closed = sim->closed;
    if (ht_array_reserve(&closed, &sim->closed_capacity, sim->closed_count + 1,
                         sizeof *sim->closed) != HT_OK) {
        sim->failed = true;
        return;
    }
    sim->closed = closed;
    struct ht_sim_closed *zone = &sim->closed[sim->closed_count++];
    (void)snprintf(zone->id, sizeof zone->id, "%s-z%u", sim->run, happening->number);
    zone->until_ms = happening->due_to_ms;
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_STREETS, "POST", "/collections/zones/items");
    ask->type = "application/geo+json";
    zone_write(&ask->body, zone->id, sim->town.homes[happening->subject].point,
               happening->number % 2 == 0);
    ht_sim_ask_send(sim->client, ask);
    sim->tally->zones++;
}

void ht_sim_streets_step(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->closed_count; i++) {
        struct ht_sim_closed *zone = &sim->closed[i];
        if (zone->until_ms != 0 && sim->now_ms >= zone->until_ms) {
            zone->until_ms = 0;
            ht_sim_ask_send(sim->client, ht_sim_ask_new(sim->client, HT_SIM_CALL_STREETS, "DELETE",
                                                        "/collections/zones/items/%s", zone->id));
        }
    }
}
