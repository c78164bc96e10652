#include "api/osrm_option.h"

#include <string.h>

#include "api/osrm_steps.h"
#include "engine/base/time.h"
#include "engine/road/snap.h"

/* What a reader of an option's value gives back: HT_OK, HT_SYNTAX (at scan->pos), HT_NOMEM. */
typedef enum ht_status (*read_value)(struct ht_osrm_request *request, struct ht_scan *scan);

/* One element of a list, with the status codes of read_value. */
typedef enum ht_status (*read_element)(struct ht_osrm_request *request, struct ht_scan *scan);

/* element (separator element)*: a separator without an element after it is left alone. */
static enum ht_status read_list(struct ht_osrm_request *request, struct ht_scan *scan,
                                char separator, read_element element)
{
    enum ht_status status = element(request, scan);
    while (status == HT_OK) {
        size_t before = scan->pos;
        if (!ht_scan_char(scan, separator)) {
            break;
        }
        status = element(request, scan);
        if (status == HT_SYNTAX && scan->pos == before + 1) {
            scan->pos = before;
            return HT_OK;
        }
    }
    return status;
}

static enum ht_status add(struct ht_osrm_list *list, const void *item, size_t size)
{
    return ht_osrm_list_add(list, item, size) ? HT_OK : HT_NOMEM;
}

static enum ht_status one_radius(struct ht_osrm_request *request, struct ht_scan *scan)
{
    double radius = NAN;
    if (ht_scan_text(scan, "unlimited")) {
        radius = INFINITY;
    } else {
        (void)ht_scan_double(scan, &radius); /* empty: the default */
    }
    return add(&request->radiuses, &radius, sizeof radius);
}

static enum ht_status read_radiuses(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_list(request, scan, ';', one_radius);
}

static enum ht_status one_bearing(struct ht_osrm_request *request, struct ht_scan *scan)
{
    struct ht_osrm_bearing item = {-1, 0};
    if (ht_scan_short(scan, &item.bearing_deg)) {
        if (!ht_scan_char(scan, ',') || !ht_scan_short(scan, &item.range_deg)) {
            return HT_SYNTAX;
        }
        if (item.bearing_deg < 0) {
            item.bearing_deg = INT16_MAX; /* given and out of range, unlike not given */
        }
    }
    return add(&request->bearings, &item, sizeof item);
}

static enum ht_status read_bearings(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_list(request, scan, ';', one_bearing);
}

static enum ht_status one_approach(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"unrestricted", HT_APPROACH_UNRESTRICTED},
                                                {"curb", HT_APPROACH_CURB},
                                                {"opposite", HT_APPROACH_OPPOSITE},
                                                {NULL, 0}};
    int value = HT_APPROACH_UNRESTRICTED;
    (void)ht_scan_word(scan, words, &value);
    uint8_t item = (uint8_t)value;
    return add(&request->approaches, &item, sizeof item);
}

static enum ht_status read_approaches(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_list(request, scan, ';', one_approach);
}

static uint32_t piece_offset(const struct ht_osrm_request *request, const struct ht_scan *scan)
{
    return (uint32_t)(scan->text + scan->pos - (const char *)request->text.data);
}

static bool hint_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '=';
}

/* Whole blocks of the alphabet; OSRM's own hints are two of them long. What a hint of another
 * server or of another map means is decided by whoever looks inside. */
static enum ht_status one_hint(struct ht_osrm_request *request, struct ht_scan *scan)
{
    size_t end = scan->pos;
    while (end < scan->size && hint_character(scan->text[end])) {
        end++;
    }
    size_t size = (end - scan->pos) / HT_OSRM_HINT_SIZE * HT_OSRM_HINT_SIZE;
    struct ht_osrm_piece item = {piece_offset(request, scan), (uint32_t)size};
    scan->pos += size;
    return add(&request->hints, &item, sizeof item);
}

static enum ht_status read_hints(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_list(request, scan, ';', one_hint);
}

