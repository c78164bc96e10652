/* A PostgreSQL with PostGIS of the test's own: made by initdb in a temporary folder, reached over a
 * Unix socket there alone, gone when the program ends.
 *
 * It does not run as root: there it runs as `postgres`, or as `nobody`. Include it in one .c file
 * per program, after tests/support/check.h. Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_PG_CLUSTER_H
#define HT_TESTS_SUPPORT_PG_CLUSTER_H

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Tests do without: the machine stays up, and a server that is killed loses nothing by it. */
#ifndef HT_PG_SYNC
#define HT_PG_SYNC "fsync=off"
#endif

enum { HT_PG_PATH = 256, HT_PG_URL = 192, HT_PG_WAIT_MS = 60000 };

static struct {
    pid_t pid;
    pid_t owner;
    uid_t uid;
    gid_t gid;
    bool tried;
    unsigned databases;
    char bin[HT_PG_PATH];
    char folder[64];
    char socket[96]; /* where the server listens: the folder, unless a standby was promoted */
    char why[256];
} ht_pg;

/* Whether this program is to test with PostgreSQL (HOUTAO_TEST_STORE=postgresql). */
static inline bool ht_pg_wanted(void)
{
    const char *store = getenv("HOUTAO_TEST_STORE");
    return store != NULL && strcmp(store, "postgresql") == 0;
}

static inline const char *ht_pg_fail(const char *why)
{
    (void)snprintf(ht_pg.why, sizeof ht_pg.why, "%s", why);
    return ht_pg.why;
}

/* A process of the server's user; what it says goes into the log. */
static inline pid_t ht_pg_spawn(char *const argv[])
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    char log[HT_PG_PATH];
    (void)snprintf(log, sizeof log, "%s/log", ht_pg.folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
    }
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(ht_pg.gid) != 0 || setuid(ht_pg.uid) != 0)) {
        _exit(127);
    }
    /* it goes when we go, however that is */
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    (void)execv(argv[0], argv);
    _exit(127);
}

