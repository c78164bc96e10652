/* What a way is, whoever travels: class, flags, names, signs, lanes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/measure.h"
#include "geodata/profile.h"

/* X(name, key), sorted by key for the search. */
#define FACT_KEY_MAP(X)                                                                            \
    X(BRIDGE, "bridge")                                                                            \
    X(DESTINATION, "destination")                                                                  \
    X(DESTINATION_BACKWARD, "destination:backward")                                                \
    X(DESTINATION_FORWARD, "destination:forward")                                                  \
    X(DESTINATION_REF, "destination:ref")                                                          \
    X(DESTINATION_REF_BACKWARD, "destination:ref:backward")                                        \
    X(DESTINATION_REF_FORWARD, "destination:ref:forward")                                          \
    X(DESTINATION_STREET, "destination:street")                                                    \
    X(DESTINATION_STREET_BACKWARD, "destination:street:backward")                                  \
    X(DESTINATION_STREET_FORWARD, "destination:street:forward")                                    \
    X(DRIVING_SIDE, "driving_side")                                                                \
    X(HIGHWAY, "highway")                                                                          \
    X(JUNCTION, "junction")                                                                        \
    X(EXITS, "junction:ref")                                                                       \
    X(LANES, "lanes")                                                                              \
    X(LANES_BACKWARD, "lanes:backward")                                                            \
    X(LANES_FORWARD, "lanes:forward")                                                              \
    X(PSV, "lanes:psv")                                                                            \
    X(PSV_BACKWARD, "lanes:psv:backward")                                                          \
    X(PSV_FORWARD, "lanes:psv:forward")                                                            \
    X(NAME, "name")                                                                                \
    X(NAME_EN, "name:en")                                                                          \
    X(PRONUNCIATION, "name:pronunciation")                                                         \
    X(NAME_ZH, "name:zh")                                                                          \
    X(NAME_HANS, "name:zh-Hans")                                                                   \
    X(NAME_HANT, "name:zh-Hant")                                                                   \
    X(ONEWAY, "oneway")                                                                            \
    X(ONEWAY_MOTOR, "oneway:motor_vehicle")                                                        \
    X(ONEWAY_CAR, "oneway:motorcar")                                                               \
    X(ONEWAY_VEHICLE, "oneway:vehicle")                                                            \
    X(REF, "ref")                                                                                  \
    X(ROUTE, "route")                                                                              \
    X(TUNNEL, "tunnel")                                                                            \
    X(TURN, "turn:lanes")                                                                          \
    X(TURN_BACKWARD, "turn:lanes:backward")                                                        \
    X(TURN_FORWARD, "turn:lanes:forward")                                                          \
    X(VEHICLE, "vehicle:lanes")                                                                    \
    X(VEHICLE_BACKWARD, "vehicle:lanes:backward")                                                  \
    X(VEHICLE_FORWARD, "vehicle:lanes:forward")

enum fact_key {
#define FACT_ENUM(name, key) FACT_##name,
    FACT_KEY_MAP(FACT_ENUM)
#undef FACT_ENUM
        FACT_COUNT,
};

static const char *const fact_keys[] = {
#define FACT_TEXT(name, key) key,
    FACT_KEY_MAP(FACT_TEXT)
#undef FACT_TEXT
};

struct facts {
    const char *tags[FACT_COUNT]; /* NULL: absent or empty */
    bool along;                   /* a oneway in the order of its nodes */
    bool against;
    struct ht_way_facts *out;
    size_t used; /* of out->scratch */
};

