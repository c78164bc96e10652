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

#include "api/cli.h"
#include "api/commands.h"
#include "api/config.h"
#include "api/log.h"
#include "api/mqtt.h"
#include "api/nodes.h"
#include "api/notify.h"
#include "api/term.h"
#include "api/version.h"
#include "api/zone.h"
#include "geodata/hnet.h"
#include "geodata/nodes.h"

enum {
    THREADS_MOST = 256,
    HOST_SIZE = 64,
    SUBSCRIBERS_WANTED = 10000,
    DESCRIPTORS_WANTED = 65536,
    DESCRIPTORS_LEAST = 256,
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
    const char *advertise;
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

static struct ht_http_server *serving; /* for the signal handler; NULL: nodes are served */

static void on_signal(int number)
{
    static volatile sig_atomic_t seen;
    (void)number;
    if (seen) {
        _exit(HT_EXIT_FAILED); /* asked twice: at once */
    }
    seen = 1;
    if (serving == NULL) {
        ht_nodes_stop();
    } else {
        ht_http_server_drain(serving);
    }
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

/* "http://HOST:PORT" and nothing behind it: other nodes could not read more. */
static bool is_node_url(const char *url)
{
    const char *colon = strrchr(url, ':');
    size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");
    return strncmp(url, "http://", 7) == 0 && strlen(url) < HT_NODE_URL && colon > url + 7 &&
           digits > 0 && digits <= 5 && colon[1 + digits] == '\0' &&
           strtoul(colon + 1, NULL, 10) - 1 < UINT16_MAX;
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
    if (serve->advertise != NULL && !is_node_url(serve->advertise)) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--advertise takes http://HOST:PORT");
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
static uint64_t descriptors_raise(const struct ht_cli *cli)
{
    struct rlimit limit = {.rlim_cur = DESCRIPTORS_LEAST};
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
    if (limit.rlim_cur < SUBSCRIBERS_WANTED + HT_TERM_DESCRIPTORS_OWN) {
        (void)ht_cli_error(cli, 0,
                           "%llu open files are allowed (ulimit -n), and raising that is not: "
                           "%u connections, where %d are for subscribers alone",
                           (unsigned long long)limit.rlim_cur, ht_term_connections(limit.rlim_cur),
                           SUBSCRIBERS_WANTED);
    }
    return limit.rlim_cur;
}

static void signals_set(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
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
static void started_tell(const struct serve *serve, uint16_t port)
{
    bool v6 = strchr(serve->host, ':') != NULL;
    char address[HOST_SIZE + 32];
    (void)snprintf(address, sizeof address, "http://%s%s%s:%u", v6 ? "[" : "", serve->host,
                   v6 ? "]" : "", (unsigned)port);
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

static struct ht_term_options options_of(const struct serve *serve, uint64_t descriptors)
{
    struct ht_term_options options = {
        .network = serve->network,
        .store = serve->store,
        .tokens = serve->tokens,
        .host = serve->host,
        .port = (uint16_t)serve->port,
        .threads = (unsigned)serve->thread_count,
        .jt808_host = serve->jt808 == NULL ? NULL : serve->jt808_host,
        .jt808_port = (uint16_t)serve->jt808_port,
        .mqtt = serve->mqtt,
        .descriptors = descriptors,
    };
    if (serve->clock_virtual) {
        ht_clock_virtual(&options.clock, serve->clock_start_ms, serve->clock_speed);
    } else {
        ht_clock_real(&options.clock);
    }
    return options;
}

static void stopping_tell(void)
{
    ht_notify("STOPPING=1");
    /* From here on a signal ends the process as it would any other. */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
}

/* One process on a record of its own. */
static enum ht_status alone_run(const struct serve *serve, const struct ht_term_options *options,
                                struct ht_error *error)
{
    struct ht_term *term = NULL;
    enum ht_status status = ht_term_open(options, NULL, false, &term, error);
    if (status != HT_OK) {
        return status;
    }
    serving = ht_term_server(term);
    signals_set();
    started_tell(serve, ht_http_server_port(serving));
    status = ht_term_run(term, error);
    stopping_tell();
    enum ht_status found = ht_term_close(term, error);
    return found != HT_OK ? found : status;
}

static void nodes_started(void *user, uint16_t port)
{
    started_tell(user, port);
}

static int serve_start(const struct ht_cli *cli, struct serve *serve)
{
    struct ht_error error = {0};
    heap_keep();
    ht_hnet_guard_sigbus();
    const struct ht_term_options options = options_of(serve, descriptors_raise(cli));
    enum ht_status status = HT_READ_ONLY;
    if (serve->store != NULL && ht_store_is_database(serve->store)) {
        const struct ht_nodes_options nodes = {.term = options,
                                               .advertise = serve->advertise,
                                               .started = nodes_started,
                                               .user = serve};
        signals_set();
        status = ht_nodes_run(&nodes, &error);
        if (status != HT_READ_ONLY) {
            stopping_tell();
        }
    }
    if (status == HT_READ_ONLY) {
        status = alone_run(serve, &options, &error);
    }
    return status == HT_OK ? HT_EXIT_DONE : ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
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
        {"advertise", 0, "URL",
         "where other nodes of a database reach this one, default where it listens",
         &serve.advertise, NULL},
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
                     "[--jt808 HOST:PORT] [--config FILE] [--mqtt URL [--mqtt-map FILE]] "
                     "[--advertise URL]",
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
