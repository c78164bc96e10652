/* A service's file of options: what it may say, who wins, and that mistakes name their line. */
#include <sys/stat.h>

#include "api/config.h"
#include "tests/support/check.h"
#include "tests/support/command.h"

static const char *network;
static const char *store;
static const char *tokens;
static struct ht_error error;

/* Fills the options from `text` as `serve` would. */
static enum ht_status fill(const char *text)
{
    static char copy[1 << 14];
    const struct ht_cli_option options[] = {{"network", 0, "FILE", "", &network, NULL},
                                            {"store", 0, "FILE", "", &store, NULL},
                                            {"tokens", 0, "FILE", "", &tokens, NULL}};
    const struct ht_cli cli = {.command = "serve", .options = options, .option_count = 3};
    (void)snprintf(copy, sizeof copy, "%s", text);
    error = (struct ht_error){0};
    return ht_config_fill(copy, &cli, &error);
}

static void forget(void)
{
    network = NULL;
    store = NULL;
    tokens = NULL;
}

HT_CASE(names_and_values_are_taken_without_blanks)
{
    forget();
    HT_CHECK_INT(fill("network=a\n  store \t=  b c \r\n\ntokens = d=e"), HT_OK);
    HT_CHECK_STR(network, "a");
    HT_CHECK_STR(store, "b c");
    HT_CHECK_STR(tokens, "d=e");
    forget();
    HT_CHECK_INT(fill(""), HT_OK);
    HT_CHECK_INT(fill("\n\n"), HT_OK);
    HT_CHECK(network == NULL);
}

HT_CASE(remarks_begin_a_line_or_follow_a_blank)
{
    forget();
    HT_CHECK_INT(fill("# network = no\nnetwork = a#b # the map\n\t#\nstore = c\t# d"), HT_OK);
    HT_CHECK_STR(network, "a#b");
    HT_CHECK_STR(store, "c");
}

HT_CASE(a_mark_of_utf8_in_front_is_passed_over)
{
    forget();
    HT_CHECK_INT(fill("\xef\xbb\xbfnetwork = a"), HT_OK);
    HT_CHECK_STR(network, "a");
}

HT_CASE(what_was_given_before_wins)
{
    forget();
    store = "given";
    HT_CHECK_INT(fill("store = file\nnetwork = file"), HT_OK);
    HT_CHECK_STR(store, "given");
    HT_CHECK_STR(network, "file");
}

HT_CASE(names_of_other_commands_are_passed_over)
{
    forget();
    HT_CHECK_INT(fill("keep = 7\nlisten = x\nnetwork = a"), HT_OK);
    HT_CHECK_STR(network, "a");
}

static bool refused(const char *text, int64_t line, const char *says)
{
    forget();
    bool right =
        fill(text) == HT_SYNTAX && error.line == line && strstr(error.message, says) != NULL;
    if (!right) {
        (void)printf("  line %" PRId64 ": \"%s\"\n", error.line, error.message);
    }
    return right;
}

HT_CASE(mistakes_name_their_line)
{
    HT_CHECK(refused("network = a\n\nlistn = b\n", 3, "there is no option 'listn'"));
    HT_CHECK(refused("network = a\nnetwork = b\n", 2, "was said in line 1"));
    HT_CHECK(refused("# x\nnetwork\n", 2, "'network' is not 'name = value'"));
    HT_CHECK(refused("network =\n", 1, "'network' has no value"));
    HT_CHECK(refused("network = # nothing\n", 1, "'network' has no value"));
    HT_CHECK(refused("= a\n", 1, "'a' has no name"));
    HT_CHECK(refused("config = a\n", 1, "there is no option 'config'"));
    HT_CHECK(refused("--network = a\n", 1, "there is no option '--network'"));
}

/* Runs `houtao serve --config FILE` on a file with these bytes. */
static const struct ht_command_run *serve(const char *bytes, size_t size, const char *more)
{
    char path[] = "/tmp/houtao-config-XXXXXX";
    char line[256];
    int fd = mkstemp(path);
    bool written = fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0;
    (void)snprintf(line, sizeof line, "serve --config %s%s", path, more);
    const struct ht_command_run *run = ht_command_run(line);
    (void)unlink(path);
    return written ? run : NULL;
}

