#include "engine/plan/cover.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"

/* Rounds of single changes, for each option that may be chosen: each is better than the one before,
 * but nobody counts how many there could be. */
enum { ROUNDS = 64, ROUNDS_LEAST = 256 };

struct solver {
    const struct ht_cover_problem *p;
    size_t words;
    uint32_t *choice;  /* [groups] option or HT_COVER_NONE */
    uint32_t chosen;   /* how many have one */
    uint64_t *covered; /* by the choice */
    uint64_t *once;    /* by one group alone, and not by the base */
    uint64_t *scratch;
    int64_t *adds;   /* [sets] what each would add to `covered`: since `fresh` == round, before
                        that more or as much where nothing is ever given up */
    uint32_t *fresh; /* [sets] */
    uint32_t round;
    bool falls;  /* what sets add only falls: nothing is kept, nothing was given up yet */
    bool adding; /* nothing is kept, options are only taken: the greedy part */
    int64_t at_most;
    /* the exact search */
    uint32_t *path; /* [most] options of the node at hand */
    uint32_t *best; /* [most] */
    uint32_t best_count;
    int64_t best_value;
    uint32_t nodes;
    bool stopped;
};

/* --- sets ------------------------------------------------------------------------------------- */

/* The weight of (a & b) or, `less`, of (a & ~b). */
static int64_t weigh(const struct solver *s, const uint64_t *a, const uint64_t *b, bool less)
{
    const uint32_t *weights = s->p->weights;
    uint64_t turn = less ? UINT64_MAX : 0;
    int64_t sum = 0;
    for (size_t w = 0; w < s->words; w++) {
        uint64_t bits = a[w] & (b[w] ^ turn);
        if (weights == NULL) {
            sum += __builtin_popcountll(bits);
            continue;
        }
        for (; bits != 0; bits &= bits - 1) {
            sum += weights[w * 64 + (size_t)__builtin_ctzll(bits)];
        }
    }
    return sum;
}

static uint32_t kept_of(const struct ht_cover_problem *p, uint32_t group)
{
    return p->kept == NULL ? HT_COVER_NONE : p->kept[group];
}

int64_t ht_cover_weight(const struct ht_cover_problem *problem, const uint64_t *set)
{
    const struct solver s = {.p = problem, .words = ((size_t)problem->item_count + 63) / 64};
    return weigh(&s, set, set, false);
}

static void add(const struct solver *s, uint64_t *to, uint32_t set)
{
    for (size_t w = 0; set != HT_COVER_NONE && w < s->words; w++) {
        to[w] |= s->p->sets[set][w];
    }
}

static void path_union(const struct solver *s, const uint32_t *chosen, uint32_t count,
                       uint64_t *out)
{
    const struct ht_cover_problem *p = s->p;
    memset(out, 0, s->words * sizeof *out);
    add(s, out, p->base);
    for (uint32_t i = 0; i < count; i++) {
        add(s, out, p->options[chosen[i]].set);
    }
    for (uint32_t g = 0; g < p->group_count && p->kept != NULL; g++) {
        bool moved = false;
        for (uint32_t i = 0; i < count; i++) {
            moved = moved || p->options[chosen[i]].group == g;
        }
        if (!moved) {
            add(s, out, p->kept[g]);
        }
    }
}

void ht_cover_union(const struct ht_cover_problem *problem, const uint32_t *chosen, uint32_t count,
                    uint64_t *out)
{
    const struct solver s = {.p = problem, .words = ((size_t)problem->item_count + 63) / 64};
    path_union(&s, chosen, count, out);
}

/* The set that a group covers under the choice. */
static uint32_t set_of(const struct solver *s, uint32_t group)
{
    return s->choice[group] == HT_COVER_NONE ? kept_of(s->p, group)
                                             : s->p->options[s->choice[group]].set;
}

/* --- single changes --------------------------------------------------------------------------- */

