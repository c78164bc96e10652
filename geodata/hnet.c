#include "geodata/hnet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "geodata/hnet_internal.h"

struct ht_hnet {
    char *path;
    int fd;
    struct stat info; /* as it was opened */
    bool stamped;     /* checked before, and unchanged since */
    unsigned char *base;
    size_t size;
    const struct ht__hnet_header *header;
    struct ht__hnet_section *table; /* a copy: it outlives a file that is cut */
    struct ht__hnet_profile *profiles;
    bool shared_proven; /* by this process, as those of the profiles */
    struct ht_snap_tree *tree;
    bool tree_proven;
    pthread_mutex_t lock;
};

static enum ht_status refuse(const char *path, enum ht_status status, const char *why,
                             struct ht_error *error)
{
    /* What is no network file may be the extract itself: it is not named as the output. */
    return ht_error_set(error, status, 0,
                        "%.90s: %.60s; make a new one: houtao import INPUT... -o %.60s", path, why,
                        status == HT_FOREIGN ? "FILE.hnet" : path);
}

static enum ht_status no_file(const char *path, int code, struct ht_error *error)
{
    char why[128];
    return ht_error_set(error, HT_IO, 0, "%.120s: %s", path, strerror_r(code, why, sizeof why));
}

static enum ht_status map(struct ht_hnet *file, const char *path, struct ht_error *error)
{
    /* O_NONBLOCK: a FIFO without a writer would hold us here for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        int code = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return no_file(path, code, error);
    }
    if (!S_ISREG(info.st_mode) || info.st_size < (off_t)sizeof(struct ht__hnet_header)) {
        (void)close(fd);
        return refuse(path, HT_FOREIGN, "not a network file", error);
    }
    file->info = info;
    file->size = (size_t)info.st_size;
    void *base = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
    file->fd = fd;
    if (base == MAP_FAILED) {
        return no_file(path, errno, error);
    }
    file->base = base;
    return HT_OK;
}

static enum ht_status check_header(struct ht_hnet *file, struct ht_error *error)
{
    const struct ht__hnet_header *h = (const struct ht__hnet_header *)(void *)file->base;
    file->header = h;
    if (memcmp(h->magic, HT__HNET_MAGIC, sizeof h->magic) != 0) {
        /* What is not finished yet begins with zeros. */
        return refuse(file->path, HT_FOREIGN, "not a network file", error);
    }
    if (h->endian != HT__HNET_ENDIAN) {
        return refuse(file->path, HT_FOREIGN, "made on a machine of other byte order", error);
    }
    if (h->version != HT__HNET_VERSION) {
        return refuse(file->path, HT_VERSION,
                      h->version < HT__HNET_VERSION ? "made by an older houtao"
                                                    : "made by a newer houtao",
                      error);
    }
    if (ht__hnet_hash(h, offsetof(struct ht__hnet_header, header_checksum)) != h->header_checksum) {
        return refuse(file->path, HT_CHECKSUM, "damaged (header)", error);
    }
    if (h->file_size > file->size) {
        return refuse(file->path, HT_TRUNCATED, "cut short", error);
    }
    uint64_t size = (uint64_t)h->section_count * sizeof(struct ht__hnet_section);
    if (h->file_size != file->size || h->table_offset % HT__HNET_ALIGN != 0 ||
        h->table_offset > file->size || size > file->size - h->table_offset ||
        h->profile_count > HT__HNET_PROFILES) {
        return refuse(file->path, HT_CHECKSUM, "damaged (length)", error);
    }
    file->table = ht_array_new((size_t)size, 1);
    if (file->table == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    memcpy(file->table, file->base + h->table_offset, (size_t)size);
    if (ht__hnet_hash(file->table, (size_t)size) != h->table_checksum) {
        return refuse(file->path, HT_CHECKSUM, "damaged (table)", error);
    }
    file->stamped = ht__hnet_stamped(file->fd, h);
    return HT_OK;
}

static uint32_t kind_of(const char *name)
{
    for (uint32_t kind = 0; kind < HT__SECTION_COUNT; kind++) {
        if (strncmp(name, ht__hnet_names[kind], sizeof(((struct ht__hnet_section *)0)->name)) ==
            0) {
            return kind;
        }
    }
    return HT__SECTION_COUNT;
}

