#include "geodata/crs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/datum_cn.h"
#include "geodata/late.h"

#define KEPT 8 /* transformations that a thread keeps */

struct entry {
    uint32_t epsg;
    PJ *transform; /* WGS84 lon, lat -> x, y */
    bool projected;
    bool north_first; /* in the authority's order */
    uint64_t used;
};

struct ht_crs_work {
    const struct ht_late_proj *proj; /* NULL until the first CRS that needs it, as the next */
    PJ_CONTEXT *context;
    struct entry kept[KEPT];
    uint64_t clock;
};

/* --- names ------------------------------------------------------------------------------------ */

/* A code of 1 to 9 digits that ends the text. */
static bool parse_code(const char *text, size_t size, uint32_t *code)
{
    if (size == 0 || size > 9) {
        return false;
    }
    *code = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *code = *code * 10 + (uint32_t)(text[i] - '0');
    }
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Skips `prefix` (in lower case) at the beginning, whatever the case of the text. */
static bool skip(const char **text, size_t *size, const char *prefix)
{
    size_t length = strlen(prefix);
    if (*size < length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (lower((*text)[i]) != prefix[i]) {
            return false;
        }
    }
    *text += length;
    *size -= length;
    return true;
}

static enum ht_status parse_epsg(const char *text, size_t size, bool authority_order,
                                 struct ht_crs *out)
{
    uint32_t code = 0;
    if (!parse_code(text, size, &code)) {
        return HT_SYNTAX;
    }
    *out = (struct ht_crs){
        .kind = code == 4326 ? HT_CRS_WGS84 : HT_CRS_PROJ,
        .epsg = code == 4326 ? 0 : code,
        .authority_order = authority_order,
    };
    return HT_OK;
}

/* What follows the authority in a URI or URN: a version (any, or none) and the code. */
static enum ht_status parse_authority(const char *text, size_t size, char separator,
                                      struct ht_crs *out)
{
    bool epsg = skip(&text, &size, "epsg");
    if (!epsg && !skip(&text, &size, "ogc")) {
        return HT_SYNTAX;
    }
    if (size == 0 || *text != separator) {
        return HT_SYNTAX;
    }
    const char *code = memchr(text + 1, separator, size - 1);
    if (code == NULL) {
        return HT_SYNTAX;
    }
    code++;
    size_t left = (size_t)(text + size - code);
    if (epsg) {
        return parse_epsg(code, left, true, out);
    }
    *out = (struct ht_crs){.kind = HT_CRS_WGS84};
    return skip(&code, &left, "crs84") && left == 0 ? HT_OK : HT_SYNTAX;
}

/* The short names, without -, _ and spaces. */
static enum ht_status parse_short(const char *text, size_t size, struct ht_crs *out)
{
    static const struct {
        const char *name;
        enum ht_crs_kind kind;
    } names[] = {
        {"gcj02", HT_CRS_GCJ02}, {"bd09", HT_CRS_BD09},   {"bd09ll", HT_CRS_BD09},
        {"wgs84", HT_CRS_WGS84}, {"crs84", HT_CRS_WGS84}, {"ogc:crs84", HT_CRS_WGS84},
    };
    char name[16];
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '-' || text[i] == '_' || text[i] == ' ') {
            continue;
        }
        if (length == sizeof name) {
            return HT_SYNTAX;
        }
        name[length++] = lower(text[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (length == strlen(names[i].name) && memcmp(name, names[i].name, length) == 0) {
            *out = (struct ht_crs){.kind = names[i].kind};
            return HT_OK;
        }
    }
    return HT_SYNTAX;
}

