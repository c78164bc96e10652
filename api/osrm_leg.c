/* One route as JSON: legs with their costs, steps and annotations, and the overview. */
#include <string.h>

#include "api/osrm_steps.h"
#include "api/osrm_work.h"
#include "engine/road/gather.h"

/* A leg of the answer: one or several legs of the search, whose stops in between are silent. */
struct piece {
    uint32_t first;
    uint32_t end;
    size_t point; /* its first point in the shape */
};

/* Sums in the units of the answer, tenths: OSRM adds what it has rounded. */
struct tenths {
    int64_t length;
    int64_t duration;
    int64_t weight;
};

struct writer {
    struct ht_osrm_job *job;
    struct ht_json *json;
    const struct ht_route_found *found;
    const struct ht_leg *legs; /* of the search, merged where their stop is silent */
    const uint32_t *arcs;
};

static int64_t tenth(int64_t thousandths)
{
    return (thousandths + 50) / 100;
}

static struct tenths piece_cost(const struct writer *w, const struct piece *piece)
{
    int64_t length = 0;
    int64_t duration = 0;
    int64_t weight = 0;
    for (uint32_t i = piece->first; i < piece->end; i++) {
        length += w->legs[i].cost.length_mm;
        duration += w->legs[i].cost.duration_ms;
        weight += w->legs[i].cost.weight_ms;
    }
    return (struct tenths){tenth(length), tenth(duration), tenth(weight)};
}

static void write_cost(struct ht_json *json, const struct tenths *cost)
{
    ht_json_key(json, "distance");
    ht_json_fixed(json, cost->length, 1);
    ht_json_key(json, "duration");
    ht_json_fixed(json, cost->duration, 1);
    ht_json_key(json, "weight");
    ht_json_fixed(json, cost->weight, 1);
}

static struct ht_guide_leg guide_leg(const struct writer *w, uint32_t index)
{
    const struct ht_leg *leg = &w->legs[index];
    const struct ht_place *places = ht_osrm_places(w->job);
    return (struct ht_guide_leg){
        .network = w->job->road->network,
        .graph = w->job->road->graph,
        .source = &places[leg->source],
        .target = &places[leg->target],
        .source_side = leg->source_side,
        .target_side = leg->target_side,
        .arcs = w->arcs + leg->first_arc,
        .arc_count = leg->arc_count,
        .network_id = w->job->network_id,
    };
}

/* The array of steps. Where a trip turns round at a silent stop, the steps of both sides follow
 * each other in one array. */
static enum ht_status write_steps(const struct writer *w, const struct piece *piece, size_t index)
{
    struct ht_osrm_steps_options options = {
        .geometry = (enum ht_osrm_geometry)w->job->request->geometry,
        .language = HT_OSRM_LANGUAGE_LOCAL,
        .out = w->job->out,
        .line = w->job->work->line.count > 0 ? &w->job->work->line : NULL,
        .line_first = piece->point - index, /* each stop stands in it once */
    };
    struct ht_buffer *out = w->json->out;
    for (uint32_t i = piece->first; i < piece->end; i++) {
        struct ht_guide_leg leg = guide_leg(w, i);
        struct ht_guide_steps steps;
        enum ht_status status = ht_guide_run(w->job->work->guide, &leg, &steps);
        if (status != HT_OK) {
            return status;
        }
        if (i == piece->first) {
            ht_json_key(w->json, "steps");
            ht_osrm_write_steps(w->json, w->job->road->network, &steps, &options);
            options.line = NULL; /* the trip turns round: further points are not in a row */
            continue;
        }
        if (!out->failed) {
            out->size--; /* "]" */
        }
        size_t joint = out->size;
        struct ht_json more;
        ht_json_begin(&more, out);
        ht_osrm_write_steps(&more, w->job->road->network, &steps, &options);
        if (!out->failed) {
            out->data[joint] = ','; /* was "[" */
        }
    }
    return HT_OK;
}

static void write_summary(const struct writer *w, const struct piece *piece)
{
    uint32_t ways[2];
    uint32_t count = 0;
    if (w->job->request->steps) {
        struct ht_guide_leg leg = guide_leg(w, piece->first);
        count = ht_guide_summary(w->job->work->guide, &leg, ways);
    }
    ht_json_key(w->json, "summary");
    ht_osrm_write_summary(w->json, w->job->road->network, ways, count, HT_OSRM_LANGUAGE_LOCAL);
}

/* Values of the parts of one annotation. The last part of each leg of the search is empty and left
 * out. */
