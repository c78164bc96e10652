/* Command line: help, versions, mistakes, exit codes. */
#include <limits.h>
#include <pty.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "tests/support/check.h"
#include "tests/support/command.h"

static const struct ht_command_run *run;

static int code_of(const char *line)
{
    run = ht_command_run(line);
    return run->code;
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n' ? 1 : 0;
    }
    return lines;
}

/* A mistake of the caller: told in one line on stderr. */
static bool is_usage(const char *line, const char *says)
{
    bool right = code_of(line) == 2 && lines_of(run->err) == 1 && strstr(run->err, says) != NULL &&
                 run->out[0] == '\0';
    if (!right) {
        (void)printf("  houtao %s: %d \"%s\"\n", line, run->code, run->err);
    }
    return right;
}

HT_CASE(every_command_has_its_help)
{
    HT_CHECK_INT(code_of("help"), 0);
    for (const struct ht_command *command = ht_commands; command->name != NULL; command++) {
        char line[64];
        HT_CHECK_INT(code_of("--help"), 0);
        HT_CHECK(strstr(run->out, command->name) != NULL);
        HT_CHECK(strstr(run->out, command->summary) != NULL);
        (void)snprintf(line, sizeof line, "help %s", command->name);
        HT_CHECK_INT(code_of(line), 0);
        (void)snprintf(line, sizeof line, "usage: houtao %s", command->name);
        HT_CHECK(strstr(run->out, line) != NULL);
        HT_CHECK_STR(run->err, "");
    }
}

enum { PAGE_SIZE = 1 << 16 };

/* The manual's part about one command, from its heading to the next one. */
static const char *page_part(const char *page, const char *command)
{
    static char part[PAGE_SIZE];
    char heading[64];
    (void)snprintf(heading, sizeof heading, "\n.Ss %s\n", command);
    const char *begin = strstr(page, heading);
    if (begin == NULL) {
        return NULL;
    }
    begin += strlen(heading);
    const char *end = strstr(begin, "\n.Ss ");
    const char *chapter = strstr(begin, "\n.Sh ");
    end = end == NULL || (chapter != NULL && chapter < end) ? chapter : end;
    (void)snprintf(part, sizeof part, "%.*s\n", end == NULL ? 0 : (int)(end - begin), begin);
    return part;
}

