/* The commands of the binary. Each takes argv with its own name at argv[0] and returns an exit code
 * (api/cli.h).
 *
 * Threading: from main, one of them.
 */
#ifndef HT_API_COMMANDS_H
#define HT_API_COMMANDS_H

struct ht_command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

/* Ends with a row without a name. */
extern const struct ht_command ht_commands[];

int ht_cmd_audit(int argc, char **argv);
int ht_cmd_backup(int argc, char **argv);
int ht_cmd_copy_store(int argc, char **argv);
int ht_cmd_export(int argc, char **argv);
int ht_cmd_help(int argc, char **argv);
int ht_cmd_import(int argc, char **argv);
int ht_cmd_info(int argc, char **argv);
int ht_cmd_load(int argc, char **argv);
int ht_cmd_route(int argc, char **argv);
int ht_cmd_sample(int argc, char **argv);
int ht_cmd_serve(int argc, char **argv);
int ht_cmd_simulate(int argc, char **argv);
int ht_cmd_solve(int argc, char **argv);
int ht_cmd_token(int argc, char **argv);

/* The binary without its main: what tests call. */
int ht_main(int argc, char **argv);

#endif
