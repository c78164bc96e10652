#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/sample_internal.h"

/* A block is a bent grid of nodes. A random spanning tree over its edges makes sure that all of it
 * can be reached, some more edges make loops, and what is left over may become paths. */
enum { SIDE_MAX = 30, NODES_MAX = SIDE_MAX * SIDE_MAX };
enum { WALL_INSET_CM = 8 * HT__METRE };
/* A way ends after so many nodes to either side. */
enum { STREET_NODES_MAX = 5 };

#define NO_EDGE UINT32_MAX

enum use { USE_NONE, USE_STREET, USE_FOOT, USE_CYCLE, USE_STEPS, USE_PEDESTRIAN, USE_BUS };

struct block_rule {
    int32_t jitter;  /* permille of the spacing */
    int32_t loops;   /* permille of the edges beyond the tree */
    int32_t bends;   /* permille of the legs */
    int32_t paths;   /* permille of the edges that are left over */
    int32_t oneways; /* permille of the longer streets */
    bool straight;   /* whole rows rather than single edges */
    enum ht__class classes[4];
};

static const struct block_rule rules[] = {
    [HT__BLOCK_GRID] = {90,
                        480,
                        80,
                        120,
                        160,
                        true,
                        {HT__RESIDENTIAL, HT__RESIDENTIAL, HT__UNCLASSIFIED, HT__RESIDENTIAL}},
    [HT__BLOCK_COMPOUND] =
        {120, 310, 150, 200, 60, true, {HT__SERVICE, HT__SERVICE, HT__SERVICE, HT__LIVING}},
    [HT__BLOCK_OLD_TOWN] = {300,
                            390,
                            420,
                            450,
                            200,
                            false,
                            {HT__LIVING, HT__RESIDENTIAL, HT__LIVING, HT__RESIDENTIAL}},
    [HT__BLOCK_VILLAGE] = {290,
                           290,
                           420,
                           80,
                           20,
                           false,
                           {HT__RESIDENTIAL, HT__RESIDENTIAL, HT__UNCLASSIFIED, HT__RESIDENTIAL}},
    [HT__BLOCK_WORKS] =
        {60, 360, 20, 20, 60, true, {HT__SERVICE, HT__UNCLASSIFIED, HT__SERVICE, HT__UNCLASSIFIED}},
    [HT__BLOCK_PORT] =
        {40, 300, 0, 0, 100, true, {HT__SERVICE, HT__SERVICE, HT__SERVICE, HT__SERVICE}},
    [HT__BLOCK_PARK] = {300, 250, 600, 0, 0, false, {HT__FOOT, HT__FOOT, HT__FOOT, HT__FOOT}},
};

/* Edge 2n leads east from node n, edge 2n + 1 north. */
struct block {
    struct ht__sketch *sketch;
    const struct ht__block_plan *plan;
    const struct block_rule *rule;
    struct ht__yard *yard;
    struct ht__dice dice;
    uint32_t columns;
    uint32_t rows;
    uint32_t nodes[NODES_MAX];
    uint8_t use[2 * NODES_MAX];
    int8_t oneway[2 * NODES_MAX]; /* 1 towards the higher node, -1 back */
    bool drawn[2 * NODES_MAX];
    struct street {
        struct ht__name name;
        enum ht__class class;
    } streets[2][SIDE_MAX]; /* rows, columns */
};

struct keyed_edge {
    uint32_t key;
    uint32_t edge;
};

static uint32_t node_at(const struct block *block, uint32_t row, uint32_t column)
{
    return row * block->columns + column;
}

static bool edge_exists(const struct block *block, uint32_t edge)
{
    uint32_t node = edge / 2;
    return edge % 2 == 0 ? node % block->columns + 1 < block->columns
                         : node / block->columns + 1 < block->rows;
}

static uint32_t edge_head(const struct block *block, uint32_t edge)
{
    return edge / 2 + (edge % 2 == 0 ? 1 : block->columns);
}

static uint32_t divisions(int32_t length_cm, int32_t spacing_cm)
{
    int32_t count = length_cm / spacing_cm;
    return count < 2 ? 2 : count > SIDE_MAX ? SIDE_MAX : (uint32_t)count;
}

