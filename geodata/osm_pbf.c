#include <lz4.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "engine/base/array.h"
#include "geodata/osm_pbf_internal.h"

/* The format's own limits. */
enum { BLOB_HEADER_MAX = 64 * 1024, BLOB_MAX = 32 * 1024 * 1024 };

/* Field numbers of fileformat.proto, the format's public definition. */
enum { BLOB_HEADER_TYPE = 1, BLOB_HEADER_SIZE = 3 };
enum {
    BLOB_RAW = 1,
    BLOB_RAW_SIZE = 2,
    BLOB_ZLIB = 3,
    BLOB_LZMA = 4,
    BLOB_BZIP2 = 5,
    BLOB_LZ4 = 6,
    BLOB_ZSTD = 7
};

struct blob {
    uint64_t at;
    uint32_t size;
};

struct buffer {
    uint8_t *data;
    size_t capacity;
};

struct worker {
    struct buffer packed;
    struct buffer raw;
    z_stream inflate;
    bool inflate_ready;
    ZSTD_DCtx *zstd;
    struct ht__pbf_decoder decoder;
};

/* Each piece of the pool's work is one blob: its worker reads, unpacks and decodes it and calls the
 * handler, so what is held is one blob per thread, however far the file goes. */
struct job {
    const struct ht__osm_source *source;
    const struct ht_osm_handler *handler;
    struct blob *blobs; /* of type OSMData, in the order of the file */
    size_t blob_count;
    size_t blob_capacity;
    struct worker *workers;
    size_t worker_count;
    atomic_bool stop;
    pthread_mutex_t lock; /* over all below, and around progress() */
    enum ht_status status;
    size_t failed; /* the first block that failed */
    struct ht_error failure;
    uint64_t done;
};

/* One byte more than asked for: the last string's NUL. */
static bool buffer_room(struct buffer *buffer, size_t size)
{
    if (buffer->data != NULL && size + 1 <= buffer->capacity) {
        return true;
    }
    free(buffer->data);
    buffer->capacity = size + size / 4 + 1;
    buffer->data = malloc(buffer->capacity);
    return buffer->data != NULL;
}

static enum ht_status broken(struct ht_error *error, int64_t where, const char *what)
{
    return ht_error_set(error, HT_SYNTAX, where, "the block at byte %lld is damaged: %s",
                        (long long)where, what);
}

static enum ht_status too_big(struct ht_error *error, int64_t where)
{
    return ht_error_set(error, HT_TOO_BIG, where,
                        "the block at byte %lld unpacks to more than it says or the format allows",
                        (long long)where);
}

static enum ht_status unpack_zlib(struct worker *worker, struct ht_wire packed, size_t *size,
                                  int64_t where, struct ht_error *error)
{
    z_stream *stream = &worker->inflate;
    int code = worker->inflate_ready ? inflateReset(stream) : inflateInit(stream);
    if (code != Z_OK) {
        return ht_error_set(error, HT_NOMEM, where, NULL);
    }
    worker->inflate_ready = true;
    size_t length = (size_t)(packed.end - packed.at);
    /* zlib reads only, but wants a pointer that is not const. */
    stream->next_in = worker->packed.data + (packed.at - worker->packed.data);
    stream->avail_in = (uInt)length;
    stream->next_out = worker->raw.data;
    stream->avail_out = (uInt)*size;
    code = inflate(stream, Z_FINISH);
    if (code == Z_STREAM_END) {
        *size = (size_t)stream->total_out;
        return HT_OK;
    }
    if (code == Z_MEM_ERROR) {
        return ht_error_set(error, HT_NOMEM, where, NULL);
    }
    if ((code == Z_OK || code == Z_BUF_ERROR) && stream->avail_out == 0) {
        return too_big(error, where);
    }
    return broken(error, where, "its compressed data");
}

