/* Origin: what a benchmark's figures are from: commit and machine, for its JSON.
 *
 * Threading: none. Include it in one .c file of a program.
 */
#ifndef HT_BENCH_ORIGIN_H
#define HT_BENCH_ORIGIN_H

#include <stdio.h>
#include <string.h>

#include "api/version.h"

/* Writes "commit":"...","machine":"..." */
static inline void ht_bench_origin(FILE *out)
{
    char machine[128] = "unknown";
    char line[256];
    FILE *cpu = fopen("/proc/cpuinfo", "r");
    while (cpu != NULL && fgets(line, sizeof line, cpu) != NULL) {
        if (sscanf(line, "model name : %127[^\"\n]", machine) == 1) {
            break;
        }
    }
    if (cpu != NULL) {
        (void)fclose(cpu);
    }
    (void)fprintf(out, "\"commit\":\"%s\",\"machine\":\"%s\"", ht_version_commit(), machine);
}

#endif
