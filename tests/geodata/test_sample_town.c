/* The sample town's registry: what is in it, that it hangs together and lies on the streets, that
 * both forms load as the same items. */
#include "tests/support/check.h"
#include "tests/support/command.h"
#include "tests/support/oom.h"

#include <sys/stat.h>

#include "geodata/feature_list.h"
#include "geodata/members.h"
#include "geodata/osm.h"
#include "geodata/sample_town.h"
#include "geodata/store.h"

enum { COLLECTIONS = 7 };

static const char *const names[COLLECTIONS] = {"cells", "households", "factories", "facilities",
                                               "units", "zones",      "devices"};

struct registry {
    struct ht_feature_list lists[COLLECTIONS];
};

static enum ht_status keep(void *user, const struct ht_collection *collection,
                           const struct ht_feature *feature)
{
    struct registry *registry = user;
    for (size_t i = 0; i < COLLECTIONS; i++) {
        if (strcmp(collection->name, names[i]) == 0) {
            return ht_feature_list_add(&registry->lists[i], feature);
        }
    }
    return HT_INVALID;
}

static struct registry make(uint64_t seed)
{
    struct registry registry = {0};
    HT_CHECK_INT(ht_sample_town(HT_SAMPLE_TOWN, seed, keep, &registry), HT_OK);
    return registry;
}

static void registry_deinit(struct registry *registry)
{
    for (size_t i = 0; i < COLLECTIONS; i++) {
        ht_feature_list_deinit(&registry->lists[i]);
    }
}

static const struct ht_feature_list *list_of(const struct registry *registry, const char *name)
{
    size_t i = 0;
    while (strcmp(names[i], name) != 0) {
        i++;
    }
    return &registry->lists[i];
}

/* The property as text; "" where it is none. */
static const char *property(const struct ht_feature *feature, const char *name)
{
    static char text[512];
    struct ht_member member;
    text[0] = '\0';
    if (ht_member_find(ht_text_string(&feature->properties), name, &member) &&
        !ht_member_text(&member, text, sizeof text)) {
        (void)snprintf(text, sizeof text, "%.*s", (int)member.value_size, member.value);
    }
    return text;
}

static size_t count_of(const struct registry *registry, const char *collection, const char *name,
                       const char *value)
{
    const struct ht_feature_list *list = list_of(registry, collection);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        count += strcmp(property(&list->items[i], name), value) == 0;
    }
    return count;
}

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;
    for (text = strstr(text, word); text != NULL; text = strstr(text + 1, word)) {
        count++;
    }
    return count;
}

HT_CASE(registry_has_what_a_town_has)
{
    struct registry town = make(1);
    HT_CHECK_INT(list_of(&town, "households")->count, 20000);
    HT_CHECK_INT(count_of(&town, "households", "frail", "true"), 600);
    HT_CHECK_INT(count_of(&town, "cells", "kind", "grid"), 90);
    HT_CHECK_INT(count_of(&town, "cells", "kind", "community"), 18);
    HT_CHECK_INT(count_of(&town, "cells", "kind", "compound"), 56);
    HT_CHECK_INT(list_of(&town, "factories")->count, 32);
    size_t tenants = 0;
    for (size_t i = 0; i < 32; i++) {
        const struct ht_feature *factory = &list_of(&town, "factories")->items[i];
        tenants += occurrences(ht_text_string(&factory->properties), "\"industry\"");
    }
    HT_CHECK_INT(tenants, 194);
    for (const char *risk = "1234"; *risk != '\0'; risk++) {
        HT_CHECK(count_of(&town, "factories", "risk", (char[]){*risk, '\0'}) > 0);
    }
    HT_CHECK_INT(count_of(&town, "facilities", "kind", "kitchen"), 3);
    HT_CHECK_INT(count_of(&town, "facilities", "kind", "station"), 2);
    HT_CHECK_INT(count_of(&town, "facilities", "kind", "hospital"), 1);
    HT_CHECK_INT(count_of(&town, "facilities", "kind", "compound"), 56);
    HT_CHECK_INT(count_of(&town, "facilities", "visits_per_week", "2"), 92);
    HT_CHECK_INT(count_of(&town, "units", "kind", "van"), 24);
    HT_CHECK_INT(count_of(&town, "units", "kind", "responder"), 40);
    HT_CHECK_INT(count_of(&town, "units", "kind", "inspector"), 113);
    HT_CHECK_INT(count_of(&town, "units", "team", "red"), 38);
    HT_CHECK_INT(count_of(&town, "units", "team", "white"), 38);
    HT_CHECK_INT(count_of(&town, "units", "team", "blue"), 37);
    HT_CHECK_INT(count_of(&town, "zones", "kind", "fence"), 1);
    HT_CHECK_INT(count_of(&town, "zones", "kind", "watched"), 1);
    static const char *const kinds[] = {"bed_belt", "sos_key", "door", "radar", "gas", "water"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        HT_CHECK(count_of(&town, "devices", "kind", kinds[i]) >= 80);
    }
    registry_deinit(&town);
}