enum column { COLUMN_DURATION, COLUMN_DISTANCE, COLUMN_WEIGHT, COLUMN_SPEED, COLUMN_DATASOURCE };

static void write_value(struct ht_json *json, enum column column, const struct ht_shape_part *part,
                        int64_t *running, int64_t *speed)
{
    int64_t before = *running;
    switch (column) {
    case COLUMN_DURATION:
    case COLUMN_WEIGHT:
        /* rounded so that the sum stays true */
        *running += column == COLUMN_DURATION ? part->duration_ms : part->weight_ms;
        ht_json_fixed(json, tenth(*running) - tenth(before), 1);
        break;
    case COLUMN_DISTANCE:
        ht_json_fixed(json, part->length_mm, 3);
        break;
    case COLUMN_SPEED: /* mm/ms = m/s; where no time passes, as before */
        if (part->duration_ms > 0) {
            *speed = ((int64_t)part->length_mm * 20 + part->duration_ms) /
                     (2 * (int64_t)part->duration_ms);
        }
        ht_json_fixed(json, *speed, 1);
        break;
    case COLUMN_DATASOURCE:
        ht_json_int(json, 0);
        break;
    }
}

static void write_column(const struct writer *w, const struct piece *piece, size_t end,
                         const char *name, enum column column)
{
    const struct ht_shape *shape = &w->job->work->shape;
    int64_t running = 0;
    int64_t speed = 0;
    ht_json_key(w->json, name);
    ht_json_array(w->json);
    for (size_t i = piece->point; i + 1 < end; i++) {
        write_value(w->json, column, &shape->parts[i], &running, &speed);
    }
    ht_json_array_end(w->json);
}

static void write_annotation(const struct writer *w, const struct piece *piece, size_t end)
{
    const struct ht_shape *shape = &w->job->work->shape;
    const struct ht_network *network = w->job->road->network;
    unsigned wanted = w->job->request->annotations;
    struct ht_json *json = w->json;
    ht_json_key(json, "annotation");
    ht_json_object(json);
    if ((wanted & HT_OSRM_SPEED) != 0) {
        write_column(w, piece, end, "speed", COLUMN_SPEED);
    }
    if ((wanted & HT_OSRM_DURATION) != 0) {
        write_column(w, piece, end, "duration", COLUMN_DURATION);
    }
    if ((wanted & HT_OSRM_DISTANCE) != 0) {
        write_column(w, piece, end, "distance", COLUMN_DISTANCE);
    }
    if ((wanted & HT_OSRM_WEIGHT) != 0) {
        write_column(w, piece, end, "weight", COLUMN_WEIGHT);
    }
    if ((wanted & HT_OSRM_NODES) != 0) {
        ht_json_key(json, "nodes");
        ht_json_array(json);
        for (size_t i = piece->point; i < end; i++) {
            ht_json_int(json, network->node_osm_id[shape->nodes[i]]);
        }
        ht_json_array_end(json);
    }
    if ((wanted & HT_OSRM_DATASOURCES) != 0) {
        write_column(w, piece, end, "datasources", COLUMN_DATASOURCE);
        static const char metadata[] = "{\"datasource_names\":[\"profile\"]}";
        ht_json_key(json, "metadata");
        ht_json_raw(json, metadata, sizeof metadata - 1);
    }
    ht_json_object_end(json);
}

static enum ht_status write_leg(const struct writer *w, const struct piece *pieces, size_t index,
                                size_t end)
{
    const struct piece *piece = &pieces[index];
    struct tenths cost = piece_cost(w, piece);
    ht_json_object(w->json);
    write_cost(w->json, &cost);
    write_summary(w, piece);
    if (w->job->request->steps) {
        enum ht_status status = write_steps(w, piece, index);
        if (status != HT_OK) {
            return status;
        }
    } else {
        ht_json_key(w->json, "steps");
        ht_json_array(w->json);
        ht_json_array_end(w->json);
    }
    if (w->job->request->annotate) {
        write_annotation(w, piece, end);
    }
    ht_json_object_end(w->json);
    return HT_OK;
}

