/* Search: what is found by what was typed, against a matcher that looks at everything, while items
 * come and go, and with many readers at once. */
#include "geodata/gazetteer.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

#include "engine/base/status.h"
#include "engine/road/key.h"
#include "geodata/fold.h"
#include "geodata/gazetteer_internal.h"
#include "geodata/pinyin.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { EVERYTHING = (1 << HT_GAZETTEER_KINDS) - 1 };

static enum ht_status put(struct ht_gazetteer_batch *batch, enum ht_gazetteer_kind kind,
                          const char *id, const char *name, const char *address)
{
    const struct ht_gazetteer_text texts[] = {
        {name, name == NULL ? 0 : strlen(name), false},
        {address, address == NULL ? 0 : strlen(address), true}};
    const struct ht_gazetteer_item item = {.kind = kind,
                                           .id = id,
                                           .texts = name == NULL ? texts + 1 : texts,
                                           .text_count =
                                               (size_t)(name != NULL) + (size_t)(address != NULL)};
    return ht_gazetteer_batch_put(batch, &item);
}

/* The ids of the hits with spaces between. */
static const char *ask(struct ht_gazetteer *search, struct ht_gazetteer_work *work,
                       const char *query, bool personal)
{
    static char text[HT_GAZETTEER_LIMIT * 70];
    const struct ht_gazetteer_hit *hits = NULL;
    size_t count = 0;
    const struct ht_gazetteer_ask asked = {.query = query,
                                           .size = strlen(query),
                                           .limit = 10,
                                           .kinds = EVERYTHING,
                                           .personal = personal};
    text[0] = '\0';
    if (ht_gazetteer_find(search, work, &asked, &hits, &count) != HT_OK) {
        return "failed";
    }
    for (size_t i = 0; i < count; i++) {
        (void)strcat(text, i == 0 ? "" : " ");
        (void)strcat(text, hits[i].id);
    }
    return text;
}

/* ---- by hand ---- */

static struct ht_gazetteer *small_town(struct ht_gazetteer_work **work)
{
    static const char *const homes[][3] = {
        {"h1", "王建国", "宁波市镇海区招宝山街道兴海路12号3幢2单元501室"},
        {"h2", "王秀英", "镇海区候涛花园3-2-502"},
        {"h3", "单长乐", "镇海区候涛花园３幢２单元５０３室"},
        {"h4", "吕行", "镇海区候涛花园十三幢1单元101室"},
        {"h5", "Li Ming", "镇海区兴海路12-1号"},
    };
    struct ht_gazetteer *search = NULL;
    struct ht_gazetteer_batch *batch = NULL;
    bool good = ht_gazetteer_new(&search) == HT_OK && ht_gazetteer_work_new(work) == HT_OK &&
                ht_gazetteer_batch_new(&batch) == HT_OK;
    for (size_t i = 0; good && i < sizeof homes / sizeof homes[0]; i++) {
        good = put(batch, HT_GAZETTEER_HOUSEHOLDS, homes[i][0], homes[i][1], homes[i][2]) == HT_OK;
    }
    good = good && put(batch, HT_GAZETTEER_FACILITIES, "k1", "候涛老年食堂", NULL) == HT_OK &&
           put(batch, HT_GAZETTEER_FACILITIES, "k2", "Café Zhenhai Harbour", NULL) == HT_OK &&
           put(batch, HT_GAZETTEER_FACTORIES, "f1", "兴海路五金厂", NULL) == HT_OK &&
           put(batch, HT_GAZETTEER_STREETS, "way/7", "兴海路", NULL) == HT_OK &&
           ht_gazetteer_apply(search, batch) == HT_OK;
    return good ? search : NULL;
}

