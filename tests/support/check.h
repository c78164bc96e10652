/* The test harness: cases named like sentences, checks that say what they saw.
 *
 *   HT_CASE(query_unreachable_is_infinite) { HT_CHECK(x == 1); HT_CHECK_INT(y, 2); }
 *   HT_MAIN()
 *
 * A program runs all of its cases (or those whose name contains argv[1]) and exits 0, 1, or 77 when
 * every case was skipped. HT_SKIP("why") leaves a case; HT_LONG is true under `./run test --long`.
 * Include it in one .c file per program. Threading: checks may be used from the main thread only.
 */
#ifndef HT_TESTS_SUPPORT_CHECK_H
#define HT_TESTS_SUPPORT_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ht_case {
    const char *name;
    void (*run)(void);
    struct ht_case *next;
};

static struct ht_case *ht_cases;
static int ht_case_failures;
static const char *ht_case_skipped;

#define HT_LONG (getenv("HOUTAO_TEST_LONG") != NULL)

#define HT_CASE(case_name)                                                                         \
    static void case_name(void);                                                                   \
    static struct ht_case case_name##_entry = {#case_name, case_name, NULL};                       \
    __attribute__((constructor)) static void case_name##_register(void)                            \
    {                                                                                              \
        struct ht_case **end = &ht_cases;                                                          \
        while (*end != NULL) {                                                                     \
            end = &(*end)->next;                                                                   \
        }                                                                                          \
        *end = &case_name##_entry;                                                                 \
    }                                                                                              \
    static void case_name(void)

#define HT_CHECK(condition)                                                                        \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ht_case_failures++;                                                                    \
            (void)printf("  %s:%d: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

#define HT_CHECK_INT(got, want)                                                                    \
    do {                                                                                           \
        int64_t ht_got = (int64_t)(got);                                                           \
        int64_t ht_want = (int64_t)(want);                                                         \
        if (ht_got != ht_want) {                                                                   \
            ht_case_failures++;                                                                    \
            (void)printf("  %s:%d: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__,      \
                         #got, ht_got, ht_want);                                                   \
        }                                                                                          \
    } while (0)

#define HT_CHECK_STR(got, want)                                                                    \
    do {                                                                                           \
        const char *ht_got = (got);                                                                \
        const char *ht_want = (want);                                                              \
        if (ht_got == NULL || strcmp(ht_got, ht_want) != 0) {                                      \
            ht_case_failures++;                                                                    \
            (void)printf("  %s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got,          \
                         ht_got == NULL ? "(null)" : ht_got, ht_want);                             \
        }                                                                                          \
    } while (0)

/* Leaves the case when the condition fails: what follows would make no sense. */
#define HT_REQUIRE(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ht_case_failures++;                                                                    \
            (void)printf("  %s:%d: %s\n", __FILE__, __LINE__, #condition);                         \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define HT_SKIP(why)                                                                               \
    do {                                                                                           \
        ht_case_skipped = (why);                                                                   \
        return;                                                                                    \
    } while (0)

/* The folder of real data, or NULL. HOUTAO_DATA overrides ../shared/data. */
static inline const char *ht_data_dir(void)
{
    static const char *found;
    const char *dir = getenv("HOUTAO_DATA");
    found = dir != NULL ? dir : HT_SOURCE_DIR "/../shared/data";
    return access(found, R_OK) == 0 ? found : NULL;
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t ht_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t ht_random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((ht_random(state) >> 33) % bound);
}

static inline int ht_run_cases(const char *filter)
{
    int failed = 0;
    int skipped = 0;
    int passed = 0;
    for (struct ht_case *c = ht_cases; c != NULL; c = c->next) {
        if (filter != NULL && strstr(c->name, filter) == NULL) {
            continue;
        }
        ht_case_failures = 0;
        ht_case_skipped = NULL;
        c->run();
        if (ht_case_failures > 0) {
            failed++;
            (void)printf("FAIL %s\n", c->name);
        } else if (ht_case_skipped != NULL) {
            skipped++;
            (void)printf("skip %s: %s\n", c->name, ht_case_skipped);
        } else {
            passed++;
            (void)printf("ok   %s\n", c->name);
        }
        (void)fflush(stdout);
    }
    (void)printf("cases: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    if (failed > 0) {
        return 1;
    }
    return passed == 0 && skipped > 0 ? 77 : 0;
}

#define HT_MAIN()                                                                                  \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return ht_run_cases(argc > 1 ? argv[1] : NULL);                                            \
    }

#endif
