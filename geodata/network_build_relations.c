/* Turn restrictions as they are tagged: brought into the order of their ids, conditional values
 * taken apart, hours of "none" taken from the bans they free of. What they mean on a graph is
 * network_build_restrict.c's matter. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "geodata/network_build_internal.h"

enum { MOST_TEXT = 255 };

enum ht_status ht__build_text(struct ht_network_build *build, const struct ht__worker *worker,
                              uint32_t *number)
{
    const char *text = worker->texts.data + worker->texts.offset[*number];
    uint32_t global = 0;
    enum ht_status status = ht__texts_add(&build->strings, text, &global);
    if (status == HT_OK) {
        *number = build->strings.offset[global];
    }
    return status;
}

static enum ht_status add_text(struct ht_network_build *build, const char *text, size_t size,
                               uint32_t *offset)
{
    char copy[MOST_TEXT + 1];
    while (size > 0 && isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    if (size == 0 || size > MOST_TEXT) {
        return HT_SYNTAX;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    uint32_t number = 0;
    enum ht_status status = ht__texts_add(&build->strings, copy, &number);
    if (status == HT_OK) {
        *offset = build->strings.offset[number];
    }
    return status;
}

static enum ht_status push_tag(struct ht_network_build *build, struct ht__tag tag)
{
    void *tags = build->tags;
    enum ht_status status =
        ht_array_reserve(&tags, &build->tag_capacity, build->tag_count + 1, sizeof *build->tags);
    build->tags = tags;
    if (status == HT_OK) {
        build->tags[build->tag_count++] = tag;
    }
    return status;
}

/* A condition that no clock tells (rain, tons) is counted and left out. */
static enum ht_status push_condition(struct ht_network_build *build, struct ht__tag tag)
{
    struct ht_schedule *schedule = NULL;
    enum ht_status status = ht_schedule_parse(build->strings.data + tag.schedule, &schedule, NULL);
    ht_schedule_free(schedule);
    if (status == HT_OK) {
        return push_tag(build, tag);
    }
    build->counts.conditions_unknown += status != HT_NOMEM;
    return status == HT_NOMEM ? status : HT_OK;
}

/* The end of the condition that begins at `text`, and where the next value begins. */
static const char *condition_end(const char *text, const char **next)
{
    int depth = 0;
    const char *end = text;
    while (*end != '\0' && (depth > 0 || *end != ';')) {
        depth += (*end == '(') - (*end == ')' && depth > 0);
        end++;
    }
    *next = *end == ';' ? end + 1 : end;
    return end;
}

/* "value @ condition" or "value @ (condition)", as many as there are. HT_SYNTAX: not of this form.
 */
static enum ht_status split_conditional(struct ht_network_build *build, uint32_t key,
                                        const char *text)
{
    while (*text != '\0') {
        const char *at = strchr(text, '@');
        if (at == NULL) {
            return HT_SYNTAX;
        }
        struct ht__tag tag = {.key = key, .value = 0, .schedule = 0};
        enum ht_status status = add_text(build, text, (size_t)(at - text), &tag.value);
        const char *begin = at + 1;
        while (isspace((unsigned char)*begin)) {
            begin++;
        }
        const char *end = condition_end(begin, &text);
        while (end > begin && isspace((unsigned char)end[-1])) {
            end--;
        }
        if (*begin == '(' && end > begin + 1 && end[-1] == ')') {
            begin++;
            end--;
        }
        if (status == HT_OK) {
            status = add_text(build, begin, (size_t)(end - begin), &tag.schedule);
        }
        if (status == HT_OK) {
            status = push_condition(build, tag);
        }
        if (status != HT_OK) {
            return status;
        }
        while (isspace((unsigned char)*text)) {
            text++;
        }
    }
    return HT_OK;
}

static enum ht_status carry_tag(struct ht_network_build *build, const struct ht__worker *worker,
                                struct ht__tag tag)
{
    const char *key = worker->texts.data + worker->texts.offset[tag.key];
    const char *ending = strrchr(key, ':');
    bool conditional = ending != NULL && strcmp(ending, ":conditional") == 0;
    enum ht_status status = ht__build_text(build, worker, &tag.key);
    if (status == HT_OK && !conditional) {
        tag.schedule = HT_NONE;
        status = ht__build_text(build, worker, &tag.value);
        return status == HT_OK ? push_tag(build, tag) : status;
    }
    if (status == HT_OK) {
        const char *value = worker->texts.data + worker->texts.offset[tag.value];
        status = split_conditional(build, tag.key, value);
        if (status == HT_SYNTAX) {
            build->counts.restrictions_malformed++;
            status = HT_OK;
        }
    }
    return status;
}

static bool says_none(const struct ht_network_build *build, const struct ht__tag *tag)
{
    return strcmp(build->strings.data + tag->value, "none") == 0;
}