static int compare_key(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static void lay_tags(struct facts *facts, struct ht_osm_tags tags)
{
    for (size_t i = 0; i < tags.count; i++) {
        const char *const *found =
            bsearch(tags.list[i].key, fact_keys, FACT_COUNT, sizeof fact_keys[0], compare_key);
        if (found != NULL && tags.list[i].value[0] != '\0' &&
            facts->tags[found - fact_keys] == NULL) {
            facts->tags[found - fact_keys] = tags.list[i].value;
        }
    }
}

static bool tag_is(const struct facts *facts, enum fact_key key, const char *value)
{
    return facts->tags[key] != NULL && strcmp(facts->tags[key], value) == 0;
}

static bool tag_set(const struct facts *facts, enum fact_key key)
{
    return facts->tags[key] != NULL && strcmp(facts->tags[key], "no") != 0;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Profile car's view of oneways: signs are for who drives. */
static void find_oneway(struct facts *facts)
{
    static const enum fact_key keys[] = {FACT_ONEWAY_CAR, FACT_ONEWAY_MOTOR, FACT_ONEWAY_VEHICLE,
                                         FACT_ONEWAY};
    const char *oneway = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && oneway == NULL; i++) {
        oneway = facts->tags[keys[i]];
    }
    oneway = or_empty(oneway);
    if (strcmp(oneway, "-1") == 0) {
        facts->against = true;
    } else if (strcmp(oneway, "yes") == 0 || strcmp(oneway, "1") == 0 ||
               strcmp(oneway, "true") == 0) {
        facts->along = true;
    } else if (strcmp(oneway, "no") != 0) {
        facts->along = tag_is(facts, FACT_HIGHWAY, "motorway") ||
                       tag_is(facts, FACT_JUNCTION, "roundabout") ||
                       tag_is(facts, FACT_JUNCTION, "circular");
    }
}

/* The value for one direction: key:forward, else the key where it can mean this direction. */
static const char *directed(const struct facts *facts, int side, enum fact_key common,
                            enum fact_key forward, enum fact_key backward)
{
    const char *value = facts->tags[side == 0 ? forward : backward];
    bool other = side == 0 ? facts->against : facts->along;
    return value != NULL || other ? value : facts->tags[common];
}

/* Appends to the scratch, cutting at a whole UTF-8 character where it is full. */
static void put_bytes(struct facts *facts, const char *text, size_t size)
{
    size_t room = sizeof facts->out->scratch - 1 - facts->used;
    if (size > room) {
        size = room;
        while (size > 0 && ((unsigned char)text[size] & 0xC0U) == 0x80U) {
            size--;
        }
    }
    memcpy(facts->out->scratch + facts->used, text, size);
    facts->used += size;
    facts->out->scratch[facts->used] = '\0';
}

/* Ends the text that began at `start`. */
static const char *put_end(struct facts *facts, size_t start)
{
    if (facts->used == start) {
        return "";
    }
    if (facts->used + 1 < sizeof facts->out->scratch) {
        facts->used++;
        facts->out->scratch[facts->used] = '\0';
    }
    return facts->out->scratch + start;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* "a;b" to "a; b" for delimiter ';', runs of spaces made one: OSRM's canonicalizeStringList. With
 * `from` each such character is made the delimiter first. */
static void put_list(struct facts *facts, const char *text, char from, char delimiter)
{
    bool space = false;
    for (; *text != '\0'; text++) {
        char c = *text == from ? delimiter : *text;
        if (is_space(c)) {
            if (!space) {
                put_bytes(facts, &c, 1);
            }
            space = true;
            continue;
        }
        const char *run = text;
        if (c != delimiter) {
            while (text[1] != '\0' && text[1] != from && text[1] != delimiter &&
                   !is_space(text[1])) {
                text++;
            }
            put_bytes(facts, run, (size_t)(text - run) + 1);
            space = false;
        } else {
            char pair[2] = {delimiter, ' '};
            put_bytes(facts, pair, 2);
            space = true;
        }
    }
}

static const char *make_list(struct facts *facts, enum fact_key key)
{
    size_t start = facts->used;
    if (facts->tags[key] != NULL) {
        put_list(facts, facts->tags[key], ';', ';');
    }
    return put_end(facts, start);
}

/* "A59: Düsseldorf, Köln" on oneways. */
static const char *make_destinations(struct facts *facts)
{
    if (!facts->along && !facts->against) {
        return "";
    }
    static const enum fact_key keys[3][3] = {
        {FACT_DESTINATION_REF, FACT_DESTINATION_REF_FORWARD, FACT_DESTINATION_REF_BACKWARD},
        {FACT_DESTINATION, FACT_DESTINATION_FORWARD, FACT_DESTINATION_BACKWARD},
        {FACT_DESTINATION_STREET, FACT_DESTINATION_STREET_FORWARD,
         FACT_DESTINATION_STREET_BACKWARD},
    };
    const char *texts[3];
    for (int i = 0; i < 3; i++) {
        const char *own = facts->tags[keys[i][facts->along ? 1 : 2]];
        texts[i] = own != NULL ? own : facts->tags[keys[i][0]];
    }
    size_t start = facts->used;
    if (texts[0] != NULL && texts[1] != NULL) {
        put_list(facts, texts[0], ';', ',');
        put_bytes(facts, ": ", 2);
        put_list(facts, texts[1], ';', ',');
    } else {
        const char *one = texts[0] != NULL ? texts[0] : texts[1];
        put_list(facts, or_empty(one != NULL ? one : texts[2]), ';', ',');
    }
    return put_end(facts, start);
}

static size_t count_lanes(const char *lanes)
{
    size_t count = 1;
    for (; *lanes != '\0'; lanes++) {
        count += *lanes == '|';
    }
    return count;
}

static size_t psv_count(const struct facts *facts, int side)
{
    const char *text = directed(facts, side, FACT_PSV, FACT_PSV_FORWARD, FACT_PSV_BACKWARD);
    double number = 0.0;
    return text != NULL && ht_measure_number(text, &number) && number < 64.0 ? (size_t)number : 0;
}

/* Keeps the lanes that vehicle:lanes calls "yes"; as tagged when the counts differ. */
static void put_open_lanes(struct facts *facts, const char *turns, const char *vehicles)
{
    if (count_lanes(turns) != count_lanes(vehicles)) {
        put_bytes(facts, turns, strlen(turns));
        return;
    }
    size_t start = facts->used;
    for (;;) {
        size_t turn = strcspn(turns, "|");
        size_t vehicle = strcspn(vehicles, "|");
        if (vehicle == 3 && memcmp(vehicles, "yes", 3) == 0) {
            if (facts->used != start) {
                put_bytes(facts, "|", 1);
            }
            put_bytes(facts, turns, turn);
        }
        if (turns[turn] == '\0' || vehicles[vehicle] == '\0') {
            return;
        }
        turns += turn + 1;
        vehicles += vehicle + 1;
    }
}

/* Cuts `left` and `right` empty lanes (bus lanes without arrows) off the ends. */
static void put_trimmed_lanes(struct facts *facts, const char *turns, size_t left, size_t right)
{
    size_t size = strlen(turns);
    if (left < size && strspn(turns, "|") >= left) {
        turns += left;
        size -= left;
    }
    size_t empty = 0;
    while (empty < size && turns[size - 1 - empty] == '|') {
        empty++;
    }
    if (right < size && empty >= right) {
        size -= right;
    }
    put_bytes(facts, turns, size);
}

static const char *make_lanes(struct facts *facts, int side)
{
    const char *turns = directed(facts, side, FACT_TURN, FACT_TURN_FORWARD, FACT_TURN_BACKWARD);
    if (turns == NULL) {
        return "";
    }
    const char *vehicles =
        directed(facts, side, FACT_VEHICLE, FACT_VEHICLE_FORWARD, FACT_VEHICLE_BACKWARD);
    size_t own = psv_count(facts, side);
    size_t opposite = psv_count(facts, 1 - side);
    if (vehicles == NULL && own == 0 && opposite == 0) {
        return turns;
    }
    size_t start = facts->used;
    if (vehicles != NULL) {
        put_open_lanes(facts, turns, vehicles);
    } else {
        put_trimmed_lanes(facts, turns, opposite, own);
    }
    return put_end(facts, start);
}

static uint8_t find_lane_count(const struct facts *facts)
{
    double total = 0.0;
    if (facts->tags[FACT_LANES] != NULL) {
        (void)ht_measure_number(facts->tags[FACT_LANES], &total);
    } else {
        static const enum fact_key keys[] = {FACT_LANES_FORWARD, FACT_LANES_BACKWARD};
        for (int i = 0; i < 2; i++) {
            double number = 0.0;
            if (facts->tags[keys[i]] != NULL && ht_measure_number(facts->tags[keys[i]], &number)) {
                total += number;
            }
        }
    }
    const struct ht_way_facts *out = facts->out;
    size_t arrows = out->lanes_forward[0] != '\0' ? count_lanes(out->lanes_forward) : 0;
    arrows += out->lanes_backward[0] != '\0' ? count_lanes(out->lanes_backward) : 0;
    total = total > (double)arrows ? total : (double)arrows;
    return (uint8_t)(total < 255.0 ? total : 255.0);
}

/* A ferry that is tagged as a street, too, has that street's class. */
static enum ht_road_class find_class(const struct facts *facts, bool *link)
{
    static const struct {
        const char *highway;
        enum ht_road_class road_class;
    } classes[] = {
        {"residential", HT_ROAD_RESIDENTIAL},
        {"service", HT_ROAD_SERVICE},
        {"footway", HT_ROAD_PATH},
        {"unclassified", HT_ROAD_UNCLASSIFIED},
        {"tertiary", HT_ROAD_TERTIARY},
        {"secondary", HT_ROAD_SECONDARY},
        {"primary", HT_ROAD_PRIMARY},
        {"path", HT_ROAD_PATH},
        {"track", HT_ROAD_TRACK},
        {"living_street", HT_ROAD_LIVING_STREET},
        {"cycleway", HT_ROAD_CYCLEWAY},
        {"pedestrian", HT_ROAD_PEDESTRIAN},
        {"steps", HT_ROAD_STEPS},
        {"motorway", HT_ROAD_MOTORWAY},
        {"trunk", HT_ROAD_TRUNK},
        {"bridleway", HT_ROAD_PATH},
        {"corridor", HT_ROAD_PATH},
    };
    const char *highway = or_empty(facts->tags[FACT_HIGHWAY]);
    size_t size = strlen(highway);
    *link = size > 5 && strcmp(highway + size - 5, "_link") == 0;
    size -= *link ? 5 : 0;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strlen(classes[i].highway) == size && memcmp(classes[i].highway, highway, size) == 0) {
            /* Only the five larger classes have ramps. */
            if (!*link || classes[i].road_class <= HT_ROAD_TERTIARY) {
                return classes[i].road_class;
            }
        }
    }
    *link = false;
    return tag_is(facts, FACT_ROUTE, "ferry") ? HT_ROAD_FERRY : HT_ROAD_OTHER;
}