static enum ht_status unpack_zstd(struct worker *worker, struct ht_wire packed, size_t *size,
                                  int64_t where, struct ht_error *error)
{
    if (worker->zstd == NULL) {
        worker->zstd = ZSTD_createDCtx();
        if (worker->zstd == NULL) {
            return ht_error_set(error, HT_NOMEM, where, NULL);
        }
    }
    size_t got = ZSTD_decompressDCtx(worker->zstd, worker->raw.data, *size, packed.at,
                                     (size_t)(packed.end - packed.at));
    if (ZSTD_isError(got)) {
        return ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall
                   ? too_big(error, where)
                   : broken(error, where, "its compressed data");
    }
    *size = got;
    return HT_OK;
}

static enum ht_status unpack_lz4(struct worker *worker, struct ht_wire packed, size_t *size,
                                 int64_t where, struct ht_error *error)
{
    int got = LZ4_decompress_safe((const char *)packed.at, (char *)worker->raw.data,
                                  (int)(packed.end - packed.at), (int)*size);
    if (got < 0) {
        return broken(error, where, "its compressed data");
    }
    *size = (size_t)got;
    return HT_OK;
}

struct packed {
    struct ht_wire bytes;
    uint32_t kind; /* the field's number; 0: none found */
    uint64_t raw_size;
    bool has_raw_size;
};

static enum ht_status open_blob(struct ht_wire message, struct packed *out, int64_t where,
                                struct ht_error *error)
{
    *out = (struct packed){0};
    struct ht_wire_field field;
    while (ht_wire_next(&message, &field)) {
        if (field.number == BLOB_RAW_SIZE && field.type == HT_WIRE_VARINT) {
            out->raw_size = field.value;
            out->has_raw_size = true;
        } else if (field.type == HT_WIRE_BYTES && field.number <= BLOB_ZSTD) {
            out->bytes = field.bytes;
            out->kind = field.number;
        }
    }
    if (message.bad || out->kind == 0) {
        return broken(error, where, "it holds no data");
    }
    if (out->kind == BLOB_RAW) {
        out->raw_size = (uint64_t)(out->bytes.end - out->bytes.at);
    } else if (!out->has_raw_size) {
        out->raw_size = BLOB_MAX;
    }
    return out->raw_size > BLOB_MAX ? too_big(error, where) : HT_OK;
}

/* Reads a blob and leaves its plain bytes in worker->raw. */
static enum ht_status unpack(const struct ht__osm_source *source, struct worker *worker,
                             const struct blob *blob, size_t *size, struct ht_error *error)
{
    int64_t where = (int64_t)blob->at;
    if (!buffer_room(&worker->packed, blob->size)) {
        return ht_error_set(error, HT_NOMEM, where, NULL);
    }
    enum ht_status status =
        ht__osm_source_read(source, blob->at, worker->packed.data, blob->size, error);
    struct packed packed;
    if (status == HT_OK) {
        struct ht_wire message = {.at = worker->packed.data,
                                  .end = worker->packed.data + blob->size};
        status = open_blob(message, &packed, where, error);
    }
    if (status != HT_OK) {
        return status;
    }
    if (!buffer_room(&worker->raw, (size_t)packed.raw_size)) {
        return ht_error_set(error, HT_NOMEM, where, NULL);
    }
    *size = (size_t)packed.raw_size;
    switch (packed.kind) {
    case BLOB_RAW:
        memcpy(worker->raw.data, packed.bytes.at, *size);
        return HT_OK;
    case BLOB_ZLIB:
        status = unpack_zlib(worker, packed.bytes, size, where, error);
        break;
    case BLOB_LZ4:
        status = unpack_lz4(worker, packed.bytes, size, where, error);
        break;
    case BLOB_ZSTD:
        status = unpack_zstd(worker, packed.bytes, size, where, error);
        break;
    default:
        return ht_error_set(error, HT_UNSUPPORTED, where,
                            "the block at byte %lld is packed with %s, which is not supported",
                            (long long)where,
                            packed.kind == BLOB_LZMA    ? "lzma"
                            : packed.kind == BLOB_BZIP2 ? "bzip2"
                                                        : "an unknown method");
    }
    if (status == HT_OK && packed.has_raw_size && *size != packed.raw_size) {
        return broken(error, where, "it unpacks to less than it says");
    }
    return status;
}