static enum ht_status one_exclude(struct ht_osrm_request *request, struct ht_scan *scan)
{
    struct ht_osrm_piece item = {piece_offset(request, scan), 0};
    while (scan->pos < scan->size && hint_character(scan->text[scan->pos]) &&
           strchr("-_=", scan->text[scan->pos]) == NULL) {
        scan->pos++;
        item.size++;
    }
    return item.size == 0 ? HT_SYNTAX : add(&request->exclude, &item, sizeof item);
}

static enum ht_status read_exclude(struct ht_osrm_request *request, struct ht_scan *scan)
{
    request->exclude.count = 0;
    return read_list(request, scan, ',', one_exclude);
}

static enum ht_status read_flag(struct ht_scan *scan, bool *flag)
{
    return ht_scan_bool(scan, flag) ? HT_OK : HT_SYNTAX;
}

static enum ht_status read_generate_hints(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_flag(scan, &request->generate_hints);
}

static enum ht_status read_skip_waypoints(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_flag(scan, &request->skip_waypoints);
}

static enum ht_status read_snapping(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"default", 0}, {"any", 1}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->any_street = value != 0;
    return HT_OK;
}

static enum ht_status read_name(struct ht_scan *scan, char name[HT_OSRM_NAME_MAX])
{
    size_t begin = scan->pos;
    while (scan->pos < scan->size && scan->text[scan->pos] != '&') {
        scan->pos++;
    }
    size_t size = scan->pos - begin;
    if (size == 0 || size >= HT_OSRM_NAME_MAX) {
        scan->pos = begin;
        return HT_SYNTAX;
    }
    memcpy(name, scan->text + begin, size);
    name[size] = '\0';
    return HT_OK;
}

static enum ht_status read_crs(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_name(scan, request->crs);
}

static enum ht_status read_out_crs(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_name(scan, request->out_crs);
}

static enum ht_status read_avoid(struct ht_osrm_request *request, struct ht_scan *scan)
{
    size_t begin = scan->pos;
    while (scan->pos < scan->size && scan->text[scan->pos] != '&') {
        scan->pos++;
    }
    request->avoids = true;
    request->avoid = (struct ht_osrm_piece){(uint32_t)begin, (uint32_t)(scan->pos - begin)};
    return HT_OK;
}

/* RFC 3339; its plus may have become a space on the way. */
static enum ht_status read_depart(struct ht_osrm_request *request, struct ht_scan *scan)
{
    char text[64];
    size_t size = 0;
    while (scan->pos + size < scan->size && scan->text[scan->pos + size] != '&' &&
           size < sizeof text) {
        char c = scan->text[scan->pos + size];
        text[size] = c == ' ' && size > 10 ? '+' : c;
        size++;
    }
    if (size == sizeof text || !ht_time_parse(text, size, &request->depart_ms)) {
        return HT_SYNTAX;
    }
    scan->pos += size;
    request->departs = true;
    return HT_OK;
}

static enum ht_status read_alternatives(struct ht_osrm_request *request, struct ht_scan *scan)
{
    uint64_t number;
    bool flag;
    if (ht_scan_uint(scan, UINT32_MAX, &number)) {
        request->alternatives = (uint32_t)number;
        return HT_OK;
    }
    if (ht_scan_bool(scan, &flag)) {
        request->alternatives = flag ? 1 : 0;
        return HT_OK;
    }
    return HT_SYNTAX;
}