/* Sections follow each other and the table follows them, with nothing but zeros up to the next
 * line. */
static bool packed(const struct ht_hnet *file, uint64_t end, uint64_t next)
{
    uint64_t line = (end + HT__HNET_ALIGN - 1) / HT__HNET_ALIGN * HT__HNET_ALIGN;
    if (next != line || next > file->size) {
        return false;
    }
    unsigned char any = 0;
    for (uint64_t i = end; i < next; i++) {
        any |= file->base[i];
    }
    return any == 0;
}

/* A section that was not written. */
static const struct ht__hnet_section nothing = {.item = 1};

/* Files each entry of the table under its profile; what is shared, under all. */
static bool place_sections(struct ht_hnet *file)
{
    const struct ht__hnet_header *h = file->header;
    uint64_t packed_end = sizeof *h;
    for (uint32_t i = 0; i < h->section_count; i++) {
        const struct ht__hnet_section *s = &file->table[i];
        uint32_t kind = kind_of(s->name);
        if (kind == HT__SECTION_COUNT || s->item != ht__hnet_items[kind] ||
            s->size % s->item != 0 || !packed(file, packed_end, s->offset) ||
            s->size > file->size - s->offset) {
            return false;
        }
        packed_end = s->offset + s->size;
        bool shared = kind < HT__SECTION_FIRST_OWN;
        if (shared ? s->profile != HT_NONE : s->profile >= h->profile_count) {
            return false;
        }
        uint32_t first = shared ? 0 : s->profile;
        uint32_t end = shared ? h->profile_count : s->profile + 1;
        for (uint32_t p = first; p < end; p++) {
            if (file->profiles[p].sections[kind] != NULL) {
                return false;
            }
            file->profiles[p].sections[kind] = s;
        }
    }
    if (!packed(file, packed_end, h->table_offset) ||
        h->table_offset + (uint64_t)h->section_count * sizeof *file->table != file->size) {
        return false;
    }
    for (uint32_t p = 0; p < h->profile_count; p++) {
        for (uint32_t kind = 0; kind < HT__SECTION_COUNT; kind++) {
            const struct ht__hnet_section **section = &file->profiles[p].sections[kind];
            if (*section == NULL && kind == HT__SECTION_maneuver) {
                *section = &nothing;
            } else if (*section == NULL) {
                return false;
            }
        }
    }
    return h->profile_count > 0;
}

/* Whole and of the size that `count` items have; its bytes. */
static const void *items(const struct ht_hnet *file, const struct ht__hnet_profile *p,
                         enum ht__hnet_kind kind, uint64_t count, bool *sound)
{
    *sound &= p->sections[kind]->size == count * ht__hnet_items[kind];
    return file->base + p->sections[kind]->offset;
}

#define ITEMS(kind, count) items(file, p, HT__SECTION_##kind, (count), &sound)

static bool attach_network(const struct ht_hnet *file, struct ht__hnet_profile *p)
{
    bool sound = true;
    const struct ht__hnet_network *meta = ITEMS(network, 1);
    if (!sound || meta->strings_size == 0 || meta->node_count == 0 || meta->way_count == 0 ||
        meta->way_count == UINT32_MAX || meta->node_count == UINT32_MAX) {
        return false;
    }
    struct ht_network *n = &p->network;
    n->box = meta->box;
    n->node_count = meta->node_count;
    n->way_count = meta->way_count;
    n->way_node_count = meta->way_node_count;
    n->strings_size = meta->strings_size;
    n->node_point = ITEMS(node_point, n->node_count);
    n->node_osm_id = ITEMS(node_osm_id, n->node_count);
    n->ways = ITEMS(way, (uint64_t)n->way_count + 1);
    n->way_node = ITEMS(way_node, n->way_node_count);
    n->strings = ITEMS(strings, n->strings_size);
    n->graph_count = 1;
    n->graphs = p->graphs;
    p->graphs[0] = &p->graph;
    return sound;
}

