#include "engine/plan/stable.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/array.h"

struct match {
    const struct ht_stable_problem *problem;
    uint32_t *rank;  /* [posts * applicants] of an applicant with a post; NONE: not acceptable */
    uint32_t *next;  /* [applicants] where in its list it proposes next */
    uint32_t *taken; /* [posts] places */
    uint32_t *post_of;
    uint32_t *held;  /* applicants of posts, as heaps: the least wanted on top */
    size_t *held_at; /* [posts] */
};

/* ---- lists ---- */

static enum ht_status lists_read(struct match *m, struct ht_error *error)
{
    const struct ht_stable_problem *p = m->problem;
    for (size_t i = 0; i < (size_t)p->post_count * p->applicant_count; i++) {
        m->rank[i] = HT_STABLE_NONE;
    }
    for (uint32_t post = 0; post < p->post_count; post++) {
        uint32_t *rank = m->rank + (size_t)post * p->applicant_count;
        for (uint32_t k = 0; k < p->posts[post].count; k++) {
            uint32_t who = p->posts[post].wanted[k];
            if (who >= p->applicant_count || rank[who] != HT_STABLE_NONE) {
                return ht_error_set(error, HT_INVALID, post,
                                    "post %u names applicant %u twice, or there is none", post,
                                    who);
            }
            rank[who] = k;
        }
    }
    /* `taken` marks whom an applicant has named, and is cleared behind. */
    for (uint32_t who = 0; who < p->applicant_count; who++) {
        const struct ht_stable_list *list = &p->applicants[who];
        for (uint32_t k = 0; k < list->count; k++) {
            uint32_t post = list->wanted[k];
            if (post >= p->post_count || m->taken[post] == who + 1) {
                return ht_error_set(error, HT_INVALID, who,
                                    "applicant %u names post %u twice, or there is none", who,
                                    post);
            }
            m->taken[post] = who + 1;
        }
    }
    for (uint32_t post = 0; post < p->post_count; post++) {
        m->taken[post] = 0;
    }
    return HT_OK;
}

static uint32_t places_of(const struct ht_stable_problem *p, uint32_t post)
{
    uint32_t places = p->places == NULL ? 1 : p->places[post];
    return places < p->posts[post].count ? places : p->posts[post].count;
}

/* ---- what a post holds: a heap, the least wanted first ---- */

static void heap_up(uint32_t *heap, const uint32_t *rank, uint32_t at)
{
    uint32_t who = heap[at];
    while (at > 0 && rank[heap[(at - 1) / 2]] < rank[who]) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = who;
}

static void heap_down(uint32_t *heap, const uint32_t *rank, uint32_t count)
{
    uint32_t at = 0;
    uint32_t who = heap[0];
    for (;;) {
        uint32_t below = 2 * at + 1;
        if (below + 1 < count && rank[heap[below + 1]] > rank[heap[below]]) {
            below++;
        }
        if (below >= count || rank[heap[below]] <= rank[who]) {
            break;
        }
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = who;
}

/* One proposal; the applicant who stays without by it, or NONE. */
static uint32_t propose(struct match *m, uint32_t who, uint32_t post)
{
    const struct ht_stable_problem *p = m->problem;
    const uint32_t *rank = m->rank + (size_t)post * p->applicant_count;
    uint32_t *heap = m->held + m->held_at[post];
    uint32_t places = places_of(p, post);
    if (rank[who] == HT_STABLE_NONE || places == 0) {
        return who;
    }
    if (m->taken[post] < places) {
        heap[m->taken[post]] = who;
        heap_up(heap, rank, m->taken[post]++);
        m->post_of[who] = post;
        return HT_STABLE_NONE;
    }
    uint32_t last = heap[0];
    if (rank[who] > rank[last]) {
        return who;
    }
    heap[0] = who;
    heap_down(heap, rank, places);
    m->post_of[who] = post;
    m->post_of[last] = HT_STABLE_NONE;
    return last;
}

enum ht_status ht_stable_match(const struct ht_stable_problem *problem, uint32_t *post_of,
                               struct ht_error *error)
{
    struct match m = {.problem = problem, .post_of = post_of};
    size_t pairs = (size_t)problem->post_count * problem->applicant_count;
    size_t held = 0;
    if (pairs > HT_STABLE_PAIRS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d pairs", HT_STABLE_PAIRS_MOST);
    }
    m.rank = ht_array_new(pairs, sizeof *m.rank);
    m.next = ht_array_new_zeroed(problem->applicant_count, sizeof *m.next);
    m.taken = ht_array_new_zeroed(problem->post_count, sizeof *m.taken);
    m.held = ht_array_new(pairs, sizeof *m.held);
    m.held_at = ht_array_new(problem->post_count, sizeof *m.held_at);
    enum ht_status status =
        m.rank == NULL || m.next == NULL || m.taken == NULL || m.held == NULL || m.held_at == NULL
            ? HT_NOMEM
            : lists_read(&m, error);
    for (uint32_t post = 0; post < problem->post_count && status == HT_OK; post++) {
        m.held_at[post] = held;
        held += places_of(problem, post);
    }
    for (uint32_t i = 0; i < problem->applicant_count; i++) {
        post_of[i] = HT_STABLE_NONE;
    }
    for (uint32_t i = 0; i < problem->applicant_count && status == HT_OK; i++) {
        uint32_t who = i;
        while (who != HT_STABLE_NONE && m.next[who] < problem->applicants[who].count) {
            who = propose(&m, who, problem->applicants[who].wanted[m.next[who]++]);
        }
    }
    free(m.rank);
    free(m.next);
    free(m.taken);
    free(m.held);
    free(m.held_at);
    return status;
}
