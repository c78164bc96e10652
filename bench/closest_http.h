/* Closest over the port: 20,000 units that move, asked by one keep-alive connection.
 *
 * Threading: the main thread, before others are started (it forks). What fails ends the program.
 */
#ifndef HT_BENCH_CLOSEST_HTTP_H
#define HT_BENCH_CLOSEST_HTTP_H

#include <stdio.h>

#include "geodata/hnet.h"

/* Prints a row, units of the network's first profile, beside its bound, and adds it to `json`
 * (NULL: nowhere) as a member of a list that has one. */
void ht_bench_closest_http(const char *network, struct ht_hnet *file, FILE *json);

#endif