static void count_again(struct solver *s)
{
    const struct ht_cover_problem *p = s->p;
    memset(s->covered, 0, s->words * sizeof *s->covered);
    memset(s->scratch, 0, s->words * sizeof *s->scratch); /* twice or by the base */
    add(s, s->covered, p->base);
    add(s, s->scratch, p->base);
    for (uint32_t g = 0; g < p->group_count; g++) {
        uint32_t set = set_of(s, g);
        for (size_t w = 0; set != HT_COVER_NONE && w < s->words; w++) {
            s->scratch[w] |= s->covered[w] & p->sets[set][w];
            s->covered[w] |= p->sets[set][w];
        }
    }
    for (size_t w = 0; w < s->words; w++) {
        s->once[w] = s->covered[w] & ~s->scratch[w];
    }
    s->round++;
}

static int64_t adds(struct solver *s, uint32_t set)
{
    if (s->fresh[set] != s->round) {
        s->adds[set] = weigh(s, s->p->sets[set], s->covered, true);
        s->fresh[set] = s->round;
    }
    return s->adds[set];
}

struct change {
    uint32_t group;
    uint32_t option; /* HT_COVER_NONE: back to what it kept */
    int64_t gain;
};

/* Looks at what group `g` could do instead. */
static void group_best(struct solver *s, uint32_t g, const uint32_t *first, const uint32_t *list,
                       struct change *best)
{
    const struct ht_cover_problem *p = s->p;
    uint32_t now = set_of(s, g);
    int64_t lost = now == HT_COVER_NONE ? 0 : weigh(s, p->sets[now], s->once, false);
    if (s->choice[g] == HT_COVER_NONE ? s->chosen >= p->most : s->adding) {
        return;
    }
    for (size_t w = 0; w < s->words && now != HT_COVER_NONE; w++) {
        s->scratch[w] = p->sets[now][w] & s->once[w]; /* the group's own */
    }
    for (uint32_t i = first[g]; i < first[g + 1]; i++) {
        const struct ht_cover_option *option = &p->options[list[i]];
        if (list[i] == s->choice[g] ||
            (s->falls && s->fresh[option->set] != 0 && s->adds[option->set] < best->gain)) {
            continue;
        }
        int64_t gain = adds(s, option->set) - lost;
        if (lost > 0) {
            gain += weigh(s, p->sets[option->set], s->scratch, false);
        }
        bool cheaper = best->option != HT_COVER_NONE && gain == best->gain && gain > 0 &&
                       option->cost < p->options[best->option].cost;
        if (gain > best->gain || cheaper) {
            *best = (struct change){g, list[i], gain};
        }
    }
    if (s->choice[g] != HT_COVER_NONE) {
        uint32_t kept = kept_of(p, g);
        int64_t gain = -lost;
        if (kept != HT_COVER_NONE) {
            gain += adds(s, kept) + (lost > 0 ? weigh(s, p->sets[kept], s->scratch, false) : 0);
        }
        if (gain > best->gain) {
            *best = (struct change){g, HT_COVER_NONE, gain};
        }
    }
}

static void change_apply(struct solver *s, const struct change *change)
{
    s->falls = s->falls && s->choice[change->group] == HT_COVER_NONE;
    s->chosen += s->choice[change->group] == HT_COVER_NONE;
    s->chosen -= change->option == HT_COVER_NONE;
    s->choice[change->group] = change->option;
    count_again(s);
}

static int by_falling(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a < b) - (a > b);
}

/* The bound of the data: to all that is covered now or was at first, at most `most` sets add
 * something, each by itself. */
