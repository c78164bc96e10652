/* Turn restrictions (and maneuvers) on one graph: which sequences of arcs a relation means.
 *
 * A relation says from, via, to; the arcs follow from where their ways meet. Via ways are driven
 * from the junction shared with the way before to the one shared with the way after. Where that
 * leaves more than one reading, none is taken (OSRM, too, takes only ways that meet end to end);
 * where the profile can't drive any of it, the restriction does not matter. One that commands a way
 * (only_*) which can't be driven from where it begins is left out and counted: obeyed, it would
 * close the street.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/guide.h"
#include "geodata/network_build_internal.h"

enum { MOST_SEQUENCE = 512, MOST_VIA = 32, MOST_CANDIDATES = 8 };

enum outcome { FOUND, NOT_DRIVEN, AMBIGUOUS, IMPOSSIBLE };

/* One reading of from, via, to; grows while it is searched. */
struct reading {
    const struct ht__graph_build *g;
    uint32_t ways[MOST_VIA + 2]; /* from, via ways, to */
    uint32_t way_count;
    uint32_t via; /* junction of a via node; HT_NONE: via ways */
    bool u_turn;
    uint32_t arcs[MOST_SEQUENCE];
    uint32_t arc_count;
    uint32_t found[MOST_SEQUENCE]; /* the first complete one */
    uint32_t found_count;
    uint32_t readings;
};

struct list {
    uint32_t item[MOST_CANDIDATES];
    uint32_t count;
};

static void list_add(struct list *list, uint32_t item)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->item[i] == item) {
            return;
        }
    }
    if (list->count < MOST_CANDIDATES) {
        list->item[list->count++] = item;
    }
}

/* Arcs of `way` that arrive at (or leave) `junction`. */
static struct list arcs_at(const struct ht__graph_build *g, uint32_t way, uint32_t junction,
                           bool leaving)
{
    struct list list = {.count = 0};
    for (uint32_t p = g->way_first_piece[way]; p < g->way_first_piece[way + 1]; p++) {
        const struct ht__piece *piece = &g->pieces[p];
        for (int side = 0; side < 2; side++) {
            uint32_t at = piece->junction[leaving ? side : 1 - side];
            if (at == junction && piece->arc[side] != HT_NONE) {
                list_add(&list, piece->arc[side]);
            }
        }
    }
    return list;
}

static bool way_meets(const struct ht__graph_build *g, uint32_t way, uint32_t junction)
{
    for (uint32_t p = g->way_first_piece[way]; p < g->way_first_piece[way + 1]; p++) {
        if (g->pieces[p].junction[0] == junction || g->pieces[p].junction[1] == junction) {
            return true;
        }
    }
    return false;
}

/* Junctions where the end of one of the two ways lies on the other. */
static struct list joints(const struct ht__graph_build *g, uint32_t a, uint32_t b)
{
    struct list list = {.count = 0};
    for (int turn = 0; turn < 2; turn++) {
        uint32_t own = turn == 0 ? a : b;
        uint32_t other = turn == 0 ? b : a;
        uint32_t first = g->pieces[g->way_first_piece[own]].junction[0];
        uint32_t last = g->pieces[g->way_first_piece[own + 1] - 1].junction[1];
        if (way_meets(g, other, first)) {
            list_add(&list, first);
        }
        if (way_meets(g, other, last)) {
            list_add(&list, last);
        }
    }
    return list;
}

static void complete(struct reading *r, uint32_t last)
{
    if (r->arc_count >= MOST_SEQUENCE) {
        return;
    }
    r->arcs[r->arc_count] = last;
    uint32_t count = r->arc_count + 1;
    if (r->readings > 0 && r->found_count == count &&
        memcmp(r->found, r->arcs, count * sizeof *r->arcs) == 0) {
        return;
    }
    if (r->readings++ == 0) {
        memcpy(r->found, r->arcs, count * sizeof *r->arcs);
        r->found_count = count;
    }
}