/* --- order among items ------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

/* Whether no two items have one value; an empty name: one id. */
static bool all_differ(const struct ht_feature_list *list, const char *name)
{
    char **values = calloc(list->count + 1, sizeof *values);
    for (size_t i = 0; i < list->count; i++) {
        values[i] = strdup(name[0] == '\0' ? list->items[i].id : property(&list->items[i], name));
    }
    qsort(values, list->count, sizeof *values, by_text);
    bool differ = true;
    for (size_t i = 0; i < list->count; i++) {
        differ = differ && values[i][0] != '\0' &&
                 (i + 1 == list->count || strcmp(values[i], values[i + 1]) != 0);
    }
    for (size_t i = 0; i < list->count; i++) {
        free(values[i]);
    }
    free(values);
    return differ;
}

HT_CASE(addresses_and_ids_are_unique)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct registry town = make(seed);
        HT_CHECK(all_differ(list_of(&town, "households"), "address"));
        for (size_t i = 0; i < COLLECTIONS; i++) {
            HT_CHECK(all_differ(&town.lists[i], ""));
        }
        registry_deinit(&town);
    }
}

static const struct ht_feature *find(const struct ht_feature_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].id, id) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

HT_CASE(items_that_are_named_are_there)
{
    struct registry town = make(1);
    const struct ht_feature_list *units = list_of(&town, "units");
    for (size_t i = 0; i < units->count; i++) {
        HT_CHECK(find(list_of(&town, "facilities"), property(&units->items[i], "home")) != NULL);
    }
    const struct ht_feature_list *devices = list_of(&town, "devices");
    for (size_t i = 0; i < devices->count; i++) {
        const struct ht_feature *home =
            find(list_of(&town, "households"), property(&devices->items[i], "household"));
        HT_REQUIRE(home != NULL);
        HT_CHECK(strstr(property(home, "devices"), devices->items[i].id) != NULL);
        /* neither its id nor its place in the list tells whose it is */
        HT_CHECK(strncmp(devices->items[i].id, "dev-", 4) == 0 &&
                 strlen(devices->items[i].id) == 16);
        HT_CHECK(strstr(devices->items[i].id, home->id + 1) == NULL);
        HT_CHECK(i == 0 || strcmp(devices->items[i - 1].id, devices->items[i].id) < 0);
    }
    const struct ht_feature_list *homes = list_of(&town, "households");
    size_t named = 0;
    for (size_t i = 0; i < homes->count; i++) {
        bool frail = strcmp(property(&homes->items[i], "frail"), "true") == 0;
        named += occurrences(property(&homes->items[i], "devices"), "\"") / 2;
        HT_CHECK(frail == (property(&homes->items[i], "name")[0] != '\0'));
        HT_CHECK(frail == (property(&homes->items[i], "phone")[0] != '\0'));
        HT_CHECK(frail == (property(&homes->items[i], "contacts")[0] != '\0'));
    }
    HT_CHECK_INT(named, devices->count);
    registry_deinit(&town);
}

/* --- where ------------------------------------------------------------------------------------ */

