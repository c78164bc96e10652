#include "api/json.h"

#include <string.h>

#include "api/put.h"
#include "engine/base/text.h"

void ht_json_begin(struct ht_json *json, struct ht_buffer *out)
{
    json->out = out;
    json->comma = false;
}

static void bracket_open(struct ht_json *json, char bracket)
{
    char *at = ht_json_room(json, 1);
    if (at != NULL) {
        *at = bracket;
        ht_buffer_advance(json->out, 1);
    }
    json->comma = false;
}

static void bracket_close(struct ht_json *json, char bracket)
{
    ht_buffer_append(json->out, &bracket, 1);
    json->comma = true;
}

void ht_json_object(struct ht_json *json)
{
    bracket_open(json, '{');
}

void ht_json_object_end(struct ht_json *json)
{
    bracket_close(json, '}');
}

void ht_json_array(struct ht_json *json)
{
    bracket_open(json, '[');
}

void ht_json_array_end(struct ht_json *json)
{
    bracket_close(json, ']');
}

void ht_json_key(struct ht_json *json, const char *key)
{
    size_t size = strlen(key);
    char *at = ht_json_room(json, size + 3);
    if (at == NULL) {
        return;
    }
    at[0] = '"';
    memcpy(at + 1, key, size);
    at[size + 1] = '"';
    at[size + 2] = ':';
    ht_buffer_advance(json->out, size + 3);
    json->comma = false;
}

static bool byte_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void ht_json_text_n(struct ht_json *json, const char *text, size_t size)
{
    if (size > SIZE_MAX / 8) {
        json->out->failed = true;
        return;
    }
    /* Each byte becomes at most six. */
    char *begin = ht_json_room(json, size * 6 + 2);
    if (begin == NULL) {
        return;
    }
    const unsigned char *in = (const unsigned char *)text;
    char *at = begin;
    *at++ = '"';
    for (size_t i = 0; i < size;) {
        if (byte_is_plain(in[i])) {
            *at++ = (char)in[i++];
            continue;
        }
        if (in[i] < 0x80) {
            at += ht_json_escape(at, in[i++]);
            continue;
        }
        size_t length = ht_utf8_read(text + i, size - i, NULL);
        if (length == 0) {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
            i++;
        } else {
            memcpy(at, in + i, length);
            at += length;
            i += length;
        }
    }
    *at++ = '"';
    ht_buffer_advance(json->out, (size_t)(at - begin));
}

void ht_json_text(struct ht_json *json, const char *text)
{
    ht_json_text_n(json, text, strlen(text));
}

void ht_json_int(struct ht_json *json, int64_t value)
{
    ht_json_fixed(json, value, 0);
}

void ht_json_fixed(struct ht_json *json, int64_t scaled, int decimals)
{
    if (decimals < 0 || decimals > HT_PUT_DECIMALS) {
        ht_json_null(json);
        return;
    }
    char *at = ht_json_room(json, HT_PUT_NUMBER);
    if (at != NULL) {
        ht_json_room_end(json, ht_put_fixed(at, scaled, decimals));
    }
}

void ht_json_double(struct ht_json *json, double value, int decimals)
{
    if (decimals < 0 || decimals > HT_PUT_DECIMALS) {
        ht_json_null(json);
        return;
    }
    char *at = ht_json_room(json, HT_PUT_DOUBLE);
    if (at != NULL) {
        ht_json_room_end(json, ht_put_double(at, value, decimals));
    }
}

void ht_json_bool(struct ht_json *json, bool value)
{
    ht_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void ht_json_null(struct ht_json *json)
{
    ht_json_raw(json, "null", 4);
}

void ht_json_raw(struct ht_json *json, const char *text, size_t size)
{
    char *at = ht_json_room(json, size);
    if (at != NULL) {
        memcpy(at, text, size);
        ht_buffer_advance(json->out, size);
    }
}

void ht_json_key_text(struct ht_json *json, const char *key, const char *text)
{
    ht_json_key(json, key);
    ht_json_text(json, text);
}

void ht_json_key_int(struct ht_json *json, const char *key, int64_t value)
{
    ht_json_key(json, key);
    ht_json_int(json, value);
}

void ht_json_key_double(struct ht_json *json, const char *key, double value, int decimals)
{
    ht_json_key(json, key);
    ht_json_double(json, value, decimals);
}

void ht_json_key_bool(struct ht_json *json, const char *key, bool value)
{
    ht_json_key(json, key);
    ht_json_bool(json, value);
}