static enum ht_status read_continue_straight(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {
        {"default", -1}, {"true", HT_OSRM_STRAIGHT_YES}, {"false", HT_OSRM_STRAIGHT_NO}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    if (value >= 0) { /* "default" does not take back an earlier one, as in OSRM */
        request->continue_straight = (enum ht_osrm_straight)value;
    }
    return HT_OK;
}

static enum ht_status read_steps(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_flag(scan, &request->steps);
}

static enum ht_status read_geometries(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"polyline", HT_OSRM_POLYLINE},
                                                {"polyline6", HT_OSRM_POLYLINE6},
                                                {"geojson", HT_OSRM_GEOJSON},
                                                {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->geometry = (uint8_t)value;
    return HT_OK;
}

static enum ht_status read_overview(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"simplified", HT_OSRM_OVERVIEW_SIMPLIFIED},
                                                {"full", HT_OSRM_OVERVIEW_FULL},
                                                {"false", HT_OSRM_OVERVIEW_NONE},
                                                {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->overview = (enum ht_osrm_overview)value;
    return HT_OK;
}

static const struct ht_scan_word annotation_words[] = {{"duration", HT_OSRM_DURATION},
                                                       {"distance", HT_OSRM_DISTANCE},
                                                       {"nodes", HT_OSRM_NODES},
                                                       {"weight", HT_OSRM_WEIGHT},
                                                       {"datasources", HT_OSRM_DATASOURCES},
                                                       {"speed", HT_OSRM_SPEED},
                                                       {NULL, 0}};

static enum ht_status one_annotation(struct ht_osrm_request *request, struct ht_scan *scan)
{
    int value;
    if (!ht_scan_word(scan, annotation_words, &value)) {
        return HT_SYNTAX;
    }
    request->annotations |= (unsigned)value;
    return HT_OK;
}

/* Lists add up over repeated options; "false" adds nothing. */
static enum ht_status read_annotations(struct ht_osrm_request *request, struct ht_scan *scan)
{
    enum ht_status status = HT_OK;
    if (ht_scan_text(scan, "true")) {
        request->annotations = HT_OSRM_ANNOTATE_ALL;
    } else if (!ht_scan_text(scan, "false")) {
        status = read_list(request, scan, ',', one_annotation);
    }
    request->annotate = request->annotations != 0;
    return status;
}

static enum ht_status one_table_annotation(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {
        {"duration", HT_OSRM_DURATION}, {"distance", HT_OSRM_DISTANCE}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->annotations |= (unsigned)value;
    return HT_OK;
}

static enum ht_status read_table_annotations(struct ht_osrm_request *request, struct ht_scan *scan)
{
    request->annotations = 0;
    return read_list(request, scan, ',', one_table_annotation);
}

/* An index; those beyond 32 bits are out of every range, so they become the greatest. */
static enum ht_status add_index(struct ht_osrm_list *list, struct ht_scan *scan)
{
    uint64_t value;
    if (!ht_scan_uint(scan, UINT64_MAX, &value)) {
        return HT_SYNTAX;
    }
    uint32_t item = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return add(list, &item, sizeof item);
}

static enum ht_status one_waypoint(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return add_index(&request->waypoints, scan);
}

static enum ht_status read_waypoints(struct ht_osrm_request *request, struct ht_scan *scan)
{
    request->waypoints.count = 0;
    return read_list(request, scan, ';', one_waypoint);
}

static enum ht_status one_source(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return add_index(&request->sources, scan);
}

static enum ht_status read_sources(struct ht_osrm_request *request, struct ht_scan *scan)
{
    if (ht_scan_text(scan, "all")) {
        return HT_OK;
    }
    request->sources.count = 0;
    return read_list(request, scan, ';', one_source);
}

static enum ht_status one_destination(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return add_index(&request->destinations, scan);
}

static enum ht_status read_destinations(struct ht_osrm_request *request, struct ht_scan *scan)
{
    if (ht_scan_text(scan, "all")) {
        return HT_OK;
    }
    request->destinations.count = 0;
    return read_list(request, scan, ';', one_destination);
}

static enum ht_status read_fallback_speed(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return ht_scan_fraction(scan, &request->fallback_speed) ? HT_OK : HT_SYNTAX;
}

static enum ht_status read_scale_factor(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return ht_scan_fraction(scan, &request->scale_factor) ? HT_OK : HT_SYNTAX;
}

static enum ht_status read_fallback_coordinate(struct ht_osrm_request *request,
                                               struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"input", 0}, {"snapped", 1}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->fallback_snapped = value != 0;
    return HT_OK;
}

static enum ht_status read_number(struct ht_osrm_request *request, struct ht_scan *scan)
{
    uint64_t value;
    if (!ht_scan_uint(scan, UINT32_MAX, &value)) {
        return HT_SYNTAX;
    }
    request->number = (uint32_t)value;
    return HT_OK;
}

static enum ht_status read_roundtrip(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_flag(scan, &request->roundtrip);
}

static enum ht_status read_source(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"any", 0}, {"first", 1}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->source_first = value != 0;
    return HT_OK;
}

static enum ht_status read_destination(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"any", 0}, {"last", 1}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->destination_last = value != 0;
    return HT_OK;
}