static bool attach_graph(const struct ht_hnet *file, struct ht__hnet_profile *p)
{
    bool sound = true;
    const struct ht__hnet_graph *meta = &p->meta;
    struct ht_graph *g = &p->graph;
    g->profile = meta->name;
    g->junction_count = meta->junction_count;
    g->arc_count = meta->arc_count;
    g->base_arc_count = meta->base_arc_count;
    g->turn_count = meta->turn_count;
    g->condition_count = meta->condition_count;
    g->class_mask = meta->class_mask;
    g->copy_base_count = meta->copy_base_count;
    g->continue_straight = meta->continue_straight != 0;
    g->left_hand = meta->left_hand != 0;
    /* files of before the mark have it by name alone */
    g->emergency = meta->emergency != 0 || strcmp(g->profile, "emergency") == 0;
    g->junction_node = ITEMS(junction_node, g->junction_count);
    g->junction_first_out = ITEMS(first_out, (uint64_t)g->junction_count + 1);
    g->junction_first_in = ITEMS(first_in, (uint64_t)g->junction_count + 1);
    g->junction_in = ITEMS(junction_in, meta->in_count);
    g->arcs = ITEMS(arc, g->arc_count);
    g->turn_first = ITEMS(turn_first, (uint64_t)g->arc_count + 1);
    g->packed_turns = ITEMS(turn, g->turn_count);
    g->turn_prices = ITEMS(turn_price, meta->turn_price_count);
    g->turn_listed_count = meta->turn_listed_count;
    g->turns_listed = ITEMS(turn_listed, meta->turn_listed_count);
    g->conditions = ITEMS(condition, g->condition_count);
    g->copy_base = ITEMS(copy_base, g->copy_base_count);
    g->copy_first = ITEMS(copy_first, (uint64_t)g->copy_base_count + 1);
    g->copy_list = ITEMS(copy_list, meta->copy_list_count);
    g->copy_of = ITEMS(copy_of, (uint64_t)g->arc_count - g->base_arc_count);
    g->listed_count = meta->listed_count;
    g->listed = ITEMS(component, g->listed_count);
    uint64_t maneuvers = p->sections[HT__SECTION_maneuver]->size / sizeof *g->maneuvers;
    sound &= maneuvers < UINT32_MAX;
    g->maneuver_count = (uint32_t)maneuvers;
    g->maneuvers = ITEMS(maneuver, maneuvers);
    return sound && g->arc_count > 0 && g->base_arc_count <= g->arc_count;
}