/* Drives along `way` from piece `start` in direction `side` until `target`; appends the arcs. */
static bool drive(struct reading *r, uint32_t way, uint32_t start, int side, uint32_t target)
{
    const struct ht__graph_build *g = r->g;
    uint32_t first = g->way_first_piece[way];
    uint32_t end = g->way_first_piece[way + 1];
    bool closed = g->pieces[first].junction[0] == g->pieces[end - 1].junction[1];
    uint32_t p = start;
    for (uint32_t steps = 0; steps < end - first; steps++) {
        const struct ht__piece *piece = &g->pieces[p];
        if (piece->arc[side] == HT_NONE || r->arc_count >= MOST_SEQUENCE) {
            return false;
        }
        r->arcs[r->arc_count++] = piece->arc[side];
        if (piece->junction[1 - side] == target) {
            return true;
        }
        if ((side == 0 ? p + 1 == end : p == first) && !closed) {
            return false;
        }
        p = side == 0 ? (p + 1 == end ? first : p + 1) : (p == first ? end - 1 : p - 1);
    }
    return false;
}

/* Continues a reading that stands at junction `at` after way number `step`. Depth: the via ways. */
static void search(struct reading *r, uint32_t step, uint32_t at) // NOLINT(misc-no-recursion)
{
    const struct ht__graph_build *g = r->g;
    uint32_t way = r->ways[step + 1];
    if (step + 2 == r->way_count) {
        struct list out = arcs_at(g, way, at, true);
        for (uint32_t i = 0; i < out.count; i++) {
            complete(r, out.item[i]);
        }
        return;
    }
    struct list next = joints(g, way, r->ways[step + 2]);
    uint32_t before = r->arc_count;
    for (uint32_t i = 0; i < next.count; i++) {
        for (uint32_t p = g->way_first_piece[way]; p < g->way_first_piece[way + 1]; p++) {
            for (int side = 0; side < 2; side++) {
                if (next.item[i] != at && g->pieces[p].junction[side] == at &&
                    drive(r, way, p, side, next.item[i])) {
                    search(r, step + 1, next.item[i]);
                }
                r->arc_count = before;
            }
        }
    }
}

static enum outcome read_via_ways(struct reading *r)
{
    struct list starts = joints(r->g, r->ways[0], r->ways[1]);
    for (uint32_t i = 0; i < starts.count; i++) {
        struct list in = arcs_at(r->g, r->ways[0], starts.item[i], false);
        for (uint32_t k = 0; k < in.count; k++) {
            r->arcs[0] = in.item[k];
            r->arc_count = 1;
            search(r, 0, starts.item[i]);
        }
    }
    return r->readings == 0 ? NOT_DRIVEN : r->readings > 1 ? AMBIGUOUS : FOUND;
}

static bool is_used(const struct reading *r, uint32_t i)
{
    return r->g->way_first_piece[r->ways[i]] < r->g->way_first_piece[r->ways[i] + 1];
}

/* Whether the first way can be driven up to where the turn begins. */
static bool arrives(const struct reading *r)
{
    if (!is_used(r, 0) || (r->via == HT_NONE && !is_used(r, 1))) {
        return false;
    }
    if (r->via != HT_NONE) {
        return arcs_at(r->g, r->ways[0], r->via, false).count > 0;
    }
    struct list starts = joints(r->g, r->ways[0], r->ways[1]);
    bool any = false;
    for (uint32_t i = 0; i < starts.count; i++) {
        any = any || arcs_at(r->g, r->ways[0], starts.item[i], false).count > 0;
    }
    return any;
}

static enum ht_status push_pattern(struct ht__graph_build *g, const uint32_t *arcs, uint32_t count,
                                   struct ht__pattern pattern)
{
    void *list = g->pattern_arcs;
    enum ht_status status = ht_array_reserve(&list, &g->pattern_arc_capacity,
                                             g->pattern_arc_count + count, sizeof *arcs);
    g->pattern_arcs = list;
    if (status != HT_OK) {
        return status;
    }
    list = g->patterns;
    status =
        ht_array_reserve(&list, &g->pattern_capacity, g->pattern_count + 1, sizeof *g->patterns);
    g->patterns = list;
    if (status != HT_OK) {
        return status;
    }
    pattern.first = g->pattern_arc_count;
    pattern.count = count;
    memcpy(g->pattern_arcs + g->pattern_arc_count, arcs, count * sizeof *arcs);
    g->pattern_arc_count += count;
    g->patterns[g->pattern_count++] = pattern;
    return HT_OK;
}

