/* A tiny town written as OSM XML and built by the real importer.
 *
 *   struct ht_town town;
 *   ht_town_begin(&town, "a b c\n"
 *                        "  d  \n");           a node for each letter, 50 m apart
 *   ht_town_way(&town, 1, "abc", "highway=residential|oneway=yes");
 *   ht_town_relation(&town, 9, "type=restriction|restriction=no_left_turn", "from w1|via nb|to
 * w2"); ht_town_build(&town, "car");                town.graph, town.network ht_town_end(&town);
 *
 * A node's OSM id is its letter's code. A turn is asked for as "abd": from the arc that ends a - b
 * to the one that begins b - d. Threading: main only. A lack of memory or a mistake in the drawing
 * aborts.
 */
#ifndef HT_TESTS_SUPPORT_OSM_TOWN_H
#define HT_TESTS_SUPPORT_OSM_TOWN_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/network_build.h"

struct ht_town {
    char *nodes;
    char *ways;
    char *relations;
    char node_tags[256][128];
    const char *map;
    struct ht_pool *pool;
    struct ht_profile **profiles;
    size_t profile_count;
    struct ht_network_build *build;
    struct ht_graph_owned *owned;
    struct ht_graph_counts counts;
    const struct ht_network *network;
    const struct ht_graph *graph;
    enum ht_status status;
    struct ht_error error;
};

__attribute__((format(printf, 2, 3))) static inline void ht_town_add(char **text,
                                                                     const char *format, ...)
{
    char part[4096];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(part, sizeof part, format, list);
    va_end(list);
    size_t old = *text == NULL ? 0 : strlen(*text);
    char *grown = realloc(*text, old + (size_t)size + 1);
    if (grown == NULL || size < 0 || (size_t)size >= sizeof part) {
        abort();
    }
    memcpy(grown + old, part, (size_t)size + 1);
    *text = grown;
}

/* "key=value|key=value" as tags. */
static inline void ht_town_tags(char **text, const char *tags)
{
    while (*tags != '\0') {
        size_t size = strcspn(tags, "|");
        size_t key = strcspn(tags, "=");
        ht_town_add(text, "<tag k=\"%.*s\" v=\"%.*s\"/>", (int)key, tags, (int)(size - key - 1),
                    tags + key + 1);
        tags += size + (tags[size] == '|');
    }
}

static inline void ht_town_begin(struct ht_town *town, const char *map)
{
    memset(town, 0, sizeof *town);
    town->map = map;
    ht_town_add(&town->ways, " ");
    ht_town_add(&town->relations, " ");
}

/* Tags of a letter's node; "missing" leaves the node out, "far" puts it off the globe. */
static inline void ht_town_node(struct ht_town *town, char letter, const char *tags)
{
    (void)snprintf(town->node_tags[(unsigned char)letter], 128, "%s", tags);
}

static inline void ht_town_way(struct ht_town *town, int id, const char *letters, const char *tags)
{
    ht_town_add(&town->ways, "<way id=\"%d\">", id);
    for (; *letters != '\0'; letters++) {
        ht_town_add(&town->ways, "<nd ref=\"%d\"/>", *letters);
    }
    ht_town_tags(&town->ways, tags);
    ht_town_add(&town->ways, "</way>\n");
}

/* Members: "role w12" or "role na", split by bars. */
static inline void ht_town_relation(struct ht_town *town, int id, const char *tags,
                                    const char *members)
{
    ht_town_add(&town->relations, "<relation id=\"%d\">", id);
    while (*members != '\0') {
        size_t size = strcspn(members, "|");
        size_t role = strcspn(members, " ");
        bool node = members[role + 1] == 'n';
        int ref = node ? members[role + 2] : (int)strtol(members + role + 2, NULL, 10);
        ht_town_add(&town->relations, "<member type=\"%s\" ref=\"%d\" role=\"%.*s\"/>",
                    node ? "node" : "way", ref, (int)role, members);
        members += size + (members[size] == '|');
    }
    ht_town_tags(&town->relations, tags);
    ht_town_add(&town->relations, "</relation>\n");
}

