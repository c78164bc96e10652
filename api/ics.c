#include "api/ics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/text.h"

enum { LINE_OCTETS = 75 }; /* without the line's end (RFC 5545, 3.1) */

static void line_end(struct ht_ics *ics)
{
    ht_buffer_append(ics->out, "\r\n", 2);
    ics->column = 0;
}

/* One character, which is never parted, on this line or the next. */
static void put(struct ht_ics *ics, const char *bytes, size_t size)
{
    if (ics->column + size > LINE_OCTETS) {
        ht_buffer_append(ics->out, "\r\n ", 3);
        ics->column = 1;
    }
    ht_buffer_append(ics->out, bytes, size);
    ics->column += (unsigned)size;
}

/* What is ASCII and needs no escape. */
static void plain(struct ht_ics *ics, const char *text)
{
    for (; *text != '\0'; text++) {
        put(ics, text, 1);
    }
}

static void escaped(struct ht_ics *ics, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        size_t size = ht_utf8_read(text, left, &code);
        if (size == 1 && (*text == '\\' || *text == ';' || *text == ',')) {
            const char pair[2] = {'\\', *text};
            put(ics, pair, 2);
        } else if (size == 1 && *text == '\n') {
            put(ics, "\\n", 2);
        } else if (size > 1 || (size == 1 && (code == '\t' || (code >= ' ' && code != 0x7f)))) {
            put(ics, text, size);
        }
        size = size == 0 ? 1 : size;
        text += size;
        left -= size;
    }
}

static void line(struct ht_ics *ics, const char *text)
{
    plain(ics, text);
    line_end(ics);
}

static void text_line(struct ht_ics *ics, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        plain(ics, name);
        escaped(ics, text);
        line_end(ics);
    }
}

/* NAME:20260302T010000Z */
static void time_line(struct ht_ics *ics, const char *name, int64_t utc_ms)
{
    char text[64];
    struct tm when = {0};
    time_t seconds = (time_t)(utc_ms >= 0 ? utc_ms / 1000 : (utc_ms - 999) / 1000);
    if (gmtime_r(&seconds, &when) != NULL &&
        strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &when) > 0) {
        plain(ics, name);
        line(ics, text);
    }
}

void ht_ics_begin(struct ht_ics *ics, struct ht_buffer *out, const char *name)
{
    *ics = (struct ht_ics){.out = out};
    line(ics, "BEGIN:VCALENDAR");
    line(ics, "VERSION:2.0");
    line(ics, "PRODID:-//Houtao//Rounds//EN");
    line(ics, "CALSCALE:GREGORIAN");
    line(ics, "METHOD:PUBLISH");
    text_line(ics, "NAME:", name); /* RFC 7986; the X- one is what phones know for longer */
    text_line(ics, "X-WR-CALNAME:", name);
    line(ics, "REFRESH-INTERVAL;VALUE=DURATION:PT1H");
}

void ht_ics_event(struct ht_ics *ics, const struct ht_ics_event *event)
{
    char text[64];
    line(ics, "BEGIN:VEVENT");
    plain(ics, "UID:");
    escaped(ics, event->id);
    plain(ics, "@");
    plain(ics, event->kind);
    line(ics, ".houtao");
    time_line(ics, "DTSTAMP:", event->stamp_ms);
    time_line(ics, "LAST-MODIFIED:", event->stamp_ms);
    time_line(ics, "DTSTART:", event->start_ms);
    if (event->end_ms / 1000 > event->start_ms / 1000) { /* an end has to be later */
        time_line(ics, "DTEND:", event->end_ms);
    }
    (void)snprintf(text, sizeof text, "SEQUENCE:%" PRIu32, event->sequence);
    line(ics, text);
    line(ics, event->cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    text_line(ics, "SUMMARY:", event->summary);
    text_line(ics, "LOCATION:", event->location);
    text_line(ics, "DESCRIPTION:", event->description);
    if (event->placed) {
        (void)snprintf(text, sizeof text, "GEO:%.6f;%.6f", event->point.lat_e7 / 1e7,
                       event->point.lon_e7 / 1e7);
        line(ics, text);
    }
    line(ics, "END:VEVENT");
}

void ht_ics_end(struct ht_ics *ics)
{
    line(ics, "END:VCALENDAR");
}
