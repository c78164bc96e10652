/* Search: milliseconds of each kind of question among 1,000,000 households, beside SQLite's FTS5
 * (trigrams) over the same rows in the same run.
 *
 *   bench_search [RESULT.json [HOUSEHOLDS [QUESTIONS_OF_EACH_KIND [nopeer]]]]
 *
 * 3,000 compounds on 800 roads, names as they are spread in China (a tenth is called 王 or 李, two
 * thirds of given names have two characters). The peer has the columns id, name, address, initials
 * and syllables of the name, in memory; it is asked for the ten best by its own rank, or, with less
 * than three characters, which trigrams don't know, for any ten by LIKE. It can't read an address:
 * where ours is asked in another form, it gets the form that the rows have.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "engine/base/text.h"
#include "geodata/gazetteer.h"
#include "geodata/pinyin.h"

enum { COMPOUNDS = 3000, ROADS = 800, KINDS = 14, MOST = 4000 };

static const char *const surnames[] = {
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡",
    "郭", "何", "林", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹",
    "彭", "曾", "肖", "田", "董", "潘", "袁", "蔡", "蒋", "余", "于", "杜", "叶", "程", "苏",
    "魏", "吕", "丁", "任", "沈", "姚", "卢", "姜", "崔", "钟", "谭", "陆", "汪", "范", "金"};
static const char *const given[] = {
    "建", "国", "秀", "英", "明", "芳", "伟", "丽", "强", "军", "敏", "静", "杰", "涛", "超",
    "艳", "勇", "玲", "华", "平", "刚", "桂", "兰", "玉", "梅", "红", "志", "海", "文", "斌",
    "宇", "浩", "轩", "然", "佳", "怡", "子", "涵", "欣", "雨", "泽", "晨", "思", "梓", "若",
    "云", "飞", "鹏", "龙", "凤", "春", "夏", "秋", "冬", "阳", "光", "辉", "荣", "昌", "盛",
    "福", "寿", "康", "宁", "安", "顺", "德", "义", "仁", "礼", "智", "信", "忠", "孝", "廉"};
static const char *const syllables[] = {
    "镇", "宁", "招", "蛟", "骆", "庄", "澥", "沿", "清", "隆", "兴", "永", "平", "胜", "西",
    "东", "南", "北", "新", "安", "和", "鼓", "石", "海", "慈", "望", "临", "金", "福", "贵",
    "长", "明", "雄", "锦", "荷", "梅", "候", "涛", "宝", "川", "浦", "江", "泉", "利", "远",
    "丰", "乐", "塘", "桥", "山", "湖", "港", "岸", "华", "德", "康", "星", "田", "林", "溪"};
static const char *const endings[] = {"花园", "新村", "小区", "公寓", "家园"};
static const char *const towns[] = {"招宝山街道", "蛟川街道", "骆驼街道",
                                    "庄市街道",   "澥浦镇",   "九龙湖镇"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct home {
    char id[16];
    char name[16];
    uint16_t compound;
    uint16_t road;
    uint8_t number; /* of the house */
    uint8_t building;
    uint8_t unit;
    uint16_t room;
};

struct bench {
    uint32_t count;
    uint32_t questions;
    bool alone;
    struct home *homes;
    char compounds[COMPOUNDS][40];
    char roads[ROADS][32];
    struct ht_gazetteer *search;
    struct ht_gazetteer_work *work;
    sqlite3 *db;
    sqlite3_stmt *match;
    sqlite3_stmt *like;
    double build_s;
    double build_cpu_s;
    double peer_build_s;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What this thread has computed: what a busy neighbour takes is not in it. */
static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint32_t below(uint64_t *state, size_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(2685821657736338717) >> 33) % bound);
}

static const char *surname(uint64_t *state)
{
    uint32_t first = below(state, COUNT(surnames));
    uint32_t second = below(state, COUNT(surnames));
    return surnames[first < second ? first : second]; /* the first ones are the common ones */
}