static bool attach_hierarchy(const struct ht_hnet *file, struct ht__hnet_profile *p)
{
    bool sound = true;
    struct ht_cch *c = &p->cch;
    uint64_t n = p->meta.arc_count;
    const struct ht__hnet_cch *meta = ITEMS(cch, 1);
    if (!sound || meta->vertex_count != n || meta->depth_max == 0 ||
        meta->depth_max > UINT16_MAX + UINT32_C(1)) {
        return false;
    }
    c->vertex_count = meta->vertex_count;
    c->depth_max = meta->depth_max;
    c->turn_count = p->meta.turn_count;
    c->out.edge_count = meta->edge_count[0];
    c->in.edge_count = meta->edge_count[1];
    c->rank = ITEMS(rank, n);
    c->arc = ITEMS(rank_arc, n);
    c->parent = ITEMS(parent, n);
    c->depth = ITEMS(depth, n);
    c->out.first = ITEMS(out_up_first, n + 1);
    c->out.head = ITEMS(out_up, c->out.edge_count);
    c->out.depth = ITEMS(out_up_depth, c->out.edge_count);
    c->out.down_first = ITEMS(out_down_first, n + 1);
    c->out.down = ITEMS(out_down, c->out.edge_count);
    c->in.first = ITEMS(in_up_first, n + 1);
    c->in.head = ITEMS(in_up, c->in.edge_count);
    c->in.depth = ITEMS(in_up_depth, c->in.edge_count);
    c->in.down_first = ITEMS(in_down_first, n + 1);
    c->in.down = ITEMS(in_down, c->in.edge_count);
    c->turn_edge = ITEMS(turn_edge, c->turn_count);
    p->metric.vertex_count = c->vertex_count;
    p->metric.climb = ITEMS(climb, n + 1);
    p->metric.far_parent_count = meta->far_parent_count;
    p->metric.far_parent = ITEMS(far_parent, meta->far_parent_count);
    const void *side_items[2][7] = {
        {ITEMS(out_depth, meta->metric_count[0]),
         ITEMS(out_time, meta->metric_count[0] - meta->brief_count[0]),
         ITEMS(out_brief, meta->brief_count[0]), ITEMS(out_wide, meta->wide_count[0]),
         ITEMS(out_length, meta->metric_count[0]), ITEMS(out_step, meta->metric_count[0]),
         ITEMS(out_far, meta->far_count[0])},
        {ITEMS(in_depth, meta->metric_count[1]),
         ITEMS(in_time, meta->metric_count[1] - meta->brief_count[1]),
         ITEMS(in_brief, meta->brief_count[1]), ITEMS(in_wide, meta->wide_count[1]),
         ITEMS(in_length, meta->metric_count[1]), ITEMS(in_step, meta->metric_count[1]),
         ITEMS(in_far, meta->far_count[1])}};
    for (int s = 0; s < 2; s++) {
        bool brief = meta->brief_count[s] > 0;
        sound &= !brief || meta->brief_count[s] == meta->metric_count[s];
        p->metric.side[s] = (struct ht_metric_side){.edge_count = meta->metric_count[s],
                                                    .wide_count = meta->wide_count[s],
                                                    .far_count = meta->far_count[s],
                                                    .depth = side_items[s][0],
                                                    .time = brief ? NULL : side_items[s][1],
                                                    .brief = side_items[s][2],
                                                    .wide = side_items[s][3],
                                                    .length = side_items[s][4],
                                                    .step = side_items[s][5],
                                                    .far = side_items[s][6]};
    }
    return sound;
}

/* The few sections whose contents opening itself relies on. */
static bool small_sound(const struct ht_hnet *file, const struct ht__hnet_profile *p,
                        enum ht__hnet_kind kind)
{
    const struct ht__hnet_section *s = p->sections[kind];
    return s->size == s->item &&
           ht__hnet_hash(file->base + s->offset, (size_t)s->size) == s->checksum;
}

static enum ht_status open_profiles(struct ht_hnet *file, struct ht_error *error)
{
    file->profiles = ht_array_new_zeroed(file->header->profile_count, sizeof *file->profiles);
    if (file->profiles == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (!place_sections(file)) {
        return refuse(file->path, HT_CHECKSUM, "damaged (table)", error);
    }
    for (uint32_t i = 0; i < file->header->profile_count; i++) {
        struct ht__hnet_profile *p = &file->profiles[i];
        if (!small_sound(file, p, HT__SECTION_graph) || !small_sound(file, p, HT__SECTION_cch) ||
            !small_sound(file, p, HT__SECTION_network)) {
            return refuse(file->path, HT_CHECKSUM, "damaged (profiles)", error);
        }
        memcpy(&p->meta, file->base + p->sections[HT__SECTION_graph]->offset, sizeof p->meta);
        if (memchr(p->meta.name, '\0', sizeof p->meta.name) == NULL || !attach_network(file, p) ||
            !attach_graph(file, p) || !attach_hierarchy(file, p)) {
            return refuse(file->path, HT_RANGE, "damaged (sizes of sections)", error);
        }
    }
    return HT_OK;
}

enum ht_status ht_hnet_open(const char *path, struct ht_hnet **out, struct ht_error *error)
{
    struct ht_hnet *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)pthread_mutex_init(&file->lock, NULL);
    file->fd = -1;
    file->path = strdup(path);
    enum ht_status status =
        file->path == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : map(file, path, error);
    if (status == HT_OK) {
        status = check_header(file, error);
    }
    if (status == HT_OK) {
        status = open_profiles(file, error);
    }
    if (status != HT_OK) {
        ht_hnet_close(file);
        return status;
    }
    *out = file;
    return HT_OK;
}