/* All legs' points in a row, each stop once; simplified leg by leg, as OSRM does. */
static enum ht_status join_points(const struct writer *w, const struct piece *pieces, size_t count,
                                  size_t *total)
{
    struct ht_osrm *work = w->job->work;
    const struct ht_shape *shape = &work->shape;
    bool simplified = w->job->request->overview == HT_OSRM_OVERVIEW_SIMPLIFIED;
    unsigned zoom = simplified ? ht_overview_zoom(shape->points, shape->point_count) : 0;
    enum ht_status status =
        ht_osrm_list_resize(&work->lines, shape->point_count, sizeof(struct ht_point));
    if (status != HT_OK) {
        return status;
    }
    struct ht_point *line = work->lines.data;
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? pieces[i + 1].point : shape->point_count;
        size_t size = end - pieces[i].point;
        memcpy(line + *total, shape->points + pieces[i].point, size * sizeof *line);
        if (simplified) {
            status = ht_overview_simplify(&work->overview, line + *total, &size, zoom);
            if (status != HT_OK) {
                return status;
            }
        }
        *total += i + 1 < count ? size - 1 : size;
    }
    return HT_OK;
}

/* Whole and encoded, the overview serves the steps too. */
static enum ht_status write_overview(const struct writer *w, const struct piece *pieces,
                                     size_t count)
{
    const struct ht_osrm_request *request = w->job->request;
    struct ht_osrm *work = w->job->work;
    bool whole = request->overview == HT_OSRM_OVERVIEW_FULL;
    const struct ht_point *line = work->shape.points;
    size_t total = work->shape.point_count;
    if (!whole || count > 1) {
        enum ht_status status = join_points(w, pieces, count, &total);
        if (status != HT_OK) {
            return status;
        }
        line = work->lines.data;
    }
    ht_json_key(w->json, "geometry");
    if (whole && w->job->out == NULL && request->geometry != HT_OSRM_GEOJSON) {
        ht_osrm_line_write(w->json, line, total, request->geometry == HT_OSRM_POLYLINE ? 5 : 6,
                           request->steps ? &work->line : NULL);
    } else {
        ht_osrm_out_geometry(w->job->out, w->json, line, total,
                             (enum ht_osrm_geometry)request->geometry);
    }
    return HT_OK;
}

/* The shape of all pieces. A joint where the trip turns round stays one point. */
static enum ht_status build_shape(const struct writer *w, struct piece *pieces, size_t count)
{
    struct ht_shape *shape = &w->job->work->shape;
    ht_shape_clear(shape);
    for (size_t i = 0; i < count; i++) {
        pieces[i].point = shape->point_count;
        for (uint32_t k = pieces[i].first; k < pieces[i].end; k++) {
            if (k > pieces[i].first) {
                shape->point_count--;
            }
            enum ht_status status = ht_shape_add(shape, w->job->road, ht_osrm_places(w->job),
                                                 &w->legs[k], w->arcs, w->job->request->annotate);
            if (status != HT_OK) {
                return status;
            }
        }
    }
    return HT_OK;
}

static bool is_waypoint(const struct ht_osrm_list *waypoints, uint32_t stop)
{
    if (waypoints == NULL || waypoints->count == 0) {
        return true;
    }
    const uint32_t *indices = waypoints->data;
    for (size_t i = 0; i < waypoints->count; i++) {
        if (indices[i] == stop) {
            return true;
        }
    }
    return false;
}

/* Joins a leg to the one before it when that ends on the same side of the same place: the trip goes
 * straight on, so the arc that holds the stop is driven once. */
static bool join(struct ht_leg *leg, const struct ht_leg *next, const uint32_t *next_arcs,
                 struct ht_osrm_list *arcs, enum ht_status *status)
{
    if (leg->target != next->source || leg->target_side != next->source_side ||
        leg->arc_count == 0 || next->arc_count == 0 ||
        ((const uint32_t *)arcs->data)[arcs->count - 1] != next_arcs[0]) {
        return false;
    }
    for (uint32_t i = 1; i < next->arc_count; i++) {
        if (!ht_osrm_list_add(arcs, &next_arcs[i], sizeof *next_arcs)) {
            *status = HT_NOMEM;
            return false;
        }
    }
    leg->cost.weight_ms += next->cost.weight_ms;
    leg->cost.duration_ms += next->cost.duration_ms;
    leg->cost.length_mm += next->cost.length_mm;
    leg->target = next->target;
    leg->target_side = next->target_side;
    leg->arc_count += next->arc_count - 1;
    return true;
}