static void home_make(struct bench *b, uint32_t i, uint64_t *state)
{
    struct home *home = &b->homes[i];
    (void)snprintf(home->id, sizeof home->id, "h%07u", i + 1);
    (void)snprintf(home->name, sizeof home->name, "%s%s%s", surname(state),
                   given[below(state, COUNT(given))],
                   below(state, 3) == 0 ? "" : given[below(state, COUNT(given))]);
    home->compound = (uint16_t)below(state, COMPOUNDS);
    home->road = (uint16_t)(home->compound * 7919U % ROADS);
    home->number = (uint8_t)(1 + home->compound % 200);
    home->building = (uint8_t)(1 + below(state, 30));
    home->unit = (uint8_t)(1 + below(state, 4));
    home->room = (uint16_t)((1 + below(state, 18)) * 100 + 1 + below(state, 4));
}

static void address_of(const struct bench *b, const struct home *home, char text[256])
{
    (void)snprintf(text, 256, "宁波市镇海区%s%s%u号%s%u幢%u单元%u室",
                   towns[home->compound % COUNT(towns)], b->roads[home->road],
                   (unsigned)home->number, b->compounds[home->compound], (unsigned)home->building,
                   (unsigned)home->unit, (unsigned)home->room);
}

static void town_make(struct bench *b)
{
    uint64_t state = 7;
    for (int i = 0; i < COMPOUNDS; i++) {
        (void)snprintf(b->compounds[i], sizeof b->compounds[i], "%s%s%s",
                       syllables[below(&state, COUNT(syllables))],
                       syllables[below(&state, COUNT(syllables))],
                       endings[below(&state, COUNT(endings))]);
    }
    for (int i = 0; i < ROADS; i++) {
        (void)snprintf(b->roads[i], sizeof b->roads[i], "%s%s路",
                       syllables[below(&state, COUNT(syllables))],
                       syllables[below(&state, COUNT(syllables))]);
    }
    for (uint32_t i = 0; i < b->count; i++) {
        home_make(b, i, &state);
    }
}

static struct ht_point point_of(uint32_t i)
{
    uint64_t state = i + UINT64_C(1000);
    (void)below(&state, 1);
    return (struct ht_point){1213000000 + (int32_t)below(&state, 4000000),
                             298000000 + (int32_t)below(&state, 3600000)};
}

static bool ours_build(struct bench *b)
{
    struct ht_gazetteer_batch *batch = NULL;
    double begin = now_s();
    double cpu = cpu_s();
    if (ht_gazetteer_new(&b->search) != HT_OK || ht_gazetteer_work_new(&b->work) != HT_OK ||
        ht_gazetteer_batch_new(&batch) != HT_OK) {
        return false;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        char address[256];
        const struct home *home = &b->homes[i];
        address_of(b, home, address);
        const struct ht_gazetteer_text texts[] = {{home->name, strlen(home->name), false},
                                                  {address, strlen(address), true}};
        const struct ht_gazetteer_item item = {
            HT_GAZETTEER_HOUSEHOLDS, home->id, true, point_of(i), texts, 2, NULL};
        if (ht_gazetteer_batch_put(batch, &item) != HT_OK) {
            ht_gazetteer_batch_free(batch);
            return false;
        }
    }
    bool good = ht_gazetteer_apply(b->search, batch) == HT_OK;
    b->build_s = now_s() - begin;
    b->build_cpu_s = cpu_s() - cpu;
    return good;
}

/* ---- the peer ---- */

