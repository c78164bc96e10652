/* What a driver reads on the terminal: the next stop, where the plan of the van makes it another.
 *
 * Ids alone, as /v1/units/{id}/plan has them: the text goes over the air in the clear.
 */
#include <stdio.h>
#include <string.h>

#include "api/jt808_internal.h"
#include "api/planner.h"
#include "api/planner_ahead.h"
#include "api/underway.h"
#include "api/zone.h"
#include "engine/base/names.h"

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

/* Tells a van the first of what is ahead. */
static void van_tell(struct ht__jt_conn *conn, const struct ht_planner_route *route)
{
    struct ht_planner_ahead ahead = {0};
    struct ht_progress progress = {0};
    struct ht_app *app = conn->jt->app;
    char text[256];
    if (!ht_underway_progress(app->underway, route->unit, &progress)) {
        progress = (struct ht_progress){0};
    }
    const struct ht_planner_here here = {progress.at, progress.stop, progress.since_ms};
    if (ht_planner_ahead_make(app, route, &here, &ahead) == HT_OK && ahead.count > ahead.here) {
        const struct ht_planner_ahead_stop *next = &ahead.list[ahead.here];
        uint64_t hash = stop_hash(next->stop);
        if (hash != conn->told) {
            conn->told = hash;
            stop_text(next, text, sizeof text);
            text_send(conn, text); /* it may be gone now */
        }
    }
    ht_planner_ahead_deinit(&ahead);
}

void ht__jt_texts(struct ht_jt808 *jt)
{
    struct ht_planner_plan *plan =
        jt->app->planner == NULL ? NULL : ht_planner_now(jt->app->planner);
    for (uint32_t i = 0; plan != NULL && i < plan->route_count; i++) {
        struct ht__jt_conn *conn = ht__jt_find_unit(jt, plan->routes[i].unit);
        if (conn != NULL && !conn->sending) {
            van_tell(conn, &plan->routes[i]);
        }
    }
    ht_planner_plan_release(plan);
}
