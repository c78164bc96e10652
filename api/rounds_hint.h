/* Rounds hint: what would mend a visit that is missing or a wish that is broken, in words, English
 * or Chinese.
 *
 * Threading: pure. Ownership: the caller's memory.
 */
#ifndef HT_API_ROUNDS_HINT_H
#define HT_API_ROUNDS_HINT_H

#include "api/rounds_scene.h"

enum { HT_ROUND_HINT_TEXT = 400 };

void ht_round_hint_text(const struct ht_round_scene *scene, const struct ht_rounds_mend *mend,
                        bool chinese, char out[HT_ROUND_HINT_TEXT]);
/* Of a site that is not planned for at all, in Chinese; "" for a foreign reason. */
const char *ht_round_hint_refused(const char *reason);

#endif
