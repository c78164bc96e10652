/* Where terminals are, and what they are alarmed about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/jt808_internal.h"
#include "api/learning.h"
#include "api/live.h"
#include "api/relay.h"
#include "api/underway.h"

enum { OLD_MS = 30 * 60 * 1000 }; /* an alarm that was kept for longer is history */

/* Which bits are incidents, the gravest first. Others tell of the driver or the terminal itself. */
static const struct {
    unsigned bit;
    int severity; /* 0: the kind's */
    const char *kind;
    const char *note;
} alarms[] = {
    {HT_JT808_ALARM_EMERGENCY, 0, "sos", "emergency button of the vehicle's terminal"},
    {HT_JT808_ALARM_ROLLOVER, 4, "other", "rollover, told by the vehicle's terminal"},
    {HT_JT808_ALARM_COLLISION, 4, "other", "collision, told by the vehicle's terminal"},
    {HT_JT808_ALARM_DANGER, 3, "other", "danger, told by the vehicle's terminal"},
    {HT_JT808_ALARM_STOLEN, 3, "other", "theft, told by the vehicle's terminal"},
    {HT_JT808_ALARM_MOVED, 2, "other", "moved without leave, told by the vehicle's terminal"},
    {HT_JT808_ALARM_IGNITION, 2, "other", "started without leave, told by the vehicle's terminal"},
};
enum { ALARMS = sizeof alarms / sizeof *alarms };

/* ---- places ---- */

static void place_count(struct ht_jt808 *jt, enum ht__jt_place place)
{
    ht__jt_add(&jt->counts.places[place], 1);
}

/* Into WGS84, in place. False: not on Earth. */
static bool convert(struct ht_app_context *context, const struct ht_crs *crs, double *lon,
                    double *lat)
{
    double pair[1][2] = {{*lon, *lat}};
    if (!ht_crs_plain(crs) && ((context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) ||
                               ht_crs_to_wgs84(context->crs, crs, pair, 1) != HT_OK)) {
        return false;
    }
    *lon = pair[0][0];
    *lat = pair[0][1];
    return true;
}

static struct ht_device_sighting sighting_of(const struct ht__jt_conn *conn,
                                             const struct ht_jt808_location *location)
{
    return (struct ht_device_sighting){
        .protocol = "jt808", .id = conn->id, .battery = location->battery_percent, .proven = true};
}

/* One that is none for the town: the desk hears nevertheless that its terminal is alive. */
static void place_pass(struct ht__jt_conn *conn, const struct ht_jt808_location *location,
                       enum ht__jt_place place)
{
    struct ht_relay *relay = ht__jt_relay(conn->jt);
    const struct ht_device_sighting sighting = sighting_of(conn, location);
    place_count(conn->jt, place);
    if (relay != NULL) {
        ht_relay_seen(relay, &sighting);
    }
}

/* The same way as POST /v1/positions. */
static void place_take(struct ht__jt_conn *conn, const struct ht_jt808_location *location,
                       const struct ht_device_known *known)
{
    struct ht_jt808 *jt = conn->jt;
    struct ht_app *app = jt->app;
    struct ht_live_work *work = ht_app_live_work(jt->context);
    struct ht_report report = {.lon_deg = location->lon_deg,
                               .lat_deg = location->lat_deg,
                               .ts_ms = location->at_ms,
                               .received_ms = ht_clock_now_ms(&app->clock),
                               .speed_mps = location->speed_mps,
                               .bearing_deg = location->bearing_deg,
                               .accuracy_m = -1};
    conn->placed_ms = jt->now_ms;
    if (!ht_jt808_bit(location->status, HT_JT808_STATUS_FIXED)) {
        place_pass(conn, location, HT_JT_PLACE_NOT_FIXED);
        return;
    }
    if (location->at_ms == INT64_MIN) {
        place_pass(conn, location, HT_JT_PLACE_NO_TIME);
        return;
    }
    if (known->unit[0] == '\0' || work == NULL) {
        place_pass(conn, location, HT_JT_PLACE_NO_UNIT);
        return;
    }
    if (ht__jt_relay(jt) != NULL) {
        const struct ht_device_sighting sighting = sighting_of(conn, location);
        ht_relay_position(ht__jt_relay(jt), &sighting, false, &report);
    }
    if (!convert(jt->context, &known->crs, &report.lon_deg, &report.lat_deg)) {
        place_count(jt, HT_JT_PLACE_NO_PLACE);
        return;
    }
    place_count(jt, HT_JT_PLACE_OFFERED);
    struct ht_live_unit unit = ht_live_unit_find(app->live, known->unit, strlen(known->unit));
    struct ht_world *world = ht_world_reader_get(&jt->context->world);
    if (ht_live_report(app->live, work, world, unit, &report) == HT_REFUSAL_NONE &&
        app->follower == NULL) { /* the desk learns */
        ht_learning_offer(app->learning, unit, &report);
        ht_underway_offer(app->underway, unit, &report);
    }
}

