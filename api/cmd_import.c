/* houtao import: OSM extracts to a network file. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/osm_import.h"

enum { BAR = 30 };

struct screen {
    const char *output;
    bool terminal;
    bool bar; /* the line is not finished */
    bool guarded;
    int percent;
};

/* What is being written, for the signal handler. */
static char unfinished[PATH_MAX];

static void on_signal(int number)
{
    (void)unlink(unfinished);
    (void)raise(number); /* the handler is gone by then, and the shell sees why it ended */
}

/* Once the file beside the output is ours, nobody finds it there when the import is broken off. */
static void guard(struct screen *screen)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    int size = snprintf(unfinished, sizeof unfinished, "%s.tmp", screen->output);
    screen->guarded = true;
    if (size < 0 || (size_t)size >= sizeof unfinished) {
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction before;
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
        (void)sigemptyset(&action.sa_mask);
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
}

static void unguard(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction now;
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == on_signal) {
            (void)signal(numbers[i], SIG_DFL);
        }
    }
}

static void draw(struct screen *screen, const struct ht_import_progress *p)
{
    int percent = p->total > 0 ? (int)(p->done * 100 / p->total) : 100;
    if (percent == screen->percent) {
        return;
    }
    screen->percent = percent;
    char bar[BAR + 1];
    memset(bar, ' ', BAR);
    memset(bar, '#', (size_t)(percent > 100 ? 100 : percent) * BAR / 100);
    bar[BAR] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %3d %%", ht_import_stage_text(p->stage), bar, percent);
    screen->bar = true;
}

static void on_progress(void *user, const struct ht_import_progress *p)
{
    struct screen *screen = user;
    const char *text = ht_import_stage_text(p->stage);
    if (p->stage != HT_IMPORT_READ && !screen->guarded) {
        guard(screen);
    }
    if (screen->terminal && p->stage == HT_IMPORT_READ) {
        draw(screen, p);
    } else if (screen->terminal) {
        (void)fprintf(stderr, "\r\033[K%s (%zu of %zu): %s ...", p->profile, p->index + 1, p->count,
                      text);
        screen->bar = true;
    } else if (p->stage == HT_IMPORT_READ) {
        int quarter = p->total > 0 ? (int)(p->done * 4 / p->total) : 4;
        if (quarter != screen->percent) {
            screen->percent = quarter;
            (void)fprintf(stderr, "%s: %d %%\n", text, quarter * 25);
        }
    } else {
        (void)fprintf(stderr, "%s: %s\n", p->profile, text);
    }
    (void)fflush(stderr);
}

static void warn(uint64_t count, const char *what)
{
    if (count > 0) {
        (void)fprintf(stderr, "warning: %" PRIu64 " %s\n", count, what);
    }
}

static void print_warnings(const struct ht_import_report *report)
{
    const struct ht_build_counts *c = &report->counts;
    warn(c->duplicate_nodes, "nodes come twice: the first is used");
    warn(c->duplicate_ways, "ways come twice: the first is used");
    warn(c->duplicate_relations, "relations come twice: the first is used");
    warn(c->nodes_out_of_range, "nodes lie outside the world: left out");
    warn(c->nodes_missing, "nodes that ways name are missing");
    warn(c->ways_cut, "ways lack nodes: their longest part is used");
    warn(c->ways_dropped, "ways have fewer than two nodes (or more than 65,535): left out");
    warn(c->restrictions_malformed, "turn restrictions can't be read: left out");
    warn(c->restrictions_apart, "turn restrictions have members that don't touch: left out");
    warn(c->conditions_unknown, "turn restrictions hang on more than the clock: left out");
    for (size_t i = 0; i < report->profile_count; i++) {
        const struct ht_import_profile *p = &report->profiles[i];
        char text[160];
        if (p->left_out) {
            (void)fprintf(stderr, "warning: %s can use no street here: left out\n", p->name);
        }
        (void)snprintf(text, sizeof text,
                       "turn restrictions name what is not in the network: left out for %s",
                       p->name);
        warn(p->counts.restrictions_missing, text);
        (void)snprintf(text, sizeof text,
                       "turn restrictions don't say which turn they mean: left out for %s",
                       p->name);
        warn(p->counts.restrictions_ambiguous, text);
        (void)snprintf(text, sizeof text,
                       "pieces of streets are longer than 4,295 km or six days: left out for %s",
                       p->name);
        warn(p->counts.pieces_too_long, text);
    }
}

static void print_report(const struct ht_import_report *report, const char *output)
{
    (void)printf("%s: %" PRIu32 " ways, %" PRIu32 " nodes in %.1f s\n", output, report->ways,
                 report->nodes, report->total_s);
    for (size_t i = 0; i < report->profile_count; i++) {
        const struct ht_import_profile *p = &report->profiles[i];
        if (!p->left_out) {
            (void)printf("%-10s %" PRIu32 " junctions, %" PRIu32 " arcs, %" PRIu32
                         " turns, %" PRIu32 " restrictions (%" PRIu32 " via ways, %" PRIu32
                         " by time); top cut %" PRIu32 " streets, depth %" PRIu32 " (mean %.0f)\n",
                         p->name, p->junctions, p->arcs, p->turns, p->counts.restrictions_used,
                         p->counts.restrictions_via_way, p->counts.restrictions_timed,
                         p->order.top_cut_streets, p->order.depth_max, p->order.depth_mean);
        }
    }
}

int ht_cmd_import(int argc, char **argv)
{
    const char *output = NULL;
    const char *profiles = NULL;
    const char *threads = NULL;
    const struct ht_cli_option options[] = {
        {.name = "output",
         .letter = 'o',
         .value = "FILE.hnet",
         .help = "the file to make",
         .text = &output},
        {.name = "profiles",
         .value = "DIR|NAME,...",
         .help = "a folder of profiles, or names of built-in ones (all)",
         .text = &profiles},
        {.name = "threads", .value = "N", .help = "threads (as many as cores)", .text = &threads}};
    const struct ht_cli cli = {.command = "import",
                               .arguments = "INPUT... -o FILE.hnet",
                               .summary = "make a network file from .osm.pbf .osm .osm.gz .osm.bz2",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result go = ht_cli_parse(&cli, argc, argv, &count);
    if (go != HT_CLI_GO) {
        return go == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    int64_t thread_count = 0;
    if (threads != NULL && !ht_cli_number(&cli, "threads", threads, 1, 1024, &thread_count)) {
        return HT_EXIT_USAGE;
    }
    if (count == 0 || output == NULL) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "%s",
                            count == 0 ? "no input given" : "no -o FILE.hnet given");
    }
    struct screen screen = {
        .output = output, .terminal = isatty(STDERR_FILENO) == 1, .percent = -1};
    struct ht_import import = {.inputs = (const char *const *)argv,
                               .input_count = (size_t)count,
                               .output = output,
                               .profiles = profiles,
                               .threads = (size_t)thread_count,
                               .progress = on_progress,
                               .user = &screen};
    struct ht_import_report report;
    struct ht_error error = {.status = HT_OK};
    enum ht_status status = ht_import(&import, &report, &error);
    unguard();
    if (screen.bar) {
        (void)fputs("\r\033[K", stderr);
    }
    int code = HT_EXIT_DONE;
    if (status != HT_OK) {
        code = ht_cli_error(&cli, HT_EXIT_FAILED, "%s", error.message);
    } else {
        print_warnings(&report);
        print_report(&report, output);
    }
    ht_import_report_deinit(&report);
    return code;
}
