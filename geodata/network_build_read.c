/* The two passes over the input. Each worker gathers what it meets in lists of its own; the order
 * that everything had in the input goes with it, so that the merge is the same for any number of
 * threads. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

enum { MOST_REFS = 65535 }; /* a way of OSM has 2,000 */

static uint64_t order_of(const struct ht_network_build *build, const struct ht_osm_block *block,
                         size_t place)
{
    return build->file << 56 | (uint64_t)block->index << 24 | (uint64_t)place;
}

static enum ht_status grow(void **list, size_t *capacity, size_t want, size_t item)
{
    return want <= *capacity ? HT_OK : ht_array_reserve(list, capacity, want, item);
}

/* Makes room in a typed list: its pointer can't be cast to void ** itself. */
#define GROW(list, capacity, want, status)                                                         \
    do {                                                                                           \
        void *grow_list = (list);                                                                  \
        (status) = grow(&grow_list, &(capacity), (want), sizeof *(list));                          \
        (list) = grow_list;                                                                        \
    } while (0)

static enum ht_status add_refs(struct ht__worker *worker, const struct ht_osm_way *way,
                               struct ht__raw_way *raw)
{
    enum ht_status status = HT_OK;
    GROW(worker->refs, worker->ref_capacity, worker->ref_count + way->ref_count, status);
    if (status == HT_OK && way->points != NULL) {
        GROW(worker->points, worker->point_capacity, worker->ref_count + way->ref_count, status);
    }
    if (status != HT_OK) {
        return status;
    }
    raw->first_ref = worker->ref_count;
    raw->ref_count = (uint32_t)way->ref_count;
    raw->has_points = way->points != NULL;
    memcpy(worker->refs + worker->ref_count, way->refs, way->ref_count * sizeof *worker->refs);
    if (way->points != NULL) {
        memcpy(worker->points + worker->ref_count, way->points,
               way->ref_count * sizeof *worker->points);
    }
    worker->ref_count += way->ref_count;
    return HT_OK;
}

static enum ht_status add_facts(struct ht__worker *worker, const struct ht_osm_way *way,
                                bool left_hand, struct ht_way *out)
{
    struct ht_way_facts facts;
    ht_way_facts(way->tags, &facts);
    out->road_class = (uint8_t)facts.road_class;
    out->flags = facts.flags;
    out->lane_count = facts.lane_count;
    if (facts.driving_side == 'l' || (facts.driving_side == 0 && left_hand)) {
        out->flags |= HT_WAY_LEFT_HAND;
    }
    const char *const text[] = {facts.name,  facts.name_zh,       facts.name_en,
                                facts.ref,   facts.pronunciation, facts.destinations,
                                facts.exits, facts.lanes_forward, facts.lanes_backward};
    uint32_t *const field[] = {&out->name,  &out->name_zh,       &out->name_en,
                               &out->ref,   &out->pronunciation, &out->destinations,
                               &out->exits, &out->lanes_forward, &out->lanes_backward};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        *field[i] = 0;
        if (text[i][0] != '\0') {
            enum ht_status status = ht__texts_add(&worker->texts, text[i], field[i]);
            if (status != HT_OK) {
                return status;
            }
        }
    }
    return HT_OK;
}

/* A side that is open must have a speed or a share of the whole way's duration. */
static bool rule_sound(struct ht_way_rule *rule)
{
    for (int i = 0; i < 2; i++) {
        struct ht_way_side *side = &rule->side[i];
        if (!(side->speed_kmh > 0.0) && !(rule->duration_s > 0.0)) {
            side->open = false;
        }
        if (side->mode == HT_MODE_NONE) {
            side->open = false;
        }
    }
    return rule->side[0].open || rule->side[1].open;
}

static enum ht_status judge_way(struct ht_network_build *build, struct ht__worker *worker,
                                const struct ht_osm_way *way, bool *usable)
{
    size_t first = worker->way_count * build->profile_count;
    enum ht_status status = HT_OK;
    GROW(worker->way_rule, worker->way_rule_capacity, first + build->profile_count, status);
    *usable = false;
    for (size_t p = 0; status == HT_OK && p < build->profile_count; p++) {
        struct ht_way_rule rule;
        memset(&rule, 0, sizeof rule);
        worker->way_rule[first + p] = HT_NONE;
        if (ht_profile_way(build->profiles[p], way->tags, &rule) && rule_sound(&rule)) {
            *usable = true;
            status = ht__rules_add(&worker->rules[p], &rule, &worker->way_rule[first + p]);
        }
    }
    return status;
}