void ht__jt_locations_end(struct ht_jt808 *jt)
{
    if (jt->context->live != NULL) {
        ht_live_reports_end(jt->context->live);
    }
    ht_app_live_save(jt->app, false);
}

/* ---- alarms ---- */

/* By the writer or the book, after the commit. */
static void alarm_done(void *user, int status, const char *incident)
{
    struct ht__jt_alarm_mail *mail = user;
    struct ht_jt808 *jt = mail->jt;
    (void)incident;
    mail->status = status;
    (void)pthread_mutex_lock(&jt->mail_lock);
    mail->next = jt->mail;
    jt->mail = mail;
    (void)pthread_mutex_unlock(&jt->mail_lock);
    ht__jt_wake(jt);
}

/* Where the location says that the unit is: the desk may not have heard of it yet. */
static void alarm_place(struct ht__jt_conn *conn, const struct ht_jt808_location *location,
                        struct ht_device_alarm *alarm)
{
    struct ht_unit known;
    struct ht_live *live = conn->jt->app->live;
    struct ht_live_unit unit = ht_live_unit_find(live, conn->unit, strlen(conn->unit));
    if (unit.number != HT_NONE && ht_fleet_get(ht_live_fleet(live), unit.number, 0, &known) &&
        known.positioned && !known.position.told && known.position.ts_ms == location->at_ms) {
        alarm->placed = true;
        alarm->lon_deg = known.position.fix.point.lon_e7 / 1e7;
        alarm->lat_deg = known.position.fix.point.lat_e7 / 1e7;
    }
}

/* Hands an alarm over. False: not now. */
static bool alarm_send(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                       const struct ht_jt808_location *location, size_t which)
{
    struct ht_jt808 *jt = conn->jt;
    char key[64];
    struct ht__jt_alarm_mail *mail = calloc(1, sizeof *mail);
    if (mail == NULL) {
        return false;
    }
    *mail = (struct ht__jt_alarm_mail){.jt = jt,
                                       .conn = conn->number,
                                       .bit = UINT32_C(1) << alarms[which].bit,
                                       .serial = header->serial,
                                       .id = header->id};
    memcpy(mail->device, conn->id, sizeof mail->device);
    /* The same location sent twice is the same alarm. */
    (void)snprintf(key, sizeof key, "jt808:%u:%lld", alarms[which].bit, (long long)location->at_ms);
    struct ht_device_alarm alarm = {.device = conn->id,
                                    .key = location->at_ms == INT64_MIN ? NULL : key,
                                    .kind = alarms[which].kind,
                                    .severity = alarms[which].severity,
                                    .note = alarms[which].note};
    const struct ht_device_sighting sighting = sighting_of(conn, location);
    struct ht_relay *relay = ht__jt_relay(jt);
    if (relay != NULL) {
        alarm_place(conn, location, &alarm);
    }
    if ((relay == NULL ? ht_device_book_alarm(jt->app->book, &alarm, alarm_done, mail)
                       : ht_relay_alarm(relay, &sighting, &alarm, alarm_done, mail)) != HT_OK) {
        free(mail);
        return false;
    }
    return true;
}

/* Which of the bits are to be told now. */
static uint32_t alarm_news(struct ht__jt_conn *conn, uint32_t bits)
{
    bool again = conn->jt->now_ms - conn->alarm_ms >= conn->jt->options.alarm_ms;
    conn->held &= bits; /* what has ended may begin anew */
    return again ? bits : bits & ~conn->held;
}

