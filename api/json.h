/* JSON writer: appends to a buffer, commas and escapes kept right, numbers written fast.
 *
 * Threading: as its buffer. Keys are literals that need no escape; texts are UTF-8 (bytes that are
 * not are replaced by U+FFFD). Doubles that are not finite are written as null.
 */
#ifndef HT_API_JSON_H
#define HT_API_JSON_H

#include "api/reply.h"

struct ht_json {
    struct ht_buffer *out;
    bool comma; /* the next value needs one before it */
};

void ht_json_begin(struct ht_json *json, struct ht_buffer *out);
void ht_json_object(struct ht_json *json);
void ht_json_object_end(struct ht_json *json);
void ht_json_array(struct ht_json *json);
void ht_json_array_end(struct ht_json *json);
void ht_json_key(struct ht_json *json, const char *key);
void ht_json_text(struct ht_json *json, const char *text);
void ht_json_text_n(struct ht_json *json, const char *text, size_t size);
void ht_json_int(struct ht_json *json, int64_t value);
/* `decimals` places at most, trailing zeros dropped, exact rounding half away from zero of the
 * scaled value. */
void ht_json_fixed(struct ht_json *json, int64_t scaled, int decimals);
void ht_json_double(struct ht_json *json, double value, int decimals);
void ht_json_bool(struct ht_json *json, bool value);
void ht_json_null(struct ht_json *json);
/* Already JSON. */
void ht_json_raw(struct ht_json *json, const char *text, size_t size);
/* "key":value in one call. */
void ht_json_key_text(struct ht_json *json, const char *key, const char *text);
void ht_json_key_int(struct ht_json *json, const char *key, int64_t value);
void ht_json_key_double(struct ht_json *json, const char *key, double value, int decimals);
void ht_json_key_bool(struct ht_json *json, const char *key, bool value);

#endif