/* Whether `text` has `name`, and what follows it is no part of a name. */
static bool has_word(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        if (strchr(" \n", at[size]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Each option that help lists has an item in the manual. Returns how many there are. */
static int options_are_in(const char *part, const char *help, const char *command)
{
    int count = 0;
    for (const char *at = help; (at = strstr(at, "\n  ")) != NULL; at += 3) {
        const char *name = strstr(at + 3, "--");
        char item[64];
        if (strncmp(at + 3, "    --", 6) != 0 && (at[3] != '-' || at[5] != ',')) {
            continue;
        }
        (void)snprintf(item, sizeof item, "Fl -%.*s", (int)strcspn(name + 2, " \n"), name + 2);
        char line[80];
        char lettered[80];
        (void)snprintf(line, sizeof line, "\n.It %s", item);
        (void)snprintf(lettered, sizeof lettered, "\n.It Fl %c , %s", at[4], item);
        count++;
        if (!has_word(part, at[3] == '-' ? lettered : line)) {
            (void)printf("  the manual's %s lacks %s\n", command, item);
            HT_CHECK(false);
        }
    }
    return count;
}

/* The manual has what help has, command by command and option by option, and nothing else. */
HT_CASE(manual_has_every_command_and_option)
{
    static char page[PAGE_SIZE];
    FILE *file = fopen(HT_SOURCE_DIR "/api/package/houtao.1", "r");
    HT_REQUIRE(file != NULL);
    size_t size = fread(page, 1, sizeof page - 1, file);
    HT_CHECK(fclose(file) == 0 && size < sizeof page - 1);
    int commands = 0;
    for (const struct ht_command *command = ht_commands; command->name != NULL; command++) {
        char line[64];
        int items = 0;
        const char *part = page_part(page, command->name);
        (void)snprintf(line, sizeof line, "help %s", command->name);
        HT_CHECK_INT(code_of(line), 0);
        if (part == NULL) {
            HT_CHECK_STR(part, command->name);
            continue;
        }
        for (const char *at = part; (at = strstr(at, "\n.It Fl")) != NULL; at++) {
            items++;
        }
        HT_CHECK_INT(options_are_in(part, run->out, command->name), items);
        commands++;
    }
    for (const char *at = page; (at = strstr(at, "\n.Ss ")) != NULL; at++) {
        commands--;
    }
    HT_CHECK_INT(commands, 0);
}

HT_CASE(version_names_the_commit)
{
    HT_CHECK_INT(code_of("--version"), 0);
    HT_CHECK(strncmp(run->out, "houtao 0.", 9) == 0);
    HT_CHECK(strchr(run->out, '(') != NULL);
}

HT_CASE(unknown_commands_and_options_are_usage)
{
    HT_CHECK_INT(code_of(""), 2);
    HT_CHECK(is_usage("fly", "unknown command 'fly'"));
    HT_CHECK(is_usage("help fly", "unknown command 'fly'"));
    HT_CHECK(is_usage("serve --fly", "unknown option --fly"));
    HT_CHECK(is_usage("serve -x", "unknown option -x"));
    HT_CHECK(is_usage("serve --listen", "--listen needs HOST:PORT"));
    HT_CHECK(is_usage("serve --network x extra", "options only"));
    HT_CHECK(is_usage("serve", "--network FILE.hnet is needed"));
}

HT_CASE(serve_refuses_what_it_cannot_do)
{
    HT_CHECK(is_usage("serve --network x --log xml", "--log takes plain or json, not 'xml'"));
    HT_CHECK(is_usage("serve --network x --mqtt mqtt://h", "--mqtt needs --store"));
    HT_CHECK(is_usage("serve --network x --mqtt-map m", "want --mqtt URL"));
    HT_CHECK(is_usage("serve --network x --store s --mqtt=u", "begins with mqtt:// or mqtts://"));
    HT_CHECK(is_usage("serve --network x --store s --mqtt=mqtt://h:0", "from 1 to 65535"));
    HT_CHECK(is_usage("serve --network x --store s --mqtt=mqtt://h --mqtt-ca c", "for mqtts://"));
    HT_CHECK(is_usage("serve --network x --jt808 127.0.0.1:1", "--jt808 needs --store"));
    HT_CHECK(is_usage("serve --network x --store y --jt808 h:1", "--jt808 takes an address"));
    HT_CHECK(is_usage("serve --network x --store y --jt808 0.0.0.0:1", "only a loopback address"));
    HT_CHECK(is_usage("serve --network x --store y --jt808 127.0.0.1:x", "from 0 to 65535"));
    HT_CHECK(is_usage("serve --network x --listen 0.0.0.0:80", "only a loopback address"));
    HT_CHECK(is_usage("serve --network x --listen [::]:80", "only a loopback address"));
    HT_CHECK(is_usage("serve --network x --listen 127.0.0.1:99999", "from 0 to 65535"));
    HT_CHECK(is_usage("serve --network x --listen there:80", "takes an address"));
    HT_CHECK(is_usage("serve --network x --threads 0", "from 1 to 256"));
    HT_CHECK(is_usage("serve --network x --threads two", "from 1 to 256"));
    HT_CHECK(is_usage("serve --network x --tz Mars/Base", "no zone 'Mars/Base'"));
    HT_CHECK(is_usage("serve --network x --clock noon", "--clock takes a time"));
    HT_CHECK(is_usage("serve --network x --clock 2026-03-01T08:00:00Z,-1", "speed of --clock"));
}

/* Imports a crossing whose left turn from way 3 into way 2 is closed when `when` says so. */
static void crossing_import(const char *dir, const char *when)
{
    char line[256];
    (void)snprintf(line, sizeof line, "%s/crossing.osm", dir);
    FILE *file = fopen(line, "w");
    HT_REQUIRE(file != NULL);
    (void)fprintf(
        file,
        "<osm><node id='1' lat='30' lon='121'/><node id='2' lat='30.001' lon='121'/>"
        "<node id='3' lat='30.002' lon='121'/><node id='4' lat='30.001' lon='120.999'/>"
        "<way id='1'><nd ref='1'/><nd ref='2'/><tag k='highway' v='primary'/></way>"
        "<way id='2'><nd ref='2'/><nd ref='3'/><tag k='highway' v='primary'/></way>"
        "<way id='3'><nd ref='4'/><nd ref='2'/><tag k='highway' v='primary'/></way>"
        "<relation id='1'><member type='way' ref='3' role='from'/><member type='node' ref='2' "
        "role='via'/><member type='way' ref='2' role='to'/><tag k='type' v='restriction'/>"
        "<tag k='restriction:conditional' v='no_left_turn @ (%s)'/></relation></osm>",
        when);
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line, "import %s/crossing.osm -o %s/c.hnet --profiles car", dir,
                   dir);
    HT_CHECK_INT(code_of(line), 0);
}

/* The metres of the route that turns left where that is open. */
static double crossing_metres(const char *dir, const char *options)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "route %s/c.hnet -p car 120.9995,30.001 121,30.0018 --options %s", dir, options);
    HT_CHECK_INT(code_of(line), 0);
    const char *at = strstr(run->out, "\"distance\":");
    return at == NULL ? -1 : strtod(at + strlen("\"distance\":"), NULL);
}

