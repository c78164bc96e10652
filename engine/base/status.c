#include "engine/base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/text.h"

const char *ht_status_text(enum ht_status status)
{
    switch (status) {
#define HT_STATUS_TEXT(name, text)                                                                 \
    case HT_##name:                                                                                \
        return text;
        HT_STATUS_MAP(HT_STATUS_TEXT)
#undef HT_STATUS_TEXT
    }
    return "unknown status";
}

enum ht_status ht_error_set(struct ht_error *error, enum ht_status status, int64_t line,
                            const char *format, ...)
{
    if (error == NULL) {
        return status;
    }
    error->status = status;
    error->line = line;
    if (format == NULL) {
        (void)snprintf(error->message, sizeof error->message, "%s", ht_status_text(status));
        return status;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    (void)ht_utf8_mend(error->message);
    return status;
}