/* Takes hours from a ban: "Mo-Fr AND not (PH)". What can't be put so is counted, and the ban stays.
 */
static enum ht_status take_hours(struct ht_network_build *build, struct ht__tag *ban,
                                 uint32_t hours)
{
    char text[2 * MOST_TEXT];
    const char *own = ban->schedule == HT_NONE ? "" : build->strings.data + ban->schedule;
    const char *off = build->strings.data + hours;
    size_t size = strlen(off);
    while (size > 0 && (off[size - 1] == ';' || isspace((unsigned char)off[size - 1]))) {
        size--;
    }
    (void)snprintf(text, sizeof text, "%s%snot (%.*s)", own, own[0] == '\0' ? "" : " AND ",
                   (int)size, off);
    struct ht_schedule *schedule = NULL;
    enum ht_status status = ht_schedule_parse(text, &schedule, NULL);
    ht_schedule_free(schedule);
    if (status == HT_OK) {
        status = add_text(build, text, strlen(text), &ban->schedule);
    }
    build->counts.conditions_unknown += status != HT_OK && status != HT_NOMEM;
    return status == HT_NOMEM ? status : HT_OK;
}

/* The keys of a tag like "restriction:motorcar:conditional". */
struct keys {
    uint32_t conditional;
    uint32_t plain;
    uint32_t all; /* "restriction" */
};

/* A ban for all of which some vehicles are free at hours: for these a ban of their own. */
static enum ht_status split_ban(struct ht_network_build *build, size_t first,
                                const struct keys *keys, const struct ht__tag *none)
{
    for (size_t i = first; i < build->tag_count; i++) {
        struct ht__tag ban = build->tags[i];
        if (ban.key != keys->all || ban.schedule != HT_NONE || says_none(build, &ban)) {
            continue;
        }
        enum ht_status status = take_hours(build, &ban, none->schedule);
        if (status != HT_OK || ban.schedule == HT_NONE) {
            return status;
        }
        ban.key = keys->conditional;
        status = push_tag(build, ban);
        return status == HT_OK ? push_tag(build, (struct ht__tag){.key = keys->plain,
                                                                  .value = none->value,
                                                                  .schedule = HT_NONE})
                               : status;
    }
    return HT_OK;
}

/* "none @ hours" takes these from the bans of its key: from one at all times, and from those that
 * the key names before it. `end`: where the tags of the relation ended as it was written. */
static enum ht_status take_back(struct ht_network_build *build, size_t first, size_t at, size_t end)
{
    const struct ht__tag none = build->tags[at];
    struct keys keys = {.conditional = none.key};
    const char *key = build->strings.data + none.key;
    enum ht_status status = add_text(build, key, strlen(key) - strlen(":conditional"), &keys.plain);
    if (status == HT_OK) {
        status = add_text(build, "restriction", strlen("restriction"), &keys.all);
    }
    bool any = false;
    for (size_t i = first; status == HT_OK && i < build->tag_count; i++) {
        struct ht__tag *ban = &build->tags[i];
        bool always = ban->schedule == HT_NONE && ban->key == keys.plain;
        bool timed = ban->key == keys.conditional && (i < at || i >= end);
        if ((always || timed) && !says_none(build, ban)) {
            any = true;
            status = take_hours(build, ban, none.schedule);
            ban->key = ban->schedule == HT_NONE ? ban->key : keys.conditional;
        }
    }
    return status == HT_OK && !any ? split_ban(build, first, &keys, &none) : status;
}

static enum ht_status carry_relation(struct ht_network_build *build, struct ht__relation *relation,
                                     size_t *members)
{
    const struct ht__worker *worker = &build->workers[relation->worker];
    if (relation->member_count > 0) {
        memcpy(build->members + *members, worker->members + relation->first_member,
               relation->member_count * sizeof *build->members);
    }
    relation->first_member = *members;
    *members += relation->member_count;
    size_t first = build->tag_count;
    enum ht_status status = HT_OK;
    for (uint32_t k = 0; status == HT_OK && k < relation->tag_count; k++) {
        status = carry_tag(build, worker, worker->tags[relation->first_tag + k]);
    }
    size_t end = build->tag_count;
    for (size_t i = first; status == HT_OK && i < end; i++) {
        if (build->tags[i].schedule != HT_NONE && says_none(build, &build->tags[i])) {
            status = take_back(build, first, i, end);
            status = status == HT_SYNTAX ? HT_OK : status; /* a key too long to be a vehicle's */
        }
    }
    relation->first_tag = first;
    relation->tag_count = (uint32_t)(build->tag_count - first);
    return status;
}

static bool way_has(const struct ht_network_build *build, uint32_t way, uint32_t node)
{
    uint32_t end = build->ways[way + 1].first_node;
    for (uint32_t i = build->ways[way].first_node; i < end; i++) {
        if (build->way_node[i] == node) {
            return true;
        }
    }
    return false;
}