static enum ht_status one_timestamp(struct ht_osrm_request *request, struct ht_scan *scan)
{
    uint64_t value;
    if (!ht_scan_uint(scan, UINT32_MAX, &value)) {
        return HT_SYNTAX;
    }
    uint32_t item = (uint32_t)value;
    return add(&request->timestamps, &item, sizeof item);
}

static enum ht_status read_timestamps(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_list(request, scan, ';', one_timestamp);
}

static enum ht_status read_gaps(struct ht_osrm_request *request, struct ht_scan *scan)
{
    static const struct ht_scan_word words[] = {{"split", 0}, {"ignore", 1}, {NULL, 0}};
    int value;
    if (!ht_scan_word(scan, words, &value)) {
        return HT_SYNTAX;
    }
    request->gaps_ignore = value != 0;
    return HT_OK;
}

static enum ht_status read_tidy(struct ht_osrm_request *request, struct ht_scan *scan)
{
    return read_flag(scan, &request->tidy);
}

enum {
    ROUTE = 1 << HT_OSRM_ROUTE,
    TABLE = 1 << HT_OSRM_TABLE,
    NEAREST = 1 << HT_OSRM_NEAREST,
    TRIP = 1 << HT_OSRM_TRIP,
    MATCH = 1 << HT_OSRM_MATCH,
    PATHS = ROUTE | TRIP | MATCH,
    EVERY = PATHS | TABLE | NEAREST,
};

static const struct option {
    const char *name; /* with the equals sign */
    unsigned services;
    read_value read;
} options[] = {
    {"radiuses=", EVERY, read_radiuses},
    {"hints=", EVERY, read_hints},
    {"bearings=", EVERY, read_bearings},
    {"generate_hints=", EVERY, read_generate_hints},
    {"skip_waypoints=", EVERY, read_skip_waypoints},
    {"approaches=", EVERY, read_approaches},
    {"exclude=", EVERY, read_exclude},
    {"snapping=", EVERY, read_snapping},
    {"crs=", EVERY, read_crs},
    {"out_crs=", EVERY, read_out_crs},
    {"avoid=", EVERY, read_avoid},
    {"depart=", EVERY, read_depart},
    {"alternatives=", ROUTE, read_alternatives},
    {"continue_straight=", ROUTE, read_continue_straight},
    {"steps=", PATHS, read_steps},
    {"geometries=", PATHS, read_geometries},
    {"overview=", PATHS, read_overview},
    {"annotations=", PATHS, read_annotations},
    {"waypoints=", PATHS, read_waypoints},
    {"annotations=", TABLE, read_table_annotations},
    {"sources=", TABLE, read_sources},
    {"destinations=", TABLE, read_destinations},
    {"fallback_speed=", TABLE, read_fallback_speed},
    {"fallback_coordinate=", TABLE, read_fallback_coordinate},
    {"scale_factor=", TABLE, read_scale_factor},
    {"number=", NEAREST, read_number},
    {"roundtrip=", TRIP, read_roundtrip},
    {"source=", TRIP, read_source},
    {"destination=", TRIP, read_destination},
    {"timestamps=", MATCH, read_timestamps},
    {"gaps=", MATCH, read_gaps},
    {"tidy=", MATCH, read_tidy},
};

/* HT_NOT_FOUND: none begins here. */
static enum ht_status read_option(struct ht_osrm_request *request, struct ht_scan *scan)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if ((options[i].services & 1U << request->service) != 0 &&
            ht_scan_text(scan, options[i].name)) {
            return options[i].read(request, scan);
        }
    }
    return HT_NOT_FOUND;
}

enum ht_status ht_osrm_read_options(struct ht_osrm_request *request, struct ht_scan *scan)
{
    enum ht_status status = read_option(request, scan);
    if (status == HT_NOT_FOUND) {
        return HT_SYNTAX;
    }
    while (status == HT_OK) {
        size_t before = scan->pos;
        if (!ht_scan_char(scan, '&')) {
            break;
        }
        status = read_option(request, scan);
        if (status == HT_NOT_FOUND) {
            scan->pos = before;
            return HT_OK;
        }
    }
    return status;
}