/* Turns on one way at a node inside it: u-turns are told from the rest by their name. */
static enum ht_status push_same_way(struct ht__graph_build *g, const struct reading *r,
                                    struct ht__pattern pattern, enum outcome *outcome)
{
    struct list in = arcs_at(g, r->ways[0], r->via, false);
    struct list out = arcs_at(g, r->ways[0], r->via, true);
    *outcome = NOT_DRIVEN;
    for (uint32_t i = 0; i < in.count; i++) {
        for (uint32_t k = 0; k < out.count; k++) {
            bool back = g->graph->arcs[in.item[i]].reverse == out.item[k];
            if (back != (r->u_turn || in.count == 1)) {
                continue;
            }
            uint32_t pair[2] = {in.item[i], out.item[k]};
            enum ht_status status = push_pattern(g, pair, 2, pattern);
            if (status != HT_OK) {
                return status;
            }
            *outcome = FOUND;
        }
    }
    return HT_OK;
}

static enum ht_status push_reading(struct ht__graph_build *g, struct reading *r,
                                   struct ht__pattern pattern, enum outcome *outcome)
{
    *outcome = NOT_DRIVEN;
    for (uint32_t i = 0; i < r->way_count; i++) {
        if (!is_used(r, i)) {
            return HT_OK;
        }
    }
    if (r->way_count == 2 && r->ways[0] == r->ways[1]) {
        return push_same_way(g, r, pattern, outcome);
    }
    if (r->way_count == 2) {
        struct list in = arcs_at(g, r->ways[0], r->via, false);
        struct list out = arcs_at(g, r->ways[1], r->via, true);
        *outcome = in.count == 0 || out.count == 0 ? NOT_DRIVEN
                   : in.count * out.count > 1      ? AMBIGUOUS
                                                   : FOUND;
        uint32_t pair[2] = {in.item[0], out.item[0]};
        return *outcome == FOUND ? push_pattern(g, pair, 2, pattern) : HT_OK;
    }
    *outcome = read_via_ways(r);
    return *outcome == FOUND ? push_pattern(g, r->found, r->found_count, pattern) : HT_OK;
}

/* The members of a relation as they are in the network. */
struct roles {
    struct list from;
    struct list to;
    uint32_t via_way[MOST_VIA];
    uint32_t via_way_count;
    uint32_t via_node; /* node; HT_NONE: none */
    uint32_t via_node_count;
    bool missing;
    bool malformed;
};

static void read_way_member(const struct ht__graph_build *g, const struct ht__member *member,
                            struct roles *roles)
{
    uint32_t way = ht__build_way(g->build, member->ref);
    if (way == HT_NONE) {
        roles->missing = true;
    } else if (member->role == HT__ROLE_FROM) {
        list_add(&roles->from, way);
    } else if (member->role == HT__ROLE_TO) {
        list_add(&roles->to, way);
    } else if (roles->via_way_count < MOST_VIA) {
        roles->via_way[roles->via_way_count++] = way;
    } else {
        roles->malformed = true;
    }
}

static void read_members(const struct ht__graph_build *g, const struct ht__relation *relation,
                         struct roles *roles)
{
    memset(roles, 0, sizeof *roles);
    roles->via_node = HT_NONE;
    uint32_t hint = 0;
    for (uint32_t i = 0; i < relation->member_count; i++) {
        const struct ht__member *member = &g->build->members[relation->first_member + i];
        if (member->type == HT_OSM_WAY) {
            read_way_member(g, member, roles);
        } else if (member->type == HT_OSM_NODE && member->role == HT__ROLE_VIA) {
            roles->via_node = ht__build_node(g->build, member->ref, &hint);
            roles->missing |= roles->via_node == HT_NONE;
            roles->via_node_count++;
        }
    }
    bool via = roles->via_way_count > 0 || roles->via_node != HT_NONE;
    if (!roles->missing && (roles->from.count == 0 || roles->to.count == 0 || !via)) {
        roles->malformed = true;
    }
}

