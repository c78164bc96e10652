/* Feeds one of the feature readers: with and without a collection, to the end and to the first
 * problem. What it accepts must be written as GeoJSON that it reads again to the same. */
#ifndef HT_TESTS_FUZZ_FEATURE_H
#define HT_TESTS_FUZZ_FEATURE_H

#include <stdlib.h>
#include <string.h>

#include "geodata/feature.h"

struct fuzzed {
    const struct ht_feature *first; /* what is read again must be this */
};

static enum ht_status fuzz_compare(void *user, const struct ht_feature *feature)
{
    const struct fuzzed *fuzzed = user;
    if (strcmp(feature->id, fuzzed->first->id) != 0 ||
        !ht_geometry_equal(&feature->geometry, &fuzzed->first->geometry) ||
        strcmp(ht_text_string(&feature->properties), ht_text_string(&fuzzed->first->properties)) !=
            0) {
        abort();
    }
    return HT_OK;
}

static enum ht_status fuzz_sink(void *user, const struct ht_feature *feature)
{
    (void)user;
    struct ht_text out = {0};
    struct fuzzed fuzzed = {.first = feature};
    struct ht_feature_options options = {.sink = fuzz_compare, .user = &fuzzed};
    struct ht_error error;
    if (ht_feature_write_geojson(feature, NULL, NULL, &out) != HT_OK ||
        ht_feature_read(HT_FORMAT_GEOJSON, out.data, out.size, &options, &error) != HT_OK) {
        abort();
    }
    ht_text_deinit(&out);
    return HT_OK;
}

static bool fuzz_problem(void *user, const struct ht_error *error)
{
    (void)user;
    if (error->status == HT_OK || error->line < 0 || error->message[0] == '\0') {
        abort();
    }
    return true;
}

static inline void fuzz_features(enum ht_feature_format format, const uint8_t *data, size_t size)
{
    size_t count = 0;
    const struct ht_collection *list = ht_collections(&count);
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    struct ht_error error;
    struct ht_feature_options options = {.sink = fuzz_sink, .problem = fuzz_problem};
    enum ht_status status = ht_feature_read(format, copy, size, &options, &error);
    options.collection = &list[size % count];
    options.problem = NULL;
    if (ht_feature_read(HT_FORMAT_AUTO, copy, size, &options, &error) != HT_OK &&
        error.status == HT_OK) {
        abort();
    }
    (void)status;
    free(copy);
}

#endif
