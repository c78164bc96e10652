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
/* Room for `size` bytes of a value, or of several with what stands between them, behind the comma
 * that may be due; NULL when the buffer failed. ht_json_room_end tells where it ended. */
static inline char *ht_json_room(struct ht_json *json, size_t size)
{
    char *at = ht_buffer_reserve(json->out, size + 1);
    if (at == NULL) {
        return NULL;
    }
    if (json->comma) {
        *at = ',';
        ht_buffer_advance(json->out, 1);
        at++;
    }
    json->comma = true;
    return at;
}
static inline void ht_json_room_end(struct ht_json *json, const char *end)
{
    json->out->size = (size_t)(end - json->out->data);
}
/* "key":value in one call. */
void ht_json_key_text(struct ht_json *json, const char *key, const char *text);
void ht_json_key_int(struct ht_json *json, const char *key, int64_t value);
void ht_json_key_double(struct ht_json *json, const char *key, double value, int decimals);
void ht_json_key_bool(struct ht_json *json, const char *key, bool value);

#endif