void ht_hnet_close(struct ht_hnet *file)
{
    if (file == NULL) {
        return;
    }
    for (uint32_t i = 0; file->profiles != NULL && i < file->header->profile_count; i++) {
        ht_snap_index_free(file->profiles[i].snap);
    }
    ht_snap_tree_free(file->tree);
    if (file->base != NULL) {
        (void)munmap(file->base, file->size);
    }
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    (void)pthread_mutex_destroy(&file->lock);
    free(file->profiles);
    free(file->table);
    free(file->path);
    free(file);
}

uint32_t ht_hnet_profile_count(const struct ht_hnet *file)
{
    return file->header->profile_count;
}

const char *ht_hnet_profile(const struct ht_hnet *file, uint32_t index)
{
    return file->profiles[index].meta.name;
}

struct ht_box ht_hnet_box(const struct ht_hnet *file)
{
    return file->profiles[0].network.box;
}

static enum ht_status refuse_section(const struct ht_hnet *file, const struct ht__hnet_profile *p,
                                     enum ht_status status, const char *section,
                                     struct ht_error *error)
{
    if (status == HT_NOMEM) {
        return ht_error_set(error, status, 0, NULL);
    }
    if (status == HT_TRUNCATED) {
        return refuse(file->path, status, "cut short, or unreadable", error);
    }
    char why[64];
    (void)snprintf(why, sizeof why, "damaged (%.16s of %.24s)", section, p->meta.name);
    return refuse(file->path, status, why, error);
}

/* Checks sections of a profile, all but the late ones or those, unless this process did before. */
static enum ht_status prove(struct ht_hnet *file, struct ht__hnet_profile *p, bool late,
                            struct ht_pool *pool, struct ht_error *error)
{
    bool *proven = late ? &p->rest_proven : &p->proven;
    (void)pthread_mutex_lock(&file->lock);
    bool done = *proven;
    struct ht__hnet_check check = {
        .fd = file->fd, .profile = p, .shared = !file->shared_proven, .late = late};
    (void)pthread_mutex_unlock(&file->lock);
    if (done) {
        return HT_OK;
    }
    const char *where = "";
    enum ht_status status = ht__hnet_check(&check, pool, &where);
    if (status != HT_OK) {
        return refuse_section(file, p, status, where, error);
    }
    (void)pthread_mutex_lock(&file->lock);
    *proven = true;
    file->shared_proven = file->shared_proven || !late;
    (void)pthread_mutex_unlock(&file->lock);
    return HT_OK;
}

/* The tree of streets that all profiles share, made once and checked once where `check` says so.
 * The lock is held. */
static enum ht_status view_tree(struct ht_hnet *file, bool check)
{
    const struct ht__hnet_profile *p = &file->profiles[0];
    const struct ht__hnet_section *s = p->sections[HT__SECTION_street];
    enum ht_status status = HT_OK;
    if (file->tree == NULL) {
        status =
            ht_snap_tree_view(&p->network, file->base + s->offset, (size_t)s->size, &file->tree);
    }
    if (status == HT_OK && check && !file->tree_proven) {
        status = ht_snap_tree_check(file->tree);
        file->tree_proven = status == HT_OK;
    }
    return status;
}

/* The street index of a profile, made once; checked where `check` says so or no stamp does. */
static enum ht_status view_snap(struct ht_hnet *file, struct ht__hnet_profile *p, bool check,
                                struct ht_error *error)
{
    const struct ht__hnet_section *s = p->sections[HT__SECTION_snap];
    struct ht_snap_index *made = NULL;
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&file->lock);
    check = check || (p->snap == NULL && !file->stamped);
    status = view_tree(file, check);
    if (status != HT_OK) {
        (void)pthread_mutex_unlock(&file->lock);
        return refuse_section(file, p, status, "street", error);
    }
    if (p->snap == NULL) {
        status =
            ht_snap_view(file->tree, &p->graph, file->base + s->offset, (size_t)s->size, &made);
    }
    if (status == HT_OK && check) {
        status = ht_snap_check(p->snap == NULL ? made : p->snap);
    }
    if (status == HT_OK && made != NULL) {
        p->snap = made;
    } else {
        ht_snap_index_free(made);
    }
    (void)pthread_mutex_unlock(&file->lock);
    return status == HT_OK ? HT_OK : refuse_section(file, p, status, "snap", error);
}

