/* houtao simulate: a day in a town, through the API of its server. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli.h"
#include "api/commands.h"
#include "api/simulate/day.h"
#include "api/zone.h"

enum { CONNECTIONS = 8, CONNECTIONS_MOST = 256, STEP_S = 10 };

static volatile int stopped;

static void on_signal(int number)
{
    (void)number;
    if (stopped != 0) {
        _Exit(HT_EXIT_FAILED); /* asked twice: at once */
    }
    stopped = 1;
}

static void signals_set(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* What the command line says. */
struct said {
    const char *url;
    const char *token;
    const char *protocol;
    const char *door;
    const char *speedup;
    const char *rate;
    const char *alarms;
    const char *seed;
    const char *from;
    const char *to;
    const char *step;
    const char *households;
    const char *connections;
    const char *json;
    const char *log;
    const char *tz;
    bool chaos;
    bool storm;
    bool quiet;
};

static bool real_read(const struct ht_cli *cli, const char *name, const char *text, double most,
                      double *out)
{
    char *end = NULL;
    double value = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL) {
        return true;
    }
    if (end == text || *end != '\0' || !(value >= 0 && value <= most)) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes a number from 0 to %g, not '%s'", name,
                           most, text);
        return false;
    }
    *out = value;
    return true;
}

static bool whole_read(const struct ht_cli *cli, const char *name, const char *text,
                       const int64_t range[2], int64_t *out)
{
    return text == NULL || ht_cli_number(cli, name, text, range[0], range[1], out);
}

/* "HH:MM" as minutes of the day. */
static bool minute_read(const struct ht_cli *cli, const char *name, const char *text, int *out)
{
    bool shaped = text != NULL && strlen(text) == 5 && text[2] == ':';
    int digits[4] = {0};
    if (text == NULL) {
        return true;
    }
    for (int i = 0; shaped && i < 4; i++) {
        digits[i] = text[i < 2 ? i : i + 1] - '0';
        shaped = digits[i] >= 0 && digits[i] <= 9;
    }
    int minute = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3];
    if (!shaped || digits[2] > 5 || minute > 24 * 60) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes a time of the day like 11:00, not '%s'",
                           name, text);
        return false;
    }
    *out = minute;
    return true;
}

/* How devices tell something. */
static bool protocol_read(const struct ht_cli *cli, const struct said *said,
                          struct ht_sim_options *options)
{
    static const struct {
        const char *name;
        enum ht_sim_protocol protocol;
        const char *door; /* NULL: it has none */
    } list[] = {{"http", HT_SIM_HTTP, NULL},
                {"osmand", HT_SIM_OSMAND, NULL},
                {"jt808", HT_SIM_JT808, "HOST:PORT"},
                {"mqtt", HT_SIM_MQTT, "mqtt://HOST"}};
    size_t at = 0;
    while (said->protocol != NULL && at < sizeof list / sizeof list[0] &&
           strcmp(said->protocol, list[at].name) != 0) {
        at++;
    }
    if (at == sizeof list / sizeof list[0]) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE,
                           "--protocol takes http, osmand, jt808 or mqtt, not '%s'",
                           said->protocol);
        return false;
    }
    if (list[at].door == NULL && said->door != NULL) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--door is for --protocol jt808 and mqtt");
        return false;
    }
    if (list[at].door != NULL && said->door == NULL) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--protocol %s and --door %s go together",
                           list[at].name, list[at].door);
        return false;
    }
    options->protocol = list[at].protocol;
    options->door = said->door;
    return true;
}

static bool said_read(const struct ht_cli *cli, const struct said *said,
                      struct ht_sim_options *options)
{
    static const int64_t any[2] = {0, INT64_MAX};
    static const int64_t lines[2] = {1, CONNECTIONS_MOST};
    int64_t seed = 1;
    int64_t households = INT32_MAX;
    int64_t connections = CONNECTIONS;
    if (said->url == NULL) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--url URL is needed");
        return false;
    }
    bool good = real_read(cli, "speedup", said->speedup, 1e6, &options->speed) &&
                real_read(cli, "rate", said->rate, 1000, &options->rate) &&
                real_read(cli, "alarms", said->alarms, 1e6, &options->alarms) &&
                real_read(cli, "step", said->step, 600, &options->step_s) &&
                whole_read(cli, "seed", said->seed, any, &seed) &&
                whole_read(cli, "households", said->households, any, &households) &&
                whole_read(cli, "connections", said->connections, lines, &connections) &&
                minute_read(cli, "from", said->from, &options->from_min) &&
                minute_read(cli, "to", said->to, &options->to_min) &&
                protocol_read(cli, said, options);
    if (good && options->step_s < 1) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--step takes a second or more");
        return false;
    }
    options->url = said->url;
    options->token = said->token;
    options->seed = (uint64_t)seed;
    options->households_most = (size_t)households;
    options->connections = (unsigned)connections;
    options->chaos = said->chaos;
    options->storm = said->storm;
    return good;
}

static FILE *file_open(const struct ht_cli *cli, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread
        (void)ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", path, strerror(errno));
    }
    return file;
}