HT_CASE(serve_reads_its_options_from_a_file)
{
    static const char threads[] = "network = /nowhere/town.hnet\nthreads = 0\n";
    const struct ht_command_run *run = serve(threads, sizeof threads - 1, "");
    HT_REQUIRE(run != NULL);
    HT_CHECK_INT(run->code, 2);
    HT_CHECK(strstr(run->err, "--threads takes a number from 1 to 256") != NULL);
    run = serve(threads, sizeof threads - 1, " --threads 2"); /* the command line wins */
    HT_REQUIRE(run != NULL);
    HT_CHECK_INT(run->code, 1);
    HT_CHECK(strstr(run->err, "/nowhere/town.hnet") != NULL);
    HT_CHECK(setenv("HOUTAO_NETWORK", "/elsewhere/town.hnet", 1) == 0); /* and so does a variable */
    run = serve(threads, sizeof threads - 1, " --threads 2");
    HT_CHECK(unsetenv("HOUTAO_NETWORK") == 0);
    HT_REQUIRE(run != NULL);
    HT_CHECK(strstr(run->err, "/elsewhere/town.hnet") != NULL);
}

HT_CASE(serve_says_what_is_wrong_with_its_file)
{
    static const char unknown[] = "# mine\nlistn = 127.0.0.1:80\n";
    const struct ht_command_run *run = serve(unknown, sizeof unknown - 1, "");
    HT_REQUIRE(run != NULL);
    HT_CHECK_INT(run->code, 2);
    HT_CHECK(strstr(run->err, ": line 2: there is no option 'listn'\n") != NULL);
    static const char bytes[] = "network = a\0b\n";
    run = serve(bytes, sizeof bytes - 1, "");
    HT_REQUIRE(run != NULL);
    HT_CHECK_INT(run->code, 2);
    HT_CHECK(strstr(run->err, "not a file of options") != NULL);
    static char large[HT_CONFIG_BYTES + 2];
    memset(large, '\n', sizeof large);
    run = serve(large, HT_CONFIG_BYTES + 1, "");
    HT_REQUIRE(run != NULL);
    HT_CHECK_INT(run->code, 2);
    run = serve(large, HT_CONFIG_BYTES, "");
    HT_REQUIRE(run != NULL);
    HT_CHECK(strstr(run->err, "--network FILE.hnet is needed") != NULL);
    run = ht_command_run("serve --config /nowhere/houtao.conf");
    HT_CHECK_INT(run->code, 1);
    HT_CHECK(strstr(run->err, "/nowhere/houtao.conf: No such file") != NULL);
    run = ht_command_run("serve --config /tmp");
    HT_CHECK_INT(run->code, 1);
    HT_CHECK(strstr(run->err, "/tmp: Is a directory") != NULL);
}

/* The file of the package with all its options said: "#name = value" without the sign. */
static bool sample_read(char *text, size_t size)
{
    char line[512];
    FILE *file = fopen(HT_SOURCE_DIR "/api/package/houtao.conf", "r");
    text[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *said = line + (line[0] == '#' && line[1] != ' ' ? 1 : 0);
        (void)strncat(text, said, size - strlen(text) - 1);
    }
    return file != NULL && fclose(file) == 0;
}

/* Every option of the server may stand in its file, but for the file itself and what is not in this
 * version; and the package's file explains each. */
HT_CASE(all_options_of_serve_may_stand_in_a_file)
{
    static char sample[1 << 14];
    const struct ht_command_run *run = ht_command_run("help serve");
    char names[24][32] = {{0}};
    size_t count = 0;
    HT_CHECK(sample_read(sample, sizeof sample));
    for (const char *at = run->out; (at = strstr(at, "  --")) != NULL && count < 24; at += 4) {
        (void)snprintf(names[count++], sizeof names[0], "%.*s", (int)strcspn(at + 4, " "), at + 4);
    }
    HT_CHECK(count >= 9);
    for (size_t i = 0; i < count; i++) {
        char line[64];
        bool left_out = strcmp(names[i], "config") == 0;
        (void)snprintf(line, sizeof line, "%s = x\n", names[i]);
        forget();
        HT_CHECK_INT(fill(line), left_out ? HT_SYNTAX : HT_OK);
        (void)snprintf(line, sizeof line, "\n%s = ", names[i]);
        if ((strstr(sample, line) != NULL) == left_out) {
            HT_CHECK_STR(names[i], left_out ? "not in the package's file" : "in it");
        }
    }
    HT_CHECK_INT(fill(sample), HT_OK);
    HT_CHECK_STR(network, "/var/lib/houtao/town.hnet");
    HT_CHECK_STR(store, "/var/lib/houtao/town.sqlite");
    HT_CHECK_STR(tokens, "/etc/houtao/tokens");
}

HT_MAIN()
