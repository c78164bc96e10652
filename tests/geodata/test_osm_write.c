/* What the writer writes, the reader gives back. */
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/osm_text.h"

#include "geodata/osm.h"

static const char path[] = "test-osm-write.osm.pbf";

static enum ht_status read_file(struct osm_text *text, struct ht_error *error)
{
    *text = (struct osm_text){0};
    struct ht_osm_handler handler = {
        .block = osm_text_block, .user = text, .nodes = true, .ways = true, .relations = true};
    osm_text_add(text, "%s", "");
    return ht_osm_read(path, NULL, &handler, error);
}

static const char *const words[] = {"highway", "name", "",  "镇海路", "a",
                                    "b",       "ref",  "=", "\"",     "€"};

enum { WORDS = sizeof words / sizeof words[0] };

struct thing {
    struct ht_osm_tag tags[6];
    char texts[6][40];
    int64_t refs[40];
    struct ht_point points[40];
    struct ht_osm_member members[40];
};

static struct ht_osm_tags random_tags(struct thing *thing, uint64_t *state)
{
    struct ht_osm_tags tags = {.list = thing->tags, .count = ht_random_below(state, 6)};
    for (size_t i = 0; i < tags.count; i++) {
        const char *word = words[ht_random_below(state, WORDS)];
        uint32_t number = ht_random_below(state, 3000);
        (void)snprintf(thing->texts[i], sizeof thing->texts[i], "%s%u", word, number);
        thing->tags[i].key = word[0] == '\0' ? "empty" : word;
        thing->tags[i].value = number < 500 ? "" : thing->texts[i];
    }
    return tags;
}

static struct ht_point random_point(uint64_t *state)
{
    return (struct ht_point){
        .lon_e7 = (int32_t)(ht_random_below(state, 2 * (uint32_t)HT_LON_MAX_E7)) - HT_LON_MAX_E7,
        .lat_e7 = (int32_t)(ht_random_below(state, 2 * (uint32_t)HT_LAT_MAX_E7)) - HT_LAT_MAX_E7};
}

static int64_t random_id(uint64_t *state)
{
    int64_t id = (int64_t)(ht_random(state) >> (1 + ht_random_below(state, 60)));
    return ht_random_below(state, 2) == 0 ? id : -id;
}

/* One of the kind, written and told as text. */
static void write_one(struct ht_osm_writer *writer, enum ht_osm_type type, uint64_t *state,
                      struct osm_text *text)
{
    struct thing thing;
    struct ht_osm_block block = {0};
    struct ht_osm_node node = {.id = random_id(state), .point = random_point(state)};
    size_t count = ht_random_below(state, 40);
    struct ht_osm_way way = {.id = random_id(state), .refs = thing.refs, .ref_count = count};
    struct ht_osm_relation relation = {
        .id = random_id(state), .members = thing.members, .member_count = count};
    node.tags = way.tags = relation.tags = random_tags(&thing, state);
    for (size_t i = 0; i < count; i++) {
        thing.refs[i] = random_id(state);
        thing.points[i] = random_point(state);
        thing.members[i] =
            (struct ht_osm_member){.ref = random_id(state),
                                   .role = words[ht_random_below(state, WORDS)],
                                   .type = (enum ht_osm_type)ht_random_below(state, 3)};
    }
    way.points = ht_random_below(state, 2) == 0 ? thing.points : NULL;
    enum ht_status status = HT_OK;
    switch (type) {
    case HT_OSM_NODE:
        status = ht_osm_write_node(writer, &node);
        block.nodes = &node;
        block.node_count = 1;
        break;
    case HT_OSM_WAY:
        status = ht_osm_write_way(writer, &way);
        block.ways = &way;
        block.way_count = 1;
        break;
    case HT_OSM_RELATION:
        status = ht_osm_write_relation(writer, &relation);
        block.relations = &relation;
        block.relation_count = 1;
        break;
    }
    HT_CHECK_INT(status, HT_OK);
    (void)osm_text_block(text, &block, 0);
}

