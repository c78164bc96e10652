#include "engine/plan/stable.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { MOST = 64 };

/* Applicants and posts with memory of their own. */
struct market {
    struct ht_stable_problem problem;
    struct ht_stable_list applicants[MOST];
    struct ht_stable_list posts[MOST];
    uint32_t wanted[2][MOST][MOST];
    uint32_t places[MOST];
    uint32_t post_of[MOST];
};

static struct market m;

static uint32_t list_make(uint64_t *state, uint32_t count, uint32_t *list)
{
    for (uint32_t i = 0; i < count; i++) {
        list[i] = i;
    }
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = ht_random_below(state, i + 1);
        uint32_t one = list[i];
        list[i] = list[j];
        list[j] = one;
    }
    return ht_random_below(state, 3) == 0 ? ht_random_below(state, count + 1) : count;
}

static void market_make(uint64_t *state, uint32_t applicants, uint32_t posts, uint32_t most)
{
    m.problem = (struct ht_stable_problem){.applicant_count = applicants,
                                           .post_count = posts,
                                           .applicants = m.applicants,
                                           .posts = m.posts,
                                           .places = m.places};
    for (uint32_t i = 0; i < applicants; i++) {
        m.applicants[i].wanted = m.wanted[0][i];
        m.applicants[i].count = list_make(state, posts, m.wanted[0][i]);
    }
    for (uint32_t i = 0; i < posts; i++) {
        m.posts[i].wanted = m.wanted[1][i];
        m.posts[i].count = list_make(state, applicants, m.wanted[1][i]);
        m.places[i] = ht_random_below(state, most + 1);
    }
}

/* Where somebody stands in a list; its length when not. */
static uint32_t rank(const struct ht_stable_list *list, uint32_t who)
{
    uint32_t at = 0;
    while (at < list->count && list->wanted[at] != who) {
        at++;
    }
    return at;
}

static bool fits(uint32_t applicant, uint32_t post)
{
    return rank(&m.applicants[applicant], post) < m.applicants[applicant].count &&
           rank(&m.posts[post], applicant) < m.posts[post].count;
}

/* No post holds more than its places, nobody one that is not acceptable, and no applicant and post
 * would rather have each other than what they have. */
static bool is_stable(const uint32_t *post_of)
{
    uint32_t taken[MOST] = {0};
    uint32_t worst[MOST] = {0}; /* rank of the least wanted that a post holds */
    for (uint32_t a = 0; a < m.problem.applicant_count; a++) {
        if (post_of[a] == HT_STABLE_NONE) {
            continue;
        }
        if (post_of[a] >= m.problem.post_count || !fits(a, post_of[a])) {
            return false;
        }
        uint32_t r = rank(&m.posts[post_of[a]], a);
        worst[post_of[a]] = r > worst[post_of[a]] ? r : worst[post_of[a]];
        taken[post_of[a]]++;
    }
    for (uint32_t p = 0; p < m.problem.post_count; p++) {
        if (taken[p] > m.places[p]) {
            return false;
        }
        for (uint32_t a = 0; a < m.problem.applicant_count; a++) {
            bool rather = fits(a, p) &&
                          rank(&m.applicants[a], p) < (post_of[a] == HT_STABLE_NONE
                                                           ? m.applicants[a].count
                                                           : rank(&m.applicants[a], post_of[a]));
            bool wanted =
                m.places[p] > 0 && (taken[p] < m.places[p] || rank(&m.posts[p], a) < worst[p]);
            if (rather && wanted) {
                return false;
            }
        }
    }
    return true;
}

HT_CASE(no_pair_would_rather_have_each_other)
{
    uint64_t state = 31;
    uint32_t matched = 0;
    uint32_t without = 0;
    for (int i = 0; i < 500; i++) {
        market_make(&state, ht_random_below(&state, 40), 1 + ht_random_below(&state, 20), 4);
        HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, NULL), HT_OK);
        HT_CHECK(is_stable(m.post_of));
        for (uint32_t a = 0; a < m.problem.applicant_count; a++) {
            matched += m.post_of[a] != HT_STABLE_NONE;
            without += m.post_of[a] == HT_STABLE_NONE;
        }
    }
    HT_CHECK(matched > 1000 && without > 1000);
}