enum ht_status ht_crs_parse(const char *text, size_t size, struct ht_crs *out)
{
    *out = (struct ht_crs){.kind = HT_CRS_WGS84};
    if (size == 0) {
        return HT_OK;
    }
    if (skip(&text, &size, "http://www.opengis.net/def/crs/") ||
        skip(&text, &size, "https://www.opengis.net/def/crs/")) {
        return parse_authority(text, size, '/', out);
    }
    if (skip(&text, &size, "urn:ogc:def:crs:")) {
        return parse_authority(text, size, ':', out);
    }
    if (skip(&text, &size, "epsg:")) {
        return parse_epsg(text, size, false, out);
    }
    return parse_short(text, size, out);
}

bool ht_crs_plain(const struct ht_crs *crs)
{
    return crs->kind == HT_CRS_WGS84 && !crs->authority_order;
}

void ht_crs_name(const struct ht_crs *crs, char name[HT_CRS_NAME_SIZE])
{
    uint32_t code = crs->kind == HT_CRS_PROJ ? crs->epsg : 4326;
    if (crs->kind == HT_CRS_GCJ02 || crs->kind == HT_CRS_BD09) {
        (void)snprintf(name, HT_CRS_NAME_SIZE, "%s", crs->kind == HT_CRS_BD09 ? "BD09" : "GCJ02");
    } else if (ht_crs_plain(crs)) {
        (void)snprintf(name, HT_CRS_NAME_SIZE, "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
    } else if (!crs->authority_order) { /* no URI says x, y order: the short name does */
        (void)snprintf(name, HT_CRS_NAME_SIZE, "EPSG:%u", code);
    } else {
        (void)snprintf(name, HT_CRS_NAME_SIZE, "http://www.opengis.net/def/crs/EPSG/0/%u", code);
    }
}

/* --- PROJ ------------------------------------------------------------------------------------- */

static void silence(void *user, int level, const char *message)
{
    (void)user;
    (void)level;
    (void)message;
}

enum ht_status ht_crs_work_new(struct ht_crs_work **out)
{
    struct ht_crs_work *work = calloc(1, sizeof *work);
    *out = NULL;
    if (work == NULL) {
        return HT_NOMEM;
    }
    *out = work;
    return HT_OK;
}

void ht_crs_work_free(struct ht_crs_work *work)
{
    if (work == NULL) {
        return;
    }
    for (size_t i = 0; i < KEPT && work->proj != NULL; i++) {
        (void)work->proj->proj_destroy(work->kept[i].transform);
    }
    if (work->proj != NULL) {
        (void)work->proj->proj_context_destroy(work->context);
    }
    free(work);
}

/* The horizontal part of a CRS, where it has one. */
static PJ *horizontal(const struct ht_crs_work *work, PJ *crs)
{
    const struct ht_late_proj *proj = work->proj;
    PJ_TYPE type = proj->proj_get_type(crs);
    if (type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS ||
        type == PJ_TYPE_PROJECTED_CRS) {
        return crs;
    }
    PJ *part = type == PJ_TYPE_COMPOUND_CRS ? proj->proj_crs_get_sub_crs(work->context, crs, 0)
               : type == PJ_TYPE_BOUND_CRS  ? proj->proj_get_source_crs(work->context, crs)
                                            : NULL;
    (void)proj->proj_destroy(crs);
    return part == NULL ? NULL : horizontal(work, part);
}

static bool first_axis_is_north(const struct ht_crs_work *work, PJ *crs)
{
    const struct ht_late_proj *proj = work->proj;
    PJ *axes = proj->proj_crs_get_coordinate_system(work->context, crs);
    const char *direction = NULL;
    bool north = axes != NULL &&
                 proj->proj_cs_get_axis_info(work->context, axes, 0, NULL, NULL, &direction, NULL,
                                             NULL, NULL, NULL) != 0 &&
                 direction != NULL &&
                 (strcmp(direction, "north") == 0 || strcmp(direction, "south") == 0);
    (void)proj->proj_destroy(axes);
    return north;
}

/* Fills an entry, or says why it can't be. */
static enum ht_status entry_make(const struct ht_crs_work *work, uint32_t epsg, struct entry *entry)
{
    const struct ht_late_proj *proj = work->proj;
    char code[24];
    (void)snprintf(code, sizeof code, "EPSG:%u", epsg);
    PJ *crs = proj->proj_create(work->context, code);
    crs = crs == NULL ? NULL : horizontal(work, crs);
    if (crs == NULL) {
        return HT_NOT_FOUND;
    }
    *entry = (struct entry){
        .epsg = epsg,
        .projected = proj->proj_get_type(crs) == PJ_TYPE_PROJECTED_CRS,
        .north_first = first_axis_is_north(work, crs),
    };
    PJ *wgs84 = proj->proj_create(work->context, "EPSG:4326");
    PJ *raw = wgs84 == NULL
                  ? NULL
                  : proj->proj_create_crs_to_crs_from_pj(work->context, wgs84, crs, NULL, NULL);
    if (raw != NULL) {
        entry->transform = proj->proj_normalize_for_visualization(work->context, raw);
    }
    (void)proj->proj_destroy(raw);
    (void)proj->proj_destroy(wgs84);
    (void)proj->proj_destroy(crs);
    return entry->transform == NULL ? HT_UNSUPPORTED : HT_OK;
}

/* PROJ, and a context in it. */
static enum ht_status proj_begin(struct ht_crs_work *work)
{
    if (work->proj != NULL) {
        return HT_OK;
    }
    const struct ht_late_proj *proj = ht_late_proj();
    if (proj == NULL) {
        return HT_UNSUPPORTED;
    }
    work->context = proj->proj_context_create();
    if (work->context == NULL) {
        return HT_NOMEM;
    }
    proj->proj_log_func(work->context, NULL, silence);
    (void)proj->proj_context_set_enable_network(work->context, 0);
    work->proj = proj;
    return HT_OK;
}

static enum ht_status entry_of(struct ht_crs_work *work, uint32_t epsg, struct entry **out)
{
    struct entry *oldest = &work->kept[0];
    for (size_t i = 0; i < KEPT; i++) {
        struct entry *entry = &work->kept[i];
        if (entry->transform != NULL && entry->epsg == epsg) {
            entry->used = ++work->clock;
            *out = entry;
            return HT_OK;
        }
        oldest = entry->used < oldest->used ? entry : oldest;
    }
    struct entry made;
    enum ht_status status = proj_begin(work);
    if (status == HT_OK) {
        status = entry_make(work, epsg, &made);
    }
    if (status != HT_OK) {
        return status;
    }
    (void)work->proj->proj_destroy(oldest->transform);
    *oldest = made;
    oldest->used = ++work->clock;
    *out = oldest;
    return HT_OK;
}

enum ht_status ht_crs_check(struct ht_crs_work *work, const struct ht_crs *crs, bool *projected)
{
    struct entry *entry = NULL;
    enum ht_status status = crs->kind == HT_CRS_PROJ ? entry_of(work, crs->epsg, &entry) : HT_OK;
    if (projected != NULL) {
        *projected = status == HT_OK && entry != NULL && entry->projected;
    }
    return status;
}

/* --- conversion ------------------------------------------------------------------------------- */

static bool on_earth(const double pair[2])
{
    return pair[0] >= -180.0 && pair[0] <= 180.0 && pair[1] >= -90.0 && pair[1] <= 90.0;
}

static void swap_pairs(double (*pairs)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double first = pairs[i][0];
        pairs[i][0] = pairs[i][1];
        pairs[i][1] = first;
    }
}

