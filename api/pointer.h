/* Pointer: JSON pointers (RFC 6901) to what is wrong in a body: the one place where names that came
 * from outside become a part of one.
 *
 * Threading: pure. Ownership: the caller's room. A pointer that does not fit is cut behind a whole
 * character, so that the answer stays UTF-8; it fails never.
 */
#ifndef HT_API_POINTER_H
#define HT_API_POINTER_H

#include <stddef.h>

enum { HT_POINTER_MOST = 512 };

/* `base`, a slash and `name`, in which ~ and / are written as ~0 and ~1. `base` may be `out`
 * itself. */
void ht_pointer(char *out, size_t size, const char *base, const char *name);

#endif
