/* Topics: what events are about, as subscribers of the stream and webhooks name it.
 *
 * Threading: constant tables, pure functions.
 */
#ifndef HT_API_TOPICS_H
#define HT_API_TOPICS_H

#include <stddef.h>
#include <stdint.h>

/* X(NAME, name) */
#define HT_TOPIC_MAP(X)                                                                            \
    X(POSITIONS, positions)                                                                        \
    X(INCIDENTS, incidents)                                                                        \
    X(ORDERS, orders)                                                                              \
    X(VISITS, visits)                                                                              \
    X(ZONES, zones)                                                                                \
    X(FENCES, fences)                                                                              \
    X(RECTIFICATIONS, rectifications)                                                              \
    X(TRAFFIC, traffic)                                                                            \
    X(REGISTRY, registry)                                                                          \
    X(OTHER, other)                                                                                \
    X(SETTINGS, settings)                                                                          \
    X(AUDIT, audit)

enum ht_topic {
#define HT_TOPIC_ENUM(NAME, name) HT_TOPIC_##NAME,
    HT_TOPIC_MAP(HT_TOPIC_ENUM)
#undef HT_TOPIC_ENUM
        HT_TOPIC_COUNT
};

const char *ht_topic_name(enum ht_topic topic);
/* HT_TOPIC_COUNT: no such topic. */
enum ht_topic ht_topic_of(const char *name, size_t size);
/* By an event's kind (up to its dot), and for items of the registry by their collection in the
 * subject; HT_TOPIC_AUDIT for reads of what is personal, HT_TOPIC_OTHER for what is the server's
 * own. */
enum ht_topic ht_topic_of_event(const char *kind, const char *subject);

#endif
