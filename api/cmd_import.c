/* houtao import: OSM extracts to a network file. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/osm_import.h"

enum { BAR = 30 };

struct screen {
    bool terminal;
    bool bar; /* the line is not finished */
    int percent;
};

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

/* For the signal handler: what is being written, and whether it is there. */
static char unfinished[PATH_MAX];
static atomic_int file_stage; /* enum file_stage */
static atomic_int ended_by;   /* the signal that came */

enum file_stage { NO_FILE, MAKING_FILE, OUR_FILE };

static void end_by(int number)
{
    if (atomic_load(&file_stage) == OUR_FILE) {
        (void)unlink(unfinished);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number); /* the shell sees why it ended */
}

/* The file beside the output is removed once it is ours, and none is while it may be another's:
 * between the two the signal waits. On any thread: who writes first what the other reads then, here
 * and in file_now, is seen by the other. */
static void on_signal(int number)
{
    atomic_store(&ended_by, number);
    if (atomic_load(&file_stage) != MAKING_FILE) {
        end_by(number);
    }
}

static void guard(const char *output)
{
    int size = snprintf(unfinished, sizeof unfinished, "%s.tmp", output);
    if (size < 0 || (size_t)size >= sizeof unfinished) {
        return;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction before;
        struct sigaction action = {.sa_handler = on_signal};
        (void)sigfillset(&action.sa_mask);
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(ends[i], &action, NULL);
        }
    }
}

static void file_now(int stage)
{
    atomic_store(&file_stage, stage);
    int number = atomic_load(&ended_by);
    if (number != 0) {
        end_by(number);
    }
}

static void unguard(void)
{
    file_now(NO_FILE);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction now;
        if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler == on_signal) {
            (void)signal(ends[i], SIG_DFL);
        }
    }
}

/* How much of reading, or of making profiles, is done: of these by stages, which differ in length.
 */
static int percent_of(const struct ht_import_progress *p)
{
    const size_t stages = HT_IMPORT_WRITE - HT_IMPORT_GRAPH + 1;
    if (p->stage != HT_IMPORT_READ) {
        size_t done = p->index * stages + (size_t)(p->stage - HT_IMPORT_GRAPH);
        return (int)(done * 100 / (p->count * stages));
    }
    return p->total > 0 && p->done < p->total ? (int)(p->done * 100 / p->total) : 100;
}

static void draw(struct screen *screen, const struct ht_import_progress *p)
{
    int percent = percent_of(p);
    if (percent == screen->percent && p->stage == HT_IMPORT_READ) {
        return;
    }
    screen->percent = percent;
    char bar[BAR + 1];
    memset(bar, ' ', BAR);
    memset(bar, '#', (size_t)percent * BAR / 100);
    bar[BAR] = '\0';
    (void)fprintf(stderr, "\r\033[K[%s] %3d %% ", bar, percent);
    if (p->stage != HT_IMPORT_READ) {
        (void)fprintf(stderr, "%s (%zu of %zu): ", p->profile, p->index + 1, p->count);
    }
    (void)fputs(ht_import_stage_text(p->stage), stderr);
    screen->bar = true;
}

static void on_progress(void *user, const struct ht_import_progress *p)
{
    struct screen *screen = user;
    const char *text = ht_import_stage_text(p->stage);
    if (p->stage == HT_IMPORT_OPEN || p->stage == HT_IMPORT_OURS) {
        file_now(p->stage == HT_IMPORT_OPEN ? MAKING_FILE : OUR_FILE);
        return;
    }
    if (screen->terminal) {
        draw(screen, p);
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
                       "turn restrictions command a way that can't be driven: left out for %s",
                       p->name);
        warn(p->counts.restrictions_impossible, text);
        (void)snprintf(text, sizeof text,
                       "pieces of streets are longer than 4,295 km or six days: left out for %s",
                       p->name);
        warn(p->counts.pieces_too_long, text);
        (void)snprintf(text, sizeof text,
                       "pieces of streets repeat another one of their way: left out for %s",
                       p->name);
        warn(p->counts.pieces_repeated, text);
        (void)snprintf(text, sizeof text,
                       "pieces of streets meet more than 250 others at a node: left out for %s",
                       p->name);
        warn(p->counts.pieces_crowded, text);
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
    struct screen screen = {.terminal = isatty(STDERR_FILENO) == 1, .percent = -1};
    struct ht_import import = {.inputs = (const char *const *)argv,
                               .input_count = (size_t)count,
                               .output = output,
                               .profiles = profiles,
                               .threads = (size_t)thread_count,
                               .progress = on_progress,
                               .user = &screen};
    struct ht_import_report report;
    struct ht_error error = {.status = HT_OK};
    guard(output);
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
