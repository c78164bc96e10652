/* What a driver reads on the terminal: the next stop, where the plan of the van makes it another.
 *
 * Ids alone, as /v1/units/{id}/plan has them: the text goes over the air in the clear.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/jt808_internal.h"
#include "api/planner.h"
#include "api/planner_ahead.h"
#include "api/relay.h"
#include "api/underway.h"
#include "api/zone.h"
#include "engine/base/names.h"

enum { TEXT = 256, ASK_EVERY_MS = 2000 };

/* UTF-8 as GBK, what has no place there left out; returns its size. */
static size_t to_gbk(struct ht_jt808 *jt, char *text, uint8_t out[HT_JT808_TEXT_MAX])
{
    char *in = text;
    char *to = (char *)out;
    size_t left = strlen(text);
    size_t room = HT_JT808_TEXT_MAX;
    (void)iconv(jt->gbk, NULL, NULL, NULL, NULL);
    while (left > 0 && iconv(jt->gbk, &in, &left, &to, &room) == (size_t)-1) {
        if (room < 2) {
            break;
        }
        in++; /* one that GBK has not */
        left--;
    }
    return HT_JT808_TEXT_MAX - room;
}

static void stop_text(const struct ht_planner_ahead_stop *ahead, char *out, size_t size)
{
    enum { MINUTE_MS = 60000, DAY_MINUTES = 1440 };
    const struct ht_planner_stop *stop = ahead->stop;
    int64_t minute = ht_zone_local_ms(stop->arrival_ms) / MINUTE_MS % DAY_MINUTES;
    const struct ht_order *order = ahead->order;
    if (order == NULL) {
        (void)snprintf(out, size, "下一站：装车 %s，%02d:%02d", stop->id, (int)(minute / 60),
                       (int)(minute % 60));
    } else {
        (void)snprintf(out, size, "下一站：%s%s订单 %s，%02d:%02d",
                       order->household == NULL ? "" : order->household,
                       order->household == NULL ? "" : "，", order->id, (int)(minute / 60),
                       (int)(minute % 60));
    }
}

static void text_send(struct ht__jt_conn *conn, char *text)
{
    uint8_t gbk[HT_JT808_TEXT_MAX];
    uint8_t body[2 + HT_JT808_TEXT_MAX];
    size_t size = to_gbk(conn->jt, text, gbk);
    size = ht_jt808_text_put(conn->peer.is_2019, gbk, size, body);
    ht__jt_put(conn, HT_JT808_OUT_TEXT, body, size);
    ht__jt_add(&conn->jt->counts.texts[HT_JT_TEXT_SENT], 1);
    ht__jt_flush(conn);
}

/* A number for what the next stop is, whenever that will be. */
static uint64_t stop_hash(const struct ht_planner_stop *stop)
{
    return ht_names_hash(stop->id) << 1 | 1U;
}

/* What the driver of a van is to read. False: nothing is ahead. */
static bool next_stop(struct ht_app *app, const struct ht_planner_route *route, char *text,
                      size_t size, uint64_t *hash)
{
    struct ht_planner_ahead ahead = {0};
    struct ht_progress progress = {0};
    if (!ht_underway_progress(app->underway, route->unit, &progress)) {
        progress = (struct ht_progress){0};
    }
    const struct ht_planner_here here = {progress.at, progress.stop, progress.since_ms};
    bool found =
        ht_planner_ahead_make(app, route, &here, &ahead) == HT_OK && ahead.count > ahead.here;
    if (found) {
        *hash = stop_hash(ahead.list[ahead.here].stop);
        stop_text(&ahead.list[ahead.here], text, size);
    }
    ht_planner_ahead_deinit(&ahead);
    return found;
}

static void van_tell(struct ht__jt_conn *conn, char *text, uint64_t hash)
{
    if (hash != conn->told) {
        conn->told = hash;
        text_send(conn, text); /* it may be gone now */
    }
}

/* ---- at the desk ---- */

static struct ht_planner_plan *plan_of(const struct ht_app *app)
{
    return app->planner == NULL ? NULL : ht_planner_now(app->planner);
}

