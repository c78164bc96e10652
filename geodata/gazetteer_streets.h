/* Streets for searching: one item for each street name of a network, with a point on it.
 *
 * Its id is "way/" and the OSM number of the longest way of that name, its point the middle of that
 * way, its label the names as a JSON object: {"name", "name:zh", "name:en"}, as far as the network
 * holds them; each of them finds it.
 *
 * Threading: as the batch. Ownership: the network is borrowed for the call.
 */
#ifndef HT_GEODATA_GAZETTEER_STREETS_H
#define HT_GEODATA_GAZETTEER_STREETS_H

#include "engine/road/network.h"
#include "geodata/gazetteer.h"

/* Takes the streets that the index has out and puts those of the network (NULL: none) in. */
HT_MUST_CHECK enum ht_status ht_gazetteer_streets(const struct ht_network *network,
                                                  struct ht_gazetteer_batch *batch);

#endif
