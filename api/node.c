#include "api/node.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/metrics.h"

struct ht_node {
    pthread_mutex_t lock;
    struct ht_node_state state;
    char key[HT_DIGEST_TEXT]; /* "" not known yet */
};

enum ht_status ht_node_new(struct ht_node **out)
{
    struct ht_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_init(&node->lock, NULL);
    *out = node;
    return HT_OK;
}

void ht_node_free(struct ht_node *node)
{
    if (node != NULL) {
        (void)pthread_mutex_destroy(&node->lock);
        free(node);
    }
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

struct ht_node_state ht_node_get(struct ht_node *node)
{
    (void)pthread_mutex_lock(&node->lock);
    struct ht_node_state state = node->state;
    (void)pthread_mutex_unlock(&node->lock);
    state.desk = state.desk && steady_ms() < state.sure_ms;
    return state;
}

void ht_node_set(struct ht_node *node, const struct ht_node_state *state)
{
    (void)pthread_mutex_lock(&node->lock);
    node->state = *state;
    (void)pthread_mutex_unlock(&node->lock);
}

enum ht_status ht_node_key_set(struct ht_node *node, const unsigned char secret[HT_STORE_SECRET])
{
    static const char what[] = "houtao nodes\n";
    char key[HT_DIGEST_TEXT];
    const struct ht_bytes part = {what, sizeof what - 1};
    enum ht_status status = ht_hmac(secret, HT_STORE_SECRET, &part, 1, key);
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&node->lock);
        memcpy(node->key, key, sizeof key);
        (void)pthread_mutex_unlock(&node->lock);
    }
    return status;
}

bool ht_node_key_get(struct ht_node *node, char out[HT_DIGEST_TEXT])
{
    (void)pthread_mutex_lock(&node->lock);
    memcpy(out, node->key, sizeof node->key);
    (void)pthread_mutex_unlock(&node->lock);
    return out[0] != '\0';
}

void ht_node_metrics(struct ht_node *node, struct ht_buffer *out)
{
    if (node == NULL) {
        return;
    }
    const struct ht_node_state state = ht_node_get(node);
    int64_t lag = state.seq > state.own ? state.seq - state.own : 0;
    ht_metrics_gauge(out, "houtao_node_desk", "gauge", "1 where this node decides.", state.desk);
    ht_metrics_gauge(out, "houtao_node_desk_known", "gauge", "1 where some node does.",
                     state.known);
    ht_metrics_gauge(out, "houtao_node_record_up", "gauge", "1 while the database answers.",
                     state.heard);
    ht_metrics_gauge(out, "houtao_node_epoch", "gauge", "The epoch of the desk.",
                     (double)state.epoch);
    ht_metrics_gauge(out, "houtao_node_seq", "gauge", "The last event that this node knows.",
                     (double)state.own);
    ht_metrics_gauge(out, "houtao_node_lag_events", "gauge",
                     "Events of the table that it does not know yet.", (double)lag);
    ht_metrics_gauge(out, "houtao_nodes", "gauge", "Nodes of the district.", (double)state.nodes);
    ht_metrics_gauge(out, "houtao_node_turns_total", "counter",
                     "How often this node became desk or follower.", (double)state.turns);
}