/* Two that swap, or one that leaves: is_stable sees it. */
HT_CASE(a_matching_that_is_not_stable_is_seen)
{
    uint64_t state = 33;
    uint32_t seen = 0;
    for (int i = 0; i < 200; i++) {
        market_make(&state, 10, 6, 2);
        HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, NULL), HT_OK);
        for (uint32_t a = 0; a < 10; a++) {
            uint32_t was = m.post_of[a];
            m.post_of[a] = HT_STABLE_NONE;
            seen += was != HT_STABLE_NONE && !is_stable(m.post_of);
            HT_CHECK(was == HT_STABLE_NONE || !is_stable(m.post_of));
            m.post_of[a] = was;
        }
    }
    HT_CHECK(seen > 500);
}

/* ---- all stable matchings of small markets ---- */

struct all {
    uint32_t post_of[MOST];
    uint32_t best[MOST]; /* the best rank that any stable one gives */
    uint32_t stable;
    bool same_without; /* the same stay without in all */
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as there are applicants
static void try_all(struct all *all, uint32_t a)
{
    if (a < m.problem.applicant_count) {
        for (uint32_t p = 0; p <= m.problem.post_count; p++) {
            all->post_of[a] = p == m.problem.post_count ? HT_STABLE_NONE : p;
            try_all(all, a + 1);
        }
        return;
    }
    if (is_stable(all->post_of)) {
        all->stable++;
        for (uint32_t i = 0; i < m.problem.applicant_count; i++) {
            bool none = all->post_of[i] == HT_STABLE_NONE;
            uint32_t r = none ? MOST : rank(&m.applicants[i], all->post_of[i]);
            all->best[i] = r < all->best[i] ? r : all->best[i];
            all->same_without = all->same_without && none == (m.post_of[i] == HT_STABLE_NONE);
        }
    }
}

HT_CASE(each_applicant_gets_the_best_of_all_stable_ones_oracle)
{
    uint64_t state = 35;
    uint32_t several = 0;
    for (int i = 0; i < 150; i++) {
        struct all all = {.same_without = true};
        market_make(&state, 5, 4, 2);
        HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, NULL), HT_OK);
        memset(all.best, 0xff, sizeof all.best);
        try_all(&all, 0);
        HT_CHECK(all.stable > 0 && all.same_without);
        several += all.stable > 1;
        for (uint32_t a = 0; a < 5; a++) {
            uint32_t r =
                m.post_of[a] == HT_STABLE_NONE ? MOST : rank(&m.applicants[a], m.post_of[a]);
            HT_CHECK_INT(r, all.best[a]);
        }
    }
    HT_CHECK(several > 5);
}

HT_CASE(posts_without_numbers_have_one_place)
{
    static const uint32_t wants[] = {0};
    static const uint32_t order[] = {1, 0};
    const struct ht_stable_list applicants[] = {{wants, 1}, {wants, 1}};
    const struct ht_stable_list post = {order, 2};
    const struct ht_stable_problem problem = {
        .applicant_count = 2, .post_count = 1, .applicants = applicants, .posts = &post};
    uint32_t post_of[2];
    HT_CHECK_INT(ht_stable_match(&problem, post_of, NULL), HT_OK);
    HT_CHECK_INT(post_of[0], HT_STABLE_NONE);
    HT_CHECK_INT(post_of[1], 0);
}

HT_CASE(lists_that_contradict_themselves_are_refused)
{
    uint64_t state = 37;
    struct ht_error error = {0};
    market_make(&state, 5, 4, 2);
    m.applicants[2].count = 2;
    m.wanted[0][2][0] = 1;
    m.wanted[0][2][1] = 1;
    HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, &error), HT_INVALID);
    HT_CHECK_INT(error.line, 2);
    m.wanted[0][2][1] = 4;
    HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, &error), HT_INVALID);
    m.wanted[0][2][1] = 3;
    HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, &error), HT_OK);
    m.posts[3].count = 1;
    m.wanted[1][3][0] = 5;
    HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, &error), HT_INVALID);
    m.problem.applicant_count = UINT32_MAX;
    m.problem.post_count = UINT32_MAX;
    HT_CHECK_INT(ht_stable_match(&m.problem, m.post_of, &error), HT_TOO_BIG);
}

HT_CASE(running_out_of_memory_is_told_oom)
{
    uint64_t state = 39;
    int refused = 0;
    market_make(&state, 20, 10, 3);
    for (long n = 0;; n++) {
        ht_oom_arm(n);
        enum ht_status status = ht_stable_match(&m.problem, m.post_of, NULL);
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK_INT(refused, 5);
}

HT_MAIN()