static bool peer_row(struct bench *b, sqlite3_stmt *insert, const struct home *home)
{
    char address[256];
    struct ht_text initials = {0};
    struct ht_text spelled = {0};
    address_of(b, home, address);
    ht_pinyin_initials(home->name, strlen(home->name), &initials);
    for (size_t at = 0, length = 0; home->name[at] != '\0'; at += length) {
        char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE];
        uint32_t code = 0;
        length = ht_utf8_read(home->name + at, strlen(home->name) - at, &code);
        ht_text_add_string(&spelled, ht_pinyin_readings(code, readings) > 0 ? readings[0] : "");
    }
    const char *columns[] = {home->id, home->name, address, ht_text_string(&initials),
                             ht_text_string(&spelled)};
    for (int i = 0; i < 5; i++) {
        (void)sqlite3_bind_text(insert, i + 1, columns[i], -1, SQLITE_TRANSIENT);
    }
    bool good = sqlite3_step(insert) == SQLITE_DONE;
    (void)sqlite3_reset(insert);
    ht_text_deinit(&initials);
    ht_text_deinit(&spelled);
    return good;
}

static bool peer_build(struct bench *b)
{
    sqlite3_stmt *insert = NULL;
    double begin = now_s();
    if (sqlite3_open(":memory:", &b->db) != SQLITE_OK ||
        sqlite3_exec(b->db,
                     "CREATE VIRTUAL TABLE h USING fts5(id, name, address, initials, spelled, "
                     "tokenize='trigram', detail='full'); BEGIN",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(b->db, "INSERT INTO h VALUES(?,?,?,?,?)", -1, &insert, NULL) !=
            SQLITE_OK) {
        (void)fprintf(stderr, "bench_search: no peer: %s\n", sqlite3_errmsg(b->db));
        return false;
    }
    bool good = true;
    for (uint32_t i = 0; good && i < b->count; i++) {
        good = peer_row(b, insert, &b->homes[i]);
    }
    (void)sqlite3_finalize(insert);
    good = good && sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(b->db, "SELECT id FROM h WHERE h MATCH ? ORDER BY rank LIMIT 10", -1,
                              &b->match, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(b->db,
                              "SELECT id FROM h WHERE id LIKE ?1 OR name LIKE ?1 OR address LIKE ?1"
                              " OR initials LIKE ?1 OR spelled LIKE ?1 LIMIT 10",
                              -1, &b->like, NULL) == SQLITE_OK;
    b->peer_build_s = now_s() - begin;
    return good;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += (*text & 0xc0) != 0x80;
    }
    return count;
}

/* The words of a query, each as a phrase; one that is short by LIKE. */
static int peer_ask(struct bench *b, const char *query)
{
    char text[512] = "";
    size_t used = 0;
    bool like = false;
    sqlite3_stmt *statement = b->match;
    for (const char *at = query; *at != '\0';) {
        size_t length = strcspn(at, " ");
        char word[256];
        (void)snprintf(word, sizeof word, "%.*s", (int)length, at);
        like = like || characters(word) < 3;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\"", used > 0 ? " " : "",
                                 word);
        at += length + (at[length] == ' ');
    }
    if (like) {
        statement = b->like;
        (void)snprintf(text, sizeof text, "%%%s%%", query);
    }
    int rows = 0;
    (void)sqlite3_bind_text(statement, 1, text, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        rows++;
    }
    (void)sqlite3_reset(statement);
    return rows;
}

/* ---- questions ---- */

static const char *const kind_names[KINDS] = {"id",
                                              "beginning of an id",
                                              "name",
                                              "initials of a name",
                                              "syllables of a name",
                                              "whole address",
                                              "compound and numbers",
                                              "road",
                                              "compound initials, room",
                                              "common surname",
                                              "one character",
                                              "one letter or digit",
                                              "one digit, near",
                                              "nothing like it"};

static void spelled_of(const char *name, char *out, size_t size)
{
    size_t used = 0;
    for (size_t at = 0, length = 0; name[at] != '\0'; at += length) {
        char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE];
        uint32_t code = 0;
        length = ht_utf8_read(name + at, strlen(name) - at, &code);
        if (ht_pinyin_readings(code, readings) > 0) {
            used += (size_t)snprintf(out + used, size - used, "%s", readings[0]);
        }
    }
}

static void initials_of(const char *name, char *out, size_t size)
{
    struct ht_text initials = {0};
    ht_pinyin_initials(name, strlen(name), &initials);
    (void)snprintf(out, size, "%s", ht_text_string(&initials));
    ht_text_deinit(&initials);
}