static struct ht__hnet_profile *find_profile(struct ht_hnet *file, const char *profile,
                                             struct ht_error *error)
{
    for (uint32_t i = 0; i < file->header->profile_count; i++) {
        if (strcmp(file->profiles[i].meta.name, profile) == 0) {
            return &file->profiles[i];
        }
    }
    (void)ht_error_set(error, HT_NOT_FOUND, 0, "%.100s: no profile %.60s in it", file->path,
                       profile);
    return NULL;
}

enum ht_status ht_hnet_road(struct ht_hnet *file, const char *profile, struct ht_pool *pool,
                            struct ht_road *out, struct ht_error *error)
{
    struct ht__hnet_profile *p = find_profile(file, profile, error);
    if (p == NULL) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = file->stamped ? HT_OK : prove(file, p, false, pool, error);
    if (status == HT_OK) {
        status = view_snap(file, p, false, error);
    }
    if (status == HT_OK) {
        *out = (struct ht_road){.network = &p->network,
                                .graph = &p->graph,
                                .cch = &p->cch,
                                .metric = &p->metric,
                                .snap = p->snap};
    }
    return status;
}

enum ht_status ht_hnet_check_rest(struct ht_hnet *file, const char *profile, struct ht_pool *pool,
                                  struct ht_error *error)
{
    struct ht__hnet_profile *p = find_profile(file, profile, error);
    if (p == NULL) {
        return HT_NOT_FOUND;
    }
    return file->stamped ? HT_OK : prove(file, p, true, pool, error);
}

enum ht_status ht_hnet_check_whole(struct ht_hnet *file, struct ht_pool *pool,
                                   struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < file->header->profile_count; i++) {
        struct ht__hnet_profile *p = &file->profiles[i];
        status = prove(file, p, false, pool, error);
        if (status == HT_OK) {
            status = prove(file, p, true, pool, error);
        }
        if (status == HT_OK) {
            status = view_snap(file, p, true, error);
        }
        /* What the check looked at comes back from the cache when it is asked for. */
        (void)madvise(file->base, file->size, MADV_DONTNEED);
    }
    if (status == HT_OK && !file->stamped) {
        ht__hnet_stamp(file->fd, &file->info, file->header);
    }
    return status;
}

bool ht_hnet_stamped(const struct ht_hnet *file)
{
    return file->stamped;
}

enum ht_status ht_hnet_info(struct ht_hnet *file, const char **json, size_t *size,
                            struct ht_error *error)
{
    const struct ht__hnet_section *s = file->profiles[0].sections[HT__SECTION_info];
    const unsigned char *data = file->base + s->offset;
    if (s->size > HT__HNET_CHUNK ||
        (s->size > 0 && ht__hnet_hash(data, (size_t)s->size) != s->checksum)) {
        return refuse(file->path, HT_CHECKSUM, "damaged (info)", error);
    }
    *json = (const char *)data;
    *size = (size_t)s->size;
    return HT_OK;
}

uint64_t ht_hnet_size(const struct ht_hnet *file)
{
    return file->size;
}

uint64_t ht_hnet_profile_size(const struct ht_hnet *file, uint32_t index)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < file->header->section_count; i++) {
        sum += file->table[i].profile == index ? file->table[i].size : 0;
    }
    return sum;
}

uint64_t ht_hnet_checksum(const struct ht_hnet *file)
{
    uint64_t sums[HT__HNET_PROFILES * HT__SECTION_COUNT];
    size_t count = 0;
    for (uint32_t i = 0; i < file->header->section_count; i++) {
        if (kind_of(file->table[i].name) != HT__SECTION_info) {
            sums[count++] = file->table[i].checksum;
        }
    }
    return ht__hnet_hash(sums, count * sizeof *sums);
}

uint32_t ht_hnet_version(const struct ht_hnet *file)
{
    return file->header->version;
}

static void on_sigbus(int signal_number)
{
    static const char line[] =
        "houtao: a network file was cut or its disk failed while it was in use; stopping\n";
    (void)signal_number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(1);
}

void ht_hnet_guard_sigbus(void)
{
    struct sigaction action = {.sa_handler = on_sigbus};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}
