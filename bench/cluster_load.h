/* Cluster load: the same load on one, two or three nodes of a record, shared out evenly among them.
 *
 * A thread for each node. Threading: from the main thread. What fails ends the program.
 */
#ifndef HT_BENCH_CLUSTER_LOAD_H
#define HT_BENCH_CLUSTER_LOAD_H

#include "bench/server.h"

enum {
    HT_CLUSTER_LOAD_NODES = 3,
    HT_CLUSTER_LOAD_LINES = 16,   /* connections to a node */
    HT_CLUSTER_LOAD_BATCH = 50,   /* positions in a request */
    HT_CLUSTER_LOAD_UNITS = 2400, /* "u0" and so on, which have to be there: nodes, lines, batch */
};

/* Of all nodes together. */
struct ht_cluster_rate {
    double per_s;
    double p99_ms; /* of the node where it is longest */
    double cpu_us; /* of the nodes' processes, for each; without the database */
};

/* Routes across the sample town, for some seconds. */
struct ht_cluster_rate ht_cluster_reads(const struct ht_bench_server *nodes, int count);
/* New orders of kitchen "k1", `each` at a node; their ids begin with `mark`. */
struct ht_cluster_rate ht_cluster_commands(const struct ht_bench_server *nodes, int count, int each,
                                           const char *mark);
/* Positions in batches, `each` batches at a node. */
struct ht_cluster_rate ht_cluster_positions(const struct ht_bench_server *nodes, int count,
                                            int each);

#endif