static inline int ht_pg_run(char *const argv[])
{
    int status = -1;
    pid_t child = ht_pg_spawn(argv);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static inline bool ht_pg_bin_find(void)
{
    glob_t found = {0};
    bool there = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0;
    if (there) {
        (void)snprintf(ht_pg.bin, sizeof ht_pg.bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(ht_pg.bin, '/') = '\0';
    }
    globfree(&found);
    return there;
}

/* Runs SQL (in `database`) as the cluster's owner; 0: it went well. What it prints goes to `out`.
 */
static inline int ht_pg_sql_in(const char *database, const char *sql, char *out, size_t size)
{
    int ends[2];
    char psql[HT_PG_PATH + 8];
    (void)snprintf(psql, sizeof psql, "%s/psql", ht_pg.bin);
    (void)fflush(stdout);
    if (pipe(ends) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execl(psql, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
                    ht_pg.socket, "-U", "houtao", "-d", database, "-c", sql, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    size_t got = 0;
    ssize_t part = 0;
    char rest[256];
    while ((part = got + 1 < size ? read(ends[0], out + got, size - 1 - got)
                                  : read(ends[0], rest, sizeof rest)) > 0) {
        got += got + 1 < size ? (size_t)part : 0;
    }
    (void)close(ends[0]);
    if (size > 0) {
        out[got] = '\0';
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts; waits until it answers. False: it ended before. */
static inline bool ht_pg_start_once(void)
{
    char server[HT_PG_PATH + 16];
    char data[HT_PG_PATH];
    char socket[HT_PG_PATH];
    char out[8];
    char name[] = "-D";
    char option[] = "-c";
    char listen[] = "listen_addresses=";
    char sync[] = HT_PG_SYNC;
    char buffers[] = "shared_buffers=32MB";
    char many[] = "max_connections=60";
    (void)snprintf(server, sizeof server, "%s/postgres", ht_pg.bin);
    (void)snprintf(data, sizeof data, "%s/data", ht_pg.folder);
    (void)snprintf(socket, sizeof socket, "unix_socket_directories=%s", ht_pg.folder);
    char *argv[] = {server, name, data,   option,  listen, option, socket,
                    option, sync, option, buffers, option, many,   NULL};
    ht_pg.pid = ht_pg_spawn(argv);
    for (int waited = 0; ht_pg.pid > 0 && waited < HT_PG_WAIT_MS; waited += 50) {
        int null = dup(STDERR_FILENO);
        int hidden = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(hidden, STDERR_FILENO);
        int code = ht_pg_sql_in("postgres", "SELECT 1", out, sizeof out);
        (void)dup2(null, STDERR_FILENO);
        (void)close(null);
        (void)close(hidden);
        if (code == 0) {
            return true;
        }
        if (waitpid(ht_pg.pid, NULL, WNOHANG) == ht_pg.pid) {
            ht_pg.pid = 0;
            return false;
        }
        (void)usleep(50000);
    }
    return false;
}

/* Starts, or starts again: a server that was killed leaves sessions behind that have to end first,
 * and on a busy machine take a while. */
static inline bool ht_pg_start(void)
{
    static bool began;
    bool there = ht_pg_start_once();
    for (int waited = 0; began && ht_pg.pid == 0 && waited < HT_PG_WAIT_MS; waited += 100) {
        (void)usleep(100000);
        there = ht_pg_start_once();
    }
    began = began || there;
    return there;
}

/* As `kill -9` of all of it; its clients lose their connections. */
static inline void ht_pg_kill(int signal_number)
{
    if (ht_pg.pid > 0) {
        (void)kill(ht_pg.pid, signal_number);
        (void)waitpid(ht_pg.pid, NULL, 0);
        ht_pg.pid = 0;
    }
}

static inline void ht_pg_end(void)
{
    if (ht_pg.owner == getpid() && ht_pg.folder[0] != '\0') {
        char command[128];
        ht_pg_kill(SIGQUIT);
        (void)snprintf(command, sizeof command, "rm -rf '%s'", ht_pg.folder);
        int code = system(command);
        (void)code;
    }
}

static inline bool ht_pg_folder_make(void)
{
    const struct passwd *user = getpwnam("postgres");
    user = user == NULL ? getpwnam("nobody") : user;
    (void)strcpy(ht_pg.folder, "/tmp/ht-pg-XXXXXX");
    if (mkdtemp(ht_pg.folder) == NULL) {
        ht_pg.folder[0] = '\0';
        return false;
    }
    (void)snprintf(ht_pg.socket, sizeof ht_pg.socket, "%s", ht_pg.folder);
    ht_pg.owner = getpid();
    (void)atexit(ht_pg_end);
    if (geteuid() != 0) {
        return true;
    }
    if (user == NULL) {
        return false;
    }
    ht_pg.uid = user->pw_uid;
    ht_pg.gid = user->pw_gid;
    return chmod(ht_pg.folder, 0755) == 0 && chown(ht_pg.folder, ht_pg.uid, ht_pg.gid) == 0;
}

static inline bool ht_pg_init(void)
{
    char initdb[HT_PG_PATH + 16];
    char data[HT_PG_PATH];
    char name[] = "-D";
    char trust[] = "--auth=trust";
    char owner[] = "--username=houtao";
    char encoding[] = "--encoding=UTF8";
    char locale[] = "--no-locale";
    char nosync[] = "--no-sync";
    (void)snprintf(initdb, sizeof initdb, "%s/initdb", ht_pg.bin);
    (void)snprintf(data, sizeof data, "%s/data", ht_pg.folder);
    char *argv[] = {initdb, name, data, trust, owner, encoding, locale, nosync, NULL};
    return ht_pg_run(argv) == 0;
}

/* NULL: the cluster runs; else why it can't. */
static inline const char *ht_pg_why_not(void)
{
    if (!ht_pg.tried) {
        ht_pg.tried = true;
        char out[256];
        if (!ht_pg_bin_find()) {
            return ht_pg_fail("no PostgreSQL is installed");
        }
        if (!ht_pg_folder_make() || !ht_pg_init() || !ht_pg_start()) {
            return ht_pg_fail("PostgreSQL can't be started here");
        }
        if (ht_pg_sql_in("postgres", "CREATE DATABASE plain", out, sizeof out) != 0 ||
            ht_pg_sql_in("plain", "CREATE EXTENSION postgis", out, sizeof out) != 0) {
            return ht_pg_fail("PostGIS is not installed");
        }
    }
    return ht_pg.why[0] == '\0' ? NULL : ht_pg.why;
}

/* The URL of a new, empty database with PostGIS. */
static inline bool ht_pg_database(char *url, size_t size)
{
    char sql[96];
    char out[8];
    unsigned number = ht_pg.databases++;
    if (ht_pg_why_not() != NULL) {
        return false;
    }
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE town%u TEMPLATE plain", number);
    (void)snprintf(url, size, "postgresql://houtao@/town%u?host=%s", number, ht_pg.socket);
    return ht_pg_sql_in("postgres", sql, out, sizeof out) == 0;
}

/* SQL in the database of a URL that ht_pg_database gave, as somebody with a database tool would;
 * 0: it went well. */
static inline int ht_pg_sql(const char *url, const char *sql, char *out, size_t size)
{
    char database[32] = "";
    const char *name = strstr(url, "@/");
    if (name != NULL) {
        (void)snprintf(database, sizeof database, "%.*s", (int)strcspn(name + 2, "?"), name + 2);
    }
    return ht_pg_sql_in(database, sql, out, size);
}

/* A new store of the kind that is wanted: where it is to be made. `name`: of the file. */
static inline bool ht_store_place(char *path, size_t size, const char *folder, const char *name)
{
    if (ht_pg_wanted()) {
        return ht_pg_database(path, size);
    }
    (void)snprintf(path, size, "%s/%s.sqlite", folder, name);
    return true;
}

/* Asks a database for rows of one column, which are joined by `between`. SQL as SQLite takes it:
 * "body->>'x'" reads the text as JSON. */
static inline void ht_pg_rows(const char *url, const char *sql, const char *between, char *out,
                              size_t size)
{
    static char text[4096];
    static char rows[1 << 16];
    size_t used = 0;
    for (const char *at = sql; *at != '\0' && used + 16 < sizeof text;) {
        if (strncmp(at, "body->>", 7) == 0) {
            used += (size_t)snprintf(text + used, sizeof text - used, "body::json->>");
            at += 7;
        } else {
            text[used++] = *at++;
        }
    }
    text[used] = '\0';
    rows[0] = '\0';
    out[0] = '\0';
    HT_CHECK(ht_pg_sql(url, text, rows, sizeof rows) == 0);
    char *rest = NULL;
    size_t written = 0;
    for (char *row = strtok_r(rows, "\n", &rest); row != NULL && written < size;
         row = strtok_r(NULL, "\n", &rest)) {
        written += (size_t)snprintf(out + written, size - written, "%s%s",
                                    written == 0 ? "" : between, row);
    }
}

/* Leaves a program that is to run on a PostgreSQL which can't be had. */
#define HT_PG_OR_SKIP()                                                                            \
    do {                                                                                           \
        if (ht_pg_wanted() && ht_pg_why_not() != NULL) {                                           \
            (void)printf("skip all: %s\n", ht_pg_why_not());                                       \
            return 77;                                                                             \
        }                                                                                          \
    } while (0)

/* HT_MAIN for a program whose cases run on whichever store is wanted. */
#define HT_STORES_MAIN()                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        HT_PG_OR_SKIP();                                                                           \
        return ht_run_cases(argc > 1 ? argv[1] : NULL);                                            \
    }

#endif