static void crossing_remove(const char *dir)
{
    static const char *const names[] = {"crossing.osm", "link.osm", "c.hnet.tmp", "c.hnet"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    HT_CHECK(rmdir(dir) == 0);
}

HT_CASE(route_obeys_conditional_turns)
{
    char dir[] = "/tmp/houtao-cli-XXXXXX";
    HT_REQUIRE(mkdtemp(dir) != NULL);
    crossing_import(dir, "2001");
    double open = crossing_metres(dir, "overview=false");
    HT_CHECK(open > 130 && open < 145);
    crossing_import(dir, "Mo-Su 00:00-24:00");
    double closed = crossing_metres(dir, "overview=false");
    HT_CHECK(closed > open + 150); /* on to a dead end and back */
    /* alternatives want a metric that obeys, ways go around what it has open */
    HT_CHECK(crossing_metres(dir, "alternatives=true") == closed);
    crossing_import(dir,
                    "Fr 07:00-09:00"); /* of the departure's clock, +08:00 where none is named */
    HT_CHECK(crossing_metres(dir, "depart=2026-11-27T00:30:00Z") == closed);
    HT_CHECK(crossing_metres(dir, "depart=2026-11-27T08:30:00%2B08:00&alternatives=true") ==
             closed);
    HT_CHECK(crossing_metres(dir, "depart=2026-11-27T08:30:00Z") == open);
    char line[256];
    (void)snprintf(line, sizeof line, "route %s/c.hnet -p car 121,30 121,30.001 --tz Mars/Base",
                   dir);
    HT_CHECK(is_usage(line, "no zone 'Mars/Base'"));
    (void)snprintf(line, sizeof line, "export %s/c.hnet -p car -o %s --tz Mars/Base", dir, dir);
    HT_CHECK(is_usage(line, "no zone 'Mars/Base'"));
    crossing_remove(dir);
}

/* A relation of type maneuver gets from the extract through the file into the steps. */
HT_CASE(import_keeps_what_mappers_say_about_turns)
{
    char dir[] = "/tmp/houtao-cli-XXXXXX";
    char line[256];
    HT_REQUIRE(mkdtemp(dir) != NULL);
    (void)snprintf(line, sizeof line, "%s/crossing.osm", dir);
    FILE *file = fopen(line, "w");
    HT_REQUIRE(file != NULL);
    (void)fputs("<osm><node id='1' lat='30' lon='121'/><node id='2' lat='30.001' lon='121'/>"
                "<node id='3' lat='30.002' lon='121'/><node id='4' lat='30.001' lon='120.999'/>"
                "<way id='1'><nd ref='1'/><nd ref='2'/><tag k='highway' v='primary'/></way>"
                "<way id='2'><nd ref='2'/><nd ref='3'/><tag k='highway' v='primary'/></way>"
                "<way id='3'><nd ref='4'/><nd ref='2'/><tag k='highway' v='primary'/></way>"
                "<relation id='1'><member type='way' ref='1' role='from'/><member type='node' "
                "ref='2' role='via'/><member type='way' ref='3' role='to'/><tag k='type' "
                "v='maneuver'/><tag k='maneuver' v='fork'/><tag k='direction' v='sharp_left'/>"
                "</relation></osm>",
                file);
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line, "import %s/crossing.osm -o %s/c.hnet --profiles car", dir,
                   dir);
    HT_CHECK_INT(code_of(line), 0);
    HT_CHECK(strstr(run->err, "warning") == NULL);
    (void)snprintf(line, sizeof line,
                   "route %s/c.hnet -p car 121,30.0001 120.9991,30.001 --options steps=true", dir);
    HT_CHECK_INT(code_of(line), 0);
    HT_CHECK(strstr(run->out, "\"type\":\"fork\",\"modifier\":\"sharp left\"") != NULL);
    (void)snprintf(line, sizeof line, "rm -r %s", dir);
    HT_CHECK_INT(system(line), 0);
}

