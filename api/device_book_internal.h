/* What the files of the device book share. Not a door. */
#ifndef HT_API_DEVICE_BOOK_INTERNAL_H
#define HT_API_DEVICE_BOOK_INTERNAL_H

#include "api/device_book.h"
#include "api/devices.h"
#include "api/jobs.h"

enum {
    HT__UNKNOWN_MOST = 1000, /* that are remembered */
    HT__ALARMS_MOST = 10000, /* that wait for the thread */
    HT__PROTOCOL = 32,       /* bytes of a protocol's name, with its end */
};

/* One that nobody accepted yet. */
struct ht__unknown {
    char id[HT_ID_MAX + 1];
    char protocol[HT__PROTOCOL];
    int64_t first_ms;
    int64_t last_ms;
    uint64_t times;
    int battery; /* below 0: it never said */
    bool keyed;  /* it proves itself with something */
};

struct ht__alarm;

struct ht_device_book {
    struct ht_app *app;
    pthread_mutex_t unknown_lock;
    struct ht__unknown *unknown; /* HT__UNKNOWN_MOST */
    size_t unknown_count;
    size_t dropped;
    atomic_size_t seen[HT_DEVICE_TRUSTED + 1];
    atomic_size_t alarms;
    atomic_size_t silences;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stop;
    struct ht__alarm *first;
    struct ht__alarm **last;
    size_t waiting;
    size_t at_work;        /* handed over, not answered yet */
    uint64_t looks_wanted; /* by who waits for them */
    uint64_t looks_done;
    struct ht_app_context *context; /* the thread's */
};

/* Opens incidents of the silences of now, on the book's thread. */
void ht__silence_look(struct ht_device_book *book);

#endif
