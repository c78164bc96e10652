#include "geodata/hnet_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "geodata/hnet_internal.h"

struct ht_hnet_writer {
    char *path;
    char *temporary;
    int fd;
    uint64_t offset;
    struct ht__hnet_section *table;
    size_t table_capacity;
    uint32_t section_count;
    uint32_t profile_count;
    bool failed;
};

static enum ht_status fail(struct ht_hnet_writer *writer, struct ht_error *error, const char *what)
{
    writer->failed = true;
    if (errno == ENOSPC || errno == EDQUOT) {
        return ht_error_set(error, HT_IO, 0, "%s: the disk is full (%llu MB written)", writer->path,
                            (unsigned long long)(writer->offset >> 20));
    }
    char why[128];
    return ht_error_set(error, HT_IO, 0, "%.100s: %s: %s", writer->temporary, what,
                        strerror_r(errno, why, sizeof why));
}

/* The lock goes with the file, so it is ours only if the name still means it: another writer may
 * have renamed or removed it in between. Nothing is cut before that. */
static enum ht_status temporary_open(struct ht_hnet_writer *writer, struct ht_error *error)
{
    for (;;) {
        struct stat own;
        struct stat named;
        int fd = open(writer->temporary, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0) {
            return fail(writer, error, "can't be made");
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            (void)close(fd);
            return ht_error_set(error, HT_IO, 0, "%s is being written by another import",
                                writer->path);
        }
        bool same = fstat(fd, &own) == 0 && stat(writer->temporary, &named) == 0 &&
                    own.st_ino == named.st_ino && own.st_dev == named.st_dev;
        if (same) {
            writer->fd = fd;
            return ftruncate(fd, 0) == 0 ? HT_OK : fail(writer, error, "can't be made");
        }
        (void)close(fd);
    }
}

enum ht_status ht_hnet_writer_open(const char *path, struct ht_hnet_writer **out,
                                   struct ht_error *error)
{
    struct ht_hnet_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    writer->fd = -1;
    writer->path = strdup(path);
    size_t size = strlen(path) + sizeof ".tmp";
    writer->temporary = malloc(size);
    enum ht_status status = HT_OK;
    if (writer->path == NULL || writer->temporary == NULL) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        (void)snprintf(writer->temporary, size, "%s.tmp", path);
        writer->offset = sizeof(struct ht__hnet_header);
        status = temporary_open(writer, error);
    }
    if (status != HT_OK) {
        enum ht_status closed = ht_hnet_writer_close(writer, false, NULL);
        (void)closed;
        return status;
    }
    *out = writer;
    return HT_OK;
}

static enum ht_status put(struct ht_hnet_writer *writer, const void *data, size_t size,
                          uint64_t offset, struct ht_error *error)
{
    const char *bytes = data;
    while (size > 0) {
        ssize_t done = pwrite(writer->fd, bytes, size, (off_t)offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return fail(writer, error, "can't be written");
        }
        bytes += done;
        size -= (size_t)done;
        offset += (uint64_t)done;
    }
    return HT_OK;
}

static enum ht_status checksum(const void *data, size_t size, uint32_t item, uint64_t *out)
{
    size_t chunk = ht__hnet_chunk(item);
    size_t chunks = (size + chunk - 1) / chunk;
    uint64_t *hashes = ht_array_new(chunks, sizeof *hashes);
    if (hashes == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < chunks; i++) {
        size_t left = size - i * chunk;
        hashes[i] = ht__hnet_hash((const char *)data + i * chunk, left < chunk ? left : chunk);
    }
    *out = ht__hnet_combine(hashes, chunks);
    free(hashes);
    return HT_OK;
}

static enum ht_status section(struct ht_hnet_writer *writer, enum ht__hnet_kind kind,
                              const void *data, size_t count, struct ht_error *error)
{
    void *table = writer->table;
    enum ht_status status = ht_array_reserve(&table, &writer->table_capacity,
                                             writer->section_count + 1U, sizeof *writer->table);
    writer->table = table;
    uint32_t item = ht__hnet_items[kind];
    size_t size = count * item;
    bool shared = kind < HT__SECTION_FIRST_OWN;
    struct ht__hnet_section entry = {
        .profile = shared ? HT_NONE : writer->profile_count, .item = item, .size = size};
    if (status == HT_OK) {
        status = checksum(data, size, item, &entry.checksum);
    }
    if (status != HT_OK) {
        writer->failed = true;
        return ht_error_set(error, status, 0, NULL);
    }
    strncpy(entry.name, ht__hnet_names[kind], sizeof entry.name - 1);
    entry.offset = (writer->offset + HT__HNET_ALIGN - 1) / HT__HNET_ALIGN * HT__HNET_ALIGN;
    status = put(writer, data, size, entry.offset, error);
    writer->offset = entry.offset + size;
    writer->table[writer->section_count++] = entry;
    return status;
}