/* By crossings of the ray to the east, in integers; no point of ours lies on a border. */
static bool covers(const struct ht_geometry *polygon, struct ht_point p)
{
    bool in = false;
    for (size_t i = 0; i + 1 < polygon->point_count; i++) {
        struct ht_point a = polygon->points[i];
        struct ht_point b = polygon->points[i + 1];
        if ((a.lat_e7 > p.lat_e7) == (b.lat_e7 > p.lat_e7)) {
            continue;
        }
        int64_t cross = ((int64_t)b.lon_e7 - a.lon_e7) * ((int64_t)p.lat_e7 - a.lat_e7) -
                        ((int64_t)b.lat_e7 - a.lat_e7) * ((int64_t)p.lon_e7 - a.lon_e7);
        in = in != (b.lat_e7 > a.lat_e7 ? cross > 0 : cross < 0);
    }
    return in;
}

/* Cells of a kind over a point; `*last` is one of them. */
static size_t cells_over(const struct registry *registry, const char *kind, struct ht_point point,
                         const struct ht_feature **last)
{
    const struct ht_feature_list *cells = list_of(registry, "cells");
    size_t count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        const struct ht_feature *cell = &cells->items[i];
        if (ht_box_contains(cell->geometry.box, point) && covers(&cell->geometry, point) &&
            strcmp(property(cell, "kind"), kind) == 0) {
            *last = cell;
            count++;
        }
    }
    return count;
}

/* Twice the area, positive for a ring that runs counter-clockwise. */
static int64_t twice_area(const struct ht_geometry *polygon)
{
    struct ht_point o = polygon->points[0];
    int64_t sum = 0;
    for (size_t i = 0; i + 1 < polygon->point_count; i++) {
        struct ht_point a = polygon->points[i];
        struct ht_point b = polygon->points[i + 1];
        sum += ((int64_t)a.lon_e7 - o.lon_e7) * ((int64_t)b.lat_e7 - o.lat_e7) -
               ((int64_t)b.lon_e7 - o.lon_e7) * ((int64_t)a.lat_e7 - o.lat_e7);
    }
    return sum;
}

/* Grids against communities: the same area to the last unit, and no point under two of them. */
static void check_partition(const struct registry *registry, uint64_t seed)
{
    const struct ht_feature_list *cells = list_of(registry, "cells");
    int64_t grids = 0;
    int64_t communities = 0;
    struct ht_box box = ht_box_empty();
    for (size_t i = 0; i < cells->count; i++) {
        const struct ht_feature *cell = &cells->items[i];
        int64_t area = twice_area(&cell->geometry);
        HT_CHECK(area > 0);
        grids += strcmp(property(cell, "kind"), "grid") == 0 ? area : 0;
        communities += strcmp(property(cell, "kind"), "community") == 0 ? area : 0;
        box = ht_box_grow(ht_box_grow(box, cell->geometry.box.min), cell->geometry.box.max);
    }
    HT_CHECK_INT(grids, communities);
    uint64_t state = seed + 77;
    size_t inside = 0;
    for (size_t i = 0; i < 5000; i++) {
        const struct ht_feature *cell = NULL;
        uint32_t width = (uint32_t)(box.max.lon_e7 - box.min.lon_e7);
        uint32_t height = (uint32_t)(box.max.lat_e7 - box.min.lat_e7);
        struct ht_point p = {box.min.lon_e7 + (int32_t)ht_random_below(&state, width),
                             box.min.lat_e7 + (int32_t)ht_random_below(&state, height)};
        size_t community = cells_over(registry, "community", p, &cell);
        size_t grid = cells_over(registry, "grid", p, &cell);
        HT_CHECK(grid <= 1 && community == grid);
        inside += grid;
    }
    HT_CHECK(inside > 2500);
}

static struct ht_point entrance_of(const struct ht_feature *home)
{
    double lon = 0;
    double lat = 0;
    const char *text = property(home, "entrance");
    size_t used = text[0] == '[' ? ht_number_read(text + 1, strlen(text + 1), &lon) : 0;
    HT_CHECK(used > 0 && ht_number_read(text + used + 2, strlen(text + used + 2), &lat) > 0);
    return (struct ht_point){(int32_t)(lon * 1e7 + 0.5), (int32_t)(lat * 1e7 + 0.5)};
}