static const char *text_of(const struct ht__graph_build *g, uint32_t offset)
{
    return g->build->network.strings + offset;
}

/* "no_" or "only_" and what follows; on-red rules and foreign words mean nothing here. */
static bool known_value(const char *value, bool *only)
{
    size_t size = strlen(value);
    *only = strncmp(value, "only_", 5) == 0;
    bool on_red = size >= 7 && strcmp(value + size - 7, "_on_red") == 0;
    return !on_red && (*only || strncmp(value, "no_", 3) == 0);
}

/* All readings of one value of a relation: one, or one for each from (no_entry) or to (no_exit). */
static enum ht_status apply_value(struct ht__graph_build *g, const struct roles *roles,
                                  const struct ht__tag *tag, enum outcome *outcome)
{
    const char *value = text_of(g, tag->value);
    struct ht__pattern pattern = {.schedule = tag->schedule};
    *outcome = NOT_DRIVEN;
    if (!known_value(value, &pattern.only)) {
        return HT_OK;
    }
    if ((roles->from.count > 1 && strcmp(value, "no_entry") != 0) ||
        (roles->to.count > 1 && strcmp(value, "no_exit") != 0)) {
        *outcome = AMBIGUOUS;
        return HT_OK;
    }
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < roles->from.count; i++) {
        for (uint32_t k = 0; status == HT_OK && k < roles->to.count; k++) {
            struct reading r = {.g = g, .u_turn = strstr(value, "u_turn") != NULL};
            r.ways[r.way_count++] = roles->from.item[i];
            for (uint32_t v = 0; v < roles->via_way_count; v++) {
                r.ways[r.way_count++] = roles->via_way[v];
            }
            r.ways[r.way_count++] = roles->to.item[k];
            r.via = roles->via_node == HT_NONE ? HT_NONE : g->junction_of[roles->via_node];
            enum outcome one = NOT_DRIVEN;
            if (roles->via_way_count > 0 || r.via != HT_NONE) {
                status = push_reading(g, &r, pattern, &one);
                one = one == NOT_DRIVEN && pattern.only && arrives(&r) ? IMPOSSIBLE : one;
            }
            *outcome = one == FOUND || *outcome == NOT_DRIVEN ? one : *outcome;
        }
    }
    return status;
}

/* "bus;taxi": does the list name one of the profile's vehicles. */
static bool list_names(const char *list, const char *const *types)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ";");
        const char *word = list;
        size_t length = size;
        while (length > 0 && *word == ' ') {
            word++;
            length--;
        }
        while (length > 0 && word[length - 1] == ' ') {
            length--;
        }
        for (size_t i = 0; types[i] != NULL; i++) {
            if (strlen(types[i]) == length && strncmp(types[i], word, length) == 0) {
                return true;
            }
        }
        list += size + (list[size] == ';');
    }
    return false;
}

/* How closely a key speaks of the profile's vehicles: 0 most ("restriction:motorcar" for a car),
 * the number of types for plain "restriction"; HT_NONE: of others. */
static uint32_t key_rank(const char *key, const char *const *types, bool conditional)
{
    const char *rest = key + strlen("restriction");
    const char *ending = conditional ? ":conditional" : "";
    size_t size = strlen(rest);
    size_t tail = strlen(ending);
    if (size < tail || strcmp(rest + size - tail, ending) != 0) {
        return HT_NONE;
    }
    size -= tail;
    uint32_t i = 0;
    for (; types[i] != NULL; i++) {
        if (size == strlen(types[i]) + 1 && rest[0] == ':' &&
            strncmp(rest + 1, types[i], size - 1) == 0) {
            return i;
        }
    }
    return size == 0 ? i : HT_NONE;
}

/* A profile that does not obey what is meant for all still obeys what names its vehicles; who is on
 * an emergency, only what names emergencies: "restriction:motor_vehicle" is again for all. */
