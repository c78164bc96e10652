/* Status codes of every fallible call, and the error that carries a text.
 *
 * Threading: plain values, no shared state.
 * Ownership: texts returned are static.
 */
#ifndef HT_ENGINE_BASE_STATUS_H
#define HT_ENGINE_BASE_STATUS_H

#include <stdint.h>

/* X(name, text): the one list from which codes and texts are made. */
#define HT_STATUS_MAP(X)                                                                           \
    X(OK, "ok")                                                                                    \
    X(NOMEM, "out of memory")                                                                      \
    X(INVALID, "invalid argument")                                                                 \
    X(RANGE, "value out of range")                                                                 \
    X(SYNTAX, "malformed input")                                                                   \
    X(TRUNCATED, "input ends too early")                                                           \
    X(CHECKSUM, "checksum does not match")                                                         \
    X(VERSION, "made by another version")                                                          \
    X(FOREIGN, "not a file of this kind")                                                          \
    X(UNSUPPORTED, "not supported")                                                                \
    X(NOT_FOUND, "not found")                                                                      \
    X(IO, "input or output failed")                                                                \
    X(TOO_BIG, "larger than the limit")                                                            \
    X(EMPTY, "nothing in it")                                                                      \
    X(NO_ROUTE, "no route")                                                                        \
    X(NO_SEGMENT, "no street near enough")                                                         \
    X(CANCELLED, "cancelled")                                                                      \
    X(EXISTS, "exists already")                                                                    \
    X(CHANGED, "was changed meanwhile")                                                            \
    X(READ_ONLY, "can't be written")                                                               \
    X(FULL, "no room left on the disk")                                                            \
    X(BUSY, "in use by another program")                                                           \
    X(CONFLICT, "not in this order")

enum ht_status {
#define HT_STATUS_ENUM(name, text) HT_##name,
    HT_STATUS_MAP(HT_STATUS_ENUM)
#undef HT_STATUS_ENUM
};

/* Results that must be looked at. */
#define HT_MUST_CHECK __attribute__((warn_unused_result))

/* What went wrong, where (line or byte or item number, 0: does not apply) and in words. */
struct ht_error {
    enum ht_status status;
    int64_t line;
    char message[256];
};

/* The static English text of a code; "unknown status" for a foreign value. */
const char *ht_status_text(enum ht_status status);

/* Fills `error` (may be NULL) and returns `status`, so that `return ht_error_set(...)` reads well.
 * `format` as printf; NULL: the code's own text. */
enum ht_status ht_error_set(struct ht_error *error, enum ht_status status, int64_t line,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