static enum ht_status pass_proj(const struct ht_late_proj *proj, const struct entry *entry,
                                bool inverse, double (*pairs)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(pairs[i][0]) || !isfinite(pairs[i][1])) {
            return HT_RANGE;
        }
    }
    if (count == 0) {
        return HT_OK;
    }
    (void)proj->proj_errno_reset(entry->transform);
    size_t stride = sizeof *pairs;
    size_t done =
        proj->proj_trans_generic(entry->transform, inverse ? PJ_INV : PJ_FWD, &pairs[0][0], stride,
                                 count, &pairs[0][1], stride, count, NULL, 0, 0, NULL, 0, 0);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(pairs[i][0]) || !isfinite(pairs[i][1])) { /* HUGE_VAL: no such place */
            return HT_RANGE;
        }
    }
    return done == count ? HT_OK : HT_RANGE;
}

static enum ht_status pass_shift(struct ht_degrees (*move)(struct ht_degrees), double (*pairs)[2],
                                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!on_earth(pairs[i])) {
            return HT_RANGE;
        }
        struct ht_degrees p = move((struct ht_degrees){pairs[i][0], pairs[i][1]});
        pairs[i][0] = p.lon;
        pairs[i][1] = p.lat;
    }
    return HT_OK;
}

static enum ht_status all_on_earth(double (*pairs)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!on_earth(pairs[i])) { /* also what is not a number */
            return HT_RANGE;
        }
    }
    return HT_OK;
}

