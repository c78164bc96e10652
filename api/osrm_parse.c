#include "api/osrm_parse.h"

#include <string.h>

#include "api/osrm_body.h"
#include "api/osrm_option.h"
#include "engine/base/array.h"

static const char *const service_names[HT_OSRM_SERVICES] = {
    [HT_OSRM_ROUTE] = "route", [HT_OSRM_TABLE] = "table", [HT_OSRM_NEAREST] = "nearest",
    [HT_OSRM_TRIP] = "trip",   [HT_OSRM_MATCH] = "match", [HT_OSRM_TILE] = "tile",
};

enum ht_osrm_service ht_osrm_service_by_name(const char *name, size_t size)
{
    for (int i = 0; i < HT_OSRM_SERVICES; i++) {
        if (strlen(service_names[i]) == size && memcmp(service_names[i], name, size) == 0) {
            return (enum ht_osrm_service)i;
        }
    }
    return HT_OSRM_SERVICES;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "%XY" stands for at `text`, or -1. */
static int percent_value(const char *text, size_t size)
{
    if (size < 3 || text[0] != '%' || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) {
        return -1;
    }
    return hex_value(text[1]) * 16 + hex_value(text[2]);
}

/* Appends with percent-encoding undone; what is no encoding stays and is judged by the grammar. */
static bool append_decoded(struct ht_osrm_list *out, const char *text, size_t size)
{
    /* One more than asked for, so that a list of nothing has memory to point to as well. */
    if (ht_array_reserve(&out->data, &out->capacity, out->count + size + 1, 1) != HT_OK) {
        return false;
    }
    char *to = (char *)out->data + out->count;
    for (size_t i = 0; i < size;) {
        int value = percent_value(text + i, size - i);
        *to++ = value >= 0 ? (char)value : text[i];
        i += value >= 0 ? 3 : 1;
    }
    out->count = (size_t)(to - (char *)out->data);
    return true;
}

static bool identifier_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_.~:-", c) != NULL);
}

static bool query_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_[]{}@?|\\~`^=,;:&().-", c) != NULL);
}

static bool url_error(struct ht_reply *reply, const struct ht_scan *scan)
{
    size_t begin = scan->pos < 3 ? 0 : scan->pos - 3;
    size_t end = scan->size - scan->pos < 3 ? scan->size : scan->pos + 3;
    ht_osrm_error(reply, "InvalidUrl", "URL string malformed close to position %zu: \"%.*s\"",
                  scan->pos, (int)(end - begin), scan->text + begin);
    return false;
}

static bool query_error(struct ht_reply *reply, size_t position)
{
    ht_osrm_error(reply, "InvalidQuery", "Query string malformed close to position %zu", position);
    return false;
}

static bool memory_error(struct ht_reply *reply)
{
    ht_reply_reset(reply);
    ht_reply_problem(reply, 503, "Out of memory", NULL);
    return false;
}

static struct ht_osrm_piece scan_identifier(struct ht_scan *scan)
{
    struct ht_osrm_piece piece = {(uint32_t)scan->pos, 0};
    while (scan->pos < scan->size && identifier_character(scan->text[scan->pos])) {
        scan->pos++;
        piece.size++;
    }
    return piece;
}

/* "avoid=" takes GeoJSON, whose quotes OSRM's alphabet lacks: such a text is let through. */
static bool names_later_option(const struct ht_scan *scan)
{
    static const char *const names[] = {"?avoid=", "&avoid=", "?depart=", "&depart="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (memmem(scan->text + scan->pos, scan->size - scan->pos, names[i], strlen(names[i])) !=
            NULL) {
            return true;
        }
    }
    return false;
}

/* Checks the alphabet of the query and undoes a second layer of percent-encoding in place, as OSRM
 * does. False: malformed at scan->pos. */
static bool scan_query(struct ht_scan *scan, char *text)
{
    if (names_later_option(scan)) {
        return true;
    }
    size_t to = scan->pos;
    size_t begin = scan->pos;
    while (scan->pos < scan->size) {
        char c = text[scan->pos];
        if (c == '%') {
            int value = percent_value(text + scan->pos, scan->size - scan->pos);
            if (value < 0) {
                scan->pos++;
                return false;
            }
            text[to++] = (char)value;
            scan->pos += 3;
        } else if (query_character(c)) {
            text[to++] = c;
            scan->pos++;
        } else {
            return false;
        }
    }
    scan->pos = begin;
    scan->size = to;
    return to > begin;
}

struct url {
    struct ht_osrm_piece service;
    struct ht_osrm_piece profile;
    uint64_t version;
};

/* The URL up to the query, scan->pos at its first character. False: malformed at scan->pos. */
static bool scan_url(struct ht_scan *scan, char *text, struct url *url)
{
    if (!ht_scan_char(scan, '/')) {
        return false;
    }
    url->service = scan_identifier(scan);
    if (url->service.size == 0 || !ht_scan_char(scan, '/') || !ht_scan_char(scan, 'v') ||
        !ht_scan_uint(scan, UINT32_MAX, &url->version) || !ht_scan_char(scan, '/')) {
        return false;
    }
    url->profile = scan_identifier(scan);
    return url->profile.size > 0 && ht_scan_char(scan, '/') && scan_query(scan, text);
}

/* lon,lat;lon,lat... HT_NOT_FOUND: there is none; scan->pos as OSRM leaves it. */
static enum ht_status scan_pairs(struct ht_osrm_request *request, struct ht_scan *scan)
{
    enum { COORDINATE_MAX = 2147 }; /* OSRM's 32-bit microdegrees; projected ones may be greater */
    size_t begin = scan->pos;
    do {
        size_t before = scan->pos;
        struct ht_osrm_xy xy;
        if (!ht_scan_fraction(scan, &xy.x)) {
            scan->pos = before - (before > begin ? 1 : 0); /* back to the separator */
            break;
        }
        if (!ht_scan_char(scan, ',') || !ht_scan_fraction(scan, &xy.y)) {
            return HT_SYNTAX;
        }
        if (!(fabs(xy.x) < COORDINATE_MAX) || !(fabs(xy.y) < COORDINATE_MAX)) {
            request->coordinates_wide = true;
        }
        if (!ht_osrm_list_add(&request->coordinates, &xy, sizeof xy)) {
            return HT_NOMEM;
        }
    } while (ht_scan_char(scan, ';'));
    return request->coordinates.count == 0 ? HT_NOT_FOUND : HT_OK;
}

static bool polyline_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_.-[]{}@?|\\%~`^", c) != NULL);
}