static enum ht_status bound_lower(struct solver *s)
{
    const struct ht_cover_problem *p = s->p;
    int64_t *list = ht_array_new_zeroed(p->set_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    memcpy(s->scratch, s->covered, s->words * sizeof *s->scratch);
    for (uint32_t g = 0; g < p->group_count; g++) {
        add(s, s->scratch, kept_of(p, g));
    }
    for (uint32_t i = 0; i < p->option_count; i++) {
        uint32_t set = p->options[i].set;
        if (list[set] == 0) {
            list[set] = weigh(s, p->sets[set], s->scratch, true);
        }
    }
    qsort(list, p->set_count, sizeof *list, by_falling);
    int64_t bound = weigh(s, s->scratch, s->scratch, false);
    for (uint32_t i = 0; i < p->most && i < p->set_count; i++) {
        bound += list[i];
    }
    s->at_most = bound < s->at_most ? bound : s->at_most;
    free(list);
    return HT_OK;
}

/* Options by group: first[g] .. first[g + 1] of the list. */
static void options_group(const struct ht_cover_problem *p, uint32_t *first, uint32_t *list)
{
    memset(first, 0, (p->group_count + (size_t)2) * sizeof *first);
    for (uint32_t i = 0; i < p->option_count; i++) {
        first[p->options[i].group + 2]++;
    }
    for (uint32_t g = 0; g < p->group_count; g++) {
        first[g + 2] += first[g + 1];
    }
    for (uint32_t i = 0; i < p->option_count; i++) {
        list[first[p->options[i].group + 1]++] = i;
    }
}

/* True in *settled when no single change is better any more. */
static enum ht_status changes_run(struct solver *s, bool *settled)
{
    const struct ht_cover_problem *p = s->p;
    uint32_t *first = ht_array_new(p->group_count + (size_t)2, sizeof *first);
    uint32_t *list = ht_array_new(p->option_count, sizeof *list);
    enum ht_status status = first == NULL || list == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        options_group(p, first, list);
        count_again(s);
        status = bound_lower(s);
    }
    *settled = false;
    uint64_t rounds = (uint64_t)p->most * ROUNDS + ROUNDS_LEAST;
    for (uint64_t r = 0; r < rounds && status == HT_OK && !*settled; r++) {
        struct change best = {0, HT_COVER_NONE, 0};
        for (uint32_t g = 0; g < p->group_count; g++) {
            group_best(s, g, first, list, &best);
        }
        *settled = best.gain <= 0 && !s->adding;
        s->adding = s->adding && best.gain > 0;
        if (best.gain > 0) {
            change_apply(s, &best);
            status = bound_lower(s);
        }
    }
    free(first);
    free(list);
    return status;
}

/* --- branch and bound ------------------------------------------------------------------------- */

/* An option with what its set adds to a node. */
struct branch {
    int64_t adds;
    uint32_t option;
    uint32_t cost;
};

static int by_adds(const void *left, const void *right)
{
    const struct branch *a = left;
    const struct branch *b = right;
    if (a->adds != b->adds) {
        return a->adds > b->adds ? -1 : 1;
    }
    if (a->cost != b->cost) {
        return a->cost < b->cost ? -1 : 1;
    }
    return (a->option > b->option) - (a->option < b->option);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool out_of_time(struct solver *s)
{
    const struct ht_cover_problem *p = s->p;
    s->stopped = s->stopped || s->nodes >= p->nodes_most ||
                 (p->deadline_ns != 0 && s->nodes % 16 == 0 && now_ns() >= p->deadline_ns);
    return s->stopped;
}

/* What `room` of the branches from `from` on can add: no set twice, since a second one of it adds
 * nothing. They fall, so equal sets stand beside others of the same worth at most. */
static int64_t room_adds(const struct solver *s, const struct branch *list, uint32_t count,
                         uint32_t from, uint32_t room)
{
    int64_t sum = 0;
    uint32_t taken = 0;
    for (uint32_t i = from; i < count && taken < room && list[i].adds > 0; i++) {
        bool seen = false;
        for (uint32_t k = i; k > from && list[k - 1].adds == list[i].adds && !seen; k--) {
            seen = s->p->options[list[k - 1].option].set == s->p->options[list[i].option].set;
        }
        if (!seen) {
            sum += list[i].adds;
            taken++;
        }
    }
    return sum;
}

static bool group_taken(const struct solver *s, uint32_t depth, uint32_t group)
{
    for (uint32_t i = 0; i < depth; i++) {
        if (s->p->options[s->path[i]].group == group) {
            return true;
        }
    }
    return false;
}

/* What each of the branches adds to a node, best first. Those that add nothing are left out, but
 * where a group may leave what it keeps: then they may take its place. */
static uint32_t branches_make(struct solver *s, uint32_t depth, const uint64_t *covered,
                              struct branch *list, uint32_t count)
{
    uint32_t kept = 0;
    s->round++;
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_cover_option *option = &s->p->options[list[i].option];
        if (group_taken(s, depth, option->group)) {
            continue;
        }
        if (s->fresh[option->set] != s->round) {
            s->fresh[option->set] = s->round;
            s->adds[option->set] = weigh(s, s->p->sets[option->set], covered, true);
        }
        if (s->adds[option->set] > 0 || s->p->kept != NULL) {
            list[kept++] = (struct branch){s->adds[option->set], list[i].option, option->cost};
        }
    }
    if (kept > 0) {
        qsort(list, kept, sizeof *list, by_adds);
    }
    return kept;
}

