#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/sample_internal.h"

struct street_rule {
    const char *highway;
    const char *lanes;        /* of both directions together */
    const char *lanes_oneway; /* of one carriageway */
    const char *limits[4];    /* one of them, as real mappers write them; NULL: no tag */
    const char *surfaces[4];
};

static const struct street_rule rules[] = {
    [HT__FOOT] = {"footway", NULL, NULL, {0}, {"paving_stones", NULL, NULL, "concrete"}},
    [HT__SERVICE] =
        {"service", NULL, NULL, {NULL, NULL, "15", NULL}, {"concrete", NULL, "asphalt"}},
    [HT__LIVING] = {"living_street", NULL, NULL, {"walk", NULL, "10", NULL}, {"paving_stones"}},
    [HT__RESIDENTIAL] = {"residential", NULL, "1", {NULL, "30", NULL, "CN:urban"}, {"asphalt"}},
    [HT__UNCLASSIFIED] = {"unclassified", "2", "1", {NULL, "40", "40", NULL}, {"asphalt"}},
    [HT__TERTIARY] = {"tertiary", "2", "2", {"40", "CN:urban", NULL, "50"}, {"asphalt"}},
    [HT__SECONDARY] = {"secondary", "4", "2", {"50", "60", "CN:urban", "50 km/h"}, {"asphalt"}},
    [HT__PRIMARY] = {"primary", "4", "2", {"60", "60", "70", NULL}, {"asphalt"}},
    [HT__TRUNK] = {"trunk", "6", "3", {"80", "80", "70", "80"}, {"asphalt"}},
    [HT__MOTORWAY] = {"motorway", NULL, "3", {"120", "100", "100", "120"}, {"asphalt"}},
};

void ht__tag_street(struct ht__sketch *sketch, struct ht__dice *dice, enum ht__class class,
                    bool oneway, const char *surface)
{
    const struct street_rule *rule = &rules[class];
    const char *lanes = oneway ? rule->lanes_oneway : rule->lanes;
    const char *limit = rule->limits[ht__dice_range(dice, 0, 3)];
    if (surface == NULL) {
        surface = rule->surfaces[ht__dice_range(dice, 0, 3)];
    }
    bool public_street = class >= HT__RESIDENTIAL && class <= HT__SECONDARY;
    if (public_street && ht__dice_chance(dice, 6)) {
        limit = "30 mph"; /* somebody mapped from abroad */
    }
    ht__sketch_tag(sketch, "highway", rule->highway);
    if (lanes != NULL) {
        ht__sketch_tag(sketch, "lanes", lanes);
    }
    if (limit != NULL) {
        ht__sketch_tag(sketch, "maxspeed", limit);
    }
    if (surface != NULL) {
        ht__sketch_tag(sketch, "surface", surface);
    }
    if (oneway) {
        ht__sketch_tag(sketch, "oneway", "yes");
    }
}

enum ht_status ht__ports_add(struct ht__ports *ports, struct ht__port port)
{
    enum ht_status status = ht_array_reserve((void **)&ports->list, &ports->capacity,
                                             ports->count + 1, sizeof *ports->list);
    if (status == HT_OK) {
        ports->list[ports->count++] = port;
    }
    return status;
}

enum ht_status ht__ports_append(struct ht__ports *ports, const struct ht__ports *more)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < more->count && status == HT_OK; i++) {
        status = ht__ports_add(ports, more->list[i]);
    }
    return status;
}

void ht__ports_deinit(struct ht__ports *ports)
{
    free(ports->list);
    *ports = (struct ht__ports){0};
}
