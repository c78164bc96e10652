#include "geodata/feature.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "geodata/feature_internal.h"

/* --- the feature at hand ---------------------------------------------------------------------- */

void ht__reader_begin(struct ht__reader *reader, int64_t line)
{
    reader->feature.line = line;
    reader->bad = (struct ht_error){.status = HT_OK};
    reader->type = HT_GEOMETRY_NONE;
    reader->id_size = 0;
    ht_draft_clear(&reader->draft);
    ht__values_begin(&reader->values);
    ht__values_close(&reader->values);
}

void ht__reader_fail(struct ht__reader *reader, enum ht_status status, int64_t line,
                     const char *format, ...)
{
    if (reader->bad.status == HT_OK) {
        va_list arguments;
        reader->bad.status = status;
        reader->bad.line = line;
        va_start(arguments, format);
        (void)vsnprintf(reader->bad.message, sizeof reader->bad.message, format, arguments);
        va_end(arguments);
    }
}

void ht__reader_look(struct ht__reader *reader, int64_t line)
{
    if (reader->values.bad.status != HT_OK && reader->bad.status == HT_OK) {
        reader->bad = reader->values.bad;
        reader->bad.line = line;
    }
}

void ht__reader_id(struct ht__reader *reader, const char *text, size_t size)
{
    reader->id_size = size < sizeof reader->id ? size : sizeof reader->id - 1;
    memcpy(reader->id, text, reader->id_size);
}

static void report(struct ht__reader *reader, const struct ht_error *problem)
{
    if (reader->result == HT_OK) {
        reader->result = problem->status;
        if (reader->first != NULL) {
            *reader->first = *problem;
        }
    }
    if (problem->status == HT_NOMEM || reader->options->problem == NULL ||
        !reader->options->problem(reader->options->user, problem)) {
        reader->stopped = true;
    }
}

void ht__reader_problem(struct ht__reader *reader, enum ht_status status, int64_t line,
                        const char *format, ...)
{
    struct ht_error problem = {.status = status, .line = line};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem.message, sizeof problem.message, format, arguments);
    va_end(arguments);
    if (!reader->stopped) {
        report(reader, &problem);
    }
}

/* Decides which id counts, and whether it is one. */
static void settle_id(struct ht__reader *reader)
{
    if (reader->id_size == 0 && reader->values.id_size > 0) {
        reader->id_size = reader->values.id_size;
        memcpy(reader->id, reader->values.id, reader->id_size);
    }
    reader->id[reader->id_size] = '\0';
    if (reader->id_size == 0) {
        if (!reader->options->id_optional) {
            ht__reader_fail(reader, HT_INVALID, reader->feature.line, "an id is missing");
        }
    } else if (!ht_id_valid(reader->id, reader->id_size)) {
        ht__reader_fail(reader, HT_INVALID, reader->feature.line,
                        "\"%.60s\" is no id: 1 to 64 letters, digits or . _ : -", reader->id);
        reader->id[0] = '\0';
    }
}

static void settle_geometry(struct ht__reader *reader)
{
    const struct ht_feature_options *options = reader->options;
    struct ht_error error;
    enum ht_status status =
        ht_geometry_finish(&reader->feature.geometry, reader->type, &reader->draft,
                           reader->values.crs, options->work, &error);
    if (status == HT_OK && options->collection != NULL) {
        status = ht_collection_check_geometry(options->collection, reader->type, &error);
    }
    if (status != HT_OK) {
        ht__reader_fail(reader, status, reader->feature.line, "%s", error.message);
    }
}

void ht__reader_emit(struct ht__reader *reader)
{
    const struct ht_feature_options *options = reader->options;
    if (reader->stopped) {
        return;
    }
    ht__reader_look(reader, reader->feature.line);
    settle_id(reader);
    if (reader->bad.status == HT_OK) {
        settle_geometry(reader);
    }
    if (reader->bad.status == HT_OK && options->max_features > 0 &&
        reader->features >= options->max_features) {
        ht__reader_problem(reader, HT_TOO_BIG, reader->feature.line,
                           "there are more than %llu features",
                           (unsigned long long)options->max_features);
        reader->stopped = true;
        return;
    }
    reader->features++;
    if (reader->bad.status != HT_OK) {
        struct ht_error problem = reader->bad;
        if (options->collection != NULL && reader->id[0] != '\0') {
            (void)snprintf(problem.message, sizeof problem.message, "%s/%s: %.170s",
                           options->collection->name, reader->id, reader->bad.message);
            (void)ht_utf8_mend(problem.message);
        }
        report(reader, &problem);
        return;
    }
    reader->feature.id = reader->id;
    enum ht_status status = options->sink(options->user, &reader->feature);
    if (status != HT_OK) {
        reader->stopped = true;
        if (reader->result == HT_OK) {
            reader->result = ht_error_set(reader->first, status, reader->feature.line, NULL);
        }
    }
}