static uint8_t find_flags(const struct facts *facts, bool link)
{
    uint32_t flags = 0;
    flags |= link ? HT_WAY_LINK : 0U;
    flags |= tag_is(facts, FACT_JUNCTION, "roundabout") ? HT_WAY_ROUNDABOUT : 0U;
    flags |= tag_is(facts, FACT_JUNCTION, "circular") ? HT_WAY_CIRCULAR : 0U;
    flags |= tag_set(facts, FACT_TUNNEL) ? HT_WAY_TUNNEL : 0U;
    flags |= tag_set(facts, FACT_BRIDGE) ? HT_WAY_BRIDGE : 0U;
    return (uint8_t)flags;
}

void ht_way_facts(struct ht_osm_tags tags, struct ht_way_facts *out)
{
    struct facts facts = {.out = out};
    out->scratch[0] = '\0';
    lay_tags(&facts, tags);
    find_oneway(&facts);
    bool link = false;
    out->road_class = find_class(&facts, &link);
    out->flags = find_flags(&facts, link);
    out->name = or_empty(facts.tags[FACT_NAME]);
    const char *zh = facts.tags[FACT_NAME_ZH];
    zh = zh != NULL ? zh : facts.tags[FACT_NAME_HANS];
    out->name_zh = or_empty(zh != NULL ? zh : facts.tags[FACT_NAME_HANT]);
    out->name_en = or_empty(facts.tags[FACT_NAME_EN]);
    out->pronunciation = or_empty(facts.tags[FACT_PRONUNCIATION]);
    out->ref = make_list(&facts, FACT_REF);
    out->exits = make_list(&facts, FACT_EXITS);
    out->destinations = make_destinations(&facts);
    out->lanes_forward = make_lanes(&facts, 0);
    out->lanes_backward = make_lanes(&facts, 1);
    out->lane_count = find_lane_count(&facts);
    out->driving_side = 0;
    if (tag_is(&facts, FACT_DRIVING_SIDE, "left")) {
        out->driving_side = 'l';
    } else if (tag_is(&facts, FACT_DRIVING_SIDE, "right")) {
        out->driving_side = 'r';
    }
}