/* What we are asked; `theirs`: what the peer is. */
static void question_make(const struct bench *b, int kind, uint64_t *state, char ours[256],
                          char theirs[256])
{
    const struct home *home = &b->homes[below(state, b->count)];
    const char *compound = b->compounds[home->compound];
    char initials[32];
    theirs[0] = '\0';
    switch (kind) {
    case 0:
        (void)snprintf(ours, 256, "%s", home->id);
        break;
    case 1:
        (void)snprintf(ours, 256, "%.6s", home->id);
        break;
    case 2:
        (void)snprintf(ours, 256, "%s", home->name);
        break;
    case 3:
        initials_of(home->name, ours, 256);
        break;
    case 4:
        spelled_of(home->name, ours, 256);
        break;
    case 5:
        address_of(b, home, ours);
        break;
    case 6:
        (void)snprintf(ours, 256, "%s%u-%u-%u", compound, (unsigned)home->building,
                       (unsigned)home->unit, (unsigned)home->room);
        (void)snprintf(theirs, 256, "%s%u幢%u单元%u室", compound, (unsigned)home->building,
                       (unsigned)home->unit, (unsigned)home->room);
        break;
    case 7:
        (void)snprintf(ours, 256, "%s", b->roads[home->road]);
        break;
    case 8:
        initials_of(compound, initials, sizeof initials);
        (void)snprintf(ours, 256, "%s %u", initials, (unsigned)home->room);
        (void)snprintf(theirs, 256, "%s %u室", compound, (unsigned)home->room);
        break;
    case 9:
        (void)snprintf(ours, 256, "%s", surnames[below(state, 5)]);
        break;
    case 10:
        (void)snprintf(ours, 256, "%s", given[below(state, COUNT(given))]);
        break;
    case 11:
    case 12:
        (void)snprintf(ours, 256, "%c", "1234567890wlzcyhsxjg"[below(state, kind == 11 ? 20 : 9)]);
        break;
    default:
        (void)snprintf(ours, 256, "%s", below(state, 2) == 0 ? "鳜鱼桥九弄" : "qqqvvv");
    }
    if (theirs[0] == '\0') {
        (void)snprintf(theirs, 256, "%s", ours);
    }
}

struct times {
    double p50_ms;
    double p99_ms;
    double max_ms;
    double cpu_p99_ms;
    double hits;
};

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void times_set(struct times *times, double *ms, uint32_t count)
{
    qsort(ms, count, sizeof *ms, by_value);
    times->p50_ms = ms[count / 2];
    times->p99_ms = ms[(size_t)count * 99 / 100];
    times->max_ms = ms[count - 1];
    times->hits /= count;
}

static struct times ours_run(struct bench *b, int kind)
{
    static double ms[MOST];
    static double cpu_ms[MOST];
    struct times times = {0};
    uint64_t state = (uint64_t)kind + 77;
    for (uint32_t i = 0; i < b->questions; i++) {
        char query[256];
        char theirs[256];
        const struct ht_gazetteer_hit *hits = NULL;
        size_t count = 0;
        question_make(b, kind, &state, query, theirs);
        const struct ht_gazetteer_ask ask = {.query = query,
                                             .size = strlen(query),
                                             .limit = 10,
                                             .kinds = (1U << HT_GAZETTEER_KINDS) - 1,
                                             .personal = true,
                                             .near = kind == 12,
                                             .point = point_of(i)};
        double cpu = cpu_s();
        double begin = now_s();
        if (ht_gazetteer_find(b->search, b->work, &ask, &hits, &count) != HT_OK) {
            (void)fprintf(stderr, "bench_search: %s failed\n", query);
        }
        ms[i] = (now_s() - begin) * 1e3;
        cpu_ms[i] = (cpu_s() - cpu) * 1e3;
        times.hits += (double)count;
    }
    times_set(&times, ms, b->questions);
    qsort(cpu_ms, b->questions, sizeof *cpu_ms, by_value);
    times.cpu_p99_ms = cpu_ms[(size_t)b->questions * 99 / 100];
    return times;
}