/* --- the door --------------------------------------------------------------------------------- */

static size_t skip_bom(const char *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An object on one line with another behind it. A collection says so before long, a text over
 * several lines at its first end of line. */
static bool several_objects(const char *at, const char *end)
{
    size_t depth = 0;
    bool text = false;
    for (const char *begin = at; at < end && *at != '\n'; at++) {
        if (text) {
            if (*at == '\\') {
                at += at + 1 < end;
            } else if (*at == '"') {
                text = false;
            }
        } else if (*at == '"') {
            text = true;
            if (depth == 1 && end - at > 10 && memcmp(at, "\"features\"", 10) == 0) {
                return false;
            }
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if ((*at == '}' || *at == ']') && (depth == 0 || --depth == 0)) {
            for (at++; at < end && is_space(*at); at++) {
            }
            return at < end && *begin == '{' && *at == '{';
        }
    }
    return false;
}

enum ht_feature_format ht_feature_detect(const char *bytes, size_t size)
{
    const char *end = bytes + size;
    const char *at = bytes + skip_bom(bytes, size);
    while (at < end && is_space(*at)) {
        at++;
    }
    if (at < end && *at == 0x1e) {
        return HT_FORMAT_NDJSON;
    }
    if (at < end && (*at == '{' || *at == '[')) {
        return several_objects(at, end) ? HT_FORMAT_NDJSON : HT_FORMAT_GEOJSON;
    }
    return HT_FORMAT_CSV;
}

static void read_as(struct ht__reader *reader, enum ht_feature_format format, const char *bytes,
                    size_t size)
{
    switch (format) {
    case HT_FORMAT_AUTO:
        read_as(reader, ht_feature_detect(bytes, size), bytes, size);
        break;
    case HT_FORMAT_GEOJSON:
        ht__read_geojson(reader, bytes + skip_bom(bytes, size), size - skip_bom(bytes, size));
        break;
    case HT_FORMAT_NDJSON:
        ht__read_ndjson(reader, bytes + skip_bom(bytes, size), size - skip_bom(bytes, size));
        break;
    case HT_FORMAT_CSV:
        ht__read_csv(reader, bytes, size);
        break;
    }
}

enum ht_status ht_feature_read(enum ht_feature_format format, const char *bytes, size_t size,
                               const struct ht_feature_options *options, struct ht_error *error)
{
    struct ht__reader reader = {.options = options, .first = error};
    ht_geometry_init(&reader.feature.geometry);
    reader.values.out = &reader.feature.properties;
    reader.values.collection = options->collection;
    reader.values.crs = options->crs;
    reader.values.work = options->work;
    read_as(&reader, format, bytes, size);
    ht_geometry_deinit(&reader.feature.geometry);
    ht_text_deinit(&reader.feature.properties);
    ht_draft_deinit(&reader.draft);
    ht__values_deinit(&reader.values);
    return reader.result;
}

enum ht_status ht_feature_write_geojson(const struct ht_feature *feature, const struct ht_crs *crs,
                                        struct ht_crs_work *work, struct ht_text *out)
{
    ht_text_add_string(out, "{\"type\":\"Feature\",\"id\":");
    ht_text_add_json(out, feature->id, strlen(feature->id));
    ht_text_add_string(out, ",\"geometry\":");
    enum ht_status status = ht_geometry_write_geojson(&feature->geometry, crs, work, out);
    ht_text_add_string(out, ",\"properties\":");
    bool none = feature->properties.size == 0;
    ht_text_add_string(out, none ? "{}" : feature->properties.data);
    ht_text_add_char(out, '}');
    return status == HT_OK && out->failed ? HT_NOMEM : status;
}