static int result_write(const struct ht_cli *cli, const struct said *said,
                        struct ht_sim_tally *tally, double seconds)
{
    int code = ht_sim_tally_good(tally) ? HT_EXIT_DONE : HT_EXIT_FAILED;
    ht_sim_tally_table(tally, stdout);
    (void)fflush(stdout);
    if (!said->quiet) {
        ht_sim_tally_times(tally, seconds, stderr);
    }
    if (said->json != NULL) {
        FILE *file = file_open(cli, said->json);
        bool written = file != NULL && ht_sim_tally_json(tally, seconds, file) == HT_OK;
        written = file != NULL && fclose(file) == 0 && written;
        if (!written) {
            return ht_cli_error(cli, HT_EXIT_FAILED, "%s: could not be written", said->json);
        }
    }
    return code;
}

static int simulate(const struct ht_cli *cli, const struct said *said,
                    struct ht_sim_options *options)
{
    struct ht_sim_tally tally = {.lost = 0};
    struct ht_error error = {0};
    double seconds = 0;
    if (said->log != NULL && (options->log = file_open(cli, said->log)) == NULL) {
        return HT_EXIT_FAILED;
    }
    options->told = said->quiet ? NULL : stderr;
    options->stop = &stopped;
    signals_set();
    enum ht_status status = ht_sim_day_run(options, &tally, &seconds, &error);
    bool logged = options->log == NULL || fclose(options->log) == 0;
    int code = HT_EXIT_FAILED;
    if (status != HT_OK) {
        (void)ht_cli_error(cli, HT_EXIT_FAILED, "%s",
                           error.message[0] != '\0' ? error.message : ht_status_text(status));
    } else {
        code = result_write(cli, said, &tally, seconds);
    }
    ht_sim_tally_deinit(&tally);
    return logged ? code : ht_cli_error(cli, HT_EXIT_FAILED, "%s: could not be written", said->log);
}

int ht_cmd_simulate(int argc, char **argv)
{
    struct said said = {.tz = HT_ZONE_DEFAULT};
    const struct ht_cli_option list[] = {
        {"url", 0, "URL", "the server, as http://127.0.0.1:8080", &said.url, NULL},
        {"token", 0, "TOKEN", "an admin's, where the server asks for one", &said.token, NULL},
        {"protocol", 0, "NAME", "how devices speak: http (default), osmand, jt808 or mqtt",
         &said.protocol, NULL},
        {"door", 0, "WHERE", "HOST:PORT of serve --jt808, or the broker's URL of serve --mqtt",
         &said.door, NULL},
        {"speedup", 0, "N", "times as fast as life; 0: as fast as it goes, in lockstep",
         &said.speedup, NULL},
        {"from", 0, "HH:MM", "begin, by the town's clock; now at the earliest", &said.from, NULL},
        {"to", 0, "HH:MM", "end; without it until it is stopped", &said.to, NULL},
        {"seed", 0, "N", "another day; the same seed in lockstep is the same day (1)", &said.seed,
         NULL},
        {"rate", 0, "X", "times as many orders and alarms (1: eleven lunches two hundred homes)",
         &said.rate, NULL},
        {"alarms", 0, "N", "a day, before --rate (20)", &said.alarms, NULL},
        {"households", 0, "N", "only the first N order meals", &said.households, NULL},
        {"storm", 0, NULL, "forty alarms more within twenty minutes", NULL, &said.storm},
        {"chaos", 0, NULL, "silent devices, duplicates, late and wrong messages", NULL,
         &said.chaos},
        {"step", 0, "SECONDS", "of the town's time, from look to look (10)", &said.step, NULL},
        {"connections", 0, "N", "to the server, where it is not lockstep (8)", &said.connections,
         NULL},
        {"json", 0, "FILE", "the table and how long answers took", &said.json, NULL},
        {"log", 0, "FILE", "everything that was sent", &said.log, NULL},
        {"tz", 0, "ZONE", "of the town, as of its server (" HT_ZONE_DEFAULT ")", &said.tz, NULL},
        {"quiet", 0, NULL, "nothing but the table", NULL, &said.quiet},
    };
    const struct ht_cli cli = {
        .command = "simulate",
        .arguments = "--url URL [--speedup N] [--from HH:MM] [--to HH:MM] [--seed N] [--rate X]\n"
                     "       [--storm] [--chaos] ...",
        .summary =
            "A day in a town, through its server's API: residents who order meals, vans that "
            "do what\ntheir plans say, alarms and those who are sent, inspectors, streets that "
            "close. It ends\nwith a table; exit code 1 where anything was lost or answered "
            "with 5xx.\n\nWith a clock that stands (houtao serve --clock TIME,0) it pushes that "
            "on in lockstep; with\none that runs it goes along.",
        .options = list,
        .option_count = sizeof list / sizeof list[0]};
    struct ht_sim_options options = {
        .speed = -1, .rate = 1, .alarms = 20, .from_min = -1, .to_min = -1, .step_s = STEP_S};
    int arguments = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &arguments);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (arguments > 0) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes options only; try houtao help simulate");
    }
    if (!said_read(&cli, &said, &options)) {
        return HT_EXIT_USAGE;
    }
    int code = ht_zone_set(&cli, said.tz);
    return code == HT_EXIT_DONE ? simulate(&cli, &said, &options) : code;
}
