/* Runs commands of the binary in a child process and keeps what they say.
 *
 * Include it in one .c file per program, after tests/support/check.h. Threading: from the main
 * thread, before others are started.
 */
#ifndef HT_TESTS_SUPPORT_COMMAND_H
#define HT_TESTS_SUPPORT_COMMAND_H

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "api/commands.h"

enum { HT_COMMAND_TEXT = 1 << 16, HT_COMMAND_ARGUMENTS = 32 };

struct ht_command_run {
    int code; /* exit code; -1: it died otherwise */
    char out[HT_COMMAND_TEXT];
    char err[HT_COMMAND_TEXT];
};

/* Splits `line` at spaces and runs it in this process' copy; never returns. */
static inline void ht_command_child(const char *line)
{
    static char text[4096];
    char name[] = "houtao";
    char *argv[HT_COMMAND_ARGUMENTS + 1] = {name};
    int argc = 1;
    (void)snprintf(text, sizeof text, "%s", line);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && argc < HT_COMMAND_ARGUMENTS;
         word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = word;
    }
    exit(ht_main(argc, argv));
}

/* Starts `houtao LINE`; its output goes to the two descriptors. */
static inline pid_t ht_command_start(const char *line, int out, int err)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(out, STDOUT_FILENO);
        (void)dup2(err, STDERR_FILENO);
        ht_command_child(line);
    }
    return child;
}

static inline void ht_command_read(int fd, char *text)
{
    ssize_t size = pread(fd, text, HT_COMMAND_TEXT - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    (void)close(fd);
}

static inline int ht_command_temp(void)
{
    char path[] = "/tmp/houtao-test-XXXXXX";
    int fd = mkstemp(path);
    (void)unlink(path);
    return fd;
}

/* Runs `houtao LINE` to its end. */
static inline const struct ht_command_run *ht_command_run(const char *line)
{
    static struct ht_command_run run;
    int out = ht_command_temp();
    int err = ht_command_temp();
    int status = 0;
    pid_t child = ht_command_start(line, out, err);
    run.code = waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ht_command_read(out, run.out);
    ht_command_read(err, run.err);
    return &run;
}

#endif
