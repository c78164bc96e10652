/* The whole sample town at sixty times life: its midday, and with --long its day. A program of its
 * own, as nothing else may run beside it: what a planner finds in its time counts. */
#include "tests/support/check.h"
#include "tests/support/simulated_town.h"

static long memory_kb(void)
{
    char path[64];
    char line[256];
    long kb = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    FILE *file = fopen(path, "r");
    while (file != NULL && kb == 0 && fgets(line, sizeof line, file) != NULL) {
        kb = strncmp(line, "VmRSS:", 6) == 0 ? strtol(line + 6, NULL, 10) : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kb;
}

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { REACHED_JUDGED = 20 }; /* alarms: of fewer a share says little */

/* The whole town at sixty times, until `to`: the server's memory at half of it and at the end. */
static void whole_town(const char *from, const char *to, unsigned half_s)
{
    char line[512];
    int status = -1;
    HT_REQUIRE(begin_town(from));
    (void)snprintf(line, sizeof line,
                   "simulate --url http://127.0.0.1:%u --speedup 60 --to %s --alarms 60 --json "
                   "%s/long.json",
                   (unsigned)port, to, folder);
    pid_t simulator = ht_command_start(line, STDOUT_FILENO, STDERR_FILENO);
    (void)sleep(half_s);
    long half_kb = memory_kb();
    HT_CHECK(waitpid(simulator, &status, 0) == simulator && WIFEXITED(status) &&
             WEXITSTATUS(status) == 0);
    long end_kb = memory_kb();
    (void)printf("  %ld kB at half time, %ld kB at the end\n", half_kb, end_kb);
    HT_CHECK(half_kb > 0 && end_kb * 100 <= half_kb * 105);
    char *json = file_text("long.json");
    HT_REQUIRE(json != NULL);
    HT_CHECK_INT(number_at(json, "server_errors"), 0);
    HT_CHECK_INT(number_at(json, "lost"), 0);
    HT_CHECK(number_at(json, "meals_in_time") * 100 >= number_at(json, "meals_due") * 80);
    long reached_due = number_at(json, "reached_due");
    HT_CHECK(reached_due > 0);
    HT_CHECK(reached_due < REACHED_JUDGED ||
             number_at(json, "reached_within_ten_minutes") * 100 >= reached_due * 85);
    HT_CHECK(number_at(json, "meals_due") > 1000 && number_at(json, "meals_refused") == 0);
    free(json);
    end();
}

HT_CASE(a_midday_of_20000_households_at_60_times_stays_in_its_memory)
{
    if (SANITIZED) {
        HT_SKIP("a sanitized server is too slow for a town at 60 times");
    }
    /* from a quarter to eleven: the first meals are due at eleven, and vans have to load them */
    whole_town("2030-03-04T02:44:30Z,60", "13:00", 72);
}

HT_CASE(a_whole_day_of_20000_households_at_60_times_stays_in_its_memory)
{
    if (!HT_LONG || SANITIZED) {
        HT_SKIP("24 minutes: --long, not by a sanitized server");
    }
    whole_town("2030-03-03T16:00:00Z,60", "24:00", 12 * 60);
}

HT_SERVED_MAIN()
