/* Makes PBF files in memory for tests, with protobuf-c: an encoder that shares nothing with ours.
 *
 * Threading: none. Ownership: free(file->data). Include it in one .c file of a program that links
 * ht_osmpbf, zlib, lz4 and zstd. Allocation failure ends the test program.
 */
#ifndef HT_TESTS_SUPPORT_PBF_H
#define HT_TESTS_SUPPORT_PBF_H

#include <lz4.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "osmpbf.pb-c.h"

struct pbf_file {
    uint8_t *data;
    size_t size;
};

enum pbf_packing { PBF_RAW, PBF_ZLIB, PBF_LZ4, PBF_ZSTD };

static inline void *pbf_need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static inline void pbf_append(struct pbf_file *file, const void *data, size_t size)
{
    file->data = pbf_need(realloc(file->data, file->size + size + 1));
    memcpy(file->data + file->size, data, size);
    file->size += size;
}

/* A blob as it is, behind a header of this type. */
static inline void pbf_append_blob(struct pbf_file *file, const char *type,
                                   const Osmpbf__Blob *blob)
{
    char name[32];
    (void)strncpy(name, type, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    size_t blob_size = osmpbf__blob__get_packed_size(blob);
    Osmpbf__BlobHeader header = OSMPBF__BLOB_HEADER__INIT;
    header.type = name;
    header.datasize = (int32_t)blob_size;
    size_t header_size = osmpbf__blob_header__get_packed_size(&header);
    uint8_t head[4] = {0, 0, (uint8_t)(header_size >> 8), (uint8_t)header_size};
    uint8_t *bytes = pbf_need(malloc(blob_size + header_size));
    (void)osmpbf__blob_header__pack(&header, bytes);
    (void)osmpbf__blob__pack(blob, bytes + header_size);
    pbf_append(file, head, sizeof head);
    pbf_append(file, bytes, header_size + blob_size);
    free(bytes);
}

static inline void pbf_append_packed(struct pbf_file *file, const char *type, const uint8_t *raw,
                                     size_t size, enum pbf_packing packing)
{
    Osmpbf__Blob blob = OSMPBF__BLOB__INIT;
    size_t room =
        compressBound(size) + ZSTD_compressBound(size) + (size_t)LZ4_compressBound((int)size);
    uint8_t *packed = pbf_need(malloc(room));
    uLongf zlib_size = room;
    ProtobufCBinaryData data = {.data = packed};
    blob.has_raw_size = packing != PBF_RAW;
    blob.raw_size = (int32_t)size;
    switch (packing) {
    case PBF_RAW:
        memcpy(packed, raw, size);
        data.len = size;
        blob.has_raw = 1;
        blob.raw = data;
        break;
    case PBF_ZLIB:
        (void)compress(packed, &zlib_size, raw, size);
        data.len = zlib_size;
        blob.has_zlib_data = 1;
        blob.zlib_data = data;
        break;
    case PBF_LZ4:
        data.len =
            (size_t)LZ4_compress_default((const char *)raw, (char *)packed, (int)size, (int)room);
        blob.has_lz4_data = 1;
        blob.lz4_data = data;
        break;
    case PBF_ZSTD:
        data.len = ZSTD_compress(packed, room, raw, size, 1);
        blob.has_zstd_data = 1;
        blob.zstd_data = data;
        break;
    }
    pbf_append_blob(file, type, &blob);
    free(packed);
}

/* A header that requires these features (NULL-terminated). */
static inline void pbf_append_header(struct pbf_file *file, const char *const *features)
{
    char names[8][32] = {{0}};
    char *list[8];
    Osmpbf__HeaderBlock header = OSMPBF__HEADER_BLOCK__INIT;
    for (; header.n_required_features < 8 && features[header.n_required_features] != NULL;
         header.n_required_features++) {
        size_t i = header.n_required_features;
        (void)strncpy(names[i], features[i], sizeof names[i] - 1);
        list[i] = names[i];
    }
    header.required_features = list;
    uint8_t bytes[1024];
    size_t size = osmpbf__header_block__pack(&header, bytes);
    pbf_append_packed(file, "OSMHeader", bytes, size, PBF_RAW);
}

static inline void pbf_append_block(struct pbf_file *file, const Osmpbf__PrimitiveBlock *block,
                                    enum pbf_packing packing)
{
    size_t size = osmpbf__primitive_block__get_packed_size(block);
    uint8_t *bytes = pbf_need(malloc(size + 1));
    (void)osmpbf__primitive_block__pack(block, bytes);
    pbf_append_packed(file, "OSMData", bytes, size, packing);
    free(bytes);
}

#endif
