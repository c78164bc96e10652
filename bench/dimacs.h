/* DIMACS challenge 9 road networks (.gr.gz, .co.gz) as a network without names or restrictions: the
 * core alone on a graph that papers report. http://www.diag.uniroma1.it/challenge9/format.shtml
 *
 * Ownership: the result owns all; freed with ht_dimacs_free. U-turns are forbidden but at dead
 * ends.
 */
#ifndef HT_BENCH_DIMACS_H
#define HT_BENCH_DIMACS_H

#include "engine/base/status.h"
#include "engine/road/network.h"

struct ht_dimacs;

/* `time_path`: arc times in hundredths of a second (.gr.gz), `place_path`: coordinates (.co.gz). */
HT_MUST_CHECK enum ht_status ht_dimacs_load(const char *time_path, const char *place_path,
                                            struct ht_dimacs **out);
void ht_dimacs_free(struct ht_dimacs *dimacs);
const struct ht_network *ht_dimacs_network(const struct ht_dimacs *dimacs);

#endif
