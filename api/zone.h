/* Zone: whose local clock the process goes by (--tz).
 *
 * Threading: ht_zone_set from main before any thread is started; the rest from any.
 */
#ifndef HT_API_ZONE_H
#define HT_API_ZONE_H

#include <stdint.h>

#include "api/cli.h"

#define HT_ZONE_DEFAULT "Asia/Shanghai"

/* Takes the zone for the whole process. Another exit code than HT_EXIT_DONE: there is none of that
 * name, and that was told on stderr. The default and UTC need no zone database. The name is
 * borrowed for the process's life. */
int ht_zone_set(const struct ht_cli *cli, const char *zone);

/* Its name, as it was taken; lives as long as the process. */
const char *ht_zone_name(void);

/* Local milliseconds, as in engine/base/schedule.h, of UTC milliseconds. */
int64_t ht_zone_local_ms(int64_t utc_ms);

/* And back: of two that a clock shows twice the later one. */
int64_t ht_zone_utc_ms(int64_t local_ms);

#endif
