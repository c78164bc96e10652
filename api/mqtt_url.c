#include "api/mqtt_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/params.h"

enum { URL_MOST = 1024, PORT_PLAIN = 1883, PORT_TLS = 8883 };

static enum ht_status wrong(struct ht_error *error, const char *what)
{
    return ht_error_set(error, HT_INVALID, 0, "%s", what);
}

/* A piece with its percent-encoding undone. */
static bool decoded(const char *text, size_t size, char *out, size_t room)
{
    char plain[URL_MOST + 1];
    size_t plain_size = 0;
    if (ht_percent_decode(text, size, false, plain, &plain_size) != HT_OK || plain_size >= room ||
        memchr(plain, '\0', plain_size) != NULL) {
        return false;
    }
    memcpy(out, plain, plain_size + 1);
    return true;
}

static const char *user_read(const char *text, size_t size, struct ht_mqtt_url *out)
{
    const char *colon = memchr(text, ':', size);
    size_t name = colon == NULL ? size : (size_t)(colon - text);
    if (!decoded(text, name, out->user, sizeof out->user) || out->user[0] == '\0') {
        return "the user's name is empty, too long or not well encoded";
    }
    if (colon != NULL &&
        !decoded(colon + 1, size - name - 1, out->password, sizeof out->password)) {
        return "the password is too long or not well encoded";
    }
    return NULL;
}

/* host, host:port, [v6], [v6]:port */
static const char *host_read(const char *text, size_t size, struct ht_mqtt_url *out)
{
    const char *end = text + size;
    const char *host = text;
    const char *rest = NULL;
    if (size > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', size);
        if (close == NULL) {
            return "the host's bracket is open";
        }
        host++;
        size = (size_t)(close - host);
        rest = close + 1;
    } else {
        const char *colon = memchr(text, ':', size);
        size = colon == NULL ? size : (size_t)(colon - text);
        rest = text + size;
    }
    if (size == 0 || size >= sizeof out->host) {
        return "the host is missing or too long";
    }
    memcpy(out->host, host, size);
    out->host[size] = '\0';
    int64_t port = 0;
    char digits[8] = "";
    if (rest < end) {
        (void)snprintf(digits, sizeof digits, "%.*s", (int)(end - rest - 1), rest + 1);
    }
    if (rest < end &&
        (*rest != ':' || end - rest > 6 || !ht_param_number(digits, 1, UINT16_MAX, &port))) {
        return "the port is a number from 1 to 65535";
    }
    out->port = rest < end ? (uint16_t)port : out->port;
    return NULL;
}

/* A word that may stand as a topic's level, or several levels. */
static bool word_copy(const char *text, char *out, size_t room, bool levels)
{
    if (text[0] == '\0' || text[0] == '$' || strlen(text) >= room ||
        strpbrk(text, levels ? "+#{}\" \t\r\n" : "+#{}/\" \t\r\n") != NULL) {
        return false;
    }
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static const char *options_read(const char *query, struct ht_mqtt_url *out)
{
    struct ht_params params;
    const char *why = NULL;
    if (ht_params_read(&params, query, strlen(query)) != HT_OK) {
        return "what follows the question mark is not well encoded";
    }
    for (size_t i = 0; i < params.count && why == NULL; i++) {
        const char *name = params.list[i].name;
        const char *value = params.list[i].value;
        if (strcmp(name, "client_id") == 0) {
            why = word_copy(value, out->client_id, sizeof out->client_id, false)
                      ? NULL
                      : "client_id has 1 to 47 bytes, none of +#/ or a blank";
        } else if (strcmp(name, "share") == 0) {
            why = word_copy(value, out->share, sizeof out->share, false)
                      ? NULL
                      : "share has 1 to 63 bytes, none of +#/ or a blank";
        } else if (strcmp(name, "share_alarms") == 0) {
            out->share_alarms = strcmp(value, "1") == 0;
            why = out->share_alarms || strcmp(value, "0") == 0 ? NULL : "share_alarms is 0 or 1";
        } else if (strcmp(name, "prefix") == 0) {
            why = word_copy(value, out->prefix, sizeof out->prefix, true)
                      ? NULL
                      : "prefix has 1 to 63 bytes, none of +# or a blank";
        } else {
            why = "options are client_id, share, share_alarms and prefix";
        }
    }
    ht_params_deinit(&params);
    return why;
}

enum ht_status ht_mqtt_url_read(const char *text, struct ht_mqtt_url *out, struct ht_error *error)
{
    *out = (struct ht_mqtt_url){.share = "houtao", .prefix = "houtao"};
    out->tls = strncmp(text, "mqtts://", 8) == 0;
    if (!out->tls && strncmp(text, "mqtt://", 7) != 0) {
        return wrong(error, "it begins with mqtt:// or mqtts://");
    }
    if (strlen(text) > URL_MOST) {
        return wrong(error, "it is longer than 1024 bytes");
    }
    out->port = out->tls ? PORT_TLS : PORT_PLAIN;
    const char *at = text + (out->tls ? 8 : 7);
    size_t size = strcspn(at, "/?");
    const char *query = at + size;
    size_t user = size;
    while (user > 0 && at[user - 1] != '@') { /* the last one: a password may have some */
        user--;
    }
    const char *why = user > 0 ? user_read(at, user - 1, out) : NULL;
    why = why == NULL ? host_read(at + user, size - user, out) : why;
    query += *query == '/';
    if (why == NULL && *query != '\0' && *query != '?') {
        why = "there is no path in it";
    }
    if (why == NULL && *query == '?') {
        why = options_read(query + 1, out);
    }
    return why == NULL ? HT_OK : wrong(error, why);
}
