#include "geodata/osm_unpack.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_SIZE = 256 * 1024 };

enum ht_status ht__unpack_init(struct ht__unpack *stream, const struct ht__osm_source *source,
                               enum ht__osm_packing packing)
{
    *stream = (struct ht__unpack){.source = source, .packing = packing};
    stream->input = malloc(INPUT_SIZE);
    return stream->input == NULL ? HT_NOMEM : HT_OK;
}

static void close_member(struct ht__unpack *stream)
{
    if (stream->open && stream->packing == HT__OSM_GZIP) {
        (void)inflateEnd(&stream->gzip);
    } else if (stream->open && stream->packing == HT__OSM_BZIP2) {
        (void)BZ2_bzDecompressEnd(&stream->bzip2);
    }
    stream->open = false;
}

void ht__unpack_deinit(struct ht__unpack *stream)
{
    close_member(stream);
    free(stream->input);
    stream->input = NULL;
}

/* Moves what is left to the front and fills up behind it. */
static enum ht_status fill(struct ht__unpack *stream, struct ht_error *error)
{
    size_t left = stream->input_size - stream->input_at;
    memmove(stream->input, stream->input + stream->input_at, left);
    uint64_t rest = stream->source->size - stream->at;
    size_t want = INPUT_SIZE - left;
    want = rest < want ? (size_t)rest : want;
    enum ht_status status =
        ht__osm_source_read(stream->source, stream->at, stream->input + left, want, error);
    if (status != HT_OK) {
        return status;
    }
    stream->at += want;
    stream->input_at = 0;
    stream->input_size = left + want;
    return HT_OK;
}

static bool member_begins(const struct ht__unpack *stream)
{
    const uint8_t *at = stream->input + stream->input_at;
    size_t left = stream->input_size - stream->input_at;
    if (stream->packing == HT__OSM_GZIP) {
        return left >= 2 && at[0] == 0x1F && at[1] == 0x8B;
    }
    return left >= 3 && memcmp(at, "BZh", 3) == 0;
}

static enum ht_status open_member(struct ht__unpack *stream, struct ht_error *error)
{
    bool opened = false;
    if (stream->packing == HT__OSM_GZIP) {
        memset(&stream->gzip, 0, sizeof stream->gzip);
        opened = inflateInit2(&stream->gzip, 16 + MAX_WBITS) == Z_OK;
    } else {
        memset(&stream->bzip2, 0, sizeof stream->bzip2);
        opened = BZ2_bzDecompressInit(&stream->bzip2, 0, 0) == BZ_OK;
    }
    stream->open = opened;
    stream->started = true;
    return opened ? HT_OK : ht_error_set(error, HT_NOMEM, 0, NULL);
}

/* One call of zlib or libbz2: HT_OK, and whether the member ended. */
static enum ht_status step(struct ht__unpack *stream, uint8_t *out, size_t size, size_t *got,
                           bool *ended)
{
    uint8_t *in = stream->input + stream->input_at;
    unsigned left = (unsigned)(stream->input_size - stream->input_at);
    int code;
    if (stream->packing == HT__OSM_GZIP) {
        stream->gzip.next_in = in;
        stream->gzip.avail_in = left;
        stream->gzip.next_out = out;
        stream->gzip.avail_out = (unsigned)size;
        code = inflate(&stream->gzip, Z_NO_FLUSH);
        stream->input_at = stream->input_size - stream->gzip.avail_in;
        *got = size - stream->gzip.avail_out;
        *ended = code == Z_STREAM_END;
        return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR ? HT_OK
               : code == Z_MEM_ERROR                                       ? HT_NOMEM
                                                                           : HT_SYNTAX;
    }
    stream->bzip2.next_in = (char *)in;
    stream->bzip2.avail_in = left;
    stream->bzip2.next_out = (char *)out;
    stream->bzip2.avail_out = (unsigned)size;
    code = BZ2_bzDecompress(&stream->bzip2);
    stream->input_at = stream->input_size - stream->bzip2.avail_in;
    *got = size - stream->bzip2.avail_out;
    *ended = code == BZ_STREAM_END;
    return code == BZ_OK || code == BZ_STREAM_END ? HT_OK
           : code == BZ_MEM_ERROR                 ? HT_NOMEM
                                                  : HT_SYNTAX;
}

static enum ht_status read_plain(struct ht__unpack *stream, void *out, size_t size, size_t *got,
                                 struct ht_error *error)
{
    uint64_t rest = stream->source->size - stream->at;
    *got = rest < size ? (size_t)rest : size;
    enum ht_status status = ht__osm_source_read(stream->source, stream->at, out, *got, error);
    stream->at += *got;
    return status;
}

/* Makes sure that a member is open and that there is input, or sets `done`. */
static enum ht_status prepare(struct ht__unpack *stream, struct ht_error *error)
{
    if (stream->input_size - stream->input_at < 16 && stream->at < stream->source->size) {
        enum ht_status status = fill(stream, error);
        if (status != HT_OK) {
            return status;
        }
    }
    if (!stream->open) {
        if (stream->started && !member_begins(stream)) {
            stream->done = true;
            return HT_OK;
        }
        return open_member(stream, error);
    }
    return HT_OK;
}

enum ht_status ht__unpack_read(struct ht__unpack *stream, void *out, size_t size, size_t *got,
                               struct ht_error *error)
{
    *got = 0;
    if (stream->packing == HT__OSM_PLAIN) {
        return read_plain(stream, out, size, got, error);
    }
    while (*got == 0) {
        enum ht_status status = prepare(stream, error);
        if (status != HT_OK || stream->done) {
            return status;
        }
        bool ended = false;
        size_t before = stream->input_at;
        status = step(stream, out, size, got, &ended);
        int64_t where = (int64_t)(stream->at - (stream->input_size - stream->input_at));
        if (status != HT_OK) {
            return ht_error_set(error, status, where,
                                "the compressed data are damaged near byte %lld", (long long)where);
        }
        if (ended) {
            close_member(stream);
        } else if (*got == 0 && stream->input_at == before && stream->at == stream->source->size) {
            return ht_error_set(error, HT_TRUNCATED, where,
                                "the compressed data end too early, at byte %lld",
                                (long long)where);
        }
    }
    return HT_OK;
}
