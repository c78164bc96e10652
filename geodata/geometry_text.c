/* WKT in and out, GeoJSON out. */
#include <stdlib.h>
#include <string.h>

#include "geodata/geometry.h"

/* --- reading WKT ------------------------------------------------------------------------------ */

struct wkt {
    const char *at;
    const char *begin;
    const char *end;
    size_t numbers; /* in each position: 2, or more with Z and M */
    struct ht_draft draft;
    struct ht_error *error;
};

static enum ht_status malformed(struct wkt *wkt, const char *what)
{
    return ht_error_set(wkt->error, HT_SYNTAX, 0, "WKT: %s at byte %zu", what,
                        (size_t)(wkt->at - wkt->begin) + 1);
}

static enum ht_status too_big(struct wkt *wkt, enum ht_status status)
{
    return ht_error_set(wkt->error, status, 0, status == HT_TOO_BIG ? "too many points" : NULL);
}

static void skip_space(struct wkt *wkt)
{
    while (wkt->at < wkt->end && strchr(" \t\r\n", *wkt->at) != NULL && *wkt->at != '\0') {
        wkt->at++;
    }
}

/* Takes the character, spaces before it included. */
static bool take(struct wkt *wkt, char c)
{
    skip_space(wkt);
    if (wkt->at < wkt->end && *wkt->at == c) {
        wkt->at++;
        return true;
    }
    return false;
}

/* Takes a word of letters in upper case, at most 15 of them. */
static void take_word(struct wkt *wkt, char word[16])
{
    size_t size = 0;
    skip_space(wkt);
    while (size < 15 && wkt->at < wkt->end) {
        char c = (char)(*wkt->at & ~0x20);
        if (c < 'A' || c > 'Z') {
            break;
        }
        word[size++] = c;
        wkt->at++;
    }
    word[size] = '\0';
}

static bool take_empty(struct wkt *wkt)
{
    const char *before = wkt->at;
    char word[16] = {0};
    take_word(wkt, word);
    if (strcmp(word, "EMPTY") == 0) {
        return true;
    }
    wkt->at = before;
    return false;
}

static enum ht_status read_position(struct wkt *wkt)
{
    double numbers[4] = {0};
    size_t count = 0;
    for (; count < wkt->numbers || (wkt->numbers == 2 && count < 4); count++) {
        skip_space(wkt);
        size_t taken = ht_number_read(wkt->at, (size_t)(wkt->end - wkt->at), &numbers[count]);
        if (taken == 0) {
            break;
        }
        wkt->at += taken;
    }
    if (count < wkt->numbers) {
        return malformed(wkt, "a number is missing");
    }
    enum ht_status status = ht_draft_add(&wkt->draft, numbers[0], numbers[1]);
    return status == HT_OK ? HT_OK : too_big(wkt, status);
}

/* "( position, position )" */
static enum ht_status read_positions(struct wkt *wkt)
{
    if (!take(wkt, '(')) {
        return malformed(wkt, "\"(\" is missing");
    }
    do {
        enum ht_status status = read_position(wkt);
        if (status != HT_OK) {
            return status;
        }
    } while (take(wkt, ','));
    return take(wkt, ')') ? HT_OK : malformed(wkt, "\",\" or \")\" is missing");
}

static enum ht_status read_polygon(struct wkt *wkt)
{
    if (!take(wkt, '(')) {
        return malformed(wkt, "\"(\" is missing");
    }
    do {
        enum ht_status status = read_positions(wkt);
        if (status != HT_OK) {
            return status;
        }
        status = ht_draft_end_ring(&wkt->draft);
        if (status != HT_OK) {
            return too_big(wkt, status);
        }
    } while (take(wkt, ','));
    if (!take(wkt, ')')) {
        return malformed(wkt, "\",\" or \")\" is missing");
    }
    enum ht_status status = ht_draft_end_polygon(&wkt->draft);
    return status == HT_OK ? HT_OK : too_big(wkt, status);
}

static enum ht_status read_multipolygon(struct wkt *wkt)
{
    if (!take(wkt, '(')) {
        return malformed(wkt, "\"(\" is missing");
    }
    do {
        enum ht_status status = read_polygon(wkt);
        if (status != HT_OK) {
            return status;
        }
    } while (take(wkt, ','));
    return take(wkt, ')') ? HT_OK : malformed(wkt, "\",\" or \")\" is missing");
}