HT_CASE(addresses_are_found_however_they_are_written)
{
    struct ht_gazetteer_work *work = NULL;
    struct ht_gazetteer *search = small_town(&work);
    HT_REQUIRE(search != NULL);
    static const char *const cases[][2] = {
        {"兴海路12号3幢2单元501室", "h1"},
        {"宁波市镇海区招宝山街道兴海路１２号３幢２单元５０１", "h1"},
        {"鎮海區興海路12號", "h1"},
        {"兴海路12", "h1 h5"},
        {"候涛花园3-2-502", "h2"},
        {"候涛花园三幢二单元", "h2 h3"},
        {"候涛花园3幢2单", "h2 h3"},
        {"3-2-50", "h1 h2 h3"},
        {"3-2-501", "h1"},
        {"候涛花园 13", "h4"},
        {"候涛花园十三幢", "h4"},
        {"候涛花园1", "h4"}, /* building 13 and room 101 begin so */
        {"兴海路12-1", "h5"},
        {"hthy3-2-503", "h3"},
        {"hthy 503", "h3"},
        {"houtaohuayuan 13幢", "h4"},
        {"招宝山 501", "h1"},
        {"兴海路", "way/7 h1 h5 f1"},
        {"候涛花园9幢", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = ask(search, work, cases[i][0], true);
        if (strcmp(got, cases[i][1]) != 0) {
            (void)printf("  %s:\n", cases[i][0]);
        }
        HT_CHECK_STR(got, cases[i][1]);
    }
    ht_gazetteer_work_free(work);
    ht_gazetteer_free(search);
}

HT_CASE(names_are_found_by_characters_initials_syllables_and_as_one_types)
{
    struct ht_gazetteer_work *work = NULL;
    struct ht_gazetteer *search = small_town(&work);
    HT_REQUIRE(search != NULL);
    static const char *const cases[][2] = {
        {"王", "h1 h2"},
        {"王建国", "h1"},
        {"建国", "h1"},
        {"wjg", "h1"},
        {"wj", "h1 f1"},
        {"wangjianguo", "h1"},
        {"wangjiang", "h1"},
        {"jianguo", "h1"},
        {"angjian", ""},
        {"shanchangle", "h3"},
        {"danzhangyue", "h3"},
        {"scl", "h3"},
        {"lvxing", "h4"},
        {"lvhang", "h4"},
        {"luxing", "h4"},
        {"htlnst", "k1"},
        {"lnst", "k1"},
        {"候涛", "k1 h2 h3 h4"},
        {"cafe", "k2"},
        {"CAFÉ zhen", "k2"},
        {"ＺＨＥＮＨＡＩ harb", "k2"},
        {"harbour cafe", "k2"},
        {"ming li", "h5"},
        {"li m", "h5"},
        {"K1", "k1"},
        {"h", "k1 h1 h2 h3 h4 h5 k2 f1 way/7"},
        {"way/7", "way/7"},
        {"xhl", "way/7 h1 h5 f1"},
        {"兴海路 五金", "f1"},
        {"zzz", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = ask(search, work, cases[i][0], true);
        if (strcmp(got, cases[i][1]) != 0) {
            (void)printf("  %s:\n", cases[i][0]);
        }
        HT_CHECK_STR(got, cases[i][1]);
    }
    ht_gazetteer_work_free(work);
    ht_gazetteer_free(search);
}

HT_CASE(persons_decide_nothing_for_those_who_may_not_see_them)
{
    struct ht_gazetteer_work *work = NULL;
    struct ht_gazetteer *search = small_town(&work);
    HT_REQUIRE(search != NULL);
    HT_CHECK_STR(ask(search, work, "王建国", false), "");
    HT_CHECK_STR(ask(search, work, "wjg", false), "");
    HT_CHECK_STR(ask(search, work, "501", false), "");
    HT_CHECK_STR(ask(search, work, "h1 王建国", false), "");
    HT_CHECK_STR(ask(search, work, "h1 501", false), "");
    HT_CHECK_STR(ask(search, work, "兴海路", false), "way/7 f1");
    HT_CHECK_STR(ask(search, work, "h1", false), "h1");
    HT_CHECK_STR(ask(search, work, "h1", true), "h1");
    ht_gazetteer_work_free(work);
    ht_gazetteer_free(search);
}

HT_CASE(what_is_no_query_is_refused)
{
    struct ht_gazetteer_work *work = NULL;
    struct ht_gazetteer *search = small_town(&work);
    static char text[HT_GAZETTEER_QUERY + 2];
    const struct ht_gazetteer_hit *hits = NULL;
    size_t count = 0;
    HT_REQUIRE(search != NULL);
    struct ht_gazetteer_ask asked = {.limit = 10, .kinds = EVERYTHING, .query = " , ", .size = 3};
    HT_CHECK_INT(ht_gazetteer_find(search, work, &asked, &hits, &count), HT_EMPTY);
    asked.query = "1 2 3 4 5 6 7 8 9";
    asked.size = strlen(asked.query);
    HT_CHECK_INT(ht_gazetteer_find(search, work, &asked, &hits, &count), HT_TOO_BIG);
    memset(text, 'a', sizeof text);
    asked.query = text;
    asked.size = HT_GAZETTEER_QUERY;
    HT_CHECK_INT(ht_gazetteer_find(search, work, &asked, &hits, &count), HT_OK);
    asked.size++;
    HT_CHECK_INT(ht_gazetteer_find(search, work, &asked, &hits, &count), HT_TOO_BIG);
    ht_gazetteer_work_free(work);
    ht_gazetteer_free(search);
}

HT_CASE(folding_makes_alike_what_people_write_alike)
{
    static const char *const cases[][2] = {
        {"  Ａ１　ｂ\t", "a1 b"},
        {"CAFÉ", "cafe"},
        {"Cafe\xcc\x81", "cafe"},
        {"鎮海", "镇海"},
        {"①—２", "1-2"},
        {"\xff\xfe"
         "x",
         "x"},
        {"ﬁ", "fi"},
        {"王\xe3\x80\x80五", "王 五"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ht_text out = {0};
        ht_fold(cases[i][0], strlen(cases[i][0]), &out);
        HT_CHECK_STR(ht_text_string(&out), cases[i][1]);
        ht_text_deinit(&out);
    }
    char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE];
    HT_CHECK_INT(ht_pinyin_readings(0x738b, readings), 1); /* 王 */
    HT_CHECK_STR(readings[0], "wang");
    HT_CHECK_INT(ht_pinyin_readings(0x957f, readings), 2); /* 长 */
    HT_CHECK_INT(ht_pinyin_readings('a', readings), 0);
    HT_CHECK(ht_pinyin_readings(0x5355, readings) == 3); /* 单 */
    HT_CHECK_STR(readings[0], "dan");
    HT_CHECK_STR(readings[1], "shan");
}

/* ---- the matcher that looks at everything ---- */

struct thing {
    char id[16];
    char name[64];
    char address[160];
    struct ht_point point;
    enum ht_gazetteer_kind kind;
    bool there;
    bool placed;
};

struct strings {
    struct {
        char bytes[HT__TERM_MAX + 8];
        size_t size;
        uint64_t marks;
    } list[400];
    size_t count;
};

static enum ht_status keep(void *user, const char *bytes, size_t size, uint64_t marks)
{
    struct strings *strings = user;
    memcpy(strings->list[strings->count].bytes, bytes, size);
    strings->list[strings->count].bytes[size] = '\0';
    strings->list[strings->count].marks = marks;
    strings->list[strings->count++].size = size;
    return HT_OK;
}

static int better(int a, int b)
{
    return a < b ? a : b;
}

/* Whole 0, beginning 1, within 2, else 9. */
static int how(const char *text, const char *piece, uint64_t marks)
{
    size_t size = strlen(piece);
    if (strncmp(text, piece, size) == 0) {
        return text[size] == '\0' ? 0 : 1;
    }
    for (size_t at = 1; at < 64 && text[at - 1] != '\0'; at++) {
        if ((marks >> at & 1) != 0 && strncmp(text + at, piece, size) == 0) {
            return 2;
        }
    }
    return 9;
}

static int rank_atom(const struct ht__atom *atom, const struct thing *thing,
                     const struct strings *terms, const struct strings *forms, bool personal)
{
    static const int of_text[] = {1, 3, 4};
    static const int of_form[] = {2, 3, 4};
    int best = 9;
    if (atom->ids) {
        size_t size = strlen(atom->text);
        if (strncasecmp(thing->id, atom->text, size) == 0) {
            best = thing->id[size] == '\0' ? 0 : atom->open ? 3 : 9;
        }
    }
    if (thing->kind == HT_GAZETTEER_HOUSEHOLDS && !personal) {
        return best;
    }
    for (size_t i = 0; i < terms->count; i++) {
        const char *term = terms->list[i].bytes;
        if (term[0] == HT__TERM_TEXT && atom->texts) {
            int found = how(term + 1, atom->text, terms->list[i].marks >> 1);
            best = found < 9 ? better(best, of_text[found]) : best;
        } else if (term[0] == HT__TERM_NUMBER && atom->number_size > 0) {
            size_t kind = (size_t)(strchr(HT__NUMBER_KINDS, term[1]) - HT__NUMBER_KINDS);
            int found = how(term + 2, atom->number, 0);
            bool counts = (atom->number_kinds >> kind & 1) != 0 && (found == 0 || atom->open);
            best = found < 2 && counts ? better(best, of_text[found]) : best;
        }
    }
    for (size_t i = 0; atom->pinyin && i < forms->count; i++) {
        int found = how(forms->list[i].bytes, atom->text, forms->list[i].marks);
        best = found < 9 ? better(best, of_form[found]) : best;
    }
    return best;
}

static int rank_query(const struct ht__query *query, const struct thing *thing, bool personal)
{
    struct ht__keys_room room = {0};
    struct strings terms = {.count = 0};
    struct strings forms = {.count = 0};
    const struct ht_gazetteer_text texts[] = {{thing->name, strlen(thing->name), false},
                                              {thing->address, strlen(thing->address), true}};
    bool good = true;
    for (size_t i = 0; i < 2; i++) {
        good = good && ht__gazetteer_terms(&room, &texts[i], keep, &terms) == HT_OK;
    }
    for (size_t i = 0; i < terms.count; i++) {
        if (terms.list[i].bytes[0] == HT__TERM_TEXT) {
            good = good && ht__gazetteer_forms(&room, terms.list[i].bytes + 1,
                                               terms.list[i].size - 1, keep, &forms) == HT_OK;
        }
    }
    HT_CHECK(good);
    int worst = 0;
    for (uint32_t w = 0; w < query->word_count; w++) {
        const struct ht__word *word = &query->words[w];
        int parts = word->part_count == 0 ? 9 : 0;
        int run = 0;
        for (uint32_t p = word->part; p < word->part + word->part_count; p++) {
            int part = rank_atom(&query->atoms[p], thing, &terms, &forms, personal);
            int *of =
                word->run != HT_NONE && p >= word->run_begin && p < word->run_end ? &run : &parts;
            *of = part > *of ? part : *of;
        }
        if (word->run != HT_NONE) {
            run = better(run, rank_atom(&query->atoms[word->run], thing, &terms, &forms, personal));
            parts = run > parts ? run : parts;
        }
        int whole = rank_atom(&query->atoms[word->whole], thing, &terms, &forms, personal);
        int one = better(whole, parts);
        worst = one > worst ? one : worst;
    }
    if (query->whole != HT_NONE) {
        worst =
            better(worst, rank_atom(&query->atoms[query->whole], thing, &terms, &forms, personal));
    }
    ht__keys_room_deinit(&room);
    return worst;
}

/* ---- a random town ---- */

enum { THINGS = 300 };

static struct thing things[THINGS];

static const char *pick(uint64_t *state, const char *const *list, size_t count)
{
    return list[ht_random_below(state, (uint32_t)count)];
}

#define PICK(state, list) pick(state, list, sizeof(list) / sizeof((list)[0]))

static const char *const names[] = {"王建国", "王建", "单长乐",   "李明",     "Li Ming", "吕国建",
                                    "建国",   "长乐", "候涛食堂", "海韵食堂", "五金厂",  "阿明3号"};
static const char *const places[] = {"候涛花园", "海韵",     "兴海路",
                                     "胜利社区", "长乐新村", "海韵二期"};

static const char *const houses[] = {"12号", "12-1号", "3-2号", "7弄"};

static void thing_make(uint64_t *state, struct thing *thing)
{
    thing->there = true;
    (void)snprintf(thing->name, sizeof thing->name, "%s%s", PICK(state, names),
                   ht_random_below(state, 4) == 0 ? PICK(state, names) : "");
    (void)snprintf(thing->address, sizeof thing->address, "镇海区%s%s%u幢%u单元%u室",
                   PICK(state, places), ht_random_below(state, 3) == 0 ? PICK(state, houses) : "",
                   ht_random_below(state, 13) + 1, ht_random_below(state, 3) + 1,
                   ht_random_below(state, 30) + 95);
    thing->placed = ht_random_below(state, 5) > 0;
    thing->point = (struct ht_point){1217000000 + (int32_t)ht_random_below(state, 50) * 1000,
                                     299500000 + (int32_t)ht_random_below(state, 50) * 1000};
}

static void thing_put(struct ht_gazetteer_batch *batch, const struct thing *thing)
{
    const struct ht_gazetteer_text texts[] = {{thing->name, strlen(thing->name), false},
                                              {thing->address, strlen(thing->address), true}};
    const struct ht_gazetteer_item item = {thing->kind,
                                           thing->id,
                                           thing->placed,
                                           thing->point,
                                           texts,
                                           2,
                                           thing->kind == HT_GAZETTEER_STREETS ? thing->name
                                                                               : NULL};
    HT_CHECK_INT(ht_gazetteer_batch_put(batch, &item), HT_OK);
}

static void town_change(uint64_t *state, struct ht_gazetteer *search, uint32_t changes)
{
    struct ht_gazetteer_batch *batch = NULL;
    HT_REQUIRE(ht_gazetteer_batch_new(&batch) == HT_OK);
    for (uint32_t c = 0; c < changes; c++) {
        uint32_t i = ht_random_below(state, THINGS);
        struct thing *thing = &things[i];
        thing->kind = (enum ht_gazetteer_kind)(i % HT_GAZETTEER_KINDS);
        (void)snprintf(thing->id, sizeof thing->id, "%c%03u", "hHkw"[i / 4 % 4], i);
        if (thing->there && ht_random_below(state, 3) == 0) {
            thing->there = false;
            HT_CHECK_INT(ht_gazetteer_batch_remove(batch, thing->kind, thing->id), HT_OK);
        } else {
            thing_make(state, thing);
            thing_put(batch, thing);
        }
    }
    HT_CHECK_INT(ht_gazetteer_apply(search, batch), HT_OK);
}

/* Something like what people type. */
static void query_make(uint64_t *state, char *text, size_t size)
{
    static const char *const typed[] = {
        "王",      "w",       "wj",     "jg",      "建国", "changle",
        "zhangle", "hthy",    "haiyun", "3",       "1",    "101",
        "12号",    "3幢",     "2单元",  "海韵3-2", "12-1", "兴海路12-1",
        "h",       "h0",      "k1",     "li",      "ming", "候涛花园3幢2单元101室",
        "3-2-101", "兴海路1", "镇海区", "食堂",    "st",   "二期",
        "hthy3",   "阿明",    "号"};
    size_t used = 0;
    uint32_t words = 1 + ht_random_below(state, 3) / 2 + ht_random_below(state, 5) / 4;
    for (uint32_t w = 0; w < words; w++) {
        char word[256];
        const struct thing *thing = &things[ht_random_below(state, THINGS)];
        switch (ht_random_below(state, 4)) {
        case 0:
            (void)snprintf(word, sizeof word, "%s", thing->there ? thing->name : "x");
            break;
        case 1: { /* a part of an address, cut anywhere */
            (void)snprintf(word, sizeof word, "%s", thing->there ? thing->address : "x");
            size_t from = ht_random_below(state, 2) == 0 ? 9 : 0;
            size_t to = strlen(word);
            to = to > from ? from + ht_random_below(state, (uint32_t)(to - from + 1)) : to;
            word[to] = '\0';
            memmove(word, word + from, to - (from < to ? from : to) + 1);
            break;
        }
        default:
            (void)snprintf(word, sizeof word, "%s", PICK(state, typed));
        }
        int add = snprintf(text + used, size - used, "%s%s", w == 0 ? "" : " ", word);
        used += (size_t)add < size - used ? (size_t)add : 0;
    }
}

static const struct thing *thing_of(const struct ht_gazetteer_hit *hit)
{
    for (size_t i = 0; i < THINGS; i++) {
        if (things[i].there && things[i].kind == hit->kind && strcmp(things[i].id, hit->id) == 0) {
            return &things[i];
        }
    }
    return NULL;
}

static double far_from(const struct ht_gazetteer_ask *asked, const struct thing *thing)
{
    struct ht_scale scale = ht_scale_at(asked->point.lat_e7);
    double east = ((double)thing->point.lon_e7 - asked->point.lon_e7) * 1e-7 * scale.lon_m;
    double north = ((double)thing->point.lat_e7 - asked->point.lat_e7) * 1e-7 * scale.lat_m;
    return !asked->near ? 0 : thing->placed ? east * east + north * north : INFINITY;
}

/* Whether a goes before b. */
static bool before(const struct ht_gazetteer_ask *asked, int rank_a, const struct thing *a,
                   int rank_b, const struct thing *b)
{
    double far_a = far_from(asked, a);
    double far_b = far_from(asked, b);
    if (rank_a != rank_b) {
        return rank_a < rank_b;
    }
    if (far_a != far_b) {
        return far_a < far_b;
    }
    return a->kind != b->kind ? a->kind < b->kind : ht__id_compare(a->id, b->id) < 0;
}

/* Every hit is one, in order, and nothing that is left out would go before the last. */
static bool same_as_looking_at_all(const struct ht_gazetteer_ask *asked,
                                   const struct ht_gazetteer_hit *hits, size_t count)
{
    static struct ht__query query;
    bool same = ht__gazetteer_query(&query, asked->query, asked->size) == HT_OK;
    size_t matching = 0;
    const struct thing *last = NULL;
    for (size_t i = 0; same && i < count; i++) {
        const struct thing *thing = thing_of(&hits[i]);
        same = thing != NULL && rank_query(&query, thing, asked->personal) == hits[i].rank &&
               (last == NULL || before(asked, hits[i - 1].rank, last, hits[i].rank, thing)) &&
               (asked->kinds >> thing->kind & 1) != 0 && hits[i].placed == thing->placed &&
               (thing->kind == HT_GAZETTEER_STREETS) == (hits[i].label != NULL) &&
               (hits[i].label == NULL || strcmp(hits[i].label, thing->name) == 0);
        last = thing;
    }
    for (size_t i = 0; same && i < THINGS; i++) {
        matching += things[i].there && (asked->kinds >> things[i].kind & 1) != 0 &&
                    rank_query(&query, &things[i], asked->personal) < 9;
    }
    size_t due = matching < asked->limit ? matching : asked->limit;
    for (size_t i = 0; same && count == asked->limit && i < THINGS; i++) {
        int rank = things[i].there ? rank_query(&query, &things[i], asked->personal) : 9;
        bool listed = false;
        for (size_t h = 0; h < count; h++) {
            listed = listed || thing_of(&hits[h]) == &things[i];
        }
        same = rank == 9 || (asked->kinds >> things[i].kind & 1) == 0 || listed ||
               before(asked, hits[count - 1].rank, last, rank, &things[i]);
    }
    ht__gazetteer_query_deinit(&query);
    query = (struct ht__query){.atom_count = 0};
    return same && count == due;
}

static void compare(uint64_t *state, struct ht_gazetteer *search, struct ht_gazetteer_work *work)
{
    char text[512];
    const struct ht_gazetteer_hit *hits = NULL;
    size_t count = 0;
    query_make(state, text, sizeof text);
    const struct ht_gazetteer_ask asked = {
        .query = text,
        .size = strlen(text),
        .limit = 1 + ht_random_below(state, HT_GAZETTEER_LIMIT),
        .kinds =
            ht_random_below(state, 3) > 0 ? EVERYTHING : ht_random_below(state, EVERYTHING) + 1,
        .personal = ht_random_below(state, 4) > 0,
        .near = ht_random_below(state, 2) == 0,
        .point = {1217000000 + (int32_t)ht_random_below(state, 50000), 299520000}};
    enum ht_status status = ht_gazetteer_find(search, work, &asked, &hits, &count);
    if (status == HT_EMPTY) {
        return; /* a case of its own */
    }
    HT_CHECK_INT(status, HT_OK);
    if (!same_as_looking_at_all(&asked, hits, count)) {
        (void)printf("  %s: limit %u, kinds %u, personal %d, near %d\n", text, asked.limit,
                     asked.kinds, asked.personal, asked.near);
        HT_CHECK(false);
    }
}

HT_CASE(answers_equal_those_of_looking_at_all_while_items_come_and_go)
{
    uint64_t state = 20260301;
    struct ht_gazetteer *search = NULL;
    struct ht_gazetteer_work *work = NULL;
    HT_REQUIRE(ht_gazetteer_new(&search) == HT_OK && ht_gazetteer_work_new(&work) == HT_OK);
    memset(things, 0, sizeof things);
    int rounds = HT_LONG ? 2000 : 120;
    for (int round = 0; round < rounds; round++) {
        town_change(&state, search, round == 0 ? THINGS : 1 + ht_random_below(&state, 20));
        if (round % 7 == 3) {
            HT_CHECK_INT(ht_gazetteer_tidy(search), HT_OK);
        }
        for (int i = 0; i < 10; i++) {
            compare(&state, search, work);
        }
    }
    struct ht_gazetteer_stats stats;
    size_t there = 0;
    for (size_t i = 0; i < THINGS; i++) {
        there += things[i].there;
    }
    HT_CHECK_INT(ht_gazetteer_tidy(search), HT_OK);
    ht_gazetteer_stats_read(search, &stats);
    HT_CHECK_INT(stats.items, there);
    HT_CHECK(stats.segments <= 8 && stats.bytes > 0);
    struct ht_gazetteer_batch *batch = NULL;
    HT_REQUIRE(ht_gazetteer_batch_new(&batch) == HT_OK);
    for (int kind = 0; kind < HT_GAZETTEER_KINDS; kind++) {
        ht_gazetteer_batch_clear(batch, (enum ht_gazetteer_kind)kind);
    }
    HT_CHECK_INT(ht_gazetteer_apply(search, batch), HT_OK);
    HT_CHECK_STR(ask(search, work, "h", true), "");
    ht_gazetteer_stats_read(search, &stats);
    HT_CHECK_INT(stats.items, 0);
    ht_gazetteer_work_free(work);
    ht_gazetteer_free(search);
}

/* ---- many at once ---- */

struct crowd {
    struct ht_gazetteer *search;
    atomic_bool stop;
    atomic_int wrong;
    atomic_int asked;
};

/* An item that is renamed again and again is there under one of its names, never both or none. */
static void *reader_main(void *user)
{
    struct crowd *crowd = user;
    struct ht_gazetteer_work *work = NULL;
    if (ht_gazetteer_work_new(&work) != HT_OK) {
        atomic_fetch_add(&crowd->wrong, 1);
        return NULL;
    }
    const struct ht_gazetteer_ask asked = {.query = "变名",
                                           .size = strlen("变名"),
                                           .limit = 50,
                                           .kinds = EVERYTHING,
                                           .personal = true};
    while (!atomic_load(&crowd->stop)) {
        const struct ht_gazetteer_hit *hits = NULL;
        size_t count = 0;
        enum ht_status status = ht_gazetteer_find(crowd->search, work, &asked, &hits, &count);
        if (status != HT_OK || count != 2 || strcmp(hits[0].id, "a") != 0 ||
            strcmp(hits[1].id, "b") != 0) {
            atomic_fetch_add(&crowd->wrong, 1);
        }
        atomic_fetch_add(&crowd->asked, 1);
    }
    ht_gazetteer_work_free(work);
    return NULL;
}

static void *tidier_main(void *user)
{
    struct crowd *crowd = user;
    while (!atomic_load(&crowd->stop)) {
        if (ht_gazetteer_tidy(crowd->search) != HT_OK) {
            atomic_fetch_add(&crowd->wrong, 1);
        }
    }
    return NULL;
}

static enum ht_status rename_both(struct ht_gazetteer *search, int round)
{
    struct ht_gazetteer_batch *batch = NULL;
    char name[64];
    char other[32];
    enum ht_status status = ht_gazetteer_batch_new(&batch);
    (void)snprintf(name, sizeof name, "变名%d", round);
    (void)snprintf(other, sizeof other, "x%d", round % 50);
    if (status == HT_OK) {
        status = put(batch, HT_GAZETTEER_FACILITIES, "a", name, NULL);
    }
    if (status == HT_OK) {
        status = put(batch, HT_GAZETTEER_HOUSEHOLDS, "b", name, "镇海区海韵3-2-501");
    }
    if (status == HT_OK && round % 3 == 0) {
        status = put(batch, HT_GAZETTEER_HOUSEHOLDS, other, "别人", NULL);
    } else if (status == HT_OK) {
        status = ht_gazetteer_batch_remove(batch, HT_GAZETTEER_HOUSEHOLDS, other);
    }
    if (status != HT_OK) {
        ht_gazetteer_batch_free(batch);
        return status;
    }
    return ht_gazetteer_apply(search, batch);
}

HT_CASE(readers_see_one_state_while_a_writer_writes_and_segments_are_merged)
{
    enum { READERS = 3 };
    struct crowd crowd = {.search = NULL};
    pthread_t readers[READERS];
    pthread_t tidier;
    HT_REQUIRE(ht_gazetteer_new(&crowd.search) == HT_OK);
    HT_REQUIRE(rename_both(crowd.search, 0) == HT_OK);
    for (int i = 0; i < READERS; i++) {
        HT_REQUIRE(pthread_create(&readers[i], NULL, reader_main, &crowd) == 0);
    }
    HT_REQUIRE(pthread_create(&tidier, NULL, tidier_main, &crowd) == 0);
    for (int round = 1; round < 1500 || atomic_load(&crowd.asked) < 1500; round++) {
        HT_CHECK_INT(rename_both(crowd.search, round), HT_OK);
    }
    atomic_store(&crowd.stop, true);
    for (int i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i], NULL);
    }
    (void)pthread_join(tidier, NULL);
    HT_CHECK_INT(atomic_load(&crowd.wrong), 0);
    ht_gazetteer_free(crowd.search);
}

