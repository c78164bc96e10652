#include "geodata/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/array.h"
#include "engine/base/schedule.h"

enum { BUFFER = 1 << 20, MOST_PATH = 4096 };

/* A text file that remembers its first error. */
struct sheet {
    FILE *file;
    char path[MOST_PATH];
    char *buffer;
};

static enum ht_status sheet_fail(const struct sheet *sheet, struct ht_error *error)
{
    char why[128];
    return ht_error_set(error, HT_IO, 0, "%.120s: %s", sheet->path,
                        strerror_r(errno, why, sizeof why));
}

static enum ht_status sheet_open(struct sheet *sheet, const char *dir, const char *name,
                                 struct ht_error *error)
{
    int size = snprintf(sheet->path, sizeof sheet->path, "%s/%s", dir, name);
    if (size < 0 || (size_t)size >= sizeof sheet->path) {
        errno = ENAMETOOLONG;
        return sheet_fail(sheet, error);
    }
    sheet->file = fopen(sheet->path, "w");
    if (sheet->file == NULL) {
        return sheet_fail(sheet, error);
    }
    sheet->buffer = malloc(BUFFER);
    if (sheet->buffer != NULL) {
        (void)setvbuf(sheet->file, sheet->buffer, _IOFBF, BUFFER);
    }
    return HT_OK;
}

static enum ht_status sheet_close(struct sheet *sheet, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    bool failed = ferror(sheet->file) != 0;
    if (fclose(sheet->file) != 0 || failed) {
        status = sheet_fail(sheet, error);
    }
    free(sheet->buffer);
    return status;
}

/* Degrees with 7 decimals, from e7: exact, and faster than printf. */
static void put_degrees(FILE *file, int32_t e7)
{
    char text[16];
    size_t at = sizeof text;
    uint32_t rest = e7 < 0 ? (uint32_t)(-(int64_t)e7) : (uint32_t)e7;
    for (int digit = 0; digit < 7 || rest > 0 || digit == 7; digit++) {
        if (digit == 7) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (e7 < 0) {
        text[--at] = '-';
    }
    (void)fwrite(text + at, 1, sizeof text - at, file);
}

static void put_quoted(FILE *file, const char *text)
{
    (void)putc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)putc('"', file);
        }
        (void)putc(*text, file);
    }
    (void)putc('"', file);
}

static void put_arc(FILE *file, const struct ht_network *network, const struct ht_graph *graph,
                    uint32_t id)
{
    const struct ht_arc *arc = &graph->arcs[id];
    const struct ht_way *way = &network->ways[arc->way];
    uint32_t count = ht_arc_point_count(arc);
    (void)fprintf(file,
                  "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32
                  ",%" PRId64 ",%" PRId64 ",%" PRId64 ",",
                  id, arc->tail, arc->head, arc->weight_ms, arc->duration_ms, arc->length_mm,
                  ht_arc_base(graph, id), way->osm_id,
                  network->node_osm_id[ht_arc_node(network, arc, 0)],
                  network->node_osm_id[ht_arc_node(network, arc, count - 1)]);
    put_quoted(file, network->strings + way->name);
    (void)fputs(",\"LINESTRING(", file);
    for (uint32_t i = 0; i < count; i++) {
        struct ht_point point = ht_arc_point(network, arc, i);
        if (i > 0) {
            (void)putc(',', file);
        }
        put_degrees(file, point.lon_e7);
        (void)putc(' ', file);
        put_degrees(file, point.lat_e7);
    }
    (void)fputs(")\"\n", file);
}

static enum ht_status export_arcs(const struct ht_network *network, const struct ht_graph *graph,
                                  const char *dir, struct ht_error *error)
{
    struct sheet sheet = {.file = NULL};
    enum ht_status status = sheet_open(&sheet, dir, "arcs.csv", error);
    if (status != HT_OK) {
        return status;
    }
    (void)fputs("arc,tail,head,weight,duration_ms,length_mm,base_arc,osm_way,osm_from,osm_to,name,"
                "geometry\n",
                sheet.file);
    for (uint32_t id = 0; id < graph->arc_count; id++) {
        put_arc(sheet.file, network, graph, id);
    }
    return sheet_close(&sheet, error);
}

/* closed[turn] != 0: a condition forbids it at that time. */
static enum ht_status close_turns(const struct ht_network *network, const struct ht_graph *graph,
                                  int64_t local_ms, uint8_t *closed)
{
    for (uint32_t i = 0; i < graph->condition_count; i++) {
        const struct ht_turn_condition *condition = &graph->conditions[i];
        struct ht_schedule *schedule = NULL;
        enum ht_status status =
            ht_schedule_parse(network->strings + condition->schedule, &schedule, NULL);
        if (status == HT_NOMEM) {
            return status;
        }
        if (status == HT_OK && ht_schedule_active(schedule, local_ms, NULL)) {
            closed[condition->turn] = 1;
        }
        ht_schedule_free(schedule);
    }
    return HT_OK;
}

static enum ht_status export_turns(const struct ht_network *network, const struct ht_graph *graph,
                                   const char *dir, int64_t local_ms, struct ht_error *error)
{
    uint8_t *closed = ht_array_new_zeroed(graph->turn_count, 1);
    enum ht_status status =
        closed == NULL ? HT_NOMEM : close_turns(network, graph, local_ms, closed);
    if (status != HT_OK) {
        free(closed);
        return ht_error_set(error, status, 0, NULL);
    }
    struct sheet sheet = {.file = NULL};
    status = sheet_open(&sheet, dir, "turns.csv", error);
    if (status == HT_OK) {
        (void)fputs("from_arc,to_arc,weight,duration_ms\n", sheet.file);
        for (uint32_t arc = 0; arc < graph->arc_count; arc++) {
            for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
                struct ht_turn turn = ht_turn_at(graph, arc, t);
                if (closed[t] == 0) {
                    (void)fprintf(sheet.file, "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 "\n",
                                  arc, turn.to, turn.weight_ms, turn.duration_ms);
                }
            }
        }
        status = sheet_close(&sheet, error);
    }
    free(closed);
    return status;
}

enum ht_status ht_export(const struct ht_network *network, const struct ht_graph *graph,
                         const char *dir, int64_t local_ms, struct ht_error *error)
{
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        char why[128];
        return ht_error_set(error, HT_IO, 0, "%.120s: %s", dir, strerror_r(errno, why, sizeof why));
    }
    enum ht_status status = export_arcs(network, graph, dir, error);
    return status == HT_OK ? export_turns(network, graph, dir, local_ms, error) : status;
}
