#include "api/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "engine/base/time.h"

enum { MESSAGE_SIZE = 1024, LINE_SIZE = 8 * MESSAGE_SIZE };

static enum ht_log_form log_form;

void ht_log_form_set(enum ht_log_form form)
{
    log_form = form;
}

enum ht_log_form ht_log_form(void)
{
    return log_form;
}

bool ht__log_is_journal(const char *variable, int fd)
{
    struct stat info;
    char name[64];
    if (variable == NULL || fstat(fd, &info) != 0) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%" PRIu64 ":%" PRIu64, (uint64_t)info.st_dev,
                   (uint64_t)info.st_ino);
    return strcmp(variable, name) == 0;
}

static const char *level_name(enum ht_log_level level)
{
    switch (level) {
    case HT_LOG_ERROR:
        return "error";
    case HT_LOG_WARNING:
        return "warning";
    case HT_LOG_INFO:
    default:
        return "info";
    }
}

/* By the machine's clock, also where the town has one of its own. */
static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Appends `message` with its line ends as blanks, or as a JSON string; returns the new end. */
static size_t add_message(char line[LINE_SIZE], size_t at, const char *message)
{
    bool json = log_form == HT_LOG_JSON;
    char text[MESSAGE_SIZE];
    (void)snprintf(text, sizeof text, "%s", message);
    (void)ht_utf8_mend(text); /* names of files may be anything, and a cut goes anywhere */
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        if (json && (c < ' ' || c == '"' || c == '\\')) {
            at += ht_json_escape(line + at, c);
        } else {
            line[at++] = c == '\n' || c == '\r' ? ' ' : (char)c;
        }
    }
    return at;
}

void ht_log_of(const char *command, enum ht_log_level level, const char *message)
{
    char line[LINE_SIZE];
    char time[HT_TIME_TEXT_SIZE];
    size_t at = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables once threads run
    if (ht__log_is_journal(getenv("JOURNAL_STREAM"), STDERR_FILENO)) {
        at += (size_t)snprintf(line, sizeof line, "<%d>", (int)level);
    }
    if (log_form == HT_LOG_JSON) {
        ht_time_format(now_ms(), time);
        at += (size_t)snprintf(
            line + at, sizeof line - at,
            "{\"time\":\"%s\",\"level\":\"%s\",\"command\":\"%.20s\",\"message\":\"", time,
            level_name(level), command);
    } else {
        at += (size_t)snprintf(line + at, sizeof line - at, "houtao %.20s: ", command);
    }
    at = add_message(line, at, message);
    if (log_form == HT_LOG_JSON) {
        line[at++] = '"';
        line[at++] = '}';
    }
    line[at++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written; /* whom could it tell */
}

void ht_log(enum ht_log_level level, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    ht_log_of("serve", level, message);
}
