/* Where responders wait: `home` in the registry. The desk moves one by a new home (a facility, or a
 * place); who is free then sets off, who is not goes there when he is.
 */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"

enum { LOOK_EVERY_MS = 60000, UNITS_MOST = 1000 };

struct ht_sim_post {
    bool known;
    char facility[HT_SIM_ID]; /* empty: a place, or none */
    struct ht_point point;
};

void ht_sim_posts_make(struct ht_sim *sim)
{
    sim->posts = ht_array_new_zeroed(sim->mover_count, sizeof *sim->posts);
    sim->failed = sim->failed || sim->posts == NULL;
}

void ht_sim_posts_free(struct ht_sim *sim)
{
    free(sim->posts);
}

static void facility_taken(void *user, const struct ht_sim_ask *ask,
                           const struct ht_sim_answer *answer)
{
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    struct ht_point point;
    if (ht_sim_feature_point(tree, &point)) {
        ht_sim_responder_wait(user, ask->about, point);
    }
    yajl_tree_free(tree);
}

static void facility_ask(struct ht_sim *sim, struct ht_sim_mover *mover, const char *id)
{
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_TOWN, "GET",
                                            "/collections/facilities/items/%s", id);
    ask->lane = mover->lane;
    ask->done = facility_taken;
    ask->user = sim;
    ask->about = mover;
    ht_sim_ask_send(sim->client, ask);
}

static void post_read(struct ht_sim *sim, yajl_val feature)
{
    const char *id = ht_sim_text(feature, "id");
    yajl_val properties = ht_json_member(feature, "properties");
    struct ht_sim_mover *mover = id == NULL ? NULL : ht_sim_mover_of(sim, id);
    if (mover == NULL) {
        return; /* new since the day began: nobody plays him */
    }
    const char *facility = ht_sim_text(properties, "home");
    struct ht_sim_post now = {.known = true};
    bool place = ht_sim_pair(ht_json_member(properties, "home"), &now.point);
    (void)snprintf(now.facility, sizeof now.facility, "%s", facility == NULL ? "" : facility);
    struct ht_sim_post *post = &sim->posts[mover - sim->movers];
    bool moved = post->known &&
                 (strcmp(post->facility, now.facility) != 0 ||
                  post->point.lon_e7 != now.point.lon_e7 || post->point.lat_e7 != now.point.lat_e7);
    *post = now;
    if (moved && place) {
        ht_sim_responder_wait(sim, mover, now.point);
    } else if (moved && facility != NULL) {
        facility_ask(sim, mover, facility);
    }
}

static void posts_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    size_t count = 0;
    (void)ask;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    yajl_val features = ht_sim_list(tree, "features", &count);
    for (size_t i = 0; i < count; i++) {
        post_read(user, ht_sim_item(features, i));
    }
    yajl_tree_free(tree);
}

void ht_sim_posts_step(struct ht_sim *sim)
{
    if (sim->responder_count == 0 || sim->now_ms < sim->posts_ms) {
        return;
    }
    sim->posts_ms = sim->now_ms + LOOK_EVERY_MS;
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_TOWN, "GET",
                       "/collections/units/items?kind=responder&limit=%d", UNITS_MOST);
    ask->done = posts_taken;
    ask->user = sim;
    ht_sim_ask_send(sim->client, ask);
}
