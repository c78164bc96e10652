/* A Mosquitto of our own on a free port of the loopback, and its two small clients.
 *
 * Include it in one .c file per program, after tests/support/check.h. Threading: from the main
 * thread. Where Mosquitto is not installed, broker_there() says so and the case is to be skipped.
 */
#ifndef HT_TESTS_SUPPORT_BROKER_H
#define HT_TESTS_SUPPORT_BROKER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/port.h"

enum { BROKER_ARGUMENTS = 24 };

static pid_t broker = -1;
static uint16_t broker_port;

static inline const char *broker_program(void)
{
    return access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto";
}

static inline bool broker_there(void)
{
    return system("{ command -v mosquitto_pub && command -v mosquitto_sub && "
                  "{ command -v mosquitto || test -x /usr/sbin/mosquitto; } } >/dev/null") == 0;
}

static inline bool broker_answers(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(broker_port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3000; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool there = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
        (void)close(fd);
        if (there) {
            return true;
        }
        (void)usleep(10000);
    }
    return false;
}

/* Starts a program, all of whose output goes to `out` (-1: nowhere). */
static inline pid_t broker_spawn(char *const argv[], int out)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int to = out >= 0 ? out : open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(to, STDOUT_FILENO);
        (void)dup2(out >= 0 ? out : to, STDERR_FILENO);
        (void)execvp(argv[0], argv);
        _exit(127);
    }
    return child;
}

/* `more`: lines of its configuration, "%u" in none. On the port of the last time, if any. */
static inline bool broker_begin(const char *folder, const char *more)
{
    char path[160];
    char program[64];
    char option[] = "-c";
    (void)snprintf(path, sizeof path, "%s/mosquitto.conf", folder);
    (void)snprintf(program, sizeof program, "%s", broker_program());
    broker_port = broker_port == 0 ? port_hold() : broker_port;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    (void)fprintf(file,
                  "listener %u 127.0.0.1\nallow_anonymous true\npersistence true\n"
                  "persistence_location %s/\nautosave_interval 1\nuser root\n%s",
                  (unsigned)broker_port, folder, more);
    (void)fclose(file);
    char *const argv[] = {program, option, path, NULL};
    broker = broker_spawn(argv, -1);
    return broker > 0 && broker_answers();
}

static inline void broker_end(int number)
{
    if (broker > 0) {
        (void)kill(broker, number);
        (void)waitpid(broker, NULL, 0);
        broker = -1;
    }
}

/* mosquitto_pub or mosquitto_sub with arguments that blanks separate, as MQTT 5 and QoS 1; `last`
 * is one as it is (NULL: none). */
static inline pid_t broker_client(const char *line, const char *last, int out)
{
    static char text[1024];
    char *argv[BROKER_ARGUMENTS + 2] = {NULL};
    int argc = 0;
    char *rest = NULL;
    char *message = last == NULL ? NULL : strdup(last);
    (void)snprintf(text, sizeof text, "%.*s -h 127.0.0.1 -p %u -V mqttv5 -q 1%s",
                   (int)strcspn(line, " "), line, (unsigned)broker_port, line + strcspn(line, " "));
    for (char *word = strtok_r(text, " ", &rest); word != NULL && argc < BROKER_ARGUMENTS;
         word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = word;
    }
    argv[argc] = message;
    pid_t child = broker_spawn(argv, out);
    free(message);
    return child;
}

/* Publishes, and returns once the broker has it. */
static inline bool broker_pub(const char *topic, const char *payload)
{
    char line[256];
    int status = -1;
    (void)snprintf(line, sizeof line, "mosquitto_pub -t %s -m", topic);
    pid_t child = broker_client(line, payload, -1);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* Until it has saved a subscriber whose name is like `pattern` (of grep): what it does not know
 * after kill -9 gets nothing. */
static inline bool broker_saved(const char *folder, const char *pattern)
{
    char line[256];
    (void)snprintf(line, sizeof line, "grep -qa '%s' %s/mosquitto.db 2>/dev/null", pattern, folder);
    for (int i = 0; i < 6000; i++) {
        if (system(line) == 0) {
            return true;
        }
        (void)usleep(10000);
    }
    return false;
}

#endif
