/* Small rounds with all that makes them hard, held against a search of all plans: visits by two at
 * one time, quotas, several needs, and a plan that goes on: what was, what was promised, what may
 * move, who is on the way. Cells and balance cost nothing here (test_rounds.c has them). */
#include "engine/plan/rounds.h"

#include "tests/support/check.h"
#include "tests/support/random_rounds.h"

enum {
    SITES = 3,
    PEOPLE = 3,
    DAYS = 4,
    CHOICES = 7, /* nobody, one of three, or one of three with one of the others */
    OPTIONS = CHOICES * CHOICES * CHOICES * CHOICES,
    DAY_CHOICES = CHOICES * CHOICES * CHOICES,
    EARLY_S = 7200, /* when the running plan has its visits: hours before anybody works */
    NOBODY = 0
};

static struct ht_rounds_town town;

/* Who comes to a site on a day. */
struct pair {
    uint32_t lead;
    uint32_t second;
};

struct option {
    uint8_t by[DAYS]; /* a choice */
    int64_t cost;     /* of the site by itself */
};

static struct {
    uint32_t sites;
    uint32_t people;
    struct pair choices[2][CHOICES]; /* by one, by two */
    uint32_t choice_count[2];
    struct option options[SITES][OPTIONS];
    uint32_t option_count[SITES];
    int64_t day[DAYS][DAY_CHOICES]; /* travel and days; -1: can't be */
    const struct ht_rounds_running *run[SITES][DAYS];
    uint32_t week_most[PEOPLE]; /* visits that are still free; UINT32_MAX: any number */
    uint32_t day_most[PEOPLE][DAYS];
    int64_t best;
} o;

static void choices_make(void)
{
    o.choices[0][NOBODY] = o.choices[1][NOBODY] = (struct pair){HT_PLAN_NONE, HT_PLAN_NONE};
    o.choice_count[0] = o.choice_count[1] = 1;
    for (uint32_t i = 0; i < o.people; i++) {
        o.choices[0][o.choice_count[0]++] = (struct pair){i, HT_PLAN_NONE};
        for (uint32_t k = 0; k < o.people; k++) {
            if (k != i) {
                o.choices[1][o.choice_count[1]++] = (struct pair){i, k};
            }
        }
    }
}

static const struct pair *pair_of(uint32_t s, uint32_t choice)
{
    return &o.choices[town.sites[s].crew - 1][choice];
}

static bool is_by(const struct pair *pair, uint32_t i)
{
    return pair->lead == i || pair->second == i;
}

/* ---- one day ---- */

static int64_t way_s(uint32_t i, uint32_t from, uint32_t to)
{
    return from == to || from == HT_PLAN_NONE || to == HT_PLAN_NONE
               ? 0
               : town.duration[town.people[i].profile][from * HT_TOWN_PLACES + to];
}

/* Whether a visit can begin then: within a shift of one who goes. */
static bool works(uint32_t i, uint32_t day, int64_t from_s, int64_t to_s)
{
    bool good = false;
    for (uint32_t w = 0; w < town.people[i].shift_count; w++) {
        const struct ht_rounds_window *shift = &town.people[i].shifts[w];
        good = good || (shift->day == day && shift->from_s <= from_s && to_s <= shift->to_s);
    }
    return good;
}

static bool is_open(uint32_t s, uint32_t day, int64_t from_s, int64_t to_s)
{
    bool good = town.sites[s].open_count == 0;
    for (uint32_t w = 0; w < town.sites[s].open_count; w++) {
        const struct ht_rounds_window *open = &town.sites[s].open[w];
        good = good || (open->day == day && open->from_s <= from_s && to_s <= open->to_s);
    }
    return good;
}

static bool can_begin(uint32_t s, const struct pair *pair, uint32_t day, int64_t t_s)
{
    int64_t end_s = t_s + town.sites[s].service_s;
    return is_open(s, day, t_s, end_s) && works(pair->lead, day, t_s, end_s) &&
           (pair->second == HT_PLAN_NONE || works(pair->second, day, t_s, end_s));
}

