/* Isochrone: which pieces of which streets can be reached within a time from a place, or from which
 * it can be reached.
 *
 * Exact to the millimetre of street: a point belongs to a piece when the cheapest way between it
 * and the place, as ht_query_cost and the oracle (dijkstra.h) give it, takes no longer than the
 * limit. A street is driven from both ends, so what is reached of it is a beginning, an end, or
 * both; a trip pays its share of the last arc by length, rounded half up (ht_share).
 *
 *     |=====>                 <==|      from one end until the time is up, and from the other
 *     tail of an arc          head
 *
 * The limit is on duration. Profiles other than `car` minimize it (but for penalties); `car`
 * minimizes its routability weight, and there the way of least weight counts, though a dearer one
 * might be quicker: a route to the point would show the same time.
 *
 * Way: the label of the place gives its costs to all its ancestors in the elimination tree; from
 * there costs go down the tree row by row, by falling rank, in one array by depth (PHAST: Delling,
 * Goldberg, Nowatzyk, Werneck 2011). Subtrees whose entries are all slower than the limit are left
 * out (region.h), as isoPHAST does with the cells of a partition (Baum, Buchhold, Dibbelt, Wagner
 * 2016, "Fast Exact Computation of Isochrones in Road Networks"). Of 1.5 million arcs it computes
 * 7,000 in 300 s, 20,000 in 600 s, in 2 and 5 ms. Bounded Dijkstra is on a par with that where
 * weight is duration (0.7, 4 ms), but where it is not it may only stop when nothing quick is left
 * in its queue (`car`: 66, 168 ms), and it would have to be told of the live metric
 * (bench_isochrone).
 *
 * Live metrics and closed turns count, since only the metric is asked; what is paid within an arc
 * is the graph's, as everywhere. Nothing in the hierarchy leads out of an arc with a closed piece:
 * towards the place the turns out of it say what lies behind that piece.
 *
 * Threading: streets are read-only once made; one ht_isochrone for each thread. It allocates only
 * to grow, not at all once it has seen as much. Ownership: streets borrow nothing, the workspace
 * borrows the road from a run to its last ht_isochrone_pieces. Errors: HT_NOMEM, HT_RANGE.
 */
#ifndef HT_ENGINE_ROAD_ISOCHRONE_H
#define HT_ENGINE_ROAD_ISOCHRONE_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/road/query.h"

/* What is known of a hierarchy beforehand, whatever its metric. Linear: 0.15 s for 1.5 million
 * arcs, 4 bytes each. */
struct ht_isochrone_streets;
HT_MUST_CHECK enum ht_status ht_isochrone_streets_new(const struct ht_cch *cch,
                                                      struct ht_isochrone_streets **out);
/* The same with regions of at least `least` vertices; for tests and benches. */
HT_MUST_CHECK enum ht_status ht__isochrone_streets_make(const struct ht_cch *cch, uint32_t least,
                                                        struct ht_isochrone_streets **out);
void ht_isochrone_streets_free(struct ht_isochrone_streets *streets);
/* Its regions, with both HT_REGION_OUT and HT_REGION_IN; they live as long. */
struct ht_regions;
const struct ht_regions *ht_isochrone_regions(const struct ht_isochrone_streets *streets);

struct ht_isochrone;
HT_MUST_CHECK enum ht_status ht_isochrone_new(struct ht_isochrone **out);
void ht_isochrone_free(struct ht_isochrone *isochrone);

#define HT_ISOCHRONE_MOST_MS (UINT32_C(36000) * 1000) /* the longest limit */

struct ht_isochrone_ask {
    const struct ht_road *road;
    const struct ht_isochrone_streets *streets; /* of the road's hierarchy */
    const struct ht_place *place;
    bool towards; /* ways lead to the place, not from it */
    uint32_t limit_ms;
};

/* Finds all that lies within the limit. HT_RANGE: that is past HT_ISOCHRONE_MOST_MS. */
HT_MUST_CHECK enum ht_status ht_isochrone_run(struct ht_isochrone *isochrone,
                                              const struct ht_isochrone_ask *ask);

/* Of base arc `arc`, from its tail, both ends included; they may be the same. A street that may be
 * driven both ways is told of by the lower of its two arcs. */
struct ht_isochrone_piece {
    uint32_t arc;
    uint32_t from_mm;
    uint32_t to_mm;
};

/* After a run: the pieces within `limit_ms`, which may be anything up to the run's, so that several
 * limits need one run. Those of one street follow each other, rising and apart. They live until the
 * next call. Linear in what the run reached. */
HT_MUST_CHECK enum ht_status ht_isochrone_pieces(struct ht_isochrone *isochrone, uint32_t limit_ms,
                                                 const struct ht_isochrone_piece **pieces,
                                                 size_t *count);

/* After a run: vertices of the hierarchy that it computed, for benches. */
size_t ht_isochrone_swept(const struct ht_isochrone *isochrone);

#endif