/* A list of sections, written until one fails. */
struct part {
    enum ht__hnet_kind kind;
    const void *data;
    size_t count;
};

static enum ht_status parts(struct ht_hnet_writer *writer, const struct part *list, size_t count,
                            struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        status = section(writer, list[i].kind, list[i].data, list[i].count, error);
    }
    return status;
}

#define PARTS(writer, list, error) parts((writer), (list), sizeof(list) / sizeof *(list), (error))

enum ht_status ht_hnet_write_network(struct ht_hnet_writer *writer,
                                     const struct ht_network *network,
                                     const struct ht_snap_tree *tree, struct ht_error *error)
{
    struct ht__hnet_network meta = {.box = network->box,
                                    .node_count = network->node_count,
                                    .way_count = network->way_count,
                                    .way_node_count = network->way_node_count,
                                    .strings_size = (uint32_t)network->strings_size};
    const struct part list[] = {
        {HT__SECTION_network, &meta, 1},
        {HT__SECTION_node_point, network->node_point, network->node_count},
        {HT__SECTION_node_osm_id, network->node_osm_id, network->node_count},
        {HT__SECTION_way, network->ways, (size_t)network->way_count + 1},
        {HT__SECTION_way_node, network->way_node, network->way_node_count},
        {HT__SECTION_strings, network->strings, network->strings_size}};
    enum ht_status status = PARTS(writer, list, error);
    if (status == HT_OK) {
        const void *data = NULL;
        size_t size = 0;
        ht_snap_tree_data(tree, &data, &size);
        status = section(writer, HT__SECTION_street, data, size, error);
    }
    return status;
}

/* What of a graph the file has in a form of its own. */
struct packed {
    struct ht__hnet_turns turns;
    uint32_t *first_in; /* the arcs into junctions that have no reverse: others are found by it */
    uint32_t *in;
};

static void packed_free(struct packed *packed)
{
    ht__hnet_turns_free(&packed->turns);
    free(packed->first_in);
    free(packed->in);
}

static enum ht_status pack_ins(const struct ht_graph *g, struct packed *packed)
{
    packed->first_in = ht_array_new((size_t)g->junction_count + 1, sizeof *packed->first_in);
    packed->in = ht_array_new(g->base_arc_count, sizeof *packed->in);
    if (packed->first_in == NULL || packed->in == NULL) {
        return HT_NOMEM;
    }
    uint32_t count = 0;
    for (uint32_t j = 0; j < g->junction_count; j++) {
        packed->first_in[j] = count;
        for (uint32_t i = g->junction_first_in[j]; i < g->junction_first_in[j + 1]; i++) {
            uint32_t arc = g->junction_in[i];
            packed->in[count] = arc;
            count += g->arcs[arc].reverse == HT_NONE;
        }
    }
    packed->first_in[g->junction_count] = count;
    return HT_OK;
}

static enum ht_status pack(const struct ht_graph *g, struct packed *packed)
{
    *packed = (struct packed){.in = NULL};
    enum ht_status status = ht__hnet_turns_pack(g, HT_TURN_PRICES, &packed->turns);
    if (status == HT_OK) {
        status = pack_ins(g, packed);
    }
    if (status != HT_OK) {
        packed_free(packed);
    }
    return status;
}