static bool obeys(const struct ht_profile *profile, const char *const *types, uint32_t rank)
{
    if (rank == HT_NONE || ht_profile_obeys_restrictions(profile)) {
        return rank != HT_NONE;
    }
    return ht_profile_emergency(profile) ? rank == 0 : types[rank] != NULL;
}

static uint32_t best_rank(const struct ht__graph_build *g, const struct ht__relation *relation,
                          const char *const *types, bool conditional)
{
    uint32_t best = HT_NONE;
    for (uint32_t i = 0; i < relation->tag_count; i++) {
        const struct ht__tag *tag = &g->build->tags[relation->first_tag + i];
        const char *key = text_of(g, tag->key);
        if (strcmp(key, "except") != 0 && (tag->schedule != HT_NONE) == conditional) {
            uint32_t rank = key_rank(key, types, conditional);
            best = obeys(g->profile, types, rank) && rank < best ? rank : best;
        }
    }
    return best;
}

static bool excepted(const struct ht__graph_build *g, const struct ht__relation *relation,
                     const char *const *types)
{
    for (uint32_t i = 0; i < relation->tag_count; i++) {
        const struct ht__tag *tag = &g->build->tags[relation->first_tag + i];
        if (strcmp(text_of(g, tag->key), "except") == 0 &&
            list_names(text_of(g, tag->value), types)) {
            return true;
        }
    }
    return false;
}

static void count_outcome(struct ht__graph_build *g, const struct roles *roles,
                          const struct ht__tag *tag, enum outcome outcome)
{
    struct ht_graph_counts *counts = g->counts;
    counts->restrictions_ambiguous += outcome == AMBIGUOUS;
    counts->restrictions_impossible += outcome == IMPOSSIBLE;
    counts->restrictions_used += outcome == FOUND;
    counts->restrictions_via_way += outcome == FOUND && roles->via_way_count > 0;
    counts->restrictions_timed += outcome == FOUND && tag->schedule != HT_NONE;
}

static enum ht_status apply_relation(struct ht__graph_build *g, const struct ht__relation *relation,
                                     const char *const *types)
{
    if (excepted(g, relation, types)) {
        return HT_OK;
    }
    uint32_t rank[2] = {best_rank(g, relation, types, false), best_rank(g, relation, types, true)};
    if (rank[0] == HT_NONE && rank[1] == HT_NONE) {
        return HT_OK;
    }
    struct roles roles;
    read_members(g, relation, &roles);
    if (roles.missing || roles.malformed) {
        g->counts->restrictions_missing += roles.missing;
        g->counts->restrictions_ambiguous += !roles.missing;
        return HT_OK;
    }
    for (uint32_t i = 0; i < relation->tag_count; i++) {
        const struct ht__tag *tag = &g->build->tags[relation->first_tag + i];
        const char *key = text_of(g, tag->key);
        bool conditional = tag->schedule != HT_NONE;
        if (strcmp(key, "except") == 0 || rank[conditional] == HT_NONE ||
            key_rank(key, types, conditional) != rank[conditional]) {
            continue;
        }
        enum outcome outcome = NOT_DRIVEN;
        enum ht_status status = apply_value(g, &roles, tag, &outcome);
        if (status != HT_OK) {
            return status;
        }
        count_outcome(g, &roles, tag, outcome);
    }
    return HT_OK;
}

enum ht_status ht__graph_restrictions(struct ht__graph_build *g)
{
    const char *const *types = ht_profile_restriction_types(g->profile);
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < g->build->relation_count; i++) {
        if (!g->build->relations[i].maneuver) {
            status = apply_relation(g, &g->build->relations[i], types);
        }
    }
    return status;
}

/* ---- what drivers are told ---- */

