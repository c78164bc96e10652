/* houtao serve: answers over HTTP until SIGTERM or SIGINT. */
#include <arpa/inet.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/app.h"
#include "api/cli.h"
#include "api/commands.h"
#include "api/config.h"
#include "api/jt808.h"
#include "api/log.h"
#include "api/mqtt.h"
#include "api/notify.h"
#include "api/traffic.h"
#include "api/version.h"
#include "api/zone.h"
#include "api/zones.h"
#include "geodata/hnet.h"

enum {
    THREADS_MOST = 256,
    HOST_SIZE = 64,
    SUBSCRIBERS_WANTED = 10000,
    DESCRIPTORS_OWN = 512, /* map, store and its readers, listening */
    DESCRIPTORS_WANTED = 65536,
    TERMINALS_MOST = 20000,
    CONNECTIONS_MOST = 32768,
    CONNECTIONS_LEAST = 256,
    HEAP_KEPT = 64 << 20, /* bytes that are free at the end of a heap before the system gets them */
    HEAP_STEP = 1 << 20,  /* by which a heap grows */
};

struct serve {
    const char *network;
    const char *listen;
    const char *threads;
    const char *tz;
    const char *clock;
    const char *store;
    const char *tokens;
    const char *log;
    const char *config;
    const char *jt808;
    struct ht_mqtt_options mqtt;
    char host[HOST_SIZE];
    int64_t port;
    char jt808_host[HOST_SIZE];
    int64_t jt808_port;
    int64_t thread_count;
    bool clock_virtual;
    int64_t clock_start_ms;
    double clock_speed;
};

static struct ht_http_server *serving; /* for the signal handler */

static void on_signal(int number)
{
    static volatile sig_atomic_t seen;
    (void)number;
    if (seen) {
        _exit(HT_EXIT_FAILED); /* asked twice: at once */
    }
    seen = 1;
    ht_http_server_drain(serving);
}

/* "HOST:PORT", "[::1]:PORT", ":PORT" or "PORT", of the option `name`. */
static int address_parse(const struct ht_cli *cli, const char *name, const char *text,
                         char host_out[HOST_SIZE], int64_t *port_out)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon == NULL ? text : colon + 1;
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    const char *host = text;
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    if (size >= HOST_SIZE) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes HOST:PORT", name);
    }
    memcpy(host_out, host, size);
    host_out[size] = '\0';
    if (size == 0 || strcmp(host_out, "localhost") == 0) {
        memcpy(host_out, "127.0.0.1", sizeof "127.0.0.1");
    }
    return ht_cli_number(cli, name, port, 0, UINT16_MAX, port_out) ? HT_EXIT_DONE : HT_EXIT_USAGE;
}

/* Whether it may be listened there. */
static int address_check(const struct ht_cli *cli, const char *name, const char *host, bool tokens)
{
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host, &v6) != 1) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes an address, not '%s'", name, host);
    }
    bool loopback = is_v4 ? ntohl(v4.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&v6);
    if (!loopback && !tokens) {
        return ht_cli_error(cli, HT_EXIT_USAGE,
                            "without --tokens only a loopback address may listen, not %s", host);
    }
    return HT_EXIT_DONE;
}

static int listen_parse(const struct ht_cli *cli, struct serve *serve)
{
    bool tokens = serve->tokens != NULL;
    int code = address_parse(cli, "listen", serve->listen, serve->host, &serve->port);
    if (code == HT_EXIT_DONE) {
        code = address_check(cli, "listen", serve->host, tokens);
    }
    if (code != HT_EXIT_DONE || serve->jt808 == NULL) {
        return code;
    }
    if (serve->store == NULL) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--jt808 needs --store, where devices are known");
    }
    code = address_parse(cli, "jt808", serve->jt808, serve->jt808_host, &serve->jt808_port);
    return code == HT_EXIT_DONE ? address_check(cli, "jt808", serve->jt808_host, tokens) : code;
}

/* Terminals have what can be opened but an eighth, which is for those who ask over HTTP. */
static unsigned terminals_of(const struct ht_app *app)
{
    uint64_t all = app->descriptors > DESCRIPTORS_OWN ? app->descriptors - DESCRIPTORS_OWN : 2;
    uint64_t others = all / 8 > CONNECTIONS_LEAST ? all / 8 : CONNECTIONS_LEAST;
    uint64_t rest = all > 2 * CONNECTIONS_LEAST ? all - others : (all + 1) / 2;
    return rest < TERMINALS_MOST ? (unsigned)rest : TERMINALS_MOST;
}