HT_CASE(cells_part_the_town_and_households_lie_behind_walls)
{
    for (uint64_t seed = 1; seed <= (HT_LONG ? 8 : 2); seed++) {
        struct registry town = make(seed);
        check_partition(&town, seed);
        const struct ht_feature_list *homes = list_of(&town, "households");
        size_t wrong = 0;
        for (size_t i = 0; i < homes->count; i++) {
            const struct ht_feature *home = &homes->items[i];
            const struct ht_feature *grid = NULL;
            const struct ht_feature *compound = NULL;
            const struct ht_feature *other = NULL;
            struct ht_point at = home->geometry.points[0];
            bool right = cells_over(&town, "grid", at, &grid) == 1 &&
                         cells_over(&town, "compound", at, &compound) == 1 &&
                         strcmp(property(compound, "parent"), grid->id) == 0 &&
                         cells_over(&town, "compound", entrance_of(home), &other) == 1 &&
                         other == compound && ht_distance_m(at, entrance_of(home)) < 25;
            wrong += !right;
        }
        HT_CHECK_INT(wrong, 0);
        registry_deinit(&town);
    }
}

/* Seconds from where somebody waits to a door, by streets that run north and east. */
static double travel_s(const struct ht_feature *unit, struct ht_point door)
{
    const char *profile = property(unit, "profile");
    double mps = strcmp(profile, "emergency") == 0 ? 9 : strcmp(profile, "ebike") == 0 ? 4.5 : 1.4;
    struct ht_point at = unit->geometry.points[0];
    struct ht_point corner = {at.lon_e7, door.lat_e7};
    return (ht_distance_m(at, corner) + ht_distance_m(corner, door)) / mps;
}

/* How many of some households have somebody of a shift within five minutes, in percent. */
static size_t near_somebody(const struct registry *town, const char *shift)
{
    const struct ht_feature_list *units = list_of(town, "units");
    const struct ht_feature_list *homes = list_of(town, "households");
    const struct ht_feature *guards[40];
    size_t count = 0;
    for (size_t i = 0; i < units->count; i++) {
        const struct ht_feature *unit = &units->items[i];
        bool responder = strcmp(property(unit, "kind"), "responder") == 0;
        const char *when = property(unit, "shift");
        if (responder && (strstr(when, shift) != NULL || strstr(when, "24/7") != NULL)) {
            guards[count++ % 40] = unit;
        }
    }
    HT_CHECK(count >= 16 && count <= 20);
    size_t looked = 0;
    size_t near = 0;
    for (size_t i = 0; i < homes->count; i += 41) {
        bool reached = false;
        for (size_t k = 0; k < count && !reached; k++) {
            reached = travel_s(guards[k], homes->items[i].geometry.points[0]) < 300;
        }
        looked++;
        near += reached;
    }
    return looked == 0 ? 0 : near * 100 / looked;
}

HT_CASE(somebody_of_each_shift_waits_near_who_lives_there)
{
    static const char *const shifts[] = {"08:00-16:00", "16:00-24:00", "00:00-08:00"};
    for (uint64_t seed = 1; seed <= (HT_LONG ? 12 : 4); seed++) {
        struct registry town = make(seed);
        size_t least = 100;
        for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
            size_t near = near_somebody(&town, shifts[i]);
            least = near < least ? near : least;
        }
        (void)printf("  seed %u: %zu %% at least\n", (unsigned)seed, least);
        HT_CHECK(least >= 85);
        /* and no station is left */
        const struct ht_feature_list *units = list_of(&town, "units");
        bool manned[2] = {false, false};
        for (size_t i = 0; i < units->count; i++) {
            bool always = strstr(property(&units->items[i], "shift"), "24/7") != NULL;
            bool ambulance = strcmp(property(&units->items[i], "profile"), "emergency") == 0;
            const char *home = property(&units->items[i], "home");
            for (int k = 0; k < 2; k++) {
                manned[k] = manned[k] || (always && ambulance &&
                                          strcmp(home, k == 0 ? "station-1" : "station-2") == 0);
            }
        }
        HT_CHECK(manned[0] && manned[1]);
        registry_deinit(&town);
    }
}

struct streets {
    struct ht_point *nodes;
    bool *on_street;
    size_t count;
    int64_t first;
};

