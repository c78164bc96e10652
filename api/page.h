/* Page: what the pages to be printed share.
 *
 * Threading: with the thread's own reader. Ownership: the caller's buffers.
 */
#ifndef HT_API_PAGE_H
#define HT_API_PAGE_H

#include "api/reply.h"
#include "geodata/store.h"

enum { HT_PAGE_NAME = 181, HT_PAGE_NAMED = HT_PAGE_NAME + HT_ID_MAX + 4 };

/* Adds a text with what HTML would take for its own written otherwise. */
void ht_page_text(struct ht_buffer *out, const char *text);

/* As the registry calls a unit, with its id: "Li Hua (i1)"; the id alone of one without a name, and
 * of one that the registry does not have; "" for NULL. Not escaped. */
void ht_page_unit(struct ht_store_reader *reader, const char *id, char out[HT_PAGE_NAMED]);

#endif