static void worker_deinit(struct worker *worker)
{
    free(worker->packed.data);
    free(worker->raw.data);
    if (worker->inflate_ready) {
        (void)inflateEnd(&worker->inflate);
    }
    (void)ZSTD_freeDCtx(worker->zstd);
    ht__pbf_decoder_deinit(&worker->decoder);
}

static void note(struct job *job, size_t index, enum ht_status status, const struct ht_error *error)
{
    (void)pthread_mutex_lock(&job->lock);
    if (status != HT_OK) {
        atomic_store(&job->stop, true);
        if (job->status == HT_OK || index < job->failed) {
            job->status = status;
            job->failed = index;
            job->failure = *error;
        }
    } else {
        job->done += job->blobs[index].size;
        if (job->handler->progress != NULL) {
            job->handler->progress(job->handler->user, job->done, job->source->size);
        }
    }
    (void)pthread_mutex_unlock(&job->lock);
}

static void read_blob(void *user, size_t index, size_t number)
{
    struct job *job = user;
    if (atomic_load_explicit(&job->stop, memory_order_relaxed)) {
        return;
    }
    struct worker *worker = &job->workers[number];
    struct ht_error error = {.status = HT_OK};
    size_t size = 0;
    enum ht_status status = unpack(job->source, worker, &job->blobs[index], &size, &error);
    if (status == HT_OK) {
        status = ht__pbf_decode(&worker->decoder, worker->raw.data, size, job->handler,
                                (int64_t)job->blobs[index].at, &error);
    }
    if (status == HT_OK && ht__osm_builder_count(&worker->decoder.builder) > 0) {
        struct ht_osm_block block = ht__osm_builder_finish(&worker->decoder.builder, index);
        status = job->handler->block(job->handler->user, &block, number);
    }
    note(job, index, status, &error);
}

enum blob_type { BLOB_TYPE_OTHER, BLOB_TYPE_HEADER, BLOB_TYPE_DATA };

static bool named(struct ht_wire bytes, const char *name)
{
    size_t length = strlen(name);
    return (size_t)(bytes.end - bytes.at) == length && memcmp(bytes.at, name, length) == 0;
}

/* Reads the 4 bytes of length and the BlobHeader at *at and moves on to the blob. */
static enum ht_status read_blob_header(struct job *job, uint64_t *at, enum blob_type *type,
                                       uint32_t *size, struct ht_error *error)
{
    int64_t where = (int64_t)*at;
    uint8_t head[4];
    enum ht_status status = ht__osm_source_read(job->source, *at, head, sizeof head, error);
    if (status != HT_OK) {
        return status;
    }
    uint32_t length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
                      (uint32_t)head[3];
    if (length > BLOB_HEADER_MAX) {
        return ht_error_set(error, *at == 0 ? HT_FOREIGN : HT_TOO_BIG, where,
                            "the block header at byte %lld has %u bytes, %d are allowed",
                            (long long)where, length, BLOB_HEADER_MAX);
    }
    uint8_t *data = job->workers[0].packed.data;
    status = ht__osm_source_read(job->source, *at + sizeof head, data, length, error);
    if (status != HT_OK) {
        return status;
    }
    struct ht_wire message = {.at = data, .end = data + length};
    struct ht_wire_field field;
    uint64_t blob_size = UINT64_MAX;
    *type = BLOB_TYPE_OTHER;
    while (ht_wire_next(&message, &field)) {
        if (field.number == BLOB_HEADER_TYPE && field.type == HT_WIRE_BYTES) {
            *type = named(field.bytes, "OSMHeader") ? BLOB_TYPE_HEADER
                    : named(field.bytes, "OSMData") ? BLOB_TYPE_DATA
                                                    : BLOB_TYPE_OTHER;
        } else if (field.number == BLOB_HEADER_SIZE && field.type == HT_WIRE_VARINT) {
            blob_size = field.value;
        }
    }
    if (message.bad || blob_size == UINT64_MAX) {
        return broken(error, where, "its header");
    }
    if (blob_size > BLOB_MAX) {
        return ht_error_set(error, HT_TOO_BIG, where,
                            "the block at byte %lld has %llu bytes, %d are allowed",
                            (long long)where, (unsigned long long)blob_size, BLOB_MAX);
    }
    *at += sizeof head + length;
    *size = (uint32_t)blob_size;
    if (blob_size > job->source->size - *at) {
        return ht_error_set(error, HT_TRUNCATED, where,
                            "the file ends within the block at byte %lld", (long long)where);
    }
    return HT_OK;
}