/* All of them: the terminal ends its alarms once one answer says that they are taken. */
static void alarms_send(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                        const struct ht_jt808_location *location, uint32_t bits)
{
    for (size_t i = 0; i < ALARMS; i++) {
        if (!ht_jt808_bit(bits, alarms[i].bit)) {
            continue;
        }
        if (!alarm_send(conn, header, location, i)) {
            ht__jt_add(&conn->jt->counts.alarms[HT_JT_ALARM_FAILED], 1);
            conn->alarm_failed = true;
            continue;
        }
        conn->waits++;
        conn->waits_serial = header->serial;
        conn->held |= UINT32_C(1) << alarms[i].bit;
        conn->alarm_ms = conn->jt->now_ms;
    }
}

static uint32_t alarm_bits(void)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < ALARMS; i++) {
        bits |= UINT32_C(1) << alarms[i].bit;
    }
    return bits;
}

static bool alarm_take(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                       const struct ht_jt808_location *location, enum ht_jt808_result *result)
{
    struct ht_jt808 *jt = conn->jt;
    const uint32_t bits = location->alarm & alarm_bits();
    if (bits == 0) {
        conn->held = 0;
        return false;
    }
    if (location->at_ms != INT64_MIN &&
        location->at_ms < ht_clock_now_ms(&jt->app->clock) - OLD_MS) {
        ht__jt_add(&jt->counts.alarms[HT_JT_ALARM_OLD], 1);
        return false;
    }
    if (conn->waits > 0 && conn->waits_serial != header->serial) {
        *result = HT_JT808_FAILED; /* one message after the other; the terminal says it again */
        return false;
    }
    conn->alarm_failed = conn->waits > 0 && conn->alarm_failed;
    conn->alarm_taken = conn->waits > 0 && conn->alarm_taken;
    alarms_send(conn, header, location, alarm_news(conn, bits));
    *result = conn->alarm_failed ? HT_JT808_FAILED : HT_JT808_ALARM_TAKEN;
    return conn->waits > 0;
}

/* Returns the alarms that have ended. */
static struct ht__jt_alarm_mail *mail_take(struct ht_jt808 *jt)
{
    (void)pthread_mutex_lock(&jt->mail_lock);
    struct ht__jt_alarm_mail *mail = jt->mail;
    jt->mail = NULL;
    (void)pthread_mutex_unlock(&jt->mail_lock);
    return mail;
}

static void alarm_comes(struct ht_jt808 *jt, const struct ht__jt_alarm_mail *mail)
{
    enum ht__jt_alarm outcome = mail->status == 201   ? HT_JT_ALARM_OPENED
                                : mail->status == 200 ? HT_JT_ALARM_FOLDED
                                : mail->status < 500  ? HT_JT_ALARM_REFUSED
                                                      : HT_JT_ALARM_FAILED;
    struct ht__jt_conn *conn = ht__jt_find(jt, mail->device);
    ht__jt_add(&jt->counts.alarms[outcome], 1);
    if (conn == NULL || conn->number != mail->conn || conn->waits == 0 ||
        conn->waits_serial != mail->serial) {
        return; /* gone, and will say it again */
    }
    bool failed = outcome == HT_JT_ALARM_FAILED;
    conn->held &= failed ? ~mail->bit : UINT32_MAX;
    conn->alarm_failed = conn->alarm_failed || failed;
    conn->alarm_taken = conn->alarm_taken || outcome != HT_JT_ALARM_REFUSED;
    if (--conn->waits > 0) {
        return; /* the last of its message is answered for all */
    }
    if (mail->id != HT_JT808_LOCATION_ANSWER) {
        ht__jt_answer(conn, mail->serial, mail->id,
                      conn->alarm_failed  ? HT_JT808_FAILED
                      : conn->alarm_taken ? HT_JT808_ALARM_TAKEN
                                          : HT_JT808_DONE);
    }
    ht__jt_flush(conn);
}

void ht__jt_alarms_come(struct ht_jt808 *jt)
{
    struct ht__jt_alarm_mail *mail = mail_take(jt);
    while (mail != NULL) {
        struct ht__jt_alarm_mail *next = mail->next;
        alarm_comes(jt, mail);
        free(mail);
        mail = next;
    }
}

bool ht__jt_location(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                     const struct ht_jt808_location *location, const struct ht_device_known *known,
                     enum ht_jt808_result *result)
{
    place_take(conn, location, known);
    return alarm_take(conn, header, location, result);
}