enum ht_status ht_hnet_write_graph(struct ht_hnet_writer *writer, const struct ht_graph *g,
                                   const struct ht_snap_index *snap, struct ht_error *error)
{
    uint32_t copies = g->copy_first[g->copy_base_count];
    struct ht__hnet_graph meta = {.junction_count = g->junction_count,
                                  .arc_count = g->arc_count,
                                  .base_arc_count = g->base_arc_count,
                                  .turn_count = g->turn_count,
                                  .condition_count = g->condition_count,
                                  .class_mask = g->class_mask,
                                  .copy_base_count = g->copy_base_count,
                                  .copy_list_count = copies,
                                  .listed_count = g->listed_count,
                                  .continue_straight = g->continue_straight,
                                  .left_hand = g->left_hand,
                                  .emergency = g->emergency};
    if (strlen(g->profile) >= sizeof meta.name || writer->profile_count >= HT__HNET_PROFILES) {
        writer->failed = true;
        return ht_error_set(error, HT_TOO_BIG, 0,
                            "profile %.64s: at most %d profiles of %zu letters", g->profile,
                            HT__HNET_PROFILES, sizeof meta.name - 1);
    }
    memcpy(meta.name, g->profile, strlen(g->profile));
    struct packed own;
    if (pack(g, &own) != HT_OK) {
        writer->failed = true;
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    meta.turn_price_count = own.turns.price_count;
    meta.turn_listed_count = own.turns.listed_count;
    meta.in_count = own.first_in[g->junction_count];
    const void *streets = NULL;
    size_t streets_size = 0;
    ht_snap_data(snap, &streets, &streets_size);
    const struct part list[] = {
        {HT__SECTION_graph, &meta, 1},
        {HT__SECTION_junction_node, g->junction_node, g->junction_count},
        {HT__SECTION_first_out, g->junction_first_out, (size_t)g->junction_count + 1},
        {HT__SECTION_first_in, own.first_in, (size_t)g->junction_count + 1},
        {HT__SECTION_junction_in, own.in, meta.in_count},
        {HT__SECTION_arc, g->arcs, g->arc_count},
        {HT__SECTION_turn_first, g->turn_first, (size_t)g->arc_count + 1},
        {HT__SECTION_turn, own.turns.packed, g->turn_count},
        {HT__SECTION_turn_price, own.turns.prices, own.turns.price_count},
        {HT__SECTION_turn_listed, own.turns.listed, own.turns.listed_count},
        {HT__SECTION_condition, g->conditions, g->condition_count},
        {HT__SECTION_copy_base, g->copy_base, g->copy_base_count},
        {HT__SECTION_copy_first, g->copy_first, (size_t)g->copy_base_count + 1},
        {HT__SECTION_copy_list, g->copy_list, copies},
        {HT__SECTION_copy_of, g->copy_of, g->arc_count - g->base_arc_count},
        {HT__SECTION_component, g->listed, g->listed_count},
        {HT__SECTION_snap, streets, streets_size}};
    enum ht_status status = PARTS(writer, list, error);
    packed_free(&own);
    if (status == HT_OK && g->maneuver_count > 0) {
        status = section(writer, HT__SECTION_maneuver, g->maneuvers, g->maneuver_count, error);
    }
    return status;
}

enum ht_status ht_hnet_write_hierarchy(struct ht_hnet_writer *writer, const struct ht_cch *c,
                                       const struct ht_metric *m, struct ht_error *error)
{
    const struct ht_metric_side *out = &m->side[0];
    const struct ht_metric_side *in = &m->side[1];
    const uint32_t brief[] = {out->time == NULL ? out->edge_count : 0,
                              in->time == NULL ? in->edge_count : 0};
    struct ht__hnet_cch meta = {.vertex_count = c->vertex_count,
                                .depth_max = c->depth_max,
                                .edge_count = {c->out.edge_count, c->in.edge_count},
                                .metric_count = {out->edge_count, in->edge_count},
                                .brief_count = {brief[0], brief[1]},
                                .wide_count = {out->wide_count, in->wide_count},
                                .far_count = {out->far_count, in->far_count},
                                .far_parent_count = m->far_parent_count};
    size_t n = c->vertex_count;
    const struct part list[] = {{HT__SECTION_cch, &meta, 1},
                                {HT__SECTION_rank, c->rank, n},
                                {HT__SECTION_rank_arc, c->arc, n},
                                {HT__SECTION_climb, m->climb, n + 1},
                                {HT__SECTION_far_parent, m->far_parent, m->far_parent_count},
                                {HT__SECTION_out_depth, out->depth, out->edge_count},
                                {HT__SECTION_out_time, out->time, out->edge_count - brief[0]},
                                {HT__SECTION_out_brief, out->brief, brief[0]},
                                {HT__SECTION_out_wide, out->wide, out->wide_count},
                                {HT__SECTION_out_length, out->length, out->edge_count},
                                {HT__SECTION_out_step, out->step, out->edge_count},
                                {HT__SECTION_out_far, out->far, out->far_count},
                                {HT__SECTION_in_depth, in->depth, in->edge_count},
                                {HT__SECTION_in_time, in->time, in->edge_count - brief[1]},
                                {HT__SECTION_in_brief, in->brief, brief[1]},
                                {HT__SECTION_in_wide, in->wide, in->wide_count},
                                {HT__SECTION_in_length, in->length, in->edge_count},
                                {HT__SECTION_in_step, in->step, in->edge_count},
                                {HT__SECTION_in_far, in->far, in->far_count},
                                {HT__SECTION_parent, c->parent, n},
                                {HT__SECTION_depth, c->depth, n},
                                {HT__SECTION_out_up_first, c->out.first, n + 1},
                                {HT__SECTION_out_up, c->out.head, c->out.edge_count},
                                {HT__SECTION_out_up_depth, c->out.depth, c->out.edge_count},
                                {HT__SECTION_out_down_first, c->out.down_first, n + 1},
                                {HT__SECTION_out_down, c->out.down, c->out.edge_count},
                                {HT__SECTION_in_up_first, c->in.first, n + 1},
                                {HT__SECTION_in_up, c->in.head, c->in.edge_count},
                                {HT__SECTION_in_up_depth, c->in.depth, c->in.edge_count},
                                {HT__SECTION_in_down_first, c->in.down_first, n + 1},
                                {HT__SECTION_in_down, c->in.down, c->in.edge_count},
                                {HT__SECTION_turn_edge, c->turn_edge, c->turn_count}};
    enum ht_status status = PARTS(writer, list, error);
    writer->profile_count += status == HT_OK;
    return status;
}

enum ht_status ht_hnet_write_info(struct ht_hnet_writer *writer, const char *json, size_t size,
                                  struct ht_error *error)
{
    return section(writer, HT__SECTION_info, json, size, error);
}

/* Cuts a path down to its folder. */
static const char *folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ".";
    }
    slash[slash == path] = '\0';
    return path;
}