/* The number of a word in a list that ends with NULL; -1: it is none of them. */
static int word_of(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

/* Kind and modifier by the words of OSRM's parser. */
static void read_words(const struct ht__graph_build *g, const struct ht__relation *relation,
                       struct ht_maneuver *out)
{
    static const char *const kinds[] = {"uturn", "turn", "continue", "fork", "suppress", NULL};
    static const char *const directions[] = {"",         "sharp_right", "right", "slight_right",
                                             "straight", "slight_left", "left",  "sharp_left",
                                             NULL};
    const char *kind = "";
    int direction = -1;
    for (uint32_t i = 0; i < relation->tag_count; i++) {
        const struct ht__tag *tag = &g->build->tags[relation->first_tag + i];
        const char *key = text_of(g, tag->key);
        if (strcmp(key, "direction") == 0) {
            direction = word_of(directions, text_of(g, tag->value));
        } else if (kind[0] == '\0' || strcmp(key, "manoeuvre") == 0) {
            kind = text_of(g, tag->value);
        }
    }
    int number = word_of(kinds, kind);
    out->kind = number > 0    ? (uint8_t)number
                : number == 0 ? (uint8_t)HT_MANEUVER_TURN
                              : (uint8_t)HT_MANEUVER_AS_IT_IS;
    out->modifier = direction > 0 ? (uint8_t)direction
                    : number == 0 ? (uint8_t)HT_MODIFIER_UTURN
                                  : (uint8_t)HT_MODIFIER_NONE;
}

/* The arcs that a relation speaks of. False: none, several readings, or too many. */
static bool read_way(const struct ht__graph_build *g, const struct roles *roles,
                     struct ht_maneuver *out)
{
    struct reading r = {.g = g, .via = HT_NONE};
    r.ways[r.way_count++] = roles->from.item[0];
    for (uint32_t v = 0; v < roles->via_way_count; v++) {
        r.ways[r.way_count++] = roles->via_way[v];
    }
    r.ways[r.way_count++] = roles->to.item[0];
    for (uint32_t i = 0; i < r.way_count; i++) {
        if (g->way_first_piece[r.ways[i]] == g->way_first_piece[r.ways[i] + 1]) {
            return false;
        }
    }
    if (r.way_count > 2) {
        if (read_via_ways(&r) != FOUND || r.found_count > HT_MANEUVER_ARCS) {
            return false;
        }
        memcpy(out->arcs, r.found, r.found_count * sizeof *r.found);
        out->count = (uint8_t)r.found_count;
        return true;
    }
    struct list in = arcs_at(g, r.ways[0], out->junction, false);
    struct list to = arcs_at(g, r.ways[1], out->junction, true);
    out->arcs[0] = in.item[0];
    out->arcs[1] = to.item[0];
    out->count = 2;
    return in.count == 1 && to.count == 1;
}

static int maneuver_compare(const void *a, const void *b)
{
    const struct ht_maneuver *x = a;
    const struct ht_maneuver *y = b;
    return x->arcs[0] != y->arcs[0] ? (x->arcs[0] < y->arcs[0] ? -1 : 1) : memcmp(x, y, sizeof *x);
}

enum ht_status ht__graph_maneuvers(struct ht__graph_build *g)
{
    struct ht_graph_owned *graph = g->graph;
    size_t capacity = 0;
    for (size_t i = 0; i < g->build->relation_count; i++) {
        const struct ht__relation *relation = &g->build->relations[i];
        struct roles roles;
        struct ht_maneuver one = {.reserved = 0};
        if (!relation->maneuver) {
            continue;
        }
        read_members(g, relation, &roles);
        if (roles.missing || roles.malformed || roles.from.count != 1 || roles.to.count != 1 ||
            roles.via_node_count != 1) {
            continue;
        }
        one.junction = g->junction_of[roles.via_node];
        read_words(g, relation, &one);
        if (one.junction == HT_NONE || !read_way(g, &roles, &one)) {
            continue;
        }
        void *list = graph->maneuvers;
        enum ht_status status = ht_array_reserve(&list, &capacity, graph->view.maneuver_count + 1U,
                                                 sizeof *graph->maneuvers);
        graph->maneuvers = list;
        if (status != HT_OK) {
            return status;
        }
        graph->maneuvers[graph->view.maneuver_count++] = one;
    }
    if (graph->view.maneuver_count > 0) {
        qsort(graph->maneuvers, graph->view.maneuver_count, sizeof *graph->maneuvers,
              maneuver_compare);
    }
    return HT_OK;
}
