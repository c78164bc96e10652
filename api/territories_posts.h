/* Territories posts: inspectors and posts that have wishes for each other, read and matched.
 *
 * Threading: pure. Ownership: a struct owns its lists; ids are borrowed from the tree and the
 * scene. Errors: HT_SYNTAX, HT_INVALID with what is wrong; HT_NOMEM.
 */
#ifndef HT_API_TERRITORIES_POSTS_H
#define HT_API_TERRITORIES_POSTS_H

#include <yajl/yajl_tree.h>

#include "api/rounds_scene.h"

enum { HT_POSTS_MOST = 500, HT_POST_PLACES_MOST = 1000 };

struct ht_post {
    const char *id;
    uint32_t places;
    uint32_t *wanted; /* inspectors, the most wanted first */
    uint32_t wanted_count;
    uint32_t *sites;
    uint32_t site_count;
};

struct ht_posts {
    struct ht_post *list;
    uint32_t count;    /* 0: nobody has any wish */
    uint32_t **wanted; /* [inspectors] of each, posts */
    uint32_t *wanted_count;
    uint32_t inspector_count;
    uint32_t *post_of; /* [inspectors] HT_PLAN_NONE: none */
};

/* `way_s`: [inspectors * sites] for those who say nothing; UINT32_MAX: none. `site_count` of the
 * scene's sites are real ones. */
struct ht_posts_town {
    const struct ht_round_scene *scene;
    const uint32_t *way_s;
    uint32_t site_count;
};

/* Reads `posts` and `inspectors[].wanted` of a body, and matches them. */
HT_MUST_CHECK enum ht_status ht_posts_match(yajl_val body, const struct ht_posts_town *town,
                                            struct ht_round_wrongs *wrongs, struct ht_posts *out);
void ht_posts_deinit(struct ht_posts *posts);

/* The place of one in a list, from 1 on; 0: it is not there. */
uint32_t ht_posts_rank(const uint32_t *list, uint32_t count, uint32_t one);

#endif
