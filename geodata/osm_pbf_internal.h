/* The two halves of the PBF reader: blobs (file order, unpacking, threads) and the blocks inside
 * them.
 *
 * Threading: a decoder belongs to one worker. Ownership: a decoder owns its arrays; strings point
 * into the block's bytes, which are changed (each string gets its NUL in place).
 */
#ifndef HT_GEODATA_OSM_PBF_INTERNAL_H
#define HT_GEODATA_OSM_PBF_INTERNAL_H

#include "geodata/osm_internal.h"
#include "geodata/wire.h"

struct ht__pbf_decoder {
    struct ht__osm_builder builder;
    char **strings; /* of the block at hand */
    size_t string_count;
    size_t string_capacity;
    struct ht_wire *groups;
    size_t group_count;
    size_t group_capacity;
};

void ht__pbf_decoder_deinit(struct ht__pbf_decoder *decoder);

/* Decodes a PrimitiveBlock; data[size] must be writable too. `where` is the blob's byte in the
 * file, for errors: HT_SYNTAX, HT_TOO_BIG, HT_NOMEM. Only what the handler wants is built. */
enum ht_status ht__pbf_decode(struct ht__pbf_decoder *decoder, uint8_t *data, size_t size,
                              const struct ht_osm_handler *handler, int64_t where,
                              struct ht_error *error);

/* Checks a HeaderBlock: HT_UNSUPPORTED names a required feature that is not known, HT_SYNTAX. */
enum ht_status ht__pbf_check_header(const uint8_t *data, size_t size, int64_t where,
                                    struct ht_error *error);

#endif
