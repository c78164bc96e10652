/* Territories: which inspector keeps which sites, before a round is planned.
 *
 *   POST /v1/territories {"collection": "factories", "sites"?, "filter"?, "inspectors"?,
 * "balance"?, "from"?, "weeks"?, and the wishes of POST /v1/rounds}
 *     --> {territories[{inspector, hours, way_s, sites[{site, visits, way_s, load_s, why}]}],
 *          unassigned[{site, reason}], summary}
 *
 * By travel, load and the borders of cells (engine/plan/territory.h). Where inspectors have wishes
 * for posts, and posts for inspectors, they are matched first, so that no inspector and post would
 * rather have each other (engine/plan/stable.h), and the sites of a post are divided among those
 * who got it:
 *
 *   "posts": [{"id": "port", "places": 2, "wanted": ["i3", "i1"], "sites": ["f1", "f2"]}],
 *   "inspectors": [{"id": "i1", "wanted": ["port", "hill"]}]
 *     --> posts[{id, places, inspectors[]}], matches[{inspector, post, wish, rank}], without[]
 *
 * Who says nothing wants all, the nearest first. Nothing is kept: the answer is for "inspector" of
 * the sites of a round, or of the registry.
 *
 * Threading: with the thread's own context; all work is a job's. Households tell who is frail: each
 * such answer leaves an audit row.
 */
#ifndef HT_API_TERRITORIES_H
#define HT_API_TERRITORIES_H

#include "api/app.h"

void ht_territories_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
