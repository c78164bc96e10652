#include "api/topics.h"

#include <string.h>

static const char *const names[HT_TOPIC_COUNT] = {
#define HT_TOPIC_TEXT(NAME, name) #name,
    HT_TOPIC_MAP(HT_TOPIC_TEXT)
#undef HT_TOPIC_TEXT
};

const char *ht_topic_name(enum ht_topic topic)
{
    return names[topic];
}

enum ht_topic ht_topic_of(const char *name, size_t size)
{
    int topic = 0;
    while (topic < HT_TOPIC_COUNT &&
           (strlen(names[topic]) != size || memcmp(names[topic], name, size) != 0)) {
        topic++;
    }
    return (enum ht_topic)topic;
}

enum ht_topic ht_topic_of_event(const char *kind, const char *subject)
{
    static const struct {
        const char *kind;
        enum ht_topic topic;
    } topics[] = {
        {"incident", HT_TOPIC_INCIDENTS},
        {"order", HT_TOPIC_ORDERS},
        {"stop", HT_TOPIC_ORDERS},
        {"visit", HT_TOPIC_VISITS},
        {"round", HT_TOPIC_VISITS},
        {"zone", HT_TOPIC_ZONES},
        {"regime", HT_TOPIC_ZONES},
        {"fence", HT_TOPIC_FENCES},
        {"rectification", HT_TOPIC_RECTIFICATIONS},
        {"traffic", HT_TOPIC_TRAFFIC},
        {"network", HT_TOPIC_TRAFFIC},
        {"item", HT_TOPIC_REGISTRY},
        {"items", HT_TOPIC_REGISTRY},
        {"setting", HT_TOPIC_SETTINGS},
        {"personal", HT_TOPIC_AUDIT},
    };
    size_t size = strcspn(kind, ".");
    enum ht_topic topic = HT_TOPIC_OTHER;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (strlen(topics[i].kind) == size && memcmp(topics[i].kind, kind, size) == 0) {
            topic = topics[i].topic;
        }
    }
    return topic == HT_TOPIC_REGISTRY && strncmp(subject, "zones/", 6) == 0 ? HT_TOPIC_ZONES
                                                                            : topic;
}