static bool is_promised(uint32_t s, uint32_t day)
{
    return o.run[s][day] != NULL && o.run[s][day]->state == HT_ROUNDS_PROMISED;
}

/* The earliest begin from t_s on: then, or where a window begins; -1. */
static int64_t begin_s(uint32_t s, const struct pair *pair, uint32_t day, int64_t t_s)
{
    int64_t best_s = can_begin(s, pair, day, t_s) ? t_s : -1;
    if (is_promised(s, day)) {
        int64_t at_s = o.run[s][day]->begin_s;
        return t_s <= at_s && can_begin(s, pair, day, at_s) ? at_s : -1;
    }
    for (uint32_t k = 0; k < o.people + 1; k++) {
        const struct ht_rounds_window *list = k < o.people ? town.people[k].shifts : town.open[s];
        uint32_t count = k < o.people ? town.people[k].shift_count : town.sites[s].open_count;
        for (uint32_t w = 0; w < count; w++) {
            int64_t from_s = list[w].from_s;
            if (list[w].day == day && from_s > t_s && (best_s < 0 || from_s < best_s) &&
                can_begin(s, pair, day, from_s)) {
                best_s = from_s;
            }
        }
    }
    return best_s;
}

/* Where everybody is, and when. */
struct going {
    const struct pair *pairs[SITES];
    uint32_t order[PEOPLE][SITES];
    uint32_t count[PEOPLE];
    uint32_t at[PEOPLE];
    uint32_t place[PEOPLE];
    int64_t now_s[PEOPLE];
    int64_t to_s[PEOPLE];
    int64_t travel_s;
};

/* Whether it is the next of all who go. */
static bool is_next(const struct going *g, uint32_t s)
{
    bool next = true;
    for (uint32_t i = 0; i < o.people; i++) {
        if (is_by(g->pairs[s], i)) {
            next = next && g->at[i] < g->count[i] && g->order[i][g->at[i]] == s;
        }
    }
    return next;
}

static bool go(struct going *g, uint32_t s, uint32_t day)
{
    int64_t t_s = 0;
    for (uint32_t i = 0; i < o.people; i++) {
        if (is_by(g->pairs[s], i)) {
            int64_t way = way_s(i, g->place[i], town.sites[s].location);
            t_s = g->now_s[i] + way > t_s ? g->now_s[i] + way : t_s;
            g->travel_s += way;
        }
    }
    t_s = begin_s(s, g->pairs[s], day, t_s);
    for (uint32_t i = 0; i < o.people && t_s >= 0; i++) {
        if (is_by(g->pairs[s], i)) {
            g->now_s[i] = t_s + town.sites[s].service_s;
            g->place[i] = town.sites[s].location;
            g->at[i]++;
        }
    }
    return t_s >= 0;
}

static bool set_out(struct going *g, uint32_t i, uint32_t day)
{
    const struct ht_rounds_inspector *who = &town.people[i];
    g->at[i] = 0;
    g->place[i] = who->underway && day == town.problem.first_day ? who->here : who->start;
    g->now_s[i] = g->to_s[i] = -1;
    for (uint32_t w = 0; w < who->shift_count; w++) {
        if (who->shifts[w].day == day) {
            g->now_s[i] = g->now_s[i] < 0 ? who->shifts[w].from_s : g->now_s[i];
            g->to_s[i] = who->shifts[w].to_s;
        }
    }
    return g->now_s[i] >= 0 || g->count[i] == 0;
}