static void texts_tell(struct ht_jt808 *jt)
{
    char text[TEXT];
    uint64_t hash = 0;
    struct ht_planner_plan *plan = plan_of(jt->app);
    for (uint32_t i = 0; plan != NULL && i < plan->route_count; i++) {
        struct ht__jt_conn *conn = ht__jt_find_unit(jt, plan->routes[i].unit);
        if (conn != NULL && !conn->sending &&
            next_stop(jt->app, &plan->routes[i], text, sizeof text, &hash)) {
            van_tell(conn, text, hash);
        }
    }
    ht_planner_plan_release(plan);
}

void ht_jt808_stops_write(struct ht_app *app, struct ht_buffer *out)
{
    char text[TEXT];
    char line[TEXT + HT_ID_MAX + 32];
    uint64_t hash = 0;
    struct ht_planner_plan *plan = plan_of(app);
    for (uint32_t i = 0; plan != NULL && i < plan->route_count; i++) {
        if (next_stop(app, &plan->routes[i], text, sizeof text, &hash)) {
            (void)snprintf(line, sizeof line, "%s\t%" PRIu64 "\t%s\n", plan->routes[i].unit, hash,
                           text);
            ht_buffer_text(out, line);
        }
    }
    ht_planner_plan_release(plan);
}

/* ---- at a node that follows ---- */

/* By the relay. */
static void on_stops(void *user, const char *text, size_t size)
{
    struct ht_jt808 *jt = user;
    (void)pthread_mutex_lock(&jt->mail_lock);
    jt->stops_asked = false;
    ht_buffer_clear(&jt->stops);
    if (text != NULL) {
        ht_buffer_append(&jt->stops, text, size);
    }
    (void)pthread_mutex_unlock(&jt->mail_lock);
    if (size > 0) {
        ht__jt_wake(jt);
    }
}

static void stops_ask(struct ht_jt808 *jt, struct ht_relay *relay)
{
    if (atomic_load(&jt->counts.proven) == 0 || jt->now_ms - jt->stops_ms < ASK_EVERY_MS) {
        return;
    }
    (void)pthread_mutex_lock(&jt->mail_lock);
    bool asks = !jt->stops_asked;
    jt->stops_asked = true;
    (void)pthread_mutex_unlock(&jt->mail_lock);
    jt->stops_ms = jt->now_ms;
    if (asks && !ht_relay_stops(relay, on_stops, jt)) {
        (void)pthread_mutex_lock(&jt->mail_lock);
        jt->stops_asked = false;
        (void)pthread_mutex_unlock(&jt->mail_lock);
    }
}

/* One line, which it may change. */
static void stop_take(struct ht_jt808 *jt, char *line)
{
    char *rest = NULL;
    const char *unit = strtok_r(line, "\t", &rest);
    const char *number = strtok_r(NULL, "\t", &rest);
    char *text = strtok_r(NULL, "\t", &rest);
    struct ht__jt_conn *conn = text == NULL ? NULL : ht__jt_find_unit(jt, unit);
    if (conn != NULL && !conn->sending) {
        van_tell(conn, text, strtoull(number, NULL, 10));
    }
}

void ht__jt_stops_come(struct ht_jt808 *jt)
{
    struct ht_buffer stops;
    char *rest = NULL;
    (void)pthread_mutex_lock(&jt->mail_lock);
    stops = jt->stops;
    jt->stops = (struct ht_buffer){0};
    (void)pthread_mutex_unlock(&jt->mail_lock);
    ht_buffer_append(&stops, "", 1);
    if (!stops.failed && ht__jt_relay(jt) != NULL) {
        for (char *line = strtok_r(stops.data, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest)) {
            stop_take(jt, line);
        }
    }
    ht_buffer_deinit(&stops);
}

void ht__jt_texts(struct ht_jt808 *jt)
{
    struct ht_relay *relay = ht__jt_relay(jt);
    if (relay == NULL) {
        texts_tell(jt);
    } else {
        stops_ask(jt, relay);
    }
}