/* What a command writes where it believes to write to a terminal. */
static size_t on_terminal(const char *line, char *text, size_t capacity)
{
    int terminal = -1;
    int own = -1;
    size_t size = 0;
    ssize_t got = 0;
    if (openpty(&terminal, &own, NULL, NULL, NULL) != 0) {
        return 0;
    }
    pid_t child = ht_command_start(line, own, own);
    (void)close(own);
    while (size + 1 < capacity &&
           (got = read(terminal, text + size, capacity - 1 - size)) > 0) { /* EIO: it has ended */
        size += (size_t)got;
    }
    text[size] = '\0';
    (void)close(terminal);
    (void)waitpid(child, NULL, 0);
    return size;
}

HT_CASE(import_draws_a_bar_on_a_terminal_and_writes_lines_elsewhere)
{
    static char text[1 << 16];
    char dir[] = "/tmp/houtao-cli-XXXXXX";
    char line[256];
    HT_REQUIRE(mkdtemp(dir) != NULL);
    crossing_import(dir, "2001");
    (void)snprintf(line, sizeof line, "import %s/crossing.osm -o %s/c.hnet --profiles car,foot",
                   dir, dir);
    HT_REQUIRE(on_terminal(line, text, sizeof text) > 0);
    HT_CHECK(strstr(text, "\r\033[K[##############################] 100 % reading") != NULL);
    HT_CHECK(strstr(text, "[                              ]   0 % car (1 of 2): streets") != NULL);
    HT_CHECK(strstr(text, "[###############               ]  50 % foot (2 of 2): streets") != NULL);
    HT_CHECK(strstr(text, "91 % foot (2 of 2): writing\r\033[K") != NULL);
    HT_CHECK_INT(code_of(line), 0);
    HT_CHECK(strchr(run->err, '\r') == NULL && strstr(run->err, "reading: 100 %\n") != NULL &&
             strstr(run->err, "foot: order\n") != NULL);
    (void)snprintf(line, sizeof line, "rm -r %s", dir);
    HT_CHECK_INT(system(line), 0);
}