/* Fewer of them: some of its answers take a second. */
static struct times peer_run(struct bench *b, int kind)
{
    static double ms[MOST];
    struct times times = {0};
    uint64_t state = (uint64_t)kind + 77;
    double all = now_s();
    uint32_t count = 0;
    while (count < b->questions && (count < 5 || now_s() - all < 3)) {
        char query[256];
        char theirs[256];
        question_make(b, kind, &state, query, theirs);
        double begin = now_s();
        times.hits += peer_ask(b, theirs);
        ms[count++] = (now_s() - begin) * 1e3;
    }
    times_set(&times, ms, count);
    return times;
}

static int run(struct bench *b, const char *json_path)
{
    struct ht_gazetteer_stats stats;
    town_make(b);
    if (!ours_build(b)) {
        (void)fprintf(stderr, "bench_search: out of memory\n");
        return 1;
    }
    ht_gazetteer_stats_read(b->search, &stats);
    double bytes = (double)stats.bytes / b->count;
    (void)printf(
        "%u households: built in %.1f s (%.1f s of one core), %.0f bytes each, %zu terms\n",
        b->count, b->build_s, b->build_cpu_s, bytes, stats.terms);
    bool peer = !b->alone && peer_build(b);
    if (peer) {
        (void)printf("SQLite %s FTS5 trigram: built in %.1f s\n", sqlite3_libversion(),
                     b->peer_build_s);
    }
    (void)printf("%-26s %8s %8s %8s %8s %5s | %9s %9s %5s   (bound: 5 ms)\n", "milliseconds", "p50",
                 "p99", "max", "p99 CPU", "hits", "FTS5 p50", "p99", "hits");
    FILE *json = fopen(json_path, "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json,
                      ",\"bench\":\"search\",\"households\":%u,\"build_s\":%.2f,"
                      "\"bytes_each\":%.1f,\"peer_build_s\":%.2f,\"bound_ms\":5,\"kinds\":[",
                      b->count, b->build_s, bytes, b->peer_build_s);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        struct times ours = ours_run(b, kind);
        struct times theirs = peer ? peer_run(b, kind) : (struct times){0};
        (void)printf("%-26s %8.3f %8.3f %8.3f %8.3f %5.1f | %9.3f %9.3f %5.1f\n", kind_names[kind],
                     ours.p50_ms, ours.p99_ms, ours.max_ms, ours.cpu_p99_ms, ours.hits,
                     theirs.p50_ms, theirs.p99_ms, theirs.hits);
        if (json != NULL) {
            (void)fprintf(
                json,
                "%s{\"kind\":\"%s\",\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,"
                "\"p99_cpu_ms\":%.4f,\"hits\":%.1f,\"fts5_p50_ms\":%.4f,\"fts5_p99_ms\":%.4f}",
                kind == 0 ? "" : ",", kind_names[kind], ours.p50_ms, ours.p99_ms, ours.max_ms,
                ours.cpu_p99_ms, ours.hits, theirs.p50_ms, theirs.p99_ms);
        }
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        return fclose(json) == 0 ? 0 : 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct bench *b = calloc(1, sizeof *b);
    int result = 1;
    if (b == NULL) {
        return 1;
    }
    b->count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    b->questions = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1000;
    b->questions = b->questions < 1 ? 1 : b->questions > MOST ? MOST : b->questions;
    b->alone = argc > 4;
    b->homes = b->count == 0 ? NULL : calloc(b->count, sizeof *b->homes);
    if (b->homes != NULL) {
        result = run(b, argc > 1 ? argv[1] : "bench/results/search.json");
    }
    (void)sqlite3_finalize(b->match);
    (void)sqlite3_finalize(b->like);
    (void)sqlite3_close(b->db);
    ht_gazetteer_work_free(b->work);
    ht_gazetteer_free(b->search);
    free(b->homes);
    free(b);
    return result;
}