/* All choices that hold the path and some of `from`, no one twice: a branch goes on with those that
 * stand after it. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as options may be chosen
static enum ht_status node(struct solver *s, uint32_t depth, const struct branch *from,
                           uint32_t count)
{
    uint64_t *covered = ht_array_new(s->words, sizeof *covered);
    struct branch *list = ht_array_new(count, sizeof *list);
    enum ht_status status = covered == NULL || list == NULL ? HT_NOMEM : HT_OK;
    s->nodes++;
    if (status == HT_OK) {
        path_union(s, s->path, depth, covered);
        int64_t value = weigh(s, covered, covered, false);
        if (value > s->best_value) {
            s->best_value = value;
            s->best_count = depth;
            memcpy(s->best, s->path, depth * sizeof *s->best);
        }
        uint32_t room = s->p->most - depth;
        if (room > 0) {
            memcpy(list, from, count * sizeof *list);
            count = branches_make(s, depth, covered, list, count);
        }
        for (uint32_t i = 0; i < count && room > 0 && status == HT_OK && !out_of_time(s); i++) {
            if (value + room_adds(s, list, count, i, room) <= s->best_value) {
                break;
            }
            s->path[depth] = list[i].option;
            status = node(s, depth + 1, list + i + 1, count - i - 1);
        }
    }
    free(covered);
    free(list);
    return status;
}

static enum ht_status exact_run(struct solver *s)
{
    const struct ht_cover_problem *p = s->p;
    struct branch *all = ht_array_new(p->option_count, sizeof *all);
    if (all == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < p->option_count; i++) {
        all[i] = (struct branch){0, i, p->options[i].cost};
    }
    enum ht_status status = node(s, 0, all, p->option_count);
    free(all);
    return status;
}

/* --- the plan --------------------------------------------------------------------------------- */

/* Puts the chosen in the order in which each pays most after those before it, and leaves out what
 * pays nothing. */
static void order(struct solver *s, struct ht_cover_plan *plan)
{
    uint32_t done = 0;
    int64_t value = plan->before;
    while (done < plan->count) {
        uint32_t best = done;
        int64_t most = INT64_MIN;
        for (uint32_t i = done; i < plan->count; i++) {
            uint32_t swap = plan->chosen[done];
            plan->chosen[done] = plan->chosen[i];
            plan->chosen[i] = swap;
            path_union(s, plan->chosen, done + 1, s->scratch);
            int64_t now = weigh(s, s->scratch, s->scratch, false);
            plan->chosen[i] = plan->chosen[done];
            plan->chosen[done] = swap;
            if (now > most) {
                most = now;
                best = i;
            }
        }
        uint32_t swap = plan->chosen[done];
        plan->chosen[done] = plan->chosen[best];
        plan->chosen[best] = swap;
        value = most;
        done++;
    }
    plan->value = plan->count > 0 ? value : plan->before;
}

/* Gives up what the value does not need. */
static void thin_out(struct solver *s, struct ht_cover_plan *plan)
{
    for (uint32_t i = plan->count; i-- > 0;) {
        uint32_t last = plan->chosen[plan->count - 1];
        uint32_t gone = plan->chosen[i];
        plan->chosen[i] = last;
        path_union(s, plan->chosen, plan->count - 1, s->scratch);
        if (weigh(s, s->scratch, s->scratch, false) >= plan->value) {
            plan->count--;
        } else {
            plan->chosen[i] = gone;
        }
    }
}

/* What holds of the choice of single changes. */
static enum ht_cover_proof proof_of(const struct solver *s, bool settled)
{
    const struct ht_cover_problem *p = s->p;
    bool keeps = false;
    bool single = true;
    for (uint32_t g = 0; g < p->group_count; g++) {
        keeps = keeps || kept_of(p, g) != HT_COVER_NONE;
    }
    for (uint32_t i = 0; i < p->option_count; i++) {
        single = single && (i == 0 || p->options[i].group > p->options[i - 1].group);
    }
    if (keeps) {
        return settled && p->most >= p->group_count ? HT_COVER_HALF : HT_COVER_BOUND;
    }
    return single ? HT_COVER_GREEDY : HT_COVER_HALF;
}

