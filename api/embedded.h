/* Files that lie in the binary. Read-only. */
#ifndef HT_API_EMBEDDED_H
#define HT_API_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

extern const unsigned char ht_openapi_json[];
extern const size_t ht_openapi_json_size;
extern const unsigned char ht_landing_html[];
extern const size_t ht_landing_html_size;

/* The console's files, made by api/console/build.mjs; none where there was no npm. */
struct ht_console_file {
    const char *name;
    const char *type;            /* as Content-Type says it */
    const char *etag;            /* without quotes, shorter than a reply's */
    bool page;                   /* not a file of a page: asked for by its own route */
    size_t size;                 /* not packed */
    const unsigned char *packed; /* gzip */
    size_t packed_size;
};
extern const struct ht_console_file ht_console_files[];
extern const size_t ht_console_file_count;

#endif