/* Travel of these orders; -1: not in time, or each waits for the other. */
static int64_t orders_travel(struct going *g, uint32_t day)
{
    uint32_t left = 0;
    g->travel_s = 0;
    for (uint32_t i = 0; i < o.people; i++) {
        left += g->count[i];
        if (!set_out(g, i, day)) {
            return -1;
        }
    }
    while (left > 0) {
        uint32_t s = 0;
        while (s < o.sites && (g->pairs[s]->lead == HT_PLAN_NONE || !is_next(g, s))) {
            s++;
        }
        if (s == o.sites || !go(g, s, day)) {
            return -1;
        }
        left -= g->pairs[s]->second == HT_PLAN_NONE ? 1 : 2;
    }
    for (uint32_t i = 0; i < o.people; i++) {
        int64_t way = g->count[i] == 0 ? 0 : way_s(i, g->place[i], town.people[i].end);
        if (g->count[i] > 0 && g->now_s[i] + way > g->to_s[i]) {
            return -1;
        }
        g->travel_s += way;
    }
    return g->travel_s;
}

/* All orders of the person's stops from `k` on, then of the next one's. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are stops
static int64_t orders_try(struct going *g, uint32_t day, uint32_t i, uint32_t k)
{
    if (i == o.people) {
        return orders_travel(g, day);
    }
    if (k >= g->count[i]) {
        return orders_try(g, day, i + 1, 0);
    }
    int64_t best = -1;
    for (uint32_t j = k; j < g->count[i]; j++) {
        uint32_t *order = g->order[i];
        uint32_t one = order[k];
        order[k] = order[j];
        order[j] = one;
        int64_t travel_s = orders_try(g, day, i, k + 1);
        best = travel_s >= 0 && (best < 0 || travel_s < best) ? travel_s : best;
        order[j] = order[k];
        order[k] = one;
    }
    return best;
}

static int64_t day_cost(uint32_t day, const uint32_t *choice)
{
    struct going g = {.travel_s = 0};
    uint32_t tours = 0;
    for (uint32_t s = 0; s < o.sites; s++) {
        g.pairs[s] = pair_of(s, choice[s]);
        for (uint32_t i = 0; i < o.people && choice[s] != NOBODY; i++) {
            if (is_by(g.pairs[s], i)) {
                g.order[i][g.count[i]++] = s;
            }
        }
    }
    for (uint32_t i = 0; i < o.people; i++) {
        tours += g.count[i] > 0;
        if (g.count[i] > o.day_most[i][day]) {
            return -1;
        }
    }
    int64_t travel_s = orders_try(&g, day, 0, 0);
    return travel_s < 0 ? -1 : travel_s + (int64_t)tours * town.problem.prices.day_s;
}

static void days_make(void)
{
    for (uint32_t d = 0; d < DAYS; d++) {
        for (uint32_t code = 0; code < DAY_CHOICES; code++) {
            uint32_t choice[SITES] = {0};
            uint32_t rest = code;
            bool known = true;
            for (uint32_t s = 0; s < o.sites; s++) {
                choice[s] = rest % CHOICES;
                rest /= CHOICES;
                known = known && choice[s] < o.choice_count[town.sites[s].crew - 1];
            }
            o.day[d][code] = known && rest == 0 ? day_cost(d, choice) : -1;
        }
    }
}

/* ---- one site ---- */

static bool may_come(uint32_t s, uint32_t i)
{
    bool may = true;
    for (uint32_t b = 0; b < town.sites[s].barred_count; b++) {
        may = may && town.barred[s][b] != i;
    }
    return may;
}

static bool may_lead(uint32_t s, uint32_t i)
{
    const struct ht_rounds_site *site = &town.sites[s];
    return may_come(s, i) && (site->skills & ~town.people[i].skills) == 0 &&
           (!site->owner_hard || site->owner == i);
}

/* The need of a day, need_count: none. */
static uint32_t need_of(const struct ht_rounds_site *site, uint32_t day)
{
    uint32_t n = 0;
    while (n < site->need_count &&
           (day < site->needs[n].first_day || day > site->needs[n].last_day)) {
        n++;
    }
    return n;
}