static enum ht_status decode_polyline(struct ht_osrm_request *request, const char *text,
                                      size_t size, int precision)
{
    struct ht_osrm_list *scratch = &request->scratch;
    /* a point takes at least two characters */
    if (ht_array_reserve(&scratch->data, &scratch->capacity, size / 2 + 1,
                         sizeof(struct ht_point)) != HT_OK) {
        return HT_NOMEM;
    }
    size_t count = 0;
    const struct ht_point *points = scratch->data;
    if (!ht_polyline_decode(text, size, precision, scratch->data, scratch->capacity, &count)) {
        request->coordinates_broken = true;
        return HT_OK;
    }
    for (size_t i = 0; i < count; i++) {
        struct ht_osrm_xy xy = {points[i].lon_e7 / 1e7, points[i].lat_e7 / 1e7};
        if (!ht_osrm_list_add(&request->coordinates, &xy, sizeof xy)) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

static enum ht_status scan_polyline(struct ht_osrm_request *request, struct ht_scan *scan)
{
    int precision = 5;
    if (ht_scan_text(scan, "polyline6(")) {
        precision = 6;
    } else if (!ht_scan_text(scan, "polyline(")) {
        return HT_SYNTAX;
    }
    size_t begin = scan->pos;
    while (scan->pos < scan->size && polyline_character(scan->text[scan->pos])) {
        scan->pos++;
    }
    size_t size = scan->pos - begin;
    if (size == 0 || !ht_scan_char(scan, ')')) {
        return HT_SYNTAX;
    }
    return decode_polyline(request, scan->text + begin, size, precision);
}

static enum ht_status scan_tile(struct ht_osrm_request *request, struct ht_scan *scan)
{
    uint64_t value[3] = {0};
    if (!ht_scan_text(scan, "tile(") || !ht_scan_uint(scan, UINT32_MAX, &value[0]) ||
        !ht_scan_char(scan, ',') || !ht_scan_uint(scan, UINT32_MAX, &value[1]) ||
        !ht_scan_char(scan, ',') || !ht_scan_uint(scan, UINT32_MAX, &value[2]) ||
        !ht_scan_text(scan, ").mvt")) {
        return HT_SYNTAX;
    }
    request->tile_x = (uint32_t)value[0];
    request->tile_y = (uint32_t)value[1];
    request->tile_z = (uint32_t)value[2];
    return HT_OK;
}

static enum ht_status scan_parameters(struct ht_osrm_request *request, struct ht_scan *scan)
{
    if (request->service == HT_OSRM_TILE) {
        return scan_tile(request, scan);
    }
    enum ht_status status = scan_pairs(request, scan);
    if (status == HT_NOT_FOUND) {
        status = scan_polyline(request, scan);
    }
    if (status != HT_OK) {
        return status;
    }
    if (!ht_scan_text(scan, ".json") && ht_scan_text(scan, ".flatbuffers")) {
        request->flatbuffers = true;
    }
    return ht_scan_char(scan, '?') ? ht_osrm_read_options(request, scan) : HT_OK;
}

/* Longitude and latitude to e7. */
static enum ht_status place_points(struct ht_osrm_request *request)
{
    const struct ht_osrm_xy *xy = request->coordinates.data;
    for (size_t i = 0; i < request->coordinates.count; i++) {
        struct ht_point point = {0, 0};
        if (fabs(xy[i].x) <= 180 && fabs(xy[i].y) <= 90) {
            point.lon_e7 = (int32_t)lround(xy[i].x * 1e7);
            point.lat_e7 = (int32_t)lround(xy[i].y * 1e7);
        } else {
            request->coordinates_broken = request->crs[0] == '\0' || request->coordinates_broken;
        }
        if (!ht_osrm_list_add(&request->points, &point, sizeof point)) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

static bool read_query(struct ht_osrm_request *request, struct ht_scan *scan,
                       struct ht_reply *reply)
{
    size_t begin = scan->pos;
    enum ht_status status = scan_parameters(request, scan);
    if (status == HT_OK && scan->pos < scan->size) {
        status = HT_SYNTAX;
    }
    size_t position = scan->pos - begin;
    if (status != HT_NOMEM && request->coordinates_wide && request->crs[0] == '\0') {
        status =
            HT_SYNTAX; /* no 32-bit microdegree holds them: malformed in OSRM, before all else */
        position = 0;
    }
    if (status == HT_OK) {
        status = place_points(request);
    }
    if (status == HT_NOMEM) {
        return memory_error(reply);
    }
    return status == HT_OK || query_error(reply, begin + position);
}

/* True when the target ends with the profile, so that the query must come in the body. */
static bool lacks_query(const char *target, size_t size)
{
    size_t slashes = 0;
    size_t last = 0;
    for (size_t i = 0; i < size; i++) {
        if (target[i] == '/') {
            slashes++;
            last = i;
        }
    }
    return slashes == 3 || (slashes == 4 && last == size - 1);
}

/* The service that a target names. */
static enum ht_osrm_service service_of(const char *target, size_t size)
{
    const char *end = size > 1 ? memchr(target + 1, '/', size - 1) : NULL;
    return end == NULL ? HT_OSRM_SERVICES
                       : ht_osrm_service_by_name(target + 1, (size_t)(end - target) - 1);
}

/* A body in JSON, as the part of a URL that it stands for. What is wrong with the URL before it is
 * told first, by whoever reads it. */
static bool append_json(struct ht_osrm_request *request, enum ht_osrm_service service,
                        const char *body, size_t size, struct ht_reply *reply)
{
    struct ht_text part;
    ht_text_init(&part);
    bool good = ht_osrm_body_write(service, body, size, &part, reply);
    struct ht_osrm_list *text = &request->text;
    if (good && !part.failed &&
        ht_array_reserve(&text->data, &text->capacity, text->count + part.size + 1, 1) == HT_OK) {
        memcpy((char *)text->data + text->count, part.data, part.size);
        text->count += part.size;
    } else if (good) {
        good = memory_error(reply);
    }
    ht_text_deinit(&part);
    return good;
}

/* The whole URL, from target and body. */
static bool gather_text(struct ht_osrm_request *request, const char *target, size_t target_size,
                        const char *body, size_t body_size, struct ht_reply *reply)
{
    if (!append_decoded(&request->text, target, target_size)) {
        return memory_error(reply);
    }
    while (body_size > 0 && strchr(" \t\r\n", body[body_size - 1]) != NULL) {
        body_size--;
    }
    if (body_size == 0) {
        return true;
    }
    if (!lacks_query(target, target_size)) {
        ht_osrm_error(reply, "InvalidOptions",
                      "Coordinates and options come in the URL or in the body, not in both.");
        return false;
    }
    if (target[target_size - 1] != '/' && !append_decoded(&request->text, "/", 1)) {
        return memory_error(reply);
    }
    enum ht_osrm_service service = service_of(target, target_size);
    if (ht_osrm_body_is_json(body, body_size)) {
        return service == HT_OSRM_SERVICES /* which is told, whatever it should have answered */
                   ? append_decoded(&request->text, "0,0", 3) || memory_error(reply)
                   : append_json(request, service, body, body_size, reply);
    }
    return append_decoded(&request->text, body, body_size) || memory_error(reply);
}

bool ht_osrm_parse_target(struct ht_osrm_request *request, const char *target, size_t target_size,
                          const char *body, size_t body_size, struct ht_reply *reply)
{
    if (!gather_text(request, target, target_size, body, body == NULL ? 0 : body_size, reply)) {
        return false;
    }
    struct ht_scan scan = {request->text.data, request->text.count, 0};
    struct url url = {0};
    if (!scan_url(&scan, request->text.data, &url)) {
        return url_error(reply, &scan);
    }
    const char *service = scan.text + url.service.offset;
    request->service = ht_osrm_service_by_name(service, url.service.size);
    if (request->service == HT_OSRM_SERVICES || url.version != 1) {
        ht_osrm_error(reply,
                      request->service == HT_OSRM_SERVICES ? "InvalidService" : "InvalidVersion",
                      "Service %.*s not found!", (int)url.service.size, service);
        return false;
    }
    if (url.profile.size >= HT_OSRM_NAME_MAX) {
        ht_osrm_error(reply, "InvalidValue", "Profile name is too long.");
        return false;
    }
    memcpy(request->profile, scan.text + url.profile.offset, url.profile.size);
    request->profile[url.profile.size] = '\0';
    return read_query(request, &scan, reply);
}