static enum ht_status take_way(struct ht_network_build *build, struct ht__worker *worker,
                               const struct ht_osm_way *way, uint64_t order)
{
    worker->counts.ways_read++;
    if (way->tags.count == 0) {
        return HT_OK;
    }
    bool usable = false;
    enum ht_status status = judge_way(build, worker, way, &usable);
    if (status != HT_OK || !usable) {
        return status;
    }
    if (way->ref_count < 2 || way->ref_count > MOST_REFS) {
        worker->counts.ways_dropped++;
        return HT_OK;
    }
    GROW(worker->ways, worker->way_capacity, worker->way_count + 1, status);
    if (status != HT_OK) {
        return status;
    }
    struct ht__raw_way *raw = &worker->ways[worker->way_count];
    memset(raw, 0, sizeof *raw);
    raw->way.osm_id = way->id;
    raw->order = order;
    status = add_refs(worker, way, raw);
    if (status == HT_OK) {
        status = add_facts(worker, way, ht_profile_left_hand(build->profiles[0]), &raw->way);
    }
    worker->way_count += status == HT_OK;
    return status;
}

static uint8_t role_of(const char *role)
{
    return strcmp(role, "from") == 0  ? HT__ROLE_FROM
           : strcmp(role, "via") == 0 ? HT__ROLE_VIA
           : strcmp(role, "to") == 0  ? HT__ROLE_TO
                                      : HT__ROLE_OTHER;
}

static bool keeps_tag(const char *key, bool maneuver)
{
    return maneuver ? strcmp(key, "maneuver") == 0 || strcmp(key, "manoeuvre") == 0 ||
                          strcmp(key, "direction") == 0
                    : strncmp(key, "restriction", 11) == 0 || strcmp(key, "except") == 0;
}

static enum ht_status add_relation(struct ht__worker *worker,
                                   const struct ht_osm_relation *relation, struct ht__relation *out)
{
    enum ht_status status = HT_OK;
    GROW(worker->members, worker->member_capacity, worker->member_count + relation->member_count,
         status);
    if (status != HT_OK) {
        return status;
    }
    GROW(worker->tags, worker->tag_capacity, worker->tag_count + relation->tags.count, status);
    if (status != HT_OK) {
        return status;
    }
    out->first_member = worker->member_count;
    out->first_tag = worker->tag_count;
    for (size_t i = 0; i < relation->member_count; i++) {
        const struct ht_osm_member *member = &relation->members[i];
        uint8_t role = role_of(member->role);
        if (role != HT__ROLE_OTHER) {
            worker->members[worker->member_count++] = (struct ht__member){
                .ref = member->ref, .role = role, .type = (uint8_t)member->type};
            out->member_count++;
        }
    }
    for (size_t i = 0; status == HT_OK && i < relation->tags.count; i++) {
        const struct ht_osm_tag *tag = &relation->tags.list[i];
        if (keeps_tag(tag->key, out->maneuver)) {
            struct ht__tag *kept = &worker->tags[worker->tag_count++];
            out->tag_count++;
            status = ht__texts_add(&worker->texts, tag->key, &kept->key);
            if (status == HT_OK) {
                status = ht__texts_add(&worker->texts, tag->value, &kept->value);
            }
        }
    }
    return status;
}

static enum ht_status take_relation(struct ht_network_build *build, struct ht__worker *worker,
                                    size_t worker_index, const struct ht_osm_relation *relation,
                                    uint64_t order)
{
    (void)build;
    worker->counts.relations_read++;
    bool restriction = false;
    bool named = false;
    bool maneuver = false;
    for (size_t i = 0; i < relation->tags.count; i++) {
        const struct ht_osm_tag *tag = &relation->tags.list[i];
        bool type = strcmp(tag->key, "type") == 0;
        restriction |= strncmp(tag->key, "restriction", 11) == 0;
        named |= type && strcmp(tag->value, "restriction") == 0;
        maneuver |= type && (strcmp(tag->value, "maneuver") == 0 ||
                             strcmp(tag->value, "manoeuvre") == 0); /* as OSRM reads both */
    }
    if (!restriction && !maneuver) {
        worker->counts.restrictions_malformed += named; /* it does not say what it restricts */
        return HT_OK;
    }
    enum ht_status status = HT_OK;
    GROW(worker->relations, worker->relation_capacity, worker->relation_count + 1, status);
    if (status != HT_OK) {
        return status;
    }
    struct ht__relation *out = &worker->relations[worker->relation_count];
    *out = (struct ht__relation){.id = relation->id,
                                 .order = order,
                                 .worker = (uint32_t)worker_index,
                                 .maneuver = !restriction};
    status = add_relation(worker, relation, out);
    worker->relation_count += status == HT_OK;
    return status;
}