static void place_nodes(struct block *block)
{
    const struct ht__rect *rect = &block->plan->rect;
    int32_t spacing = block->plan->spacing_cm;
    int32_t margin = spacing * 2 / 5;
    int32_t width = rect->max.x_cm - rect->min.x_cm - 2 * margin;
    int32_t height = rect->max.y_cm - rect->min.y_cm - 2 * margin;
    block->columns = divisions(width + spacing, spacing);
    block->rows = divisions(height + spacing, spacing);
    int32_t step_x = width / (int32_t)(block->columns - 1);
    int32_t step_y = height / (int32_t)(block->rows - 1);
    int32_t jitter_x = (int32_t)((int64_t)step_x * block->rule->jitter / 1000);
    int32_t jitter_y = (int32_t)((int64_t)step_y * block->rule->jitter / 1000);
    for (uint32_t row = 0; row < block->rows; row++) {
        for (uint32_t column = 0; column < block->columns; column++) {
            struct ht__place place = {
                .x_cm = rect->min.x_cm + margin + (int32_t)column * step_x +
                        ht__dice_range(&block->dice, -jitter_x, jitter_x),
                .y_cm = rect->min.y_cm + margin + (int32_t)row * step_y +
                        ht__dice_range(&block->dice, -jitter_y, jitter_y),
            };
            block->nodes[node_at(block, row, column)] = ht__sketch_node(block->sketch, place);
        }
    }
}

static int by_key(const void *a, const void *b)
{
    const struct keyed_edge *x = a;
    const struct keyed_edge *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->edge < y->edge ? -1 : x->edge > y->edge;
}

/* Keys decide the order in which the tree takes edges: alone, or by their whole row. */
static size_t key_edges(struct block *block, struct keyed_edge *out)
{
    uint32_t line_key[2][SIDE_MAX];
    for (size_t i = 0; i < SIDE_MAX; i++) {
        line_key[0][i] = (uint32_t)ht__dice_range(&block->dice, 0, 1000);
        line_key[1][i] = (uint32_t)ht__dice_range(&block->dice, 0, 1000);
    }
    size_t count = 0;
    for (uint32_t edge = 0; edge < 2 * block->columns * block->rows; edge++) {
        if (!edge_exists(block, edge)) {
            continue;
        }
        uint32_t key = (uint32_t)ht__dice_range(&block->dice, 0, 1000);
        uint32_t row = edge / 2 / block->columns;
        uint32_t column = edge / 2 % block->columns;
        if (block->rule->straight) {
            key = key / 2 + (edge % 2 == 0 ? line_key[0][row] : line_key[1][column]);
        }
        out[count++] = (struct keyed_edge){.key = key, .edge = edge};
    }
    qsort(out, count, sizeof *out, by_key);
    return count;
}

