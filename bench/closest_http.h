/* Closest over the port: 20,000 units that move, asked by one keep-alive connection.
 *
 * Threading: the main thread, before others are started (it forks). What fails ends the program.
 */
#ifndef HT_BENCH_CLOSEST_HTTP_H
#define HT_BENCH_CLOSEST_HTTP_H

#include <stdio.h>

#include "geodata/hnet.h"

/* Prints two rows, units of the first profile alone and of all profiles, beside their bound, and
 * adds them to `json` (NULL: nowhere) as members of a list that has one. */
void ht_bench_closest_http(const char *network, struct ht_hnet *file, FILE *json);

#endif