/* Also by another name, and where the input is the file that import writes beside the output. */
HT_CASE(import_does_not_write_over_its_input)
{
    static const char *const lines[] = {"import %1$s/crossing.osm -o %1$s/crossing.osm",
                                        "import %1$s/link.osm -o %1$s/crossing.osm",
                                        "import %1$s/crossing.osm -o %1$s/./link.osm",
                                        "import %1$s/c.hnet %1$s/crossing.osm -o %1$s/crossing.osm",
                                        "import %1$s/c.hnet.tmp -o %1$s/c.hnet"};
    char dir[] = "/tmp/houtao-cli-XXXXXX";
    char path[256];
    char other[256];
    HT_REQUIRE(mkdtemp(dir) != NULL);
    crossing_import(dir, "2001");
    (void)snprintf(path, sizeof path, "%s/crossing.osm", dir);
    (void)snprintf(other, sizeof other, "%s/link.osm", dir);
    HT_REQUIRE(symlink(path, other) == 0);
    (void)snprintf(other, sizeof other, "%s/c.hnet.tmp", dir);
    HT_REQUIRE(link(path, other) == 0);
    struct stat before;
    HT_REQUIRE(stat(path, &before) == 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[512];
        (void)snprintf(line, sizeof line, lines[i], dir);
        HT_CHECK_INT(code_of(line), 1);
        HT_CHECK(strstr(run->err, "is an input") != NULL);
        struct stat after;
        HT_CHECK(stat(path, &after) == 0 && after.st_size == before.st_size &&
                 after.st_ino == before.st_ino && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    }
    crossing_remove(dir);
}

/* Reads what the import says until it is at its streets. */
static bool reached_streets(int fd)
{
    char text[4096];
    size_t size = 0;
    while (size < sizeof text - 1 && read(fd, text + size, 1) == 1) {
        text[++size] = '\0';
        if (strstr(text, "streets and turns") != NULL) {
            return true;
        }
    }
    return false;
}

HT_CASE(an_import_that_is_broken_off_leaves_nothing)
{
    static const int signals[] = {SIGTERM, SIGINT};
    char folder[] = "/tmp/houtao-test-cli-XXXXXX";
    char line[256];
    HT_REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    HT_CHECK_INT(code_of(line), 0);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int ends[2];
        int status = 0;
        HT_REQUIRE(pipe(ends) == 0);
        (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s/s.hnet", folder, folder);
        pid_t child = ht_command_start(line, ends[1], ends[1]);
        (void)close(ends[1]);
        HT_CHECK(reached_streets(ends[0]));
        HT_CHECK(kill(child, signals[i]) == 0);
        HT_CHECK(waitpid(child, &status, 0) == child);
        HT_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
        (void)close(ends[0]);
        (void)snprintf(line, sizeof line, "%s/s.hnet.tmp", folder);
        HT_CHECK(access(line, F_OK) != 0);
    }
    (void)snprintf(line, sizeof line, "rm -r %s", folder);
    HT_CHECK_INT(system(line), 0);
}

/* Waits until a file of that name is made in the folder. */
static bool appeared(int watch, const char *name)
{
    char event[sizeof(struct inotify_event) + NAME_MAX + 1]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(watch, event, sizeof event) > 0) {
        if (strcmp(((struct inotify_event *)event)->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Before its first profile, as soon as the file is there. */
HT_CASE(an_import_that_has_just_begun_to_write_leaves_nothing_either)
{
    char folder[] = "/tmp/houtao-test-cli-XXXXXX";
    char line[256];
    HT_REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    HT_CHECK_INT(code_of(line), 0);
    for (int i = 0; i < 5; i++) {
        int status = 0;
        int out = ht_command_temp();
        int watch = inotify_init1(IN_CLOEXEC);
        HT_REQUIRE(watch >= 0 && inotify_add_watch(watch, folder, IN_CREATE) >= 0);
        (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s/s.hnet", folder, folder);
        pid_t child = ht_command_start(line, out, out);
        HT_CHECK(appeared(watch, "s.hnet.tmp"));
        HT_CHECK(kill(child, SIGTERM) == 0);
        HT_CHECK(waitpid(child, &status, 0) == child);
        HT_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        (void)snprintf(line, sizeof line, "%s/s.hnet.tmp", folder);
        HT_CHECK(access(line, F_OK) != 0);
        (void)close(watch);
        (void)close(out);
    }
    (void)snprintf(line, sizeof line, "rm -r %s", folder);
    HT_CHECK_INT(system(line), 0);
}

HT_CASE(missing_and_foreign_networks_are_failures)
{
    HT_CHECK_INT(code_of("serve --network /nowhere/x.hnet --listen 127.0.0.1:0"), 1);
    HT_CHECK_INT(lines_of(run->err), 1);
    HT_CHECK(strstr(run->err, "/nowhere/x.hnet") != NULL);
    HT_CHECK_INT(code_of("serve --network " HT_SOURCE_DIR "/CMakeLists.txt --listen 127.0.0.1:0"),
                 1);
    HT_CHECK_INT(lines_of(run->err), 1);
}

/* The answer in OSRM's form goes to stdout, what was wrong to stderr. */
HT_CASE(a_route_that_fails_says_why)
{
    char folder[] = "/tmp/houtao-test-cli-XXXXXX";
    char line[256];
    HT_REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    HT_CHECK_INT(code_of(line), 0);
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s/s.hnet --profiles foot",
                   folder, folder);
    HT_CHECK_INT(code_of(line), 0);
    (void)snprintf(line, sizeof line, "route %s/s.hnet --profile foot 200,95 121.71,29.95", folder);
    HT_CHECK_INT(code_of(line), 1);
    HT_CHECK_INT(lines_of(run->err), 1);
    HT_CHECK(strstr(run->err, "Invalid coordinate value.") != NULL);
    HT_CHECK(strstr(run->out, "\"code\":\"InvalidValue\"") != NULL);
    /* drawn areas are the server's: no OSRM code, but a reason all the same */
    (void)snprintf(line, sizeof line,
                   "route %s/s.hnet --profile foot 121.70,29.95 121.71,29.95 --options "
                   "avoid={\"type\":\"Polygon\",\"coordinates\":[[[121.704,29.94],[121.706,29.94],"
                   "[121.706,29.96],[121.704,29.94]]]}",
                   folder);
    HT_CHECK_INT(code_of(line), 1);
    HT_CHECK_INT(lines_of(run->err), 1);
    HT_CHECK(strstr(run->err, "not supported") != NULL);
    HT_CHECK(strstr(run->err, "route: :") == NULL);
    (void)snprintf(line, sizeof line, "rm -r %s", folder);
    HT_CHECK_INT(system(line), 0);
}

HT_CASE(options_come_from_the_environment_too)
{
    HT_CHECK(setenv("HOUTAO_NETWORK", "/nowhere/env.hnet", 1) == 0);
    HT_CHECK_INT(code_of("serve --listen 127.0.0.1:0"), 1);
    HT_CHECK(strstr(run->err, "/nowhere/env.hnet") != NULL);
    HT_CHECK_INT(code_of("serve --network /nowhere/line.hnet --listen 127.0.0.1:0"), 1);
    HT_CHECK(strstr(run->err, "/nowhere/line.hnet") != NULL);
    HT_CHECK(setenv("HOUTAO_MQTT", "x", 1) == 0);
    HT_CHECK(is_usage("serve --store s", "begins with mqtt:// or mqtts://"));
    HT_CHECK(unsetenv("HOUTAO_NETWORK") == 0 && unsetenv("HOUTAO_MQTT") == 0);
}

HT_MAIN()
