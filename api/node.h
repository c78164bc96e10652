/* Node: what a process knows of those that serve the same record (geodata/nodes.h), for whoever
 * asks within it. api/nodes.h keeps it up.
 *
 * Threading: it locks itself. Ownership: outlives the apps that know it.
 */
#ifndef HT_API_NODE_H
#define HT_API_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "geodata/digest.h"
#include "geodata/nodes.h"
#include "geodata/store.h"

struct ht_buffer;
struct ht_node;

struct ht_node_state {
    bool desk;             /* this process is, by what the database said within the lease */
    bool known;            /* some process is; `url` is where */
    bool heard;            /* the database answers */
    char url[HT_NODE_URL]; /* of the desk */
    int64_t epoch;
    int64_t seq;     /* the last event of the table */
    int64_t own;     /* the last one that this process knows */
    int64_t nodes;   /* that there are */
    int64_t turns;   /* how often this process became desk or follower */
    int64_t sure_ms; /* until when `desk` is sure, by a steady clock: it is false afterwards */
};

HT_MUST_CHECK enum ht_status ht_node_new(struct ht_node **out);
void ht_node_free(struct ht_node *node);
struct ht_node_state ht_node_get(struct ht_node *node);
void ht_node_set(struct ht_node *node, const struct ht_node_state *state);

/* What the nodes of a record know each other by, made of a secret of it: whoever can't read that
 * does not know it. Sets it; HT_NOMEM. */
#define HT_NODE_SECRET "nodes"
HT_MUST_CHECK enum ht_status ht_node_key_set(struct ht_node *node,
                                             const unsigned char secret[HT_STORE_SECRET]);
/* False: it is not known yet. */
bool ht_node_key_get(struct ht_node *node, char out[HT_DIGEST_TEXT]);

/* Nothing where `node` is NULL. */
void ht_node_metrics(struct ht_node *node, struct ht_buffer *out);

#endif
