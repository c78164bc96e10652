/* A stream of plain bytes out of a source that may be packed with gzip or bzip2.
 *
 * Threading: one stream, one thread. Ownership: the stream borrows its source.
 */
#ifndef HT_GEODATA_OSM_UNPACK_H
#define HT_GEODATA_OSM_UNPACK_H

#include <bzlib.h>
#include <zlib.h>

#include "geodata/osm_internal.h"

struct ht__unpack {
    const struct ht__osm_source *source;
    enum ht__osm_packing packing;
    uint64_t at;    /* bytes taken from the source */
    uint8_t *input; /* what was read and not unpacked yet */
    size_t input_at;
    size_t input_size;
    bool open;    /* within a member (gzip) or stream (bzip2): its end must come */
    bool started; /* at least one was opened */
    bool done;
    z_stream gzip;
    bz_stream bzip2;
};

enum ht_status ht__unpack_init(struct ht__unpack *stream, const struct ht__osm_source *source,
                               enum ht__osm_packing packing);
void ht__unpack_deinit(struct ht__unpack *stream);

/* Up to `size` bytes; *got 0 at the end. Files of several members or streams (as pigz, pbzip2 and
 * `cat` make them) read as one; what follows the last and is no member is left alone, as gzip does.
 * HT_TRUNCATED, HT_SYNTAX, HT_NOMEM, HT_IO. */
enum ht_status ht__unpack_read(struct ht__unpack *stream, void *out, size_t size, size_t *got,
                               struct ht_error *error);

#endif
