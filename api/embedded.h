/* Files that lie in the binary. Read-only. */
#ifndef HT_API_EMBEDDED_H
#define HT_API_EMBEDDED_H

#include <stddef.h>

extern const unsigned char ht_openapi_json[];
extern const size_t ht_openapi_json_size;
extern const unsigned char ht_landing_html[];
extern const size_t ht_landing_html_size;

#endif
