/* Silence: kits of homes that were heard once and are no more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/device_book_internal.h"
#include "api/live.h"
#include "api/log.h"
#include "engine/base/time.h"

enum { AT_ONCE = 256 };

/* One whose incident is being written. */
struct silence {
    struct ht_device_book *book;
    struct ht_device_silent silent;
};

static void on_done(void *user, int status, const char *incident)
{
    struct silence *silence = user;
    struct ht_device_book *book = silence->book;
    (void)incident;
    if (status != 503) { /* one that can't be told ever (a home that is gone) is not tried again */
        ht_devices_silence_told(ht_live_devices(book->app->live), &silence->silent);
    }
    if (status < 400) {
        (void)atomic_fetch_add(&book->silences, 1);
    }
    free(silence);
}

/* False: not now. */
static bool tell(struct ht_device_book *book, const struct ht_device_silent *silent)
{
    char key[64];
    char note[96];
    char since[HT_TIME_TEXT_SIZE];
    struct silence *silence = malloc(sizeof *silence);
    if (silence == NULL) {
        return false;
    }
    *silence = (struct silence){book, *silent};
    ht_time_format(silent->seen_ms, since);
    (void)snprintf(note, sizeof note, "the device is silent since %s", since);
    (void)snprintf(key, sizeof key, "silent:%" PRId64, silent->seen_ms);
    const struct ht_device_alarm alarm = {
        .device = silent->id, .key = key, .kind = "other", .severity = 1, .note = note};
    bool taken = ht_device_book_alarm(book, &alarm, on_done, silence) == HT_OK;
    if (!taken) {
        free(silence);
    }
    return taken;
}

void ht__silence_look(struct ht_device_book *book)
{
    struct ht_device_silent list[AT_ONCE];
    struct ht_app *app = book->app;
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    int64_t seen_ms = now_ms - ht_setting(&app->settings, HT_SETTING_SILENCE_H) * 3600 * 1000;
    int64_t went_ms = now_ms - ht_setting(&app->settings, HT_SETTING_GONE_S) * 1000;
    size_t count = ht_devices_silent(ht_live_devices(app->live), seen_ms, went_ms, list, AT_ONCE);
    for (size_t i = 0; i < count && tell(book, &list[i]); i++) {
    }
}
