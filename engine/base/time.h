/* Time: RFC 3339 outside, UTC milliseconds since 1970 inside.
 *
 * Threading: pure functions. Ownership: none.
 */
#ifndef HT_ENGINE_BASE_TIME_H
#define HT_ENGINE_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3339: "2026-03-01T08:30:00Z", with offset and fraction if need be. False: not one. */
bool ht_time_parse(const char *text, size_t size, int64_t *utc_ms);
enum { HT_TIME_TEXT_SIZE = 32 };
/* "2026-03-01T08:30:00.000Z". */
void ht_time_format(int64_t utc_ms, char out[HT_TIME_TEXT_SIZE]);

#endif