static enum ht_status read_streets(void *user, const struct ht_osm_block *block, size_t worker)
{
    struct streets *streets = user;
    (void)worker;
    for (size_t i = 0; i < block->node_count; i++) {
        size_t at = streets->count++;
        streets->first = at == 0 ? block->nodes[i].id : streets->first;
        streets->nodes = realloc(streets->nodes, streets->count * sizeof *streets->nodes);
        streets->on_street = realloc(streets->on_street, streets->count);
        streets->nodes[at] = block->nodes[i].point;
        streets->on_street[at] = false;
    }
    for (size_t i = 0; i < block->way_count; i++) {
        const struct ht_osm_way *way = &block->ways[i];
        bool street = ht_osm_tag_value(way->tags, "highway") != NULL;
        for (size_t k = 0; street && k < way->ref_count; k++) {
            streets->on_street[way->refs[k] - streets->first] = true;
        }
    }
    return HT_OK;
}

static double from_street_m(const struct streets *streets, struct ht_point point)
{
    double least = 1e9;
    for (size_t i = 0; i < streets->count; i++) {
        if (streets->on_street[i] && abs(streets->nodes[i].lon_e7 - point.lon_e7) < 20000) {
            double distance = ht_distance_m(streets->nodes[i], point);
            least = distance < least ? distance : least;
        }
    }
    return least;
}

HT_CASE(items_lie_beside_the_streets_of_the_same_seed)
{
    struct streets streets = {0};
    struct ht_error error;
    struct ht_osm_handler handler = {
        .block = read_streets, .user = &streets, .nodes = true, .ways = true};
    HT_REQUIRE(ht_sample_streets("town-streets.osm.pbf", HT_SAMPLE_TOWN, 3, &error) == HT_OK);
    HT_REQUIRE(ht_osm_read("town-streets.osm.pbf", NULL, &handler, &error) == HT_OK);
    struct registry town = make(3);
    static const char *const beside[] = {"factories", "facilities", "units"};
    for (size_t c = 0; c < sizeof beside / sizeof *beside; c++) {
        const struct ht_feature_list *list = list_of(&town, beside[c]);
        for (size_t i = 0; i < list->count; i++) {
            HT_CHECK(from_street_m(&streets, list->items[i].geometry.points[0]) < 16);
        }
    }
    const struct ht_feature_list *homes = list_of(&town, "households");
    for (size_t i = 0; i < homes->count; i += 37) {
        double distance = from_street_m(&streets, entrance_of(&homes->items[i]));
        HT_CHECK(distance > 8 && distance < 70);
    }
    registry_deinit(&town);
    free(streets.nodes);
    free(streets.on_street);
    (void)unlink("town-streets.osm.pbf");
}

/* --- files ------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/houtao-test-town-XXXXXX";

static pid_t folder_owner; /* commands run in copies of this process, which exit as well */

static void folder_remove(void)
{
    if (getpid() != folder_owner) {
        return;
    }
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    int code = system(command);
    (void)code;
}

/* A folder of its own, that is gone at the end. */
static const char *town_folder(void)
{
    if (folder_owner == 0 && mkdtemp(folder) != NULL) {
        folder_owner = getpid();
        (void)atexit(folder_remove);
    }
    return folder;
}

static uint64_t hash_town(uint64_t seed)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    struct ht_error error = {0};
    HT_CHECK_INT(ht_sample_registry(town_folder(), HT_SAMPLE_TOWN, seed, NULL, &error), HT_OK);
    for (size_t i = 0; i < 2 * (size_t)COLLECTIONS; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s.%s", folder, names[i / 2],
                       i % 2 == 0 ? "geojson" : "csv");
        FILE *file = fopen(path, "rb");
        HT_CHECK(file != NULL);
        for (int c = file == NULL ? EOF : fgetc(file); c != EOF; c = fgetc(file)) {
            hash = (hash ^ (uint64_t)c) * UINT64_C(1099511628211);
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    return hash;
}

HT_CASE(same_seed_gives_the_same_files)
{
    uint64_t hash = hash_town(7);
    HT_CHECK(hash == hash_town(7));
    HT_CHECK(hash != hash_town(8));
}