/* As many connections as there are descriptors, those of files and terminals left out. */
static unsigned connections_of(const struct ht_app *app, bool terminals)
{
    uint64_t count = app->descriptors - (terminals ? terminals_of(app) : 0);
    count = count < CONNECTIONS_MOST ? count : CONNECTIONS_MOST;
    return count > CONNECTIONS_LEAST + DESCRIPTORS_OWN ? (unsigned)count - DESCRIPTORS_OWN
                                                       : CONNECTIONS_LEAST;
}

/* TIME[,SPEED] */
static int clock_parse(const struct ht_cli *cli, struct serve *serve)
{
    const char *comma = strchr(serve->clock, ',');
    size_t size = comma == NULL ? strlen(serve->clock) : (size_t)(comma - serve->clock);
    if (!ht_time_parse(serve->clock, size, &serve->clock_start_ms)) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--clock takes a time like 2026-03-01T08:00:00Z");
    }
    serve->clock_virtual = true;
    serve->clock_speed = 1;
    if (comma != NULL) {
        char *end = NULL;
        serve->clock_speed = strtod(comma + 1, &end);
        if (end == comma + 1 || *end != '\0' ||
            !(serve->clock_speed >= 0 && serve->clock_speed <= 1e6)) {
            return ht_cli_error(cli, HT_EXIT_USAGE,
                                "the speed of --clock is a number from 0 to 1000000");
        }
    }
    return HT_EXIT_DONE;
}

static int log_parse(const struct ht_cli *cli, const struct serve *serve)
{
    bool json = serve->log != NULL && strcmp(serve->log, "json") == 0;
    if (serve->log != NULL && !json && strcmp(serve->log, "plain") != 0) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--log takes plain or json, not '%s'", serve->log);
    }
    ht_log_form_set(json ? HT_LOG_JSON : HT_LOG_PLAIN);
    return HT_EXIT_DONE;
}

static int mqtt_check(const struct ht_cli *cli, const struct serve *serve)
{
    const struct ht_mqtt_options *mqtt = &serve->mqtt;
    struct ht_error error = {0};
    if (mqtt->url == NULL) {
        return mqtt->map == NULL && mqtt->ca == NULL && mqtt->cert == NULL && mqtt->key == NULL
                   ? HT_EXIT_DONE
                   : ht_cli_error(cli, HT_EXIT_USAGE, "--mqtt-... want --mqtt URL");
    }
    if (serve->store == NULL) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--mqtt needs --store, where devices are known");
    }
    enum ht_status status = ht_mqtt_check(mqtt, &error);
    return status == HT_OK
               ? HT_EXIT_DONE
               : ht_cli_error(cli,
                              error.line > 0 || status == HT_IO ? HT_EXIT_FAILED : HT_EXIT_USAGE,
                              "%s", error.message);
}

static int serve_check(const struct ht_cli *cli, struct serve *serve, int arguments)
{
    if (arguments > 0) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "takes options only; try houtao help serve");
    }
    if (serve->network == NULL) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--network FILE.hnet is needed");
    }
    if (serve->threads != NULL &&
        !ht_cli_number(cli, "threads", serve->threads, 1, THREADS_MOST, &serve->thread_count)) {
        return HT_EXIT_USAGE;
    }
    int code = log_parse(cli, serve);
    if (code == HT_EXIT_DONE) {
        code = listen_parse(cli, serve);
    }
    if (code == HT_EXIT_DONE) {
        code = mqtt_check(cli, serve);
    }
    if (code == HT_EXIT_DONE && serve->clock != NULL) {
        code = clock_parse(cli, serve);
    }
    return code == HT_EXIT_DONE ? ht_zone_set(cli, serve->tz) : code;
}

/* Each connection is a descriptor: raises how many there may be as far as it goes, beyond the hard
 * limit where we may, and says so where it is not enough. */
static void descriptors_raise(const struct ht_cli *cli, struct ht_app *app)
{
    struct rlimit limit = {.rlim_cur = CONNECTIONS_LEAST};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_WANTED) {
        struct rlimit more = {DESCRIPTORS_WANTED, DESCRIPTORS_WANTED};
        if (limit.rlim_max > more.rlim_max) {
            more.rlim_max = limit.rlim_max;
        }
        if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
            more = (struct rlimit){limit.rlim_max, limit.rlim_max};
            (void)setrlimit(RLIMIT_NOFILE, &more);
        }
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    app->descriptors = limit.rlim_cur;
    if (limit.rlim_cur < SUBSCRIBERS_WANTED + DESCRIPTORS_OWN) {
        (void)ht_cli_error(cli, 0,
                           "%llu open files are allowed (ulimit -n), and raising that is not: "
                           "%u connections, where %d are for subscribers alone",
                           (unsigned long long)limit.rlim_cur, connections_of(app, false),
                           SUBSCRIBERS_WANTED);
    }
}