static uint32_t find_root(uint32_t *parent, uint32_t node)
{
    while (parent[node] != node) {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    return node;
}

static enum use left_over(struct block *block)
{
    if (!block->plan->details || !ht__dice_chance(&block->dice, block->rule->paths)) {
        return USE_NONE;
    }
    bool old = block->plan->kind == HT__BLOCK_OLD_TOWN;
    bool walled = block->plan->kind == HT__BLOCK_COMPOUND;
    int32_t roll = ht__dice_range(&block->dice, 0, 99);
    if (walled || roll < 40) {
        return USE_FOOT;
    }
    if (old) {
        return roll < 55 ? USE_STEPS : USE_PEDESTRIAN;
    }
    return roll < 80 ? USE_CYCLE : USE_BUS;
}

static void choose_edges(struct block *block)
{
    struct keyed_edge edges[2 * NODES_MAX];
    uint32_t parent[NODES_MAX];
    size_t count = key_edges(block, edges);
    for (uint32_t i = 0; i < block->columns * block->rows; i++) {
        parent[i] = i;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t edge = edges[i].edge;
        uint32_t a = find_root(parent, edge / 2);
        uint32_t b = find_root(parent, edge_head(block, edge));
        if (a != b) {
            parent[a] = b;
            block->use[edge] = USE_STREET;
        } else if (ht__dice_chance(&block->dice, block->rule->loops)) {
            block->use[edge] = USE_STREET;
        } else {
            block->use[edge] = (uint8_t)left_over(block);
        }
    }
}

/* The (up to four) edges at a node; NO_EDGE where the block ends. */
static void edges_at(const struct block *block, uint32_t node, uint32_t out[4])
{
    out[0] = edge_exists(block, 2 * node) ? 2 * node : NO_EDGE;
    out[1] = edge_exists(block, 2 * node + 1) ? 2 * node + 1 : NO_EDGE;
    out[2] = node % block->columns > 0 ? 2 * (node - 1) : NO_EDGE;
    out[3] = node >= block->columns ? 2 * (node - block->columns) + 1 : NO_EDGE;
}

/* Whether node 0 reaches every node along (or against) the one-ways. */
static bool reaches_all(const struct block *block, bool along)
{
    uint32_t stack[NODES_MAX];
    bool seen[NODES_MAX] = {false};
    uint32_t total = block->columns * block->rows;
    uint32_t reached = 1;
    size_t depth = 1;
    stack[0] = 0;
    seen[0] = true;
    while (depth > 0) {
        uint32_t node = stack[--depth];
        uint32_t edges[4];
        edges_at(block, node, edges);
        for (size_t i = 0; i < 4; i++) {
            if (edges[i] == NO_EDGE || block->use[edges[i]] != USE_STREET) {
                continue;
            }
            bool up = i < 2;
            int way = block->oneway[edges[i]] * (along ? 1 : -1);
            uint32_t next = up ? edge_head(block, edges[i]) : edges[i] / 2;
            if (!seen[next] && way != (up ? -1 : 1)) {
                seen[next] = true;
                reached++;
                stack[depth++] = next;
            }
        }
    }
    return reached == total;
}

/* A run of edges in one row or column that have the same use. */
struct run {
    uint32_t edge;
    uint32_t step; /* to the next edge */
    uint32_t length;
};

/* Makes a run one-way where everything stays reachable. */
static void try_oneway(struct block *block, const struct run *run, int8_t way)
{
    for (uint32_t i = 0; i < run->length; i++) {
        block->oneway[run->edge + i * run->step] = way;
    }
    if (reaches_all(block, true) && reaches_all(block, false)) {
        return;
    }
    for (uint32_t i = 0; i < run->length; i++) {
        block->oneway[run->edge + i * run->step] = 0;
    }
}

static uint32_t run_length(const struct block *block, uint32_t edge, uint32_t step, uint32_t most)
{
    uint32_t length = 1;
    while (length < most && edge_exists(block, edge + (length - 1) * step) &&
           edge + length * step < 2 * block->columns * block->rows &&
           edge_exists(block, edge + length * step) &&
           block->use[edge + length * step] == block->use[edge] &&
           block->oneway[edge + length * step] == block->oneway[edge]) {
        length++;
    }
    return length;
}

/* One-way pairs: neighbouring rows in opposite directions. */
static void choose_oneways(struct block *block)
{
    int8_t way = ht__dice_chance(&block->dice, 500) ? 1 : -1;
    for (uint32_t row = 0; row < block->rows; row++) {
        uint32_t column = 0;
        while (column + 1 < block->columns) {
            uint32_t edge = 2 * node_at(block, row, column);
            struct run run = {.edge = edge, .step = 2, .length = 1};
            run.length = run_length(block, edge, 2, block->columns - 1 - column);
            if (block->use[edge] == USE_STREET && run.length >= 2 &&
                ht__dice_chance(&block->dice, block->rule->oneways)) {
                try_oneway(block, &run, way);
                way = (int8_t)-way;
            }
            column += run.length;
        }
    }
}

/* NULL: what is usual for the class. */
static const char *paving(struct block *block)
{
    static const char *const old_town[] = {"sett", "paving_stones", NULL, "cobblestone"};
    static const char *const village[] = {NULL,        "concrete", NULL,      "gravel",
                                          "compacted", NULL,       "unpaved", NULL};
    switch (block->plan->kind) {
    case HT__BLOCK_OLD_TOWN:
        return old_town[ht__dice_range(&block->dice, 0, 3)];
    case HT__BLOCK_VILLAGE:
        return village[ht__dice_range(&block->dice, 0, 7)];
    case HT__BLOCK_WORKS:
    case HT__BLOCK_PORT:
        return "concrete";
    case HT__BLOCK_GRID:
    case HT__BLOCK_COMPOUND:
    case HT__BLOCK_PARK:
        break;
    }
    return NULL;
}

static void tag_inner(struct block *block, enum ht__class class, bool private_way, bool oneway)
{
    struct ht__sketch *sketch = block->sketch;
    ht__tag_street(sketch, &block->dice, class, oneway, paving(block));
    switch (block->plan->kind) {
    case HT__BLOCK_COMPOUND:
    case HT__BLOCK_PORT:
        ht__sketch_tag(sketch, "access", private_way ? "private" : "destination");
        break;
    case HT__BLOCK_WORKS:
        if (class == HT__SERVICE && private_way) {
            ht__sketch_tag(sketch, "access", "destination");
        }
        break;
    case HT__BLOCK_OLD_TOWN:
        ht__sketch_tag(sketch, "width", "3.5");
        break;
    case HT__BLOCK_GRID:
    case HT__BLOCK_VILLAGE:
    case HT__BLOCK_PARK:
        break;
    }
}

static void tag_path(struct block *block, enum use use)
{
    struct ht__sketch *sketch = block->sketch;
    switch (use) {
    case USE_FOOT:
        ht__sketch_tag(sketch, "highway", "footway");
        break;
    case USE_CYCLE:
        ht__sketch_tag(sketch, "highway", "cycleway");
        ht__sketch_tag(sketch, "foot", "yes");
        break;
    case USE_STEPS:
        ht__sketch_tag(sketch, "highway", "steps");
        break;
    case USE_PEDESTRIAN:
        ht__sketch_tag(sketch, "highway", "pedestrian");
        ht__sketch_tag(sketch, "bicycle", "yes");
        break;
    case USE_BUS:
        ht__sketch_tag(sketch, "highway", "residential");
        ht__sketch_tag(sketch, "motor_vehicle", "no");
        ht__sketch_tag(sketch, "bus", "yes");
        break;
    case USE_NONE:
    case USE_STREET:
        break;
    }
}

static void draw_leg(struct block *block, uint32_t from, uint32_t to)
{
    struct ht__sketch *sketch = block->sketch;
    if (ht__dice_chance(&block->dice, block->rule->bends)) {
        struct ht__place a = ht__sketch_place(sketch, from);
        struct ht__place b = ht__sketch_place(sketch, to);
        int32_t off = ht__dice_range(&block->dice, -130, 130);
        struct ht__place middle = {
            .x_cm = a.x_cm / 2 + b.x_cm / 2 - (b.y_cm - a.y_cm) / 10 * off / 100,
            .y_cm = a.y_cm / 2 + b.y_cm / 2 + (b.x_cm - a.x_cm) / 10 * off / 100,
        };
        ht__sketch_point(sketch, ht__sketch_node(sketch, middle));
    }
    ht__sketch_leg(sketch, to);
}

static bool goes_on(const struct block *block, uint32_t edge, uint32_t next)
{
    return next != NO_EDGE && !block->drawn[next] && block->use[next] == block->use[edge] &&
           block->oneway[next] == block->oneway[edge];
}

/* How a street leaves `node` when it came by `edge`: straight on, or round a corner where nothing
 * else meets it. */
static uint32_t next_edge(const struct block *block, uint32_t edge, uint32_t node)
{
    uint32_t edges[4];
    edges_at(block, node, edges);
    size_t straight = node == edge / 2 ? edge % 2 + 2 : edge % 2;
    if (goes_on(block, edge, edges[straight])) {
        return edges[straight];
    }
    uint32_t other = NO_EDGE;
    size_t used = 0;
    for (size_t i = 0; i < 4; i++) {
        if (edges[i] != NO_EDGE && block->use[edges[i]] != USE_NONE) {
            used++;
            other = edges[i] == edge ? other : edges[i];
        }
    }
    bool corner = used == 2 && block->oneway[edge] == 0 && goes_on(block, edge, other);
    return corner ? other : NO_EDGE;
}

/* Follows the street beyond `node`; returns how many nodes it added. */
static size_t follow(struct block *block, uint32_t edge, uint32_t node, uint32_t *out)
{
    size_t count = 0;
    while (count < STREET_NODES_MAX) {
        uint32_t next = next_edge(block, edge, node);
        if (next == NO_EDGE) {
            break;
        }
        block->drawn[next] = true;
        node = next / 2 == node ? edge_head(block, next) : next / 2;
        edge = next;
        out[count++] = node;
    }
    return count;
}

static void tag_street(struct block *block, uint32_t edge)
{
    uint32_t at = edge % 2 == 0 ? edge / 2 / block->columns : edge / 2 % block->columns;
    const struct street *street = &block->streets[edge % 2][at];
    enum use use = (enum use)block->use[edge];
    if (use != USE_STREET) {
        tag_path(block, use);
        return;
    }
    tag_inner(block, street->class, block->plan->seed % 5 < 3, block->oneway[edge] != 0);
    bool inner = block->plan->kind == HT__BLOCK_COMPOUND || street->class == HT__SERVICE;
    if (!inner && street->class != HT__FOOT) {
        ht__sketch_tag_name(block->sketch, &street->name);
    }
}

static void draw_street(struct block *block, uint32_t edge)
{
    uint32_t before[STREET_NODES_MAX];
    uint32_t nodes[2 * STREET_NODES_MAX + 2];
    block->drawn[edge] = true;
    size_t back = follow(block, edge, edge / 2, before);
    for (size_t i = 0; i < back; i++) {
        nodes[i] = before[back - 1 - i];
    }
    nodes[back] = edge / 2;
    nodes[back + 1] = edge_head(block, edge);
    size_t count = back + 2 + follow(block, edge, nodes[back + 1], nodes + back + 2);
    bool down = block->oneway[edge] < 0;
    ht__sketch_begin(block->sketch, block->nodes[nodes[down ? count - 1 : 0]]);
    for (size_t i = 1; i < count; i++) {
        uint32_t from = nodes[down ? count - i : i - 1];
        uint32_t to = nodes[down ? count - 1 - i : i];
        draw_leg(block, block->nodes[from], block->nodes[to]);
    }
    tag_street(block, edge);
    (void)ht__sketch_end(block->sketch);
}

/* Each row and column has its name and class throughout. */
static void draw_edges(struct block *block)
{
    bool old = block->plan->kind == HT__BLOCK_OLD_TOWN;
    for (size_t i = 0; i < SIDE_MAX; i++) {
        for (size_t direction = 0; direction < 2; direction++) {
            struct street *street = &block->streets[direction][i];
            ht__name_make(&block->dice, old ? HT__NAME_LANE : HT__NAME_ROAD, &street->name);
            street->class = block->rule->classes[ht__dice_range(&block->dice, 0, 3)];
        }
    }
    for (uint32_t edge = 0; edge < 2 * block->columns * block->rows; edge++) {
        if (edge_exists(block, edge) && block->use[edge] != USE_NONE && !block->drawn[edge]) {
            draw_street(block, edge);
        }
    }
}

/* The nodes along a side, in the order of the ports. */
static uint32_t side_node(const struct block *block, enum ht__side side, uint32_t i)
{
    switch (side) {
    case HT__WEST:
        return node_at(block, i, 0);
    case HT__EAST:
        return node_at(block, i, block->columns - 1);
    case HT__SOUTH:
        return node_at(block, 0, i);
    case HT__NORTH:
    case HT__SIDES:
        break;
    }
    return node_at(block, block->rows - 1, i);
}

static int32_t along(struct ht__place place, enum ht__side side)
{
    return side == HT__WEST || side == HT__EAST ? place.y_cm : place.x_cm;
}

static enum ht_status open_sides(struct block *block, struct ht__ports ports[HT__SIDES])
{
    enum ht__class class = block->rule->classes[0];
    enum ht_status status = HT_OK;
    for (enum ht__side side = HT__WEST; side < HT__SIDES; side++) {
        uint32_t count = side == HT__WEST || side == HT__EAST ? block->rows : block->columns;
        for (uint32_t i = 0; i < count && status == HT_OK; i++) {
            uint32_t node = block->nodes[side_node(block, side, i)];
            struct ht__port port = {
                .node = node,
                .along_cm = along(ht__sketch_place(block->sketch, node), side),
                .class = class == HT__LIVING ? HT__RESIDENTIAL : class,
            };
            status = ht__ports_add(&ports[side], port);
        }
    }
    return status;
}

/* A gate in the wall of one side, and the lane from it to the nearest inner corner. */
static uint32_t draw_gate(struct block *block, enum ht__side side)
{
    struct ht__sketch *sketch = block->sketch;
    const struct ht__rect *rect = &block->plan->rect;
    uint32_t count = side == HT__WEST || side == HT__EAST ? block->rows : block->columns;
    uint32_t at = (uint32_t)ht__dice_range(&block->dice, (int32_t)count / 4,
                                           (int32_t)(count - 1) - (int32_t)count / 4);
    uint32_t inner = block->nodes[side_node(block, side, at)];
    struct ht__place place = ht__sketch_place(sketch, inner);
    switch (side) {
    case HT__WEST:
        place.x_cm = rect->min.x_cm + WALL_INSET_CM;
        break;
    case HT__EAST:
        place.x_cm = rect->max.x_cm - WALL_INSET_CM;
        break;
    case HT__SOUTH:
        place.y_cm = rect->min.y_cm + WALL_INSET_CM;
        break;
    case HT__NORTH:
    case HT__SIDES:
        place.y_cm = rect->max.y_cm - WALL_INSET_CM;
        break;
    }
    uint32_t gate = ht__sketch_node(sketch, place);
    bool lift = ht__dice_chance(&block->dice, 600);
    ht__sketch_node_tag(sketch, gate, "barrier", lift ? "lift_gate" : "gate");
    ht__sketch_begin(sketch, inner);
    ht__sketch_leg(sketch, gate);
    tag_inner(block, HT__SERVICE, block->plan->seed % 5 < 3, false);
    (void)ht__sketch_end(sketch);
    return gate;
}

/* The wall, through the gates: an area with the compound's name. */
static void draw_wall(struct block *block)
{
    static const enum ht__side order[HT__SIDES] = {HT__SOUTH, HT__EAST, HT__NORTH, HT__WEST};
    struct ht__sketch *sketch = block->sketch;
    const uint32_t *gates = block->yard->gates;
    const struct ht__rect *rect = &block->plan->rect;
    int32_t west = rect->min.x_cm + WALL_INSET_CM;
    int32_t east = rect->max.x_cm - WALL_INSET_CM;
    int32_t south = rect->min.y_cm + WALL_INSET_CM;
    int32_t north = rect->max.y_cm - WALL_INSET_CM;
    struct ht__place corners[HT__SIDES] = {{east, south}, {east, north}, {west, north}};
    uint32_t first = ht__sketch_node(sketch, (struct ht__place){west, south});
    ht__sketch_begin(sketch, first);
    for (size_t i = 0; i < HT__SIDES; i++) {
        if (gates[order[i]] != UINT32_MAX) {
            ht__sketch_leg(sketch, gates[order[i]]);
        }
        ht__sketch_leg(sketch, i + 1 == HT__SIDES ? first : ht__sketch_node(sketch, corners[i]));
    }
    struct ht__name name;
    ht__name_make(&block->dice, HT__NAME_COMPOUND, &name);
    ht__sketch_tag(sketch, "landuse", "residential");
    ht__sketch_tag(sketch, "barrier", "wall");
    ht__sketch_tag_name(sketch, &name);
    block->yard->wall = ht__sketch_end(sketch);
    block->yard->name = ht__sketch_keep(sketch, name.zh);
}

static enum ht_status open_gates(struct block *block, struct ht__ports ports[HT__SIDES])
{
    uint32_t *gates = block->yard->gates;
    int32_t count = ht__dice_range(&block->dice, 2, 4);
    int32_t first = ht__dice_range(&block->dice, 0, HT__SIDES - 1);
    block->yard->main_gate = (enum ht__side)first;
    enum ht_status status = HT_OK;
    for (int32_t i = 0; i < count && status == HT_OK; i++) {
        enum ht__side side = (enum ht__side)((first + i) % HT__SIDES);
        gates[side] = draw_gate(block, side);
        struct ht__place place = ht__sketch_place(block->sketch, gates[side]);
        struct ht__port port = {.node = gates[side],
                                .along_cm = along(place, side),
                                .class = HT__SERVICE,
                                .must = i == 0};
        status = ht__ports_add(&ports[side], port);
    }
    draw_wall(block);
    return status;
}

enum ht_status ht__block_draw(struct ht__sketch *sketch, const struct ht__block_plan *plan,
                              struct ht__ports ports[HT__SIDES], struct ht__yard *yard)
{
    struct block *block = ht_array_new_zeroed(1, sizeof *block);
    if (block == NULL) {
        return HT_NOMEM;
    }
    block->sketch = sketch;
    block->plan = plan;
    block->yard = yard;
    block->rule = &rules[plan->kind];
    block->dice = ht__dice_new(plan->seed, 1);
    *yard = (struct ht__yard){.wall = UINT32_MAX};
    for (size_t i = 0; i < HT__SIDES; i++) {
        yard->gates[i] = UINT32_MAX;
    }
    place_nodes(block);
    yard->first_node = block->nodes[0];
    yard->columns = block->columns;
    yard->rows = block->rows;
    enum ht_status status = ht__sketch_status(sketch);
    if (status == HT_OK) {
        choose_edges(block);
        choose_oneways(block);
        draw_edges(block);
        status =
            plan->kind == HT__BLOCK_COMPOUND ? open_gates(block, ports) : open_sides(block, ports);
    }
    free(block);
    return status == HT_OK ? ht__sketch_status(sketch) : status;
}