HT_CASE(random_entities_come_back_as_they_were)
{
    static const size_t counts[] = {20001, 8001, 500};
    struct ht_osm_writer *writer = NULL;
    struct ht_error error;
    struct osm_text want = {0};
    struct osm_text got;
    uint64_t state = 42;
    HT_REQUIRE(ht_osm_writer_open(path, &writer, &error) == HT_OK);
    for (enum ht_osm_type type = HT_OSM_NODE; type <= HT_OSM_RELATION; type++) {
        for (size_t i = 0; i < counts[type]; i++) {
            write_one(writer, type, &state, &want);
        }
    }
    HT_CHECK_INT(ht_osm_writer_close(writer), HT_OK);
    HT_CHECK_INT(read_file(&got, &error), HT_OK);
    HT_CHECK_INT(got.size, want.size);
    HT_CHECK(strcmp(got.data, want.data) == 0);
    HT_CHECK_INT(got.blocks, 3 + 2 + 1);
    free(want.data);
    free(got.data);
    (void)unlink(path);
}

HT_CASE(nothing_written_is_a_valid_file_without_entities)
{
    struct ht_osm_writer *writer = NULL;
    struct ht_error error;
    struct osm_text got;
    HT_REQUIRE(ht_osm_writer_open(path, &writer, &error) == HT_OK);
    HT_CHECK_INT(ht_osm_writer_close(writer), HT_OK);
    HT_CHECK_INT(read_file(&got, &error), HT_OK);
    HT_CHECK_STR(got.data, "");
    free(got.data);
    (void)unlink(path);
}

HT_CASE(kinds_out_of_order_are_refused)
{
    struct ht_osm_writer *writer = NULL;
    struct ht_error error;
    struct ht_osm_way way = {.id = 1};
    struct ht_osm_node node = {.id = 1};
    HT_REQUIRE(ht_osm_writer_open(path, &writer, &error) == HT_OK);
    HT_CHECK_INT(ht_osm_write_way(writer, &way), HT_OK);
    HT_CHECK_INT(ht_osm_write_node(writer, &node), HT_INVALID);
    HT_CHECK_INT(ht_osm_write_way(writer, &way), HT_INVALID);
    HT_CHECK_INT(ht_osm_writer_close(writer), HT_INVALID);
    (void)unlink(path);
}

HT_CASE(full_disk_is_told_at_the_latest_when_closing)
{
    if (access("/dev/full", W_OK) != 0) {
        HT_SKIP("no /dev/full here");
    }
    struct ht_osm_writer *writer = NULL;
    struct ht_error error;
    enum ht_status status = ht_osm_writer_open("/dev/full", &writer, &error);
    if (status == HT_OK) {
        status = ht_osm_writer_close(writer);
    }
    HT_CHECK_INT(status, HT_IO);
}

static enum ht_status write_some(void)
{
    struct ht_osm_writer *writer = NULL;
    struct ht_error error;
    struct ht_osm_tag tag = {.key = "highway", .value = "residential"};
    int64_t refs[] = {1, 2};
    enum ht_status status = ht_osm_writer_open(path, &writer, &error);
    if (status != HT_OK) {
        return status;
    }
    struct ht_osm_node node = {.id = 1, .tags = {.list = &tag, .count = 1}};
    struct ht_osm_way way = {.id = 1, .refs = refs, .ref_count = 2, .tags = node.tags};
    (void)!ht_osm_write_node(writer, &node);
    (void)!ht_osm_write_way(writer, &way);
    return ht_osm_writer_close(writer);
}

static enum ht_status ignore(void *user, const struct ht_osm_block *block, size_t worker)
{
    (void)user;
    (void)block;
    (void)worker;
    return HT_OK;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    struct ht_osm_handler handler = {.block = ignore, .nodes = true, .ways = true};
    static const char xml[] = "<osm><node id='1' lat='1' lon='1'><tag k='a' v='b'/></node><way "
                              "id='1'><nd ref='1'/></way></osm>";
    bool failed = true;
    for (long n = 0; failed; n++) {
        ht_oom_arm(n);
        enum ht_status status = write_some();
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        HT_REQUIRE(n < 1000);
    }
    failed = true;
    for (long n = 0; failed; n++) {
        struct ht_error error;
        ht_oom_arm(n);
        enum ht_status status = ht_osm_read(path, NULL, &handler, &error);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        HT_REQUIRE(n < 1000);
    }
    failed = true;
    for (long n = 0; failed; n++) {
        struct ht_error error;
        ht_oom_arm(n);
        enum ht_status status = ht_osm_read_memory(xml, strlen(xml), NULL, &handler, &error);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        HT_REQUIRE(n < 1000);
    }
    (void)unlink(path);
}

HT_MAIN()