/* One item as a line: all that the store keeps of it. */
static enum ht_status add_line(void *user, const struct ht_store_item *item)
{
    struct ht_text *out = user;
    ht_text_add_string(out, item->id);
    for (size_t i = 0; i < item->wkb_size; i++) {
        ht_text_addf(out, "%02x", ((const unsigned char *)item->wkb)[i]);
    }
    ht_text_addf(out, "%s%s%s\n", item->properties, item->personal,
                 item->cell == NULL ? "" : item->cell);
    return HT_OK;
}

static struct ht_text stored(const char *path, const char *collection, uint64_t *count)
{
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    struct ht_store *store = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_text out = {0};
    struct ht_error error = {0};
    struct ht_store_query query =
        ht_store_query_default(ht_collection_find(collection, strlen(collection)));
    query.personal = true;
    query.limit = UINT32_MAX;
    HT_CHECK_INT(ht_store_open(path, &options, &store, &error), HT_OK);
    if (store != NULL && ht_store_reader_new(store, &reader, &error) == HT_OK) {
        HT_CHECK_INT(ht_store_items(reader, &query, add_line, &out, count, &error), HT_OK);
    }
    ht_store_reader_free(reader);
    ht_store_close(store);
    return out;
}

HT_CASE(both_forms_load_as_the_same_items)
{
    static const uint64_t counts[COLLECTIONS] = {164, 20000, 32, 106, 177, 2, 0};
    static const char *const forms[2] = {"geojson", "csv"};
    char line[512];
    (void)snprintf(line, sizeof line, "sample -o %s", town_folder());
    HT_REQUIRE(ht_command_run(line)->code == 0);
    for (size_t i = 0; i < 2 * (size_t)COLLECTIONS; i++) {
        (void)snprintf(line, sizeof line, "load --store %s/%s.sqlite --collection %s %s/%s.%s",
                       folder, forms[i % 2], names[i / 2], folder, names[i / 2], forms[i % 2]);
        const struct ht_command_run *run = ht_command_run(line);
        HT_CHECK_INT(run->code, 0);
        HT_CHECK_STR(run->err, "");
    }
    for (size_t i = 0; i < COLLECTIONS; i++) {
        uint64_t count[2] = {0};
        struct ht_text items[2] = {0};
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(line, sizeof line, "%s/%s.sqlite", folder, forms[k]);
            items[k] = stored(line, names[i], &count[k]);
        }
        HT_CHECK(counts[i] == 0 ? count[0] > 600 : count[0] == counts[i]);
        HT_CHECK_INT(count[0], count[1]);
        HT_CHECK(strcmp(ht_text_string(&items[0]), ht_text_string(&items[1])) == 0);
        ht_text_deinit(&items[0]);
        ht_text_deinit(&items[1]);
    }
}

HT_CASE(unwritable_folder_is_an_error_with_its_name)
{
    struct ht_error error = {0};
    HT_CHECK_INT(ht_sample_registry("/no/such/folder", HT_SAMPLE_TOWN, 1, NULL, &error), HT_IO);
    HT_CHECK(strstr(error.message, "/no/such/folder/cells.geojson") != NULL);
}

static enum ht_status stop(void *user, const struct ht_collection *collection,
                           const struct ht_feature *feature)
{
    size_t *left = user;
    (void)collection;
    (void)feature;
    return (*left)-- == 0 ? HT_CANCELLED : HT_OK;
}

HT_CASE(sink_ends_the_making)
{
    size_t left = 500;
    HT_CHECK_INT(ht_sample_town(HT_SAMPLE_TOWN, 1, stop, &left), HT_CANCELLED);
    HT_CHECK_INT(left, SIZE_MAX);
}

/* Thousands of allocations, most of them of the streets: some of them, ever further apart. */
HT_CASE(failed_allocations_are_a_status_oom)
{
    struct ht_error error;
    long total = 0;
    bool failed = true;
    for (long n = 0; failed; n = n * 4 / 3 + 1) {
        ht_oom_arm(n);
        enum ht_status status = ht_sample_registry(town_folder(), HT_SAMPLE_TOWN, 1, NULL, &error);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        total = n;
    }
    (void)printf("  fewer than %ld allocations\n", total);
}

HT_MAIN()
