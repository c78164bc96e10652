/* Failing the n-th allocation, on purpose.
 *
 *   for (int n = 0;; n++) {
 *       ht_oom_arm(n);                       the n-th allocation from here fails, and all after it
 *       enum ht_status status = ht_x_new(&x);
 *       if (!ht_oom_disarm()) { ... }        none was left to fail: this was the last round
 *   }
 *
 * Needs ht_test_oom(test_name) in CMake, which routes malloc, calloc, realloc and aligned_alloc of
 * the whole program through here. Include it in one .c file. Threading: armed by one thread, counts
 * on all.
 */
#ifndef HT_TESTS_SUPPORT_OOM_H
#define HT_TESTS_SUPPORT_OOM_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_long ht_oom_left = LONG_MAX;
static atomic_bool ht_oom_failed;

/* The linker gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static inline void ht_oom_arm(long n)
{
    atomic_store(&ht_oom_failed, false);
    atomic_store(&ht_oom_left, n);
}

/* True when an allocation was refused since it was armed. */
static inline bool ht_oom_disarm(void)
{
    atomic_store(&ht_oom_left, LONG_MAX);
    return atomic_load(&ht_oom_failed);
}

static inline bool ht_oom_refuse(void)
{
    if (atomic_load(&ht_oom_left) == LONG_MAX || atomic_fetch_sub(&ht_oom_left, 1) > 0) {
        return false;
    }
    atomic_store(&ht_oom_failed, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return ht_oom_refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ht_oom_refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return ht_oom_refuse() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return ht_oom_refuse() ? NULL : __real_aligned_alloc(alignment, size);
}

/* NOLINTEND(bugprone-reserved-identifier) */

#endif