/* ---- short of memory ---- */

static enum ht_status little(struct ht_gazetteer **search, struct ht_gazetteer_work **work)
{
    struct ht_gazetteer_batch *batch = NULL;
    const struct ht_gazetteer_hit *hits = NULL;
    size_t count = 0;
    const struct ht_gazetteer_ask asked = {
        .query = "hthy 3", .size = 6, .limit = 10, .kinds = EVERYTHING, .personal = true};
    enum ht_status status = ht_gazetteer_new(search);
    for (int i = 0; status == HT_OK && i < 3; i++) {
        status = ht_gazetteer_batch_new(&batch);
        if (status == HT_OK) {
            status = put(batch, HT_GAZETTEER_HOUSEHOLDS, i == 1 ? "a" : "b", "王建国",
                         "候涛花园3幢2单元501室");
            if (status != HT_OK) {
                ht_gazetteer_batch_free(batch);
            }
        }
        if (status == HT_OK) {
            status = ht_gazetteer_apply(*search, batch);
        }
    }
    if (status == HT_OK) {
        status = ht_gazetteer_tidy(*search);
    }
    if (status == HT_OK) {
        status = ht_gazetteer_work_new(work);
    }
    if (status == HT_OK) {
        status = ht_gazetteer_find(*search, *work, &asked, &hits, &count);
    }
    return status == HT_OK && count != 2 ? HT_INVALID : status;
}

HT_CASE(without_memory_it_says_so_and_leaks_nothing)
{
    for (int n = 0;; n++) {
        struct ht_gazetteer *search = NULL;
        struct ht_gazetteer_work *work = NULL;
        ht_oom_arm(n);
        enum ht_status status = little(&search, &work);
        bool refused = ht_oom_disarm();
        HT_CHECK(status == HT_OK || (refused && status == HT_NOMEM));
        ht_gazetteer_work_free(work);
        ht_gazetteer_free(search);
        if (!refused) {
            break;
        }
    }
}

HT_MAIN()