/* The folder's entry must last, too. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        return;
    }
    int fd = open(folder_of(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* not every file system can; the file itself is synced */
        (void)close(fd);
    }
    free(copy);
}

/* Reads back what was written, as whoever opens it will. */
static enum ht_status read_back(struct ht_hnet_writer *writer, struct ht_error *error)
{
    struct ht_hnet *file = NULL;
    enum ht_status status = ht_hnet_open(writer->temporary, &file, error);
    if (status == HT_OK) {
        status = ht_hnet_check_whole(file, NULL, error);
    }
    ht_hnet_close(file);
    return status;
}

static enum ht_status finish(struct ht_hnet_writer *writer, struct ht_error *error)
{
    uint64_t offset = (writer->offset + HT__HNET_ALIGN - 1) / HT__HNET_ALIGN * HT__HNET_ALIGN;
    size_t size = writer->section_count * sizeof *writer->table;
    enum ht_status status = put(writer, writer->table, size, offset, error);
    struct ht__hnet_header header = {.endian = HT__HNET_ENDIAN,
                                     .version = HT__HNET_VERSION,
                                     .file_size = offset + size,
                                     .table_offset = offset,
                                     .section_count = writer->section_count,
                                     .profile_count = writer->profile_count,
                                     .table_checksum = ht__hnet_hash(writer->table, size)};
    memcpy(header.magic, HT__HNET_MAGIC, sizeof header.magic);
    header.header_checksum =
        ht__hnet_hash(&header, offsetof(struct ht__hnet_header, header_checksum));
    if (status == HT_OK && fsync(writer->fd) != 0) {
        status = fail(writer, error, "can't be synced");
    }
    if (status == HT_OK) {
        status = put(writer, &header, sizeof header, 0, error);
    }
    if (status == HT_OK && fsync(writer->fd) != 0) {
        status = fail(writer, error, "can't be synced");
    }
    if (status == HT_OK) {
        status = read_back(writer, error);
    }
    struct stat info; /* since the check */
    bool known = status == HT_OK && fstat(writer->fd, &info) == 0;
    if (status == HT_OK && rename(writer->temporary, writer->path) != 0) {
        status = fail(writer, error, "can't be renamed");
    }
    if (status == HT_OK) {
        if (known) {
            ht__hnet_stamp(writer->fd, &info, &header); /* a stamp before does not outlive it */
        }
        sync_folder(writer->path);
    }
    return status;
}

enum ht_status ht_hnet_writer_close(struct ht_hnet_writer *writer, bool keep,
                                    struct ht_error *error)
{
    if (writer == NULL) {
        return HT_OK;
    }
    enum ht_status status = HT_OK;
    bool finished = keep && !writer->failed;
    if (finished) {
        status = finish(writer, error);
    } else if (keep) {
        status = HT_IO;
    }
    if (writer->fd >= 0) {
        if (!finished || status != HT_OK) {
            (void)unlink(writer->temporary); /* while the lock is ours */
        }
        (void)close(writer->fd);
    }
    free(writer->path);
    free(writer->temporary);
    free(writer->table);
    free(writer);
    return status;
}