/* Whether the pairs come (or go) with the northern axis first. */
static bool swapped(const struct ht_crs *crs, const struct entry *entry)
{
    return crs->authority_order && (entry == NULL || entry->north_first);
}

static enum ht_status entry_for(struct ht_crs_work *work, const struct ht_crs *crs,
                                struct entry **entry)
{
    *entry = NULL;
    return crs->kind == HT_CRS_PROJ ? entry_of(work, crs->epsg, entry) : HT_OK;
}

enum ht_status ht_crs_to_wgs84(struct ht_crs_work *work, const struct ht_crs *crs,
                               double (*pairs)[2], size_t count)
{
    struct entry *entry;
    enum ht_status status = entry_for(work, crs, &entry);
    if (status != HT_OK) {
        return status;
    }
    if (swapped(crs, entry)) {
        swap_pairs(pairs, count);
    }
    switch (crs->kind) {
    case HT_CRS_WGS84:
        break;
    case HT_CRS_GCJ02:
        status = pass_shift(ht_gcj02_to_wgs84, pairs, count);
        break;
    case HT_CRS_BD09:
        status = pass_shift(ht_bd09_to_wgs84, pairs, count);
        break;
    case HT_CRS_PROJ:
        status = pass_proj(work->proj, entry, true, pairs, count);
        break;
    }
    return status == HT_OK ? all_on_earth(pairs, count) : status;
}

enum ht_status ht_crs_from_wgs84(struct ht_crs_work *work, const struct ht_crs *crs,
                                 double (*pairs)[2], size_t count)
{
    struct entry *entry;
    enum ht_status status = entry_for(work, crs, &entry);
    if (status == HT_OK) {
        status = all_on_earth(pairs, count);
    }
    if (status != HT_OK) {
        return status;
    }
    switch (crs->kind) {
    case HT_CRS_WGS84:
        break;
    case HT_CRS_GCJ02:
        status = pass_shift(ht_gcj02_from_wgs84, pairs, count);
        break;
    case HT_CRS_BD09:
        status = pass_shift(ht_bd09_from_wgs84, pairs, count);
        break;
    case HT_CRS_PROJ:
        status = pass_proj(work->proj, entry, false, pairs, count);
        break;
    }
    if (status == HT_OK && swapped(crs, entry)) {
        swap_pairs(pairs, count);
    }
    return status;
}

enum ht_status ht_crs_point(struct ht_crs_work *work, const struct ht_crs *crs,
                            const double pair[2], struct ht_point *out)
{
    double one[1][2] = {{pair[0], pair[1]}};
    enum ht_status status = ht_crs_to_wgs84(work, crs, one, 1);
    if (status == HT_OK) {
        *out = (struct ht_point){(int32_t)floor(one[0][0] * 1e7 + 0.5),
                                 (int32_t)floor(one[0][1] * 1e7 + 0.5)};
    }
    return status;
}
