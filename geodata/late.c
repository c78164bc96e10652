#include "geodata/late.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Function pointers of any type lie in a table as dlsym gives them (POSIX: data pointers can hold
 * them). */
static bool load(const char *soname, const char *const *names, size_t count, void *table)
{
    void *library = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, names[i]);
        if (function == NULL) {
            return false;
        }
        memcpy((char *)table + i * sizeof function, &function, sizeof function);
    }
    return true;
}

#define NAME(function) #function,
/* ht_late_LIBRARY, loaded once. */
#define LATE(library, soname, LIST)                                                                \
    static const char *const library##_names[] = {LIST(NAME)};                                     \
    static struct ht_late_##library library##_table;                                               \
    static bool library##_there;                                                                   \
    static_assert(sizeof library##_table ==                                                        \
                      sizeof library##_names / sizeof *library##_names * sizeof(void *),           \
                  "a table is pointers, and nothing else");                                        \
                                                                                                   \
    static void library##_load(void)                                                               \
    {                                                                                              \
        library##_there =                                                                          \
            load(soname, library##_names, sizeof library##_names / sizeof *library##_names,        \
                 &library##_table);                                                                \
    }                                                                                              \
                                                                                                   \
    const struct ht_late_##library *ht_late_##library(void)                                        \
    {                                                                                              \
        static pthread_once_t once = PTHREAD_ONCE_INIT;                                            \
        (void)pthread_once(&once, library##_load);                                                 \
        return library##_there ? &library##_table : NULL;                                          \
    }

LATE(proj, HT_PROJ_SONAME, HT_LATE_PROJ)
LATE(spatialite, HT_SPATIALITE_SONAME, HT_LATE_SPATIALITE)
LATE(geos, HT_GEOS_SONAME, HT_LATE_GEOS)
LATE(pq, HT_PQ_SONAME, HT_LATE_PQ)