static bool fits(const struct ht_cover_problem *p)
{
    bool good = p->base == HT_COVER_NONE || p->base < p->set_count;
    for (uint32_t i = 0; i < p->option_count; i++) {
        good = good && p->options[i].group < p->group_count && p->options[i].set < p->set_count;
    }
    for (uint32_t g = 0; g < p->group_count && p->kept != NULL; g++) {
        good = good && (p->kept[g] == HT_COVER_NONE || p->kept[g] < p->set_count);
    }
    return good;
}

static enum ht_status solver_init(struct solver *s, const struct ht_cover_problem *p)
{
    *s = (struct solver){.p = p, .words = ((size_t)p->item_count + 63) / 64};
    if (!fits(p)) {
        return HT_RANGE;
    }
    s->choice = ht_array_new(p->group_count, sizeof *s->choice);
    s->covered = ht_array_new(s->words, sizeof *s->covered);
    s->once = ht_array_new(s->words, sizeof *s->once);
    s->scratch = ht_array_new(s->words, sizeof *s->scratch);
    s->adds = ht_array_new_zeroed(p->set_count, sizeof *s->adds);
    s->fresh = ht_array_new_zeroed(p->set_count, sizeof *s->fresh);
    s->path = ht_array_new(p->most, sizeof *s->path);
    s->best = ht_array_new(p->most, sizeof *s->best);
    if (s->choice == NULL || s->covered == NULL || s->once == NULL || s->scratch == NULL ||
        s->adds == NULL || s->fresh == NULL || s->path == NULL || s->best == NULL) {
        return HT_NOMEM;
    }
    memset(s->choice, 0xff, p->group_count * sizeof *s->choice);
    s->falls = p->kept == NULL;
    s->adding = p->kept == NULL;
    s->at_most = INT64_MAX;
    return HT_OK;
}

static void solver_deinit(struct solver *s)
{
    free(s->choice);
    free(s->covered);
    free(s->once);
    free(s->scratch);
    free(s->adds);
    free(s->fresh);
    free(s->path);
    free(s->best);
}

static void choice_keep(struct solver *s)
{
    s->best_count = 0;
    for (uint32_t g = 0; g < s->p->group_count; g++) {
        if (s->choice[g] != HT_COVER_NONE) {
            s->best[s->best_count++] = s->choice[g];
        }
    }
    s->best_value = weigh(s, s->covered, s->covered, false);
}

enum ht_status ht_cover_solve(const struct ht_cover_problem *problem, struct ht_cover_plan *out)
{
    struct ht_cover_problem p = *problem;
    struct solver s;
    bool settled = false;
    *out = (struct ht_cover_plan){0};
    p.most = p.most < p.group_count ? p.most : p.group_count;
    enum ht_status status = solver_init(&s, &p);
    if (status == HT_OK) {
        out->chosen = ht_array_new(p.most, sizeof *out->chosen);
        status = out->chosen == NULL ? HT_NOMEM : changes_run(&s, &settled);
    }
    if (status == HT_OK) {
        choice_keep(&s);
        out->proof = proof_of(&s, settled);
        if (p.nodes_most > 0 && s.best_value < s.at_most) {
            status = exact_run(&s);
        } else {
            s.stopped = s.best_value < s.at_most;
        }
    }
    if (status == HT_OK) {
        path_union(&s, NULL, 0, s.scratch);
        out->before = weigh(&s, s.scratch, s.scratch, false);
        out->value = s.best_value;
        out->nodes = s.nodes;
        out->count = s.best_count;
        memcpy(out->chosen, s.best, s.best_count * sizeof *out->chosen);
        out->proof = s.stopped ? out->proof : HT_COVER_EXACT;
        out->at_most = s.stopped ? s.at_most : s.best_value;
        thin_out(&s, out);
        order(&s, out);
    }
    solver_deinit(&s);
    if (status != HT_OK) {
        ht_cover_plan_deinit(out);
    }
    return status;
}

void ht_cover_plan_deinit(struct ht_cover_plan *plan)
{
    free(plan->chosen);
    *plan = (struct ht_cover_plan){0};
}