/* Whether a choice may be on a day, and whether what was and is promised is there. */
static bool may_be(uint32_t s, uint32_t day, uint32_t choice)
{
    const struct ht_rounds_running *run = o.run[s][day];
    const struct pair *pair = pair_of(s, choice);
    bool past = run != NULL && run->state == HT_ROUNDS_PAST;
    if (is_promised(s, day)) {
        return choice != NOBODY && pair->lead == run->inspector && pair->second == run->second;
    }
    if (choice == NOBODY) {
        return true;
    }
    return !past && day >= town.problem.first_day && (town.sites[s].days >> day & 1) != 0 &&
           need_of(&town.sites[s], day) < town.sites[s].need_count && may_lead(s, pair->lead) &&
           (pair->second == HT_PLAN_NONE || may_come(s, pair->second));
}

/* Each visit that another than the owner leads; the best owner where none is given. */
static int64_t owner_cost(uint32_t s, const struct option *option)
{
    uint32_t led[PEOPLE] = {0};
    uint32_t all = 0;
    uint32_t most = 0;
    for (uint32_t d = 0; d < DAYS; d++) {
        if (option->by[d] != NOBODY) {
            led[pair_of(s, option->by[d])->lead]++;
            all++;
        }
    }
    for (uint32_t i = 0; i < o.people; i++) {
        bool may = town.sites[s].owner == HT_PLAN_NONE ? may_lead(s, i) : town.sites[s].owner == i;
        most = may && led[i] > most ? led[i] : most;
    }
    return (int64_t)town.problem.prices.owner_s * (all - most);
}

/* Half of it where it stays: nobody works at that time. */
static int64_t move_cost(uint32_t s, const struct option *option)
{
    int64_t cost = 0;
    for (uint32_t d = 0; d < DAYS; d++) {
        const struct ht_rounds_running *run = o.run[s][d];
        if (run == NULL || run->state != HT_ROUNDS_PLANNED) {
            continue;
        }
        const struct pair *pair = pair_of(s, option->by[d]);
        bool so = option->by[d] != NOBODY &&
                  ((pair->lead == run->inspector && pair->second == run->second) ||
                   (pair->lead == run->second && pair->second == run->inspector));
        cost += so ? town.problem.prices.move_s / 2 : town.problem.prices.move_s;
    }
    return cost;
}

/* Gaps, and the day of the first visit to come; -1: a gap is too short. */
static int64_t gaps_cost(uint32_t s, const struct option *option)
{
    const struct ht_rounds_site *site = &town.sites[s];
    const struct ht_rounds_prices *prices = &town.problem.prices;
    int64_t last = site->last_day == HT_ROUNDS_NEVER ? INT64_MIN : site->last_day;
    int64_t cost = 0;
    bool stood = true; /* the one before is past or promised, or was before all days */
    bool first = true;
    for (uint32_t d = 0; d < DAYS; d++) {
        bool past = o.run[s][d] != NULL && o.run[s][d]->state == HT_ROUNDS_PAST;
        if (option->by[d] == NOBODY && !past) {
            continue;
        }
        int64_t gap = last == INT64_MIN ? INT64_MAX : (int64_t)d - last;
        bool stands = past || is_promised(s, d);
        if (gap < site->gap_least_days && !(stands && stood)) {
            return -1;
        }
        uint32_t n = need_of(site, d);
        if (last != INT64_MIN && n < site->need_count) {
            const struct ht_rounds_need *need = &site->needs[n];
            int64_t off = gap * need->visits - (need->last_day - need->first_day + 1);
            cost +=
                need->visits == 0 ? 0 : prices->spread_s * (off < 0 ? -off : off) / need->visits;
        }
        if (last != INT64_MIN && site->gap_most_days > 0 && gap > site->gap_most_days) {
            cost += prices->late_s * (gap - site->gap_most_days);
        }
        if (!past && first) {
            cost += (int64_t)prices->early_s * (site->risk > 2 ? site->risk - 2 : 0) *
                    (d - town.problem.first_day);
            first = false;
        }
        last = d;
        stood = stands;
    }
    return cost;
}

