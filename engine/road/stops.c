#include "engine/road/stops.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/key.h"

enum { CELLS_AT_ONCE = 500000 };

void ht_stops_deinit(struct ht_stops *stops)
{
    free(stops->places);
    free(stops->list);
    free(stops->costs);
    memset(stops, 0, sizeof *stops);
}

void ht_stops_clear(struct ht_stops *stops)
{
    stops->place_count = 0;
    stops->count = 0;
}

enum ht_status ht_stops_add(struct ht_stops *stops, const struct ht_snap_index *index,
                            const struct ht_place *place, const struct ht_snap_options *options)
{
    void *places = stops->places;
    void *list = stops->list;
    enum ht_status status =
        ht_array_reserve(&places, &stops->place_room, stops->place_count + HT_STOP_PLACES_MAX,
                         sizeof *stops->places);
    stops->places = places;
    if (status == HT_OK) {
        status = ht_array_reserve(&list, &stops->room, stops->count + 1, sizeof *stops->list);
        stops->list = list;
    }
    if (status != HT_OK) {
        return status;
    }
    uint32_t count = ht_snap_junction(index, place, options, stops->places + stops->place_count,
                                      HT_STOP_PLACES_MAX);
    stops->list[stops->count++] =
        (struct ht_stop){.first = (uint32_t)stops->place_count, .count = count};
    stops->place_count += count;
    return HT_OK;
}

enum ht_status ht_stops_run(struct ht_stops *stops, struct ht_matrix *matrix,
                            const struct ht_stops_ways *ways, size_t first, size_t *rows)
{
    const struct ht_stop *from = &stops->list[first];
    size_t wide = from->count;
    size_t count = 1;
    void *costs = stops->costs;
    while (first + count < stops->count &&
           (wide + from[count].count) * stops->place_count <= CELLS_AT_ONCE) {
        wide += from[count++].count;
    }
    enum ht_status status = ht_array_reserve(&costs, &stops->cost_room, wide * stops->place_count,
                                             sizeof *stops->costs);
    stops->costs = costs;
    *rows = count;
    if (status == HT_OK) {
        status = ht_matrix_run(matrix, ways->road, ways->pool, stops->places + from->first, wide,
                               stops->places, stops->place_count, stops->costs, ways->cancel);
    }
    if (status == HT_OK && stops->place_count > stops->count) {
        ht_stops_narrow(stops->costs, &(struct ht_stop_list){from, NULL, count},
                        &(struct ht_stop_list){stops->list, NULL, stops->count});
    }
    return status;
}

static uint32_t places_of(const struct ht_stop_list *list, size_t i)
{
    return list->stops[list->indices == NULL ? i : list->indices[i]].count;
}

/* In place: a block never begins before the cell that it becomes. */
void ht_stops_narrow(struct ht_cost *costs, const struct ht_stop_list *rows,
                     const struct ht_stop_list *columns)
{
    size_t wide = 0;
    size_t row = 0;
    for (size_t j = 0; j < columns->count; j++) {
        wide += places_of(columns, j);
    }
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t height = places_of(rows, i);
        size_t column = 0;
        for (size_t j = 0; j < columns->count; j++) {
            uint32_t width = places_of(columns, j);
            struct ht_cost best = costs[row * wide + column];
            for (size_t k = 1; k < (size_t)height * width; k++) {
                const struct ht_cost *c = &costs[(row + k / width) * wide + column + k % width];
                best = ht_cost_less(*c, best) ? *c : best;
            }
            costs[i * columns->count + j] = best;
            column += width;
        }
        row += height;
    }
}
