/* A standby of the test's PostgreSQL: made by pg_basebackup, waited for at each commit, promoted
 * when the primary is gone. Include it after tests/support/pg_cluster.h, and promote once per
 * program. Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_PG_STANDBY_H
#define HT_TESTS_SUPPORT_PG_STANDBY_H

#include "tests/support/pg_cluster.h"

static pid_t ht_pg_second; /* the standby */

static inline void ht_pg_second_paths(char socket[96], char data[HT_PG_PATH])
{
    (void)snprintf(socket, 96, "%s/second", ht_pg.folder);
    (void)snprintf(data, HT_PG_PATH, "%s/second/data", ht_pg.folder);
}

static inline bool ht_pg_second_copy(const char *socket, char *data)
{
    char program[HT_PG_PATH + 32];
    char from[HT_PG_PATH];
    char d[] = "-d";
    char to[] = "-D";
    char recovery[] = "-R";
    char fast[] = "--checkpoint=fast";
    char nosync[] = "--no-sync";
    (void)snprintf(program, sizeof program, "%s/pg_basebackup", ht_pg.bin);
    (void)snprintf(from, sizeof from, "host=%s user=houtao application_name=standby1",
                   ht_pg.folder);
    char *argv[] = {program, d, from, to, data, recovery, fast, nosync, NULL};
    return mkdir(socket, 0755) == 0 &&
           (geteuid() != 0 || chown(socket, ht_pg.uid, ht_pg.gid) == 0) && ht_pg_run(argv) == 0;
}

/* Makes it, and lets every commit wait for it from now on. */
static inline bool ht_pg_standby_begin(void)
{
    char server[HT_PG_PATH + 16];
    char socket[96];
    char data[HT_PG_PATH];
    char where[HT_PG_PATH];
    char out[16] = "";
    char name[] = "-D";
    char option[] = "-c";
    char listen[] = "listen_addresses=";
    char sync[] = HT_PG_SYNC;
    char buffers[] = "shared_buffers=32MB";
    char many[] = "max_connections=60";
    ht_pg_second_paths(socket, data);
    (void)snprintf(server, sizeof server, "%s/postgres", ht_pg.bin);
    (void)snprintf(where, sizeof where, "unix_socket_directories=%s", socket);
    char *argv[] = {server, name, data,   option,  listen, option, where,
                    option, sync, option, buffers, option, many,   NULL};
    if (!ht_pg_second_copy(socket, data)) {
        return false;
    }
    ht_pg_second = ht_pg_spawn(argv);
    if (ht_pg_sql_in("postgres",
                     "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby1)'", out,
                     sizeof out) != 0 ||
        ht_pg_sql_in("postgres", "SELECT pg_reload_conf()", out, sizeof out) != 0) {
        return false;
    }
    for (int waited = 0; waited < HT_PG_WAIT_MS && out[0] != 's'; waited += 50) {
        (void)usleep(50000);
        (void)ht_pg_sql_in("postgres", "SELECT sync_state FROM pg_stat_replication", out,
                           sizeof out);
    }
    return out[0] == 's'; /* sync */
}

/* Kills the primary (-9) and promotes the standby. In a process of its own, if that is wanted:
 * ht_pg_promoted is for the one that goes on. */
static inline bool ht_pg_promote(void)
{
    char program[HT_PG_PATH + 16];
    char socket[96];
    char data[HT_PG_PATH];
    char promote[] = "promote";
    char name[] = "-D";
    ht_pg_second_paths(socket, data);
    (void)snprintf(program, sizeof program, "%s/pg_ctl", ht_pg.bin);
    char *argv[] = {program, promote, name, data, NULL};
    (void)kill(ht_pg.pid, SIGKILL);
    return ht_pg_run(argv) == 0;
}

/* From now on the one that was the standby is asked, and ended at the end. */
static inline void ht_pg_promoted(void)
{
    char data[HT_PG_PATH];
    ht_pg_kill(SIGKILL);
    ht_pg.pid = ht_pg_second;
    ht_pg_second_paths(ht_pg.socket, data);
}

#endif