static enum ht_status ways_block(void *user, const struct ht_osm_block *block, size_t worker_index)
{
    struct ht_network_build *build = user;
    struct ht__worker *worker = &build->workers[worker_index];
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < block->way_count; i++) {
        status = take_way(build, worker, &block->ways[i], order_of(build, block, i));
    }
    for (size_t i = 0; status == HT_OK && i < block->relation_count; i++) {
        status = take_relation(build, worker, worker_index, &block->relations[i],
                               order_of(build, block, i));
    }
    return status;
}

/* Nodes come nearly sorted: the search gallops from where the last one was found. */
uint32_t ht__build_node(const struct ht_network_build *build, int64_t osm_id, uint32_t *hint)
{
    const int64_t *ids = build->node_osm_id;
    uint32_t count = build->node_count;
    if (count == 0) {
        return HT_NONE;
    }
    uint32_t low = *hint < count ? *hint : count - 1;
    uint32_t high = low;
    uint32_t step = 1;
    while (low > 0 && ids[low] > osm_id) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    step = 1;
    while (high < count && ids[high] < osm_id) {
        low = high;
        high = count - high > step ? high + step : count;
        step *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < osm_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *hint = low;
    return low < count && ids[low] == osm_id ? low : HT_NONE;
}

static enum ht_status take_obstacles(struct ht_network_build *build, struct ht__worker *worker,
                                     const struct ht_osm_node *node, uint32_t index, uint64_t order)
{
    enum ht_status status = HT_OK;
    for (size_t p = 0; p < build->profile_count; p++) {
        struct ht_node_rule rule;
        if (!ht_profile_node(build->profiles[p], node->tags, &rule)) {
            continue;
        }
        GROW(worker->obstacles, worker->obstacle_capacity, worker->obstacle_count + 1, status);
        if (status != HT_OK) {
            return status;
        }
        worker->obstacles[worker->obstacle_count++] = (struct ht__obstacle){
            .order = order, .node = index, .profile = (uint32_t)p, .rule = rule};
    }
    return HT_OK;
}

static enum ht_status take_node(struct ht_network_build *build, struct ht__worker *worker,
                                const struct ht_osm_node *node, uint64_t order, uint32_t *hint)
{
    uint32_t index = ht__build_node(build, node->id, hint);
    if (index == HT_NONE) {
        return HT_OK;
    }
    worker->counts.nodes_read++;
    if (!ht_point_valid(node->point)) {
        worker->counts.nodes_out_of_range++;
        return HT_OK;
    }
    /* The first in the input wins, whichever worker comes first. */
    pthread_mutex_t *stripe = &build->stripes[index % HT__STRIPES];
    (void)pthread_mutex_lock(stripe);
    worker->counts.duplicate_nodes += build->node_order[index] < UINT64_MAX - 1;
    if (order < build->node_order[index]) {
        build->node_order[index] = order;
        build->node_point[index] = node->point;
    }
    (void)pthread_mutex_unlock(stripe);
    return node->tags.count > 0 ? take_obstacles(build, worker, node, index, order) : HT_OK;
}

static enum ht_status nodes_block(void *user, const struct ht_osm_block *block, size_t worker_index)
{
    struct ht_network_build *build = user;
    struct ht__worker *worker = &build->workers[worker_index];
    uint32_t hint = 0;
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < block->node_count; i++) {
        status = take_node(build, worker, &block->nodes[i], order_of(build, block, i), &hint);
    }
    return status;
}

static void on_progress(void *user, uint64_t done, uint64_t total)
{
    struct ht_network_build *build = user;
    (void)total;
    build->progress(build->progress_user, build->progress_base + done, build->progress_scale);
}

enum ht_status ht__build_pass(struct ht_network_build *build, const struct ht_build_input *inputs,
                              size_t count, bool nodes, struct ht_error *error)
{
    struct ht_osm_handler handler = {.block = nodes ? nodes_block : ways_block,
                                     .progress = build->progress == NULL ? NULL : on_progress,
                                     .user = build,
                                     .nodes = nodes,
                                     .ways = !nodes,
                                     .relations = !nodes};
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        build->file = i;
        status = inputs[i].data == NULL ? ht_osm_read(inputs[i].path, build->pool, &handler, error)
                                        : ht_osm_read_memory(inputs[i].data, inputs[i].size,
                                                             build->pool, &handler, error);
        build->progress_base += inputs[i].size;
        if (status != HT_OK && error != NULL && inputs[i].path != NULL) {
            struct ht_error inner = *error;
            status = ht_error_set(error, status, inner.line, "%.100s: %.140s", inputs[i].path,
                                  inner.message);
        }
    }
    return status;
}
