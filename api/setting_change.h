/* Setting change: what of a document of the office became another by a PUT, as its event tells it:
 *
 *   "changed": [{"pointer": "/kinds/sos/promise_s", "before": 600, "after": 480},
 *               {"pointer": "/duty/community"}]
 *
 * Objects are gone into, all else is told as a whole. The event table holds nothing personal, so
 * texts (phones, names of who answers) are told by their pointer alone, but where no text of the
 * document can be personal (`texts`). A value that is longer than 200 bytes is left out likewise,
 * and of more than 64 changes the number of the others is told ("more").
 *
 * Threading: none. Ownership: trees are borrowed.
 */
#ifndef HT_API_SETTING_CHANGE_H
#define HT_API_SETTING_CHANGE_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "api/json.h"

/* Writes the members `changed` and, where it is needed, `more` into an object that is open. Linear
 * in the documents' size times the members of an object. */
void ht_setting_change_write(struct ht_json *json, yajl_val before, yajl_val after, bool texts);

#endif
