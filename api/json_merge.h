/* Merge patch (RFC 7396) of JSON texts, numbers kept as they were written.
 *
 * Threading: pure functions.
 */
#ifndef HT_API_JSON_MERGE_H
#define HT_API_JSON_MERGE_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "engine/base/text.h"

/* Appends `target` (NULL: absent) as `patch` changes it; nothing where that is null. */
void ht_json_merge(struct ht_text *out, yajl_val target, yajl_val patch);
/* Appends a value, minified. */
void ht_json_tree_write(struct ht_text *out, yajl_val value);

/* Reads a text of `size` bytes, which need not end with a NUL, as a tree; NULL: it is no JSON
 * (comments are none), or nested deeper than HT_JSON_DEPTH_MOST (yajl frees a tree by calling
 * itself: a body of brackets would end the process), or a text of it has a NUL in it, or memory ran
 * out. Every body that is read as a tree comes through here. */
enum { HT_JSON_DEPTH_MOST = 64 };
yajl_val ht_json_tree_read(const char *text, size_t size);

/* Whether a text of such a body has a NUL in it: the tree would keep it up to there only. For those
 * who say so in words. */
bool ht_json_has_nul(const char *text, size_t size);

/* The member of an object; NULL: absent, or no object. */
yajl_val ht_json_member(yajl_val object, const char *name);

#endif
