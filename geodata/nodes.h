/* Nodes: the processes that serve one record in a database, and which of them is its desk.
 *
 *   node --- tells of itself, twice a second ---> houtao_nodes --- who is the desk, where ---> node
 *   desk --- commits -------- NOTIFY -----------> each node, which reads what is new
 *
 * The desk is who holds the district's advisory lock (geodata/store.h, `desk`); its epoch stands in
 * `desks` and in each of its events. The table here decides nothing: it says where commands go, and
 * how long the desk was silent. A lock outlives a process that is stopped, or whose machine is cut
 * off: whoever finds the desk silent for longer than the lease ends the session that has the lock.
 * Should the old desk wake up, its epoch is over, and it writes nothing more.
 *
 * A notification is a hint and may be lost; what is true is in the tables.
 *
 * Threading: from one thread at a time. Ownership: texts are copied. Errors: HT_UNSUPPORTED (a
 * file), HT_NOT_FOUND (no store yet), HT_READ_ONLY (this user may not write), HT_IO, HT_NOMEM.
 */
#ifndef HT_GEODATA_NODES_H
#define HT_GEODATA_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_nodes;

enum { HT_NODE_URL = 256 };

/* Joins those of the store at `path` (a URL) for a district (NULL: "main"). A connection that is
 * lost later is made again by itself. */
HT_MUST_CHECK enum ht_status ht_nodes_open(const char *path, const char *district,
                                           struct ht_nodes **out, struct ht_error *error);
/* Leaves; NULL is fine. */
void ht_nodes_close(struct ht_nodes *nodes);

/* What a node tells of itself. */
struct ht_node_told {
    const char *url; /* where it answers HTTP */
    int64_t epoch;   /* that it decides in; 0: it follows */
    int64_t seq;     /* the last event that it knows */
};

/* What a node learns. */
struct ht_node_view {
    int64_t epoch;         /* the last that began; 0: none did */
    bool held;             /* somebody has the desk's lock */
    bool known;            /* the desk of that epoch told of itself: what follows is its */
    int64_t silent_ms;     /* how long ago, by the database's clock */
    char url[HT_NODE_URL]; /* where it answers */
    int64_t seq;           /* the last event of the table */
    int64_t nodes;         /* that told of themselves within ten seconds */
};
HT_MUST_CHECK enum ht_status ht_nodes_tell(struct ht_nodes *nodes, const struct ht_node_told *told,
                                           struct ht_node_view *view, struct ht_error *error);

/* Ends the session that has the lock, where the desk of `epoch` has been silent for `lease_ms`. */
HT_MUST_CHECK enum ht_status ht_nodes_oust(struct ht_nodes *nodes, int64_t epoch, int64_t lease_ms,
                                           struct ht_error *error);

/* Waits for a commit of anybody, `ms` at most, or until `wake_fd` can be read. True: there was one.
 */
bool ht_nodes_wait(struct ht_nodes *nodes, int wake_fd, int ms);

#endif