static void signals_set(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Store and tokens, where they are asked for. */
static int town_open(const struct ht_cli *cli, struct ht_app *app, const struct serve *serve)
{
    struct ht_error error = {0};
    struct ht_error note = {0};
    if (serve->tokens != NULL && ht_app_tokens_open(app, serve->tokens, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (serve->store != NULL && ht_app_store_open(app, serve->store, &note, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (note.status != HT_OK) {
        (void)ht_cli_error(cli, 0, "%s: served for reading only", note.message);
    }
    if (ht_app_regimes_open(app, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (ht_app_live_open(app, &error) != HT_OK || ht_app_finder_open(app, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (ht_app_traffic_open(app, &error) != HT_OK || ht_app_zones_open(app, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    return HT_EXIT_DONE;
}

/* The door for terminals, where it is asked for. */
static int jt808_open(const struct ht_cli *cli, struct ht_app *app, const struct serve *serve)
{
    struct ht_error error = {0};
    struct ht_jt808_options options = ht_jt808_options_default();
    if (serve->jt808 == NULL) {
        return HT_EXIT_DONE;
    }
    options.host = serve->jt808_host;
    options.port = (uint16_t)serve->jt808_port;
    options.connections_max = terminals_of(app);
    if (ht_jt808_new(app, &options, &app->jt808, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (ht_jt808_start(app->jt808) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "out of memory");
    }
    ht_log(HT_LOG_INFO, "JT/T 808 on %s port %u, %u terminals at most", serve->jt808_host,
           (unsigned)ht_jt808_port(app->jt808), options.connections_max);
    return HT_EXIT_DONE;
}

/* What one request frees the next one wants: giving it to the system and back costs page faults,
 * which on a virtual machine cost more than the work between them. */
static void heap_keep(void)
{
    /* no thread runs yet */
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT); // NOLINT(concurrency-mt-unsafe)
    (void)mallopt(M_TOP_PAD, HEAP_STEP);        // NOLINT(concurrency-mt-unsafe)
}

/* Where it is to be found: on stdout for whoever started it, in JSON with the rest of the log. */
static void started_tell(const struct serve *serve, unsigned port)
{
    bool v6 = strchr(serve->host, ':') != NULL;
    char address[HOST_SIZE + 32];
    (void)snprintf(address, sizeof address, "http://%s%s%s:%u", v6 ? "[" : "", serve->host,
                   v6 ? "]" : "", port);
    char *store = serve->store == NULL ? NULL : ht_store_label(serve->store);
    ht_log(HT_LOG_INFO, "version %s (%s), the map is %s, %s%s", ht_version_text(),
           ht_version_commit(), serve->network, serve->store == NULL ? "no store" : "the store ",
           store == NULL ? "" : store);
    free(store);
    if (ht_log_form() == HT_LOG_JSON) {
        ht_log(HT_LOG_INFO, "%s", address);
    } else {
        (void)printf("houtao serve: %s\n", address);
        (void)fflush(stdout);
    }
    ht_notify("READY=1");
}

/* Devices of a broker come from now on, where one is named. */
static bool mqtt_open(struct ht_app *app, const struct serve *serve, uint16_t port,
                      struct ht_error *error)
{
    struct ht_mqtt_options mqtt = serve->mqtt;
    mqtt.listen_port = port;
    return mqtt.url == NULL || ht_mqtt_new(app, &mqtt, &app->mqtt, error) == HT_OK;
}

static int serve_run(const struct ht_cli *cli, struct ht_app *app, const struct serve *serve)
{
    struct ht_error error = {0};
    if (ht_app_network_open(app, serve->network, false, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    int code = town_open(cli, app, serve);
    code = code == HT_EXIT_DONE ? jt808_open(cli, app, serve) : code;
    if (code != HT_EXIT_DONE) {
        return code;
    }
    struct ht_http_options options = ht_http_options_default();
    options.host = serve->host;
    options.port = (uint16_t)serve->port;
    options.threads = (unsigned)serve->thread_count;
    options.check_host = serve->tokens == NULL;
    options.connections_max = connections_of(app, serve->jt808 != NULL);
    struct ht_http_handler handler = ht_app_handler(app);
    struct ht_http_server *server = NULL;
    if (ht_http_server_new(&options, &handler, &server, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    serving = server;
    signals_set();
    ht_app_server_set(app, server);
    /* a quarter stays for those who ask */
    if (ht_app_stream_open(app, server, options.connections_max / 4 * 3) != HT_OK) {
        (void)ht_cli_error(cli, 0, "out of memory: /v1/stream is not served");
    }
    if (!mqtt_open(app, serve, ht_http_server_port(server), &error)) {
        ht_app_server_set(app, NULL);
        ht_app_store_stop(app);
        ht_http_server_free(server);
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    started_tell(serve, ht_http_server_port(server));
    enum ht_status status = ht_http_server_run(server);
    ht_notify("STOPPING=1");
    /* From here on a signal ends the process as it would any other. */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    ht_app_server_set(app, NULL);
    ht_jt808_stop(app->jt808);
    ht_app_live_save(app, true); /* jobs may take their time */
    ht_http_server_jobs_end(server);
    ht_app_store_stop(app);
    ht_http_server_free(server);
    if (atomic_load(&app->damaged)) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", app->damage.message);
    }
    return status == HT_OK ? HT_EXIT_DONE
                           : ht_cli_error(cli, HT_EXIT_FAILED, "%s", ht_status_text(status));
}

static int serve_start(const struct ht_cli *cli, struct serve *serve)
{
    heap_keep();
    ht_hnet_guard_sigbus();
    struct ht_clock clock;
    if (serve->clock_virtual) {
        ht_clock_virtual(&clock, serve->clock_start_ms, serve->clock_speed);
    } else {
        ht_clock_real(&clock);
    }
    struct ht_app *app = NULL;
    if (ht_app_new((unsigned)serve->thread_count, &clock, &app) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "out of memory");
    }
    descriptors_raise(cli, app);
    int code = serve_run(cli, app, serve);
    ht_app_free(app);
    return code;
}

/* Options that neither the command line nor a variable nor the file has said. */
static void defaults_set(struct serve *serve)
{
    serve->listen = serve->listen == NULL ? "127.0.0.1:8080" : serve->listen;
    serve->tz = serve->tz == NULL ? HT_ZONE_DEFAULT : serve->tz;
}

int ht_cmd_serve(int argc, char **argv)
{
    struct serve serve = {.network = NULL};
    const struct ht_cli_option options[] = {
        {"network", 0, "FILE.hnet", "the map, made by houtao import", &serve.network, NULL},
        {"listen", 0, "HOST:PORT", "default 127.0.0.1:8080; port 0: any free one", &serve.listen,
         NULL},
        {"threads", 0, "N", "event loops, default one for each core", &serve.threads, NULL},
        {"tz", 0, "ZONE", "of opening hours and conditional turns, default Asia/Shanghai",
         &serve.tz, NULL},
        {"clock", 0, "TIME[,SPEED]", "a virtual clock that begins at TIME", &serve.clock, NULL},
        {"store", 0, "STORE",
         "the registry: a file, made when it is not there, or postgresql://...", &serve.store,
         NULL},
        {"tokens", 0, "FILE", "who may do what, made by houtao token; read again when it changes",
         &serve.tokens, NULL},
        {"log", 0, "plain|json", "how it tells what happens, default plain", &serve.log, NULL},
        {"config", 0, "FILE", "more of these options, a line 'name = value' each", &serve.config,
         NULL},
        {"jt808", 0, "HOST:PORT", "where terminals of vehicles speak JT/T 808; needs --store",
         &serve.jt808, NULL},
        {"mqtt", 0, "URL", "a broker that devices speak to, mqtt://HOST or mqtts://HOST",
         &serve.mqtt.url, NULL},
        {"mqtt-map", 0, "FILE", "what messages of vendors mean", &serve.mqtt.map, NULL},
        {"mqtt-ca", 0, "FILE", "authorities of the broker's certificate, default the machine's",
         &serve.mqtt.ca, NULL},
        {"mqtt-cert", 0, "FILE", "the certificate that we show to the broker", &serve.mqtt.cert,
         NULL},
        {"mqtt-key", 0, "FILE", "its key", &serve.mqtt.key, NULL},
    };
    const struct ht_cli cli = {
        .command = "serve",
        .arguments = "--network FILE.hnet [--store STORE] [--listen HOST:PORT] [--threads N] "
                     "[--tokens FILE] [--tz ZONE] [--clock TIME[,SPEED]] [--log plain|json] "
                     "[--jt808 HOST:PORT] [--config FILE] [--mqtt URL [--mqtt-map FILE]]",
        .summary = "Answers over HTTP until SIGTERM. Without tokens it listens on loopback only.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int arguments = 0;
    char *config = NULL;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &arguments);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    int code = ht_config_read(&cli, serve.config, &config);
    defaults_set(&serve);
    if (code == HT_EXIT_DONE) {
        code = serve_check(&cli, &serve, arguments);
    }
    if (code == HT_EXIT_DONE) {
        code = serve_start(&cli, &serve);
    }
    free(config);
    return code;
}
