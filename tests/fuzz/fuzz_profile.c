/* Profile files and tags. Input that begins with '{' is a profile file, which then judges some
 * ways; any other is "key=value" lines that the built-in profiles judge. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool sound(double value)
{
    return isfinite(value) && value >= 0.0;
}

static void judge(const struct ht_profile *profile, struct ht_osm_tags tags)
{
    struct ht_way_rule way;
    bool usable = ht_profile_way(profile, tags, &way);
    require(usable == (way.side[0].open || way.side[1].open));
    require(sound(way.duration_s) && sound(way.weight_s));
    for (int i = 0; i < 2; i++) {
        const struct ht_way_side *side = &way.side[i];
        require(sound(side->speed_kmh) && sound(side->rate_mps) && side->speed_kmh <= 1000.0);
        require(!side->open || side->speed_kmh > 0.0 || way.duration_s > 0.0);
        require(!side->open || side->rate_mps > 0.0 || way.weight_s > 0.0);
        require(!side->open || side->mode != HT_MODE_NONE);
    }
    struct ht_node_rule node;
    (void)ht_profile_node(profile, tags, &node);
    require(sound(node.wait_s));
    struct ht_turn_view turn = {.angle_deg = 90.0, .number_of_roads = 3, .wait_s = node.wait_s};
    uint32_t weight = 0;
    uint32_t duration = 0;
    ht_profile_turn(profile, &turn, &weight, &duration);
    require(weight < HT_WEIGHT_INF / 4 && duration < HT_WEIGHT_INF / 4);
}

static void read_profile(const char *text, size_t size)
{
    static const struct ht_osm_tag lists[][4] = {
        {{"highway", "primary"}, {"maxspeed", "50"}, {"oneway", "yes"}, {"access", "private"}},
        {{"highway", "service"}, {"width", "2"}, {"surface", "mud"}, {"lanes", "1"}},
        {{"route", "ferry"}, {"duration", "PT10M"}, {"toll", "yes"}, {"access", "no"}},
        {{"barrier", "gate"}, {"highway", "stop"}, {"direction", "forward"}, {"foot", "yes"}},
    };
    struct ht_profile *profile = NULL;
    struct ht_error error;
    if (ht_profile_parse(text, size, "fuzz", &profile, &error) != HT_OK) {
        require(profile == NULL);
        return;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        judge(profile, (struct ht_osm_tags){.list = lists[i], .count = 4});
    }
    ht_profile_free(profile);
}

/* Lines of key=value; cuts `text` apart. */
static size_t split(char *text, struct ht_osm_tag *list, size_t room)
{
    size_t count = 0;
    while (*text != '\0' && count < room) {
        char *end = text + strcspn(text, "\n");
        bool last = *end == '\0';
        *end = '\0';
        char *sign = strchr(text, '=');
        if (sign != NULL) {
            *sign = '\0';
            list[count++] = (struct ht_osm_tag){.key = text, .value = sign + 1};
        }
        text = last ? end : end + 1;
    }
    return count;
}

static void judge_lines(char *text)
{
    static struct ht_profile **profiles;
    static size_t profile_count;
    struct ht_error error;
    if (profiles == NULL) {
        require(ht_profiles_open(NULL, &profiles, &profile_count, &error) == HT_OK);
    }
    struct ht_osm_tag list[64];
    struct ht_osm_tags tags = {.list = list, .count = split(text, list, 64)};
    for (size_t i = 0; i < profile_count; i++) {
        judge(profiles[i], tags);
    }
    static struct ht_way_facts facts;
    ht_way_facts(tags, &facts);
    size_t sum = strlen(facts.name) + strlen(facts.ref) + strlen(facts.exits) +
                 strlen(facts.destinations) + strlen(facts.lanes_forward) +
                 strlen(facts.lanes_backward);
    require(sum < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    if (text[0] == '{') {
        read_profile(text, size);
    } else {
        judge_lines(text);
    }
    free(text);
    return 0;
}