/* Legs and arcs with silent stops joined, into the work's lists; pieces over them. */
static enum ht_status collapse(struct writer *w, const struct ht_osrm_list *waypoints)
{
    struct ht_osrm *work = w->job->work;
    enum ht_status status = HT_OK;
    work->legs.count = 0;
    work->arcs.count = 0;
    work->pieces.count = 0;
    for (uint32_t i = 0; i < w->found->leg_count; i++) {
        const struct ht_leg *from = &w->found->legs[i];
        const uint32_t *from_arcs = w->found->arcs + from->first_arc;
        bool silent = i > 0 && !is_waypoint(waypoints, i);
        struct ht_leg *legs = work->legs.data;
        if (silent && join(&legs[work->legs.count - 1], from, from_arcs, &work->arcs, &status)) {
            continue;
        }
        struct ht_leg leg = *from;
        leg.first_arc = (uint32_t)work->arcs.count;
        for (uint32_t k = 0; status == HT_OK && k < leg.arc_count; k++) {
            status =
                ht_osrm_list_add(&work->arcs, &from_arcs[k], sizeof *from_arcs) ? HT_OK : HT_NOMEM;
        }
        uint32_t index = (uint32_t)work->legs.count;
        struct piece piece = {.first = index, .end = index + 1};
        if (status != HT_OK || !ht_osrm_list_add(&work->legs, &leg, sizeof leg)) {
            return HT_NOMEM;
        }
        if (silent) {
            ((struct piece *)work->pieces.data)[work->pieces.count - 1].end++;
        } else if (!ht_osrm_list_add(&work->pieces, &piece, sizeof piece)) {
            return HT_NOMEM;
        }
    }
    w->legs = work->legs.data;
    w->arcs = work->arcs.data;
    return HT_OK;
}

static enum ht_status plain_pieces(struct writer *w)
{
    struct ht_osrm_list *list = &w->job->work->pieces;
    enum ht_status status = ht_osrm_list_resize(list, w->found->leg_count, sizeof(struct piece));
    struct piece *pieces = list->data;
    for (uint32_t i = 0; status == HT_OK && i < w->found->leg_count; i++) {
        pieces[i] = (struct piece){.first = i, .end = i + 1};
    }
    w->legs = w->found->legs;
    w->arcs = w->found->arcs;
    return status;
}

static void write_totals(const struct writer *w, const struct piece *pieces, size_t count)
{
    struct tenths sum = {0};
    for (size_t i = 0; i < count; i++) {
        struct tenths cost = piece_cost(w, &pieces[i]);
        sum.length += cost.length;
        sum.duration += cost.duration;
        sum.weight += cost.weight;
    }
    write_cost(w->json, &sum);
    ht_json_key_text(w->json, "weight_name", ht_osrm_weight_name(w->job->road->graph));
}

/* All that is written from here on is read from these. */
static void gather(const struct writer *w)
{
    for (uint32_t i = 0; i < w->found->leg_count; i++) {
        const struct ht_leg *leg = &w->found->legs[i];
        ht_gather(w->job->road->network, w->job->road->graph, w->found->arcs + leg->first_arc,
                  leg->arc_count);
    }
}

static enum ht_status write_body(const struct writer *w, struct piece *pieces, size_t count)
{
    const struct ht_osrm_request *request = w->job->request;
    const struct ht_shape *shape = &w->job->work->shape;
    enum ht_status status = HT_OK;
    gather(w);
    if (request->annotate || request->overview != HT_OSRM_OVERVIEW_NONE) {
        status = build_shape(w, pieces, count);
    }
    if (status == HT_OK && request->overview != HT_OSRM_OVERVIEW_NONE) {
        status = write_overview(w, pieces, count);
    }
    ht_json_key(w->json, "legs");
    ht_json_array(w->json);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        size_t end = i + 1 < count ? pieces[i + 1].point : shape->point_count;
        status = write_leg(w, pieces, i, end);
    }
    ht_json_array_end(w->json);
    return status;
}

enum ht_status ht_osrm_write_route(struct ht_osrm_job *job, struct ht_json *json,
                                   const struct ht_route_found *found,
                                   const struct ht_osrm_list *waypoints)
{
    struct writer w = {.job = job, .json = json, .found = found};
    bool silent = waypoints != NULL && waypoints->count > 0;
    enum ht_status status = silent ? collapse(&w, waypoints) : plain_pieces(&w);
    if (status != HT_OK) {
        return status;
    }
    struct piece *pieces = job->work->pieces.data;
    size_t count = job->work->pieces.count;
    job->work->line.count = 0;
    ht_json_object(json);
    write_totals(&w, pieces, count);
    if (job->confidence != NULL) {
        ht_json_key_double(json, "confidence", *job->confidence, 6);
    }
    status = write_body(&w, pieces, count);
    ht_json_object_end(json);
    return status;
}
