/* The inside of the teller: teller.c (thread, projection), teller_hooks.c (who takes tellings),
 * teller_try.c (one try and its outcome).
 *
 * Threading: the teller's thread, but for the outcome's job.
 */
#ifndef HT_API_TELLER_INTERNAL_H
#define HT_API_TELLER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/app.h"
#include "api/commit.h"
#include "api/hook_send.h"
#include "api/telling.h"

struct event;
struct event_base;
struct ht_teller;

struct ht__taker { /* a webhook that takes tellings */
    struct ht__taker *next;
    struct ht_store_webhook state; /* of its texts only id and secret, which are below */
    char id[HT_ID_MAX + 1];
    char *secret;
    struct ht_url url;
    unsigned under_way;
    bool kept; /* is still in the store */
};

enum ht__outcome_state { HT__OUTCOME_UNDER_WAY, HT__OUTCOME_WRITTEN, HT__OUTCOME_LOST };

/* What came of a try, on its way to the table. */
struct ht__outcome {
    struct ht_job job;
    struct ht_teller *teller;
    struct ht_telling_row row;
    struct ht_store_webhook note; /* how the webhook fares; id NULL: nothing of that */
    char id[HT_ID_MAX + 1];
    bool failed;
    int64_t again_ms; /* where it was lost: when it is handed in once more */
    atomic_int state;
};

/* One that is still to be told. */
struct ht__telling {
    struct ht_teller *teller;
    struct ht_telling_row wanted;
    int64_t tries; /* in the table */
    int64_t next_try_ms;
    struct ht_post *post; /* NULL: none under way */
    struct ht__taker *taker;
    struct ht__outcome *outcome; /* NULL: none that is not known to be in the table */
    bool seen;                   /* the row of the outcome was */
    bool over;
};

struct ht_teller {
    struct ht_app *app;
    struct ht_store_reader *reader;
    struct event_base *base;
    struct ht_poster *poster;
    struct event *wake;
    struct event *timer;
    int wake_fd;
    atomic_bool hooks_changed;
    atomic_bool stop;
    pthread_mutex_t lock; /* of what follows */
    int64_t news_from;    /* the first row that was not read yet; 0: none */
    /* the thread's own */
    int64_t cursor;    /* up to which the table was read */
    bool starting;     /* what failed before the start is tried at once */
    bool takers_known; /* the list below is one */
    struct ht__taker *takers;
    struct ht__telling **list; /* by number */
    size_t count;
    size_t room;
    unsigned under_way;
    struct ht_buffer body;
    struct ht_duty_phones duty; /* this and the next two as of this round */
    uint32_t give_up_ms;
    int64_t town_ms;
    pthread_t thread;
    bool started;
};

void ht__teller_wake(struct ht_teller *teller);

/* ---- teller_hooks.c ---- */

void ht__takers_read(struct ht_teller *teller);
/* NULL: there is none of that id. */
struct ht__taker *ht__taker_find(const struct ht_teller *teller, const char *id);
void ht__takers_free(struct ht_teller *teller);

/* ---- teller_try.c ---- */

/* Does what is due for a telling; returns when to look again (machine's ms), INT64_MAX: when it is
 * woken. */
int64_t ht__telling_step(struct ht__telling *telling, int64_t now_ms);
/* Takes a try back that is under way. */
void ht__telling_stop(struct ht__telling *telling);

#endif