static enum ht_status read_type(struct wkt *wkt, enum ht_geometry_type *type)
{
    static const struct {
        const char *word;
        enum ht_geometry_type type;
    } types[] = {{"POINT", HT_GEOMETRY_POINT},
                 {"LINESTRING", HT_GEOMETRY_LINE},
                 {"POLYGON", HT_GEOMETRY_POLYGON},
                 {"MULTIPOLYGON", HT_GEOMETRY_MULTIPOLYGON}};
    char word[16] = {0};
    take_word(wkt, word);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t size = strlen(types[i].word);
        if (strncmp(word, types[i].word, size) != 0) {
            continue;
        }
        /* "POINT Z" and "POINTZ" */
        const char *rest = word + size;
        const char *before = wkt->at;
        char axes[16] = {0};
        take_word(wkt, axes);
        if (*rest == '\0' && strcmp(axes, "EMPTY") != 0) {
            rest = axes;
        } else {
            wkt->at = before;
        }
        if (strcmp(rest, "") == 0 || strcmp(rest, "Z") == 0 || strcmp(rest, "M") == 0 ||
            strcmp(rest, "ZM") == 0) {
            wkt->numbers = 2 + strlen(rest);
            *type = types[i].type;
            return HT_OK;
        }
    }
    return word[0] == '\0'
               ? malformed(wkt, "a type is missing")
               : ht_error_set(wkt->error, HT_UNSUPPORTED, 0,
                              "WKT: must be a POINT, LINESTRING, POLYGON or MULTIPOLYGON");
}

static enum ht_status read_wkt(struct wkt *wkt, enum ht_geometry_type *type)
{
    enum ht_status status = read_type(wkt, type);
    if (status != HT_OK) {
        return status;
    }
    if (take_empty(wkt)) {
        *type = HT_GEOMETRY_NONE;
    } else if (*type == HT_GEOMETRY_MULTIPOLYGON) {
        status = read_multipolygon(wkt);
    } else if (*type == HT_GEOMETRY_POLYGON) {
        status = read_polygon(wkt);
    } else {
        status = read_positions(wkt);
    }
    skip_space(wkt);
    if (status == HT_OK && wkt->at != wkt->end) {
        status = malformed(wkt, "something follows the end");
    }
    return status;
}

enum ht_status ht_draft_read_wkt(struct ht_draft *draft, const char *text, size_t size,
                                 enum ht_geometry_type *type, struct ht_error *error)
{
    struct wkt wkt = {
        .at = text, .begin = text, .end = text + size, .draft = *draft, .error = error};
    *type = HT_GEOMETRY_NONE;
    ht_draft_clear(&wkt.draft);
    enum ht_status status = read_wkt(&wkt, type);
    *draft = wkt.draft;
    return status;
}

