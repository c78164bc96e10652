/* Why a text is no JSON, in the words of RapidJSON, which VROOM's users know.
 *
 * For a text that a reader has refused: it is walked as RapidJSON's reader walks it (RFC 8259, no
 * comments, a NUL ends it), and the first fault is told with its offset. A text without any is
 * HT_OK; so the walk can be held against the readers that we have.
 *
 * Threading: pure function. Cost: linear; no recursion.
 */
#ifndef HT_API_JSON_FAULT_H
#define HT_API_JSON_FAULT_H

#include <stddef.h>

#include "engine/base/status.h"

/* HT_OK; HT_INVALID: `*words` (static) and `*offset` tell what is wrong and where; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_json_fault(const char *text, size_t size, const char **words,
                                           size_t *offset);

#endif
