/* Log: what the process says of itself while it runs, a line each on stderr.
 *
 *   plain   houtao serve: MESSAGE
 *   json    {"time":"2026-03-01T08:30:00.000Z","level":"warning","command":"serve","message":"..."}
 *
 * Where stderr goes to systemd's journal (JOURNAL_STREAM names it), each line begins with its
 * priority as "<N>", which the journal takes off (sd-daemon(3)).
 *
 * Threading: from any thread; a line is one write. ht_log_form_set before others are started.
 */
#ifndef HT_API_LOG_H
#define HT_API_LOG_H

#include <stdbool.h>

/* syslog's numbers */
enum ht_log_level {
    HT_LOG_ERROR = 3,   /* it ends, or does not do what it is there for */
    HT_LOG_WARNING = 4, /* somebody should look */
    HT_LOG_INFO = 6,
};

enum ht_log_form { HT_LOG_PLAIN, HT_LOG_JSON };

void ht_log_form_set(enum ht_log_form form);
enum ht_log_form ht_log_form(void);

/* Whether `variable`, "DEVICE:INODE", names the file that descriptor `fd` is. */
bool ht__log_is_journal(const char *variable, int fd);

/* One line of the command that runs; what is longer than 1 KB is cut, line ends become blanks. */
void ht_log_of(const char *command, enum ht_log_level level, const char *message);

/* The same of `serve`, as printf. */
void ht_log(enum ht_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
