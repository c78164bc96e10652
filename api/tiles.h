/* Tiles: GET /tiles/{streets | collection}/{z}/{x}/{y}.mvt, the town as vector tiles.
 *
 *   loop     what is asked; streets that the cache has are answered at once
 *   worker   the cache, by what the tile is made of; else the tile is made and kept
 *   writer   where it says who is frail: the audit row, or the tile without
 *
 * A tile has an ETag over its bytes; a browser asks again each time and gets 304 while nothing
 * changed, since what a role may see is nobody else's cache's business (private, no-cache).
 *
 * Who is frail is told only where that is asked for (`frail=true`, of households, by dispatchers
 * and admins), and each such answer that is not 304 leaves an audit row first. Where that can't be
 * written the tile comes without, with the header `Personal: withheld`.
 *
 * Streets, which tell of nobody, are also for who follows an order (api/orders.h).
 *
 * Threading: as the server calls it. Ownership: an ht_tiles belongs to the app; it holds the map
 * whose streets it knows until another is published.
 */
#ifndef HT_API_TILES_H
#define HT_API_TILES_H

#include "api/app.h"

struct ht_tiles;

HT_MUST_CHECK enum ht_status ht_tiles_new(struct ht_tiles **out);
void ht_tiles_free(struct ht_tiles *tiles); /* NULL is fine */
/* Lets go of a map that is not the present one any more. */
void ht_tiles_refresh(struct ht_tiles *tiles, const struct ht_world *now);

void ht_tiles_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_tiles_metrics(struct ht_tiles *tiles, struct ht_buffer *out);

#endif