static enum ht_status check_header(struct job *job, const struct blob *blob, struct ht_error *error)
{
    size_t size = 0;
    enum ht_status status = unpack(job->source, &job->workers[0], blob, &size, error);
    if (status != HT_OK) {
        return status;
    }
    return ht__pbf_check_header(job->workers[0].raw.data, size, (int64_t)blob->at, error);
}

/* Walks over the headers alone: some microseconds each, and a truncated file is known before
 * anything of it was handed over. */
static enum ht_status list_blobs(struct job *job, struct ht_error *error)
{
    uint64_t at = 0;
    while (at < job->source->size) {
        if (!buffer_room(&job->workers[0].packed, BLOB_HEADER_MAX)) {
            return ht_error_set(error, HT_NOMEM, (int64_t)at, NULL);
        }
        bool first = at == 0;
        enum blob_type type = BLOB_TYPE_OTHER;
        struct blob blob = {0};
        enum ht_status status = read_blob_header(job, &at, &type, &blob.size, error);
        if (status != HT_OK) {
            return status;
        }
        blob.at = at;
        at += blob.size;
        if (first && type != BLOB_TYPE_HEADER) {
            return ht_error_set(error, HT_SYNTAX, 0, "the file does not begin with its header");
        }
        if (type == BLOB_TYPE_HEADER) {
            status = check_header(job, &blob, error);
        } else if (type == BLOB_TYPE_DATA) {
            status = ht_array_reserve((void **)&job->blobs, &job->blob_capacity,
                                      job->blob_count + 1, sizeof *job->blobs);
            if (status == HT_OK) {
                job->blobs[job->blob_count++] = blob;
            }
        }
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

enum ht_status ht__osm_read_pbf(const struct ht__osm_source *source, struct ht_pool *pool,
                                const struct ht_osm_handler *handler, struct ht_error *error)
{
    struct job job = {.source = source, .handler = handler};
    job.worker_count = pool == NULL ? 1 : ht_pool_threads(pool);
    job.workers = ht_array_new_zeroed(job.worker_count, sizeof *job.workers);
    if (job.workers == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    atomic_init(&job.stop, false);
    (void)pthread_mutex_init(&job.lock, NULL);
    enum ht_status status = list_blobs(&job, error);
    if (status == HT_OK && pool != NULL) {
        ht_pool_run(pool, job.blob_count, read_blob, &job);
    } else if (status == HT_OK) {
        for (size_t i = 0; i < job.blob_count; i++) {
            read_blob(&job, i, 0);
        }
    }
    if (job.status != HT_OK) {
        status = job.status;
        if (error != NULL && job.failure.status != HT_OK) {
            *error = job.failure;
        }
    }
    (void)pthread_mutex_destroy(&job.lock);
    for (size_t i = 0; i < job.worker_count; i++) {
        worker_deinit(&job.workers[i]);
    }
    free(job.workers);
    free(job.blobs);
    return status;
}