static inline void ht_town_draw(struct ht_town *town)
{
    double step = 0.00045; /* 50 m */
    int row = 0;
    int column = 0;
    ht_town_add(&town->nodes, "<?xml version=\"1.0\"?><osm version=\"0.6\">\n");
    for (const char *c = town->map; *c != '\0'; c++, column++) {
        if (*c == '\n') {
            row++;
            column = -1;
            continue;
        }
        const char *tags = town->node_tags[(unsigned char)*c];
        if (*c == ' ' || strcmp(tags, "missing") == 0) {
            continue;
        }
        bool far = strcmp(tags, "far") == 0;
        ht_town_add(&town->nodes, "<node id=\"%d\" lon=\"%.7f\" lat=\"%.7f\">", *c,
                    far ? 200.0 : step / 2 * column, -step * row);
        ht_town_tags(&town->nodes, far ? "" : tags);
        ht_town_add(&town->nodes, "</node>\n");
    }
}

static inline void ht_town_build(struct ht_town *town, const char *profile)
{
    ht_town_draw(town);
    char *xml = NULL;
    size_t size = strlen(town->nodes) + strlen(town->ways) + strlen(town->relations) + 16;
    xml = malloc(size);
    if (xml == NULL || ht_pool_new(1, &town->pool) != HT_OK ||
        ht_profiles_open(profile, &town->profiles, &town->profile_count, &town->error) != HT_OK ||
        ht_network_build_new(town->profiles, town->profile_count, town->pool, &town->build) !=
            HT_OK) {
        abort();
    }
    (void)snprintf(xml, size, "%s%s%s</osm>", town->nodes, town->ways, town->relations);
    struct ht_build_input input = {.data = xml, .size = strlen(xml)};
    town->status = ht_network_build_read(town->build, &input, 1, NULL, NULL, &town->error);
    town->network = ht_network_build_network(town->build);
    if (town->status == HT_OK) {
        town->status = ht_network_build_graph(town->build, 0, &town->owned, &town->counts);
    }
    if (town->status == HT_OK) {
        town->graph = ht_graph_owned_view(town->owned);
    }
    free(xml);
}

static inline void ht_town_end(struct ht_town *town)
{
    ht_graph_owned_free(town->owned);
    ht_network_build_free(town->build);
    ht_profiles_free(town->profiles, town->profile_count);
    ht_pool_free(town->pool);
    free(town->nodes);
    free(town->ways);
    free(town->relations);
}

static inline char ht_town_letter(const struct ht_town *town, uint32_t arc, uint32_t i)
{
    return (char)town->network->node_osm_id[ht_arc_node(town->network, &town->graph->arcs[arc], i)];
}

/* The base arc whose shape begins (or, `at_end`, ends) with nodes a - b; HT_NONE. */
static inline uint32_t ht_town_arc(const struct ht_town *town, char a, char b, bool at_end)
{
    for (uint32_t id = 0; id < town->graph->base_arc_count; id++) {
        uint32_t first = at_end ? ht_arc_point_count(&town->graph->arcs[id]) - 2 : 0;
        if (ht_town_letter(town, id, first) == a && ht_town_letter(town, id, first + 1) == b) {
            return id;
        }
    }
    return HT_NONE;
}

/* The turn "abd"; NULL: not allowed, or there are no such arcs. */
static inline const struct ht_turn *ht_town_turn(const struct ht_town *town, const char *path)
{
    uint32_t from = ht_town_arc(town, path[0], path[1], true);
    uint32_t to = ht_town_arc(town, path[1], path[2], false);
    if (from == HT_NONE || to == HT_NONE) {
        return NULL;
    }
    for (uint32_t t = town->graph->turn_first[from]; t < town->graph->turn_first[from + 1]; t++) {
        if (ht_arc_base(town->graph, town->graph->turns[t].to) == to) {
            return &town->graph->turns[t];
        }
    }
    return NULL;
}

/* Can the sequence of junction letters be driven, from the base arc of its first two letters? Each
 * pair must be one arc. */
static inline bool ht_town_drives(const struct ht_town *town, const char *path)
{
    uint32_t at = ht_town_arc(town, path[0], path[1], false);
    for (size_t i = 2; at != HT_NONE && path[i] != '\0'; i++) {
        uint32_t to = ht_town_arc(town, path[i - 1], path[i], false);
        uint32_t next = HT_NONE;
        for (uint32_t t = town->graph->turn_first[at]; t < town->graph->turn_first[at + 1]; t++) {
            if (to != HT_NONE && ht_arc_base(town->graph, town->graph->turns[t].to) == to) {
                next = town->graph->turns[t].to;
            }
        }
        at = next;
    }
    return at != HT_NONE;
}

#endif
