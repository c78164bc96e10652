#include "api/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *taken = HT_ZONE_DEFAULT;

/* A name that the system's zone database has: libc takes any other for UTC without a word. */
static bool zone_known(const char *zone)
{
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/etc/zoneinfo"};
    if (zone[0] == '\0' || zone[0] == '/' || strstr(zone, "..") != NULL) {
        return false;
    }
    const char *own = getenv("TZDIR"); // NOLINT(concurrency-mt-unsafe): one thread yet
    for (size_t i = 0; i <= sizeof folders / sizeof *folders; i++) {
        const char *folder = i == 0 ? own : folders[i - 1];
        char path[512];
        if (folder != NULL &&
            snprintf(path, sizeof path, "%s/%s", folder, zone) < (int)sizeof path &&
            access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

int ht_zone_set(const struct ht_cli *cli, const char *zone)
{
    const char *name = zone;
    bool known = zone_known(zone) || strcmp(zone, "UTC") == 0;
    if (!known && strcmp(zone, HT_ZONE_DEFAULT) == 0) {
        zone = "CST-8"; /* machines without a zone database */
        known = true;
    }
    if (!known) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--tz: there is no zone '%s'", zone);
    }
    if (setenv("TZ", zone, 1) != 0) { // NOLINT(concurrency-mt-unsafe): one thread yet
        return ht_cli_error(cli, HT_EXIT_FAILED, "out of memory");
    }
    tzset();
    taken = name;
    return HT_EXIT_DONE;
}

const char *ht_zone_name(void)
{
    return taken;
}

int64_t ht_zone_local_ms(int64_t utc_ms)
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm local = {0};
    return localtime_r(&seconds, &local) == NULL ? utc_ms
                                                 : utc_ms + (int64_t)local.tm_gmtoff * 1000;
}

int64_t ht_zone_utc_ms(int64_t local_ms)
{
    /* by the offset of a guess, which is that of the moment or of one hours away from it */
    int64_t guess = local_ms - (ht_zone_local_ms(local_ms) - local_ms);
    return local_ms - (ht_zone_local_ms(guess) - guess);
}