/* What its needs lack; -1: more than they ask for, which nobody promised. */
static int64_t missing_cost(uint32_t s, const struct option *option)
{
    const struct ht_rounds_site *site = &town.sites[s];
    int64_t cost = 0;
    for (uint32_t n = 0; n < site->need_count; n++) {
        uint32_t has = 0;
        uint32_t stands = 0;
        for (uint32_t d = site->needs[n].first_day; d <= site->needs[n].last_day && d < DAYS; d++) {
            bool past = o.run[s][d] != NULL && o.run[s][d]->state == HT_ROUNDS_PAST;
            has += past || option->by[d] != NOBODY;
            stands += past || is_promised(s, d);
        }
        if (has > site->needs[n].visits && has > stands) {
            return -1;
        }
        uint32_t lacks = has < site->needs[n].visits ? site->needs[n].visits - has : 0;
        cost += (HT_ROUNDS_MISSING_S << (site->risk - 1)) * lacks;
    }
    return cost;
}

static void options_make(uint32_t s)
{
    uint32_t count = o.choice_count[town.sites[s].crew - 1];
    o.option_count[s] = 0;
    for (uint32_t code = 0; code < count * count * count * count; code++) {
        struct option option = {.cost = 0};
        uint32_t rest = code;
        bool can = true;
        for (uint32_t d = 0; d < DAYS; d++) {
            option.by[d] = (uint8_t)(rest % count);
            rest /= count;
            can = can && may_be(s, d, option.by[d]);
        }
        int64_t gaps = can ? gaps_cost(s, &option) : -1;
        int64_t missing = can ? missing_cost(s, &option) : -1;
        if (gaps >= 0 && missing >= 0) {
            option.cost = gaps + missing + owner_cost(s, &option) + move_cost(s, &option);
            o.options[s][o.option_count[s]++] = option;
        }
    }
}

/* ---- all ---- */

