/* Who a device is, and the list of those that nobody knows. */
#include "api/device_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/device_book_internal.h"
#include "api/live.h"

/* ---- the unknown ---- */

/* Its place in the list, or that of the one that was heard longest ago where it is full. Needs the
 * lock. */
static struct ht__unknown *unknown_place(struct ht_device_book *book, const char *id)
{
    struct ht__unknown *oldest = NULL;
    for (size_t i = 0; i < book->unknown_count; i++) {
        struct ht__unknown *at = &book->unknown[i];
        if (strcmp(at->id, id) == 0) {
            return at;
        }
        oldest = oldest == NULL || at->last_ms < oldest->last_ms ? at : oldest;
    }
    if (book->unknown_count < HT__UNKNOWN_MOST) {
        oldest = &book->unknown[book->unknown_count++];
    } else {
        book->dropped++;
    }
    *oldest = (struct ht__unknown){.battery = -1};
    return oldest;
}

static void unknown_note(struct ht_device_book *book, const struct ht_device_sighting *sighting)
{
    (void)pthread_mutex_lock(&book->unknown_lock);
    struct ht__unknown *at = unknown_place(book, sighting->id);
    if (at->times++ == 0) {
        (void)snprintf(at->id, sizeof at->id, "%s", sighting->id);
        at->first_ms = sighting->at_ms;
    }
    (void)snprintf(at->protocol, sizeof at->protocol, "%s", sighting->protocol);
    at->last_ms = sighting->at_ms;
    at->battery = sighting->battery >= 0 ? sighting->battery : at->battery;
    at->keyed = at->keyed || sighting->key != NULL;
    (void)pthread_mutex_unlock(&book->unknown_lock);
}

/* ---- sightings ---- */

/* Whether it proved to be who it says; always where nothing proves it. */
static bool key_fits(const char *digest, const struct ht_device_sighting *sighting)
{
    char own[HT_DIGEST_TEXT];
    if (digest[0] == '\0' || (sighting->proven && sighting->key == NULL)) {
        return true;
    }
    return sighting->key != NULL &&
           ht_digest_of(sighting->key, strlen(sighting->key), own) == HT_OK &&
           ht_equal_secret(own, digest, HT_DIGEST_TEXT - 1);
}

/* NULL, or why it is not listened to. */
static const char *why_not(const struct ht_device_entry *entry,
                           const struct ht_device_sighting *sighting)
{
    if (entry->blocked) {
        return "the device is blocked";
    }
    if (entry->protocol[0] != '\0' && strcmp(entry->protocol, sighting->protocol) != 0) {
        return "the registry knows the device by another protocol";
    }
    if (entry->unit[0] == '\0' && entry->household[0] == '\0') {
        return "the device is of no unit and no household";
    }
    return key_fits(entry->key, sighting) ? NULL : "the device did not prove itself by its key";
}

static void judge(struct ht_device_book *book, const struct ht_device_sighting *sighting,
                  struct ht_device_known *out)
{
    struct ht_device_entry entry;
    struct ht_devices *devices = ht_live_devices(book->app->live);
    if (!ht_id_valid(sighting->id, strlen(sighting->id))) {
        out->standing = HT_DEVICE_REFUSED;
        out->why = "a device's id has 1 to 64 of letters, digits, \"._:-\"";
        return;
    }
    if (!ht_devices_look(devices, sighting->id, &entry)) {
        unknown_note(book, sighting);
        return;
    }
    out->why = why_not(&entry, sighting);
    out->standing = out->why == NULL ? HT_DEVICE_TRUSTED : HT_DEVICE_REFUSED;
    out->keyed = entry.key[0] != '\0';
    out->named_crs = entry.named_crs;
    out->crs = entry.crs;
    memcpy(out->unit, entry.unit, sizeof out->unit);
    memcpy(out->household, entry.household, sizeof out->household);
    if (out->why == NULL) {
        ht_devices_met(devices, sighting->id, sighting->at_ms, sighting->battery);
    }
}

void ht_device_book_seen(struct ht_device_book *book, const struct ht_device_sighting *sighting,
                         struct ht_device_known *out)
{
    *out = (struct ht_device_known){.standing = HT_DEVICE_UNKNOWN, .why = "an unknown device"};
    if (book != NULL) {
        judge(book, sighting, out);
        (void)atomic_fetch_add_explicit(&book->seen[out->standing], 1, memory_order_relaxed);
    }
}

void ht_device_book_gone(struct ht_device_book *book, const char *id, int64_t at_ms)
{
    if (book != NULL) {
        ht_devices_went(ht_live_devices(book->app->live), id, at_ms);
    }
}

/* ---- numbers, life ---- */

void ht_device_book_stats_read(struct ht_device_book *book, struct ht_device_book_stats *out)
{
    struct ht_devices *devices = ht_live_devices(book->app->live);
    struct ht_device_entry entry;
    *out = (struct ht_device_book_stats){.alarms = atomic_load(&book->alarms),
                                         .silences = atomic_load(&book->silences)};
    for (size_t i = 0; i <= HT_DEVICE_TRUSTED; i++) {
        out->seen[i] = atomic_load(&book->seen[i]);
    }
    (void)pthread_mutex_lock(&book->unknown_lock);
    for (size_t i = 0; i < book->unknown_count; i++) {
        out->waiting += !ht_devices_look(devices, book->unknown[i].id, &entry);
    }
    out->dropped = book->dropped;
    (void)pthread_mutex_unlock(&book->unknown_lock);
}

enum ht_status ht_device_book_new(struct ht_app *app, struct ht_device_book **out)
{
    pthread_condattr_t steady;
    struct ht_device_book *book = calloc(1, sizeof *book);
    *out = book;
    if (book == NULL) {
        return HT_NOMEM;
    }
    book->app = app;
    book->last = &book->first;
    (void)pthread_mutex_init(&book->unknown_lock, NULL);
    (void)pthread_mutex_init(&book->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&book->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    book->unknown = calloc(HT__UNKNOWN_MOST, sizeof *book->unknown);
    return book->unknown == NULL ? HT_NOMEM : HT_OK;
}

void ht_device_book_free(struct ht_device_book *book)
{
    if (book == NULL) {
        return;
    }
    ht_device_book_stop(book);
    (void)pthread_cond_destroy(&book->wake);
    (void)pthread_mutex_destroy(&book->lock);
    (void)pthread_mutex_destroy(&book->unknown_lock);
    free(book->unknown);
    free(book);
}