/* Does one of the two ways end on the other: so via ways follow each other. */
static bool ways_touch(const struct ht_network_build *build, uint32_t a, uint32_t b)
{
    const uint32_t ways[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        uint32_t first = build->way_node[build->ways[ways[i]].first_node];
        uint32_t last = build->way_node[build->ways[ways[i] + 1].first_node - 1];
        if (way_has(build, ways[1 - i], first) || way_has(build, ways[1 - i], last)) {
            return true;
        }
    }
    return false;
}

/* What a turn leads over, as it is in the network. */
struct via {
    uint32_t node;  /* HT_NONE: none, or not in the network */
    uint32_t nodes; /* how many */
    uint32_t first; /* via way */
    uint32_t last;
    bool ways;
    bool apart; /* via ways that don't follow each other */
};

static struct via find_via(const struct ht_network_build *build,
                           const struct ht__relation *relation)
{
    struct via via = {.node = HT_NONE, .first = HT_NONE, .last = HT_NONE};
    uint32_t hint = 0;
    for (uint32_t i = 0; i < relation->member_count; i++) {
        const struct ht__member *member = &build->members[relation->first_member + i];
        if (member->role != HT__ROLE_VIA) {
            continue;
        }
        if (member->type == HT_OSM_NODE) {
            via.node = ht__build_node(build, member->ref, &hint);
            via.nodes++;
        } else if (member->type == HT_OSM_WAY) {
            uint32_t way = ht__build_way(build, member->ref);
            via.apart = via.apart || (via.last != HT_NONE && way != HT_NONE &&
                                      !ways_touch(build, via.last, way));
            via.first = via.ways ? via.first : way;
            via.last = way;
            via.ways = true;
        }
    }
    return via;
}

/* Does a from (or, where it may have several, one of them) touch what comes next, and a to what
 * came before. What is not in the network is another matter. */
static bool role_touches(const struct ht_network_build *build, const struct ht__relation *relation,
                         enum ht__role role, const struct via *via)
{
    uint32_t next = role == HT__ROLE_FROM ? via->first : via->last;
    bool apart = false;
    for (uint32_t i = 0; i < relation->member_count; i++) {
        const struct ht__member *member = &build->members[relation->first_member + i];
        if (member->type != HT_OSM_WAY || member->role != role) {
            continue;
        }
        uint32_t way = ht__build_way(build, member->ref);
        bool known = way != HT_NONE && (via->ways ? next : via->node) != HT_NONE;
        if (!known || (via->ways ? ways_touch(build, way, next) : way_has(build, way, via->node))) {
            return true;
        }
        apart = true;
    }
    return !apart;
}

/* Counts and leaves out what can't mean a turn, whatever the profile. */
static bool relation_sound(struct ht_network_build *build, const struct ht__relation *relation)
{
    struct via via = find_via(build, relation);
    if (!via.ways && via.nodes > 1) {
        build->counts.restrictions_malformed++;
        return false;
    }
    if (via.apart || !role_touches(build, relation, HT__ROLE_FROM, &via) ||
        !role_touches(build, relation, HT__ROLE_TO, &via)) {
        build->counts.restrictions_apart++;
        return false;
    }
    return true;
}

static int relation_compare(const void *a, const void *b)
{
    const struct ht__relation *x = a;
    const struct ht__relation *y = b;
    if (x->id != y->id) {
        return x->id < y->id ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

static enum ht_status gather(struct ht_network_build *build, size_t *count)
{
    size_t members = 0;
    size_t relations = 0;
    for (size_t i = 0; i < build->worker_count; i++) {
        relations += build->workers[i].relation_count;
        members += build->workers[i].member_count;
    }
    build->relations = ht_array_new(relations, sizeof *build->relations);
    build->members = ht_array_new(members, sizeof *build->members);
    if (build->relations == NULL || build->members == NULL) {
        return HT_NOMEM;
    }
    *count = 0;
    for (size_t i = 0; i < build->worker_count; i++) {
        const struct ht__worker *worker = &build->workers[i];
        for (size_t k = 0; k < worker->relation_count; k++) {
            build->relations[(*count)++] = worker->relations[k];
        }
    }
    qsort(build->relations, *count, sizeof *build->relations, relation_compare);
    return HT_OK;
}

enum ht_status ht__build_relations(struct ht_network_build *build)
{
    size_t count = 0;
    size_t members = 0;
    int64_t last = 0;
    enum ht_status status = gather(build, &count);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        struct ht__relation relation = build->relations[i];
        if (i > 0 && relation.id == last) {
            build->counts.duplicate_relations++;
            continue;
        }
        last = relation.id;
        build->counts.restrictions += !relation.maneuver;
        status = carry_relation(build, &relation, &members);
        if (status == HT_OK && (relation.maneuver || relation_sound(build, &relation))) {
            build->relations[build->relation_count++] = relation;
        }
    }
    return status;
}