static bool weeks_fit(const struct option *const *chosen)
{
    uint32_t visits[PEOPLE] = {0};
    bool fit = true;
    for (uint32_t s = 0; s < o.sites; s++) {
        for (uint32_t d = 0; d < DAYS; d++) {
            const struct pair *pair = pair_of(s, chosen[s]->by[d]);
            for (uint32_t i = 0; i < o.people; i++) {
                visits[i] += is_by(pair, i);
            }
        }
    }
    for (uint32_t i = 0; i < o.people; i++) {
        fit = fit && visits[i] <= o.week_most[i];
    }
    return fit;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as there are sites
static void search(uint32_t s, const struct option **chosen, int64_t cost)
{
    if (cost >= o.best) {
        return;
    }
    for (uint32_t k = 0; s < o.sites && k < o.option_count[s]; k++) {
        chosen[s] = &o.options[s][k];
        search(s + 1, chosen, cost + chosen[s]->cost);
    }
    for (uint32_t d = 0; s == o.sites && d < DAYS; d++) {
        uint32_t code = 0;
        for (uint32_t k = o.sites; k-- > 0;) {
            code = code * CHOICES + chosen[k]->by[d];
        }
        if (o.day[d][code] < 0) {
            return;
        }
        cost += o.day[d][code];
    }
    if (s == o.sites && cost < o.best && weeks_fit(chosen)) {
        o.best = cost;
    }
}

static void quotas_make(void)
{
    for (uint32_t i = 0; i < o.people; i++) {
        const struct ht_rounds_inspector *who = &town.people[i];
        o.week_most[i] = who->visits_week_most == 0 ? UINT32_MAX : who->visits_week_most;
        for (uint32_t d = 0; d < DAYS; d++) {
            o.day_most[i][d] = who->visits_day_most == 0 ? UINT32_MAX : who->visits_day_most;
        }
    }
    for (uint32_t r = 0; r < town.problem.running_count; r++) {
        const struct ht_rounds_running *run = &town.running[r];
        const uint32_t two[2] = {run->inspector, run->second};
        for (int k = 0; k < 2 && run->state == HT_ROUNDS_PAST; k++) {
            uint32_t i = two[k];
            if (i != HT_PLAN_NONE) { /* what was counts, also beyond the quota */
                o.week_most[i] -= o.week_most[i] != UINT32_MAX && o.week_most[i] > 0;
                o.day_most[i][run->day] -=
                    o.day_most[i][run->day] != UINT32_MAX && o.day_most[i][run->day] > 0;
            }
        }
    }
}

/* False: what is promised can't all be kept. */
static bool best_find(void)
{
    const struct option *chosen[SITES] = {NULL};
    o.sites = town.problem.site_count;
    o.people = town.problem.inspector_count;
    memset(o.run, 0, sizeof o.run);
    for (uint32_t r = 0; r < town.problem.running_count; r++) {
        o.run[town.running[r].site][town.running[r].day] = &town.running[r];
    }
    choices_make();
    quotas_make();
    days_make();
    for (uint32_t s = 0; s < o.sites; s++) {
        options_make(s);
    }
    o.best = INT64_MAX;
    search(0, chosen, 0);
    return o.best < INT64_MAX;
}

/* ---- problems ---- */

static void needs_random(uint64_t *state, uint32_t s)
{
    struct ht_rounds_site *site = &town.sites[s];
    if (ht_random_below(state, 2) == 0) {
        town.needs[s][0] = (struct ht_rounds_need){0, 6, 1 + ht_random_below(state, 2)};
        site->need_count = 1;
        return;
    }
    town.needs[s][0] = (struct ht_rounds_need){0, 1, 1};
    town.needs[s][1] = (struct ht_rounds_need){2, 6, 1 + ht_random_below(state, 2)};
    site->need_count = 2;
}

/* Windows of the first days alone. */
static uint32_t windows_few(struct ht_rounds_window *list, uint64_t *state, uint32_t off_percent)
{
    uint32_t count = 0;
    while (count == 0) {
        count = ht_town_windows(list, state, DAYS, off_percent);
    }
    return count;
}

static void few_make(uint64_t *state)
{
    uint32_t sites = 2 + ht_random_below(state, 2);
    ht_town_make(&town, state, sites, sites == 2 ? 3 : 2);
    ht_town_ways(&town, state, false);
    town.problem.weeks = 1;
    town.problem.first_weekday = 0;
    town.problem.prices.per_km_s = town.problem.prices.balance = town.problem.prices.cell_s = 0;
    for (uint32_t s = 0; s < sites; s++) {
        town.sites[s].crew = ht_random_below(state, 3) == 0 ? 2 : 1;
        town.sites[s].service_s += ht_random_below(state, 3) * 5000;
        town.sites[s].days |= 15;
        town.sites[s].open_count =
            town.sites[s].open_count == 0 ? 0 : windows_few(town.open[s], state, 30);
        needs_random(state, s);
    }
    for (uint32_t i = 0; i < town.problem.inspector_count; i++) {
        town.people[i].shift_count = windows_few(town.shifts[i], state, 20);
        town.people[i].visits_day_most = ht_random_below(state, 2) == 0 ? 1 : 0;
        town.people[i].visits_week_most = ht_random_below(state, 2) == 0 ? 3 : 0;
    }
}

/* Somebody who may, with somebody else where it takes two; false: there is none. */
static bool pair_random(uint64_t *state, uint32_t s, struct ht_rounds_running *run)
{
    uint32_t people = town.problem.inspector_count;
    run->inspector = ht_random_below(state, people);
    run->second = HT_PLAN_NONE;
    if (town.sites[s].crew == 2) {
        run->second = (run->inspector + 1 + ht_random_below(state, people - 1)) % people;
    }
    return may_lead(s, run->inspector) && (run->second == HT_PLAN_NONE || may_come(s, run->second));
}

/* A day or two are over, and a plan goes on. */
static void goes_on(uint64_t *state)
{
    bool promised = false;
    town.problem.first_day = ht_random_below(state, 3);
    for (uint32_t s = 0; s < town.problem.site_count; s++) {
        for (uint32_t d = 0; d < DAYS; d++) {
            struct ht_rounds_running *run = &town.running[town.problem.running_count];
            *run = (struct ht_rounds_running){
                .site = s, .day = d, .begin_s = EARLY_S, .end_s = EARLY_S + 600};
            run->state = d < town.problem.first_day ? HT_ROUNDS_PAST : HT_ROUNDS_PLANNED;
            if (ht_random_below(state, 3) == 0 && pair_random(state, s, run)) {
                if (run->state == HT_ROUNDS_PLANNED && !promised &&
                    ht_random_below(state, 3) == 0) {
                    promised = true;
                    run->state = HT_ROUNDS_PROMISED;
                    run->begin_s = 36000 + (int32_t)ht_random_below(state, 14400);
                    run->end_s = run->begin_s;
                }
                town.problem.running_count++;
            }
        }
    }
    for (uint32_t i = 0; i < town.problem.inspector_count; i++) {
        town.people[i].underway = ht_random_below(state, 2) == 0;
        town.people[i].here = ht_random_below(state, HT_TOWN_PLACES);
    }
}

/* What there was to be seen. */
struct counts {
    uint32_t cases;
    uint32_t tries;
    uint32_t missed;
    uint32_t pairs;
    uint32_t missing;
    uint32_t promised;
    uint32_t moved;
    uint32_t past;
};

static void plan_count(const struct ht_rounds_plan *plan, struct counts *counts)
{
    counts->cases++;
    counts->missing += plan->missing_visits > 0;
    counts->moved += plan->moved;
    for (uint32_t v = 0; v < plan->visit_count; v++) {
        counts->pairs += plan->visits[v].second != HT_PLAN_NONE;
        counts->promised += plan->visits[v].state == HT_ROUNDS_PROMISED;
        counts->past += plan->visits[v].state == HT_ROUNDS_PAST;
    }
}

/* One of four seeds comes to it: the search goes by chance. */
static void equals_best(struct counts *counts)
{
    int64_t found = INT64_MAX;
    if (!best_find()) {
        return;
    }
    for (uint64_t seed = 5; seed < 9 && found != o.best; seed++) {
        const struct ht_rounds_options options = {.iterations = 6000, .seed = seed};
        struct ht_rounds_plan *plan = NULL;
        struct ht_error error = {0};
        HT_REQUIRE(ht_rounds_run(&town.problem, &options, &plan, &error) == HT_OK);
        HT_CHECK_INT(ht_rounds_check(&town.problem, plan, &error), HT_OK);
        found = plan->cost.sum < found ? plan->cost.sum : found;
        if (found == o.best) {
            plan_count(plan, counts);
        }
        counts->tries++;
        ht_rounds_free(plan);
    }
    HT_CHECK(found >= o.best);
    counts->missed += found != o.best;
}

HT_CASE(crews_quotas_and_several_needs_equal_the_best_of_all_plans_oracle)
{
    uint64_t state = 41;
    struct counts counts = {0};
    for (uint32_t i = 0; i < (HT_LONG ? 600U : 60U); i++) {
        few_make(&state);
        equals_best(&counts);
    }
    HT_CHECK(counts.missed <= counts.cases / 1000); /* of the few here: none */
    HT_CHECK(counts.tries <= counts.cases + counts.cases / 50);
    HT_CHECK(counts.cases >= 60 && counts.pairs > 20 && counts.missing > 10);
}

HT_CASE(plans_that_go_on_equal_the_best_of_all_plans_oracle)
{
    uint64_t state = 43;
    struct counts counts = {0};
    for (uint32_t i = 0; i < (HT_LONG ? 2000U : 300U); i++) {
        few_make(&state);
        goes_on(&state);
        equals_best(&counts);
    }
    HT_CHECK(counts.missed <= counts.cases / 1000); /* of the few here: none */
    HT_CHECK(counts.tries <= counts.cases + counts.cases / 50);
    HT_CHECK(counts.cases > 120 && counts.pairs > 40 && counts.missing > 80);
    HT_CHECK(counts.promised > 20 && counts.moved > 150 && counts.past > 40);
}

HT_MAIN()