enum ht_status ht_geometry_read_wkt(struct ht_geometry *geometry, const char *text, size_t size,
                                    const struct ht_crs *crs, struct ht_crs_work *work,
                                    struct ht_error *error)
{
    struct ht_draft draft = {0};
    enum ht_geometry_type type = HT_GEOMETRY_NONE;
    ht_geometry_clear(geometry);
    enum ht_status status = ht_draft_read_wkt(&draft, text, size, &type, error);
    if (status == HT_OK) {
        status = ht_geometry_finish(geometry, type, &draft, crs, work, error);
    }
    ht_draft_deinit(&draft);
    return status;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Both notations are the same nest of lists; they differ in a few characters. */
struct notation {
    char open;
    char close;
    const char *between; /* the numbers of a position */
    const char *before;  /* a position */
    const char *after;
};

struct writer {
    const struct ht_geometry *geometry;
    const struct notation *notation;
    double (*pairs)[2]; /* NULL: the points as they are */
    int decimals;
    struct ht_text *out;
};

static void write_number(struct writer *w, double value)
{
    double scale = w->decimals == 7 ? 1e7 : 1e3;
    double scaled = value * scale;
    ht_text_add_fixed(w->out, (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5), w->decimals);
}

static void write_position(struct writer *w, size_t i)
{
    ht_text_add_string(w->out, w->notation->before);
    if (w->pairs == NULL) {
        ht_text_add_fixed(w->out, w->geometry->points[i].lon_e7, 7);
        ht_text_add_string(w->out, w->notation->between);
        ht_text_add_fixed(w->out, w->geometry->points[i].lat_e7, 7);
    } else {
        write_number(w, w->pairs[i][0]);
        ht_text_add_string(w->out, w->notation->between);
        write_number(w, w->pairs[i][1]);
    }
    ht_text_add_string(w->out, w->notation->after);
}

static void write_positions(struct writer *w, size_t from, size_t to)
{
    ht_text_add_char(w->out, w->notation->open);
    for (size_t i = from; i < to; i++) {
        if (i > from) {
            ht_text_add_char(w->out, ',');
        }
        write_position(w, i);
    }
    ht_text_add_char(w->out, w->notation->close);
}

static void write_polygons(struct writer *w)
{
    const struct ht_geometry *g = w->geometry;
    size_t ring = 0;
    size_t point = 0;
    for (size_t p = 0; p < g->polygon_count; p++) {
        if (p > 0) {
            ht_text_add_char(w->out, ',');
        }
        ht_text_add_char(w->out, w->notation->open);
        for (size_t first = ring; ring < g->polygon_ends[p]; ring++) {
            if (ring > first) {
                ht_text_add_char(w->out, ',');
            }
            write_positions(w, point, g->ring_ends[ring]);
            point = g->ring_ends[ring];
        }
        ht_text_add_char(w->out, w->notation->close);
    }
}

/* What stands after the type. */
static void write_lists(struct writer *w)
{
    switch (w->geometry->type) {
    case HT_GEOMETRY_NONE:
        break;
    case HT_GEOMETRY_POINT:
        if (w->notation->open == '(') {
            write_positions(w, 0, 1);
        } else {
            write_position(w, 0);
        }
        break;
    case HT_GEOMETRY_LINE:
        write_positions(w, 0, w->geometry->point_count);
        break;
    case HT_GEOMETRY_POLYGON:
        write_polygons(w);
        break;
    case HT_GEOMETRY_MULTIPOLYGON:
        ht_text_add_char(w->out, w->notation->open);
        write_polygons(w);
        ht_text_add_char(w->out, w->notation->close);
        break;
    }
}

static enum ht_status convert(struct writer *w, const struct ht_crs *crs, struct ht_crs_work *work)
{
    const struct ht_geometry *g = w->geometry;
    w->decimals = 7;
    if (crs == NULL || ht_crs_plain(crs) || g->point_count == 0) {
        return HT_OK;
    }
    bool projected = false;
    enum ht_status status = ht_crs_check(work, crs, &projected);
    if (status != HT_OK) {
        return status;
    }
    w->decimals = projected ? 3 : 7;
    w->pairs = malloc(g->point_count * sizeof *w->pairs);
    if (w->pairs == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < g->point_count; i++) {
        w->pairs[i][0] = g->points[i].lon_e7 / 1e7;
        w->pairs[i][1] = g->points[i].lat_e7 / 1e7;
    }
    return ht_crs_from_wgs84(work, crs, w->pairs, g->point_count);
}

enum ht_status ht_geometry_write_geojson(const struct ht_geometry *geometry,
                                         const struct ht_crs *crs, struct ht_crs_work *work,
                                         struct ht_text *out)
{
    static const struct notation json = {'[', ']', ",", "[", "]"};
    struct writer w = {.geometry = geometry, .notation = &json, .out = out};
    enum ht_status status = convert(&w, crs, work);
    if (status == HT_OK && geometry->type == HT_GEOMETRY_NONE) {
        ht_text_add_string(out, "null");
    } else if (status == HT_OK) {
        ht_text_add_string(out, "{\"type\":\"");
        ht_text_add_string(out, ht_geometry_type_name(geometry->type));
        ht_text_add_string(out, "\",\"coordinates\":");
        write_lists(&w);
        ht_text_add_char(out, '}');
    }
    free(w.pairs);
    return status == HT_OK && out->failed ? HT_NOMEM : status;
}

enum ht_status ht_geometry_write_wkt(const struct ht_geometry *geometry, const struct ht_crs *crs,
                                     struct ht_crs_work *work, struct ht_text *out)
{
    static const struct notation wkt = {'(', ')', " ", "", ""};
    static const char *const names[] = {"POINT EMPTY", "POINT ", "LINESTRING ", "POLYGON ",
                                        "MULTIPOLYGON "};
    struct writer w = {.geometry = geometry, .notation = &wkt, .out = out};
    enum ht_status status = convert(&w, crs, work);
    if (status == HT_OK) {
        ht_text_add_string(out, names[geometry->type]);
        write_lists(&w);
    }
    free(w.pairs);
    return status == HT_OK && out->failed ? HT_NOMEM : status;
}
