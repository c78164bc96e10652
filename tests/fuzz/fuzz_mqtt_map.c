/* A mapping file from anybody, and a message of anybody read by it: up to the first NUL the file,
 * then the topic, then the message. Whatever is understood keeps its bounds, and the own rules read
 * the same message. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/mqtt_map.h"
#include "api/mqtt_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(int condition)
{
    if (!condition) {
        abort();
    }
}

/* The bytes up to the next NUL as a text of its own; moves on. NULL: out of memory. */
static char *part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size == 0 ? NULL : memchr(*data, 0, *size);
    size_t length = end == NULL ? *size : (size_t)(end - *data);
    char *text = malloc(length + 1);
    if (text != NULL) {
        if (length > 0) {
            memcpy(text, *data, length);
        }
        text[length] = '\0';
    }
    size_t step = length + (end != NULL);
    *data = *size == 0 ? *data : *data + step;
    *size -= step;
    return text;
}

static void apply(const struct ht_mqtt_map *map, const char *topic, const char *payload,
                  size_t size)
{
    struct ht_mqtt_said said;
    struct ht_error error = {0};
    enum ht_status status = ht_mqtt_map_apply(map, topic, payload, size, &said, &error);
    want(status == HT_OK || error.message[0] != '\0');
    if (status != HT_OK) {
        return;
    }
    want(ht_id_valid(said.device, strlen(said.device)));
    want(said.what <= HT_MQTT_GONE && said.severity >= 0 && said.severity <= 4);
    want(said.battery >= -1 && said.battery <= 100);
    want(said.what != HT_MQTT_ALARM || said.kind[0] != '\0');
    want(said.what != HT_MQTT_POSITION || said.placed);
    want(!said.placed || (isfinite(said.lon_deg) && isfinite(said.lat_deg)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_mqtt_map *map = NULL;
    struct ht_error error = {0};
    struct ht_mqtt_url url;
    char *text = part(&data, &size);
    char *topic = part(&data, &size);
    char *payload = malloc(size > 0 ? size : 1); /* exact, so that a look past the end is seen */
    if (text != NULL && topic != NULL && payload != NULL) {
        if (size > 0) {
            memcpy(payload, data, size);
        }
        enum ht_status status = ht_mqtt_map_read(&map, text, &error);
        want(status == HT_OK || error.message[0] != '\0');
        want((status == HT_INVALID || status == HT_SYNTAX) == (error.line > 0));
        for (size_t i = 0; ht_mqtt_map_filter(map, i % 2 == 0, i / 2) != NULL; i++) {
            want(strpbrk(ht_mqtt_map_filter(map, i % 2 == 0, i / 2), "{}#") == NULL);
        }
        apply(map, topic, payload, size);
        status = ht_mqtt_map_own(&map, "houtao", &error);
        want(status == HT_OK || status == HT_NOMEM);
        apply(map, "houtao/alarms/k1", payload, size);
        apply(map, "houtao/status/k1", payload, size);
        apply(map, "owntracks/ann/phone", payload, size);
        status = ht_mqtt_url_read(topic, &url, &error);
        want(status == HT_OK || status == HT_INVALID);
    }
    ht_mqtt_map_free(map);
    free(text);
    free(topic);
    free(payload);
    return 0;
}
