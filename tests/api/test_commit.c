/* Who watches the writer hears of each event once, in order, after it is on the disk. */
#include "api/commit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"

enum { EVENTS_MOST = 4096 };

/* What a watcher heard. */
struct heard {
    atomic_size_t count;
    int64_t seq[EVENTS_MOST];
    char subject[EVENTS_MOST][16];
    atomic_int_least64_t settled;
};

static char folder[64];
static char path[96];
static struct ht_store *store;
static struct ht_commit *commit;
static atomic_int wrong; /* what other threads found */

static bool open_store(void)
{
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    (void)strcpy(folder, "/tmp/houtao-commit-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/town.sqlite", folder);
    return ht_store_open(path, &options, &store, NULL) == HT_OK &&
           ht_commit_new(store, NULL, EVENTS_MOST, &commit) == HT_OK;
}

static void close_store(void)
{
    char line[128];
    ht_commit_free(commit);
    ht_store_close(store);
    (void)snprintf(line, sizeof line, "rm -rf '%s'", folder);
    HT_CHECK(system(line) == 0);
    HT_CHECK_INT(atomic_load(&wrong), 0);
}

struct write {
    struct ht_job job;
    char subject[16];
    bool take_back;
};

static void write_run(struct ht_job *job, void *context)
{
    struct write *write = (struct write *)job;
    const struct ht_store_event event = {.at_ms = 1,
                                         .actor = "test",
                                         .kind = "item.created",
                                         .subject = write->subject,
                                         .body = "{}"};
    (void)context;
    atomic_fetch_add(
        &wrong, ht_store_event_append(ht_commit_tx(commit), &event, NULL, NULL) == HT_OK ? 0 : 1);
    if (write->take_back) {
        ht_commit_take_back(commit);
    }
}

static void write_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    struct write *write = (struct write *)job;
    (void)context;
    atomic_fetch_add(&wrong, outcome == HT_OK ? 0 : 1);
    free(write);
}

static void submit(const char *subject, bool take_back)
{
    struct write *write = calloc(1, sizeof *write);
    if (write == NULL) {
        abort();
    }
    write->job.run = write_run;
    write->job.done = write_done;
    write->take_back = take_back;
    (void)snprintf(write->subject, sizeof write->subject, "%s", subject);
    atomic_fetch_add(&wrong, ht_commit_submit(commit, &write->job) ? 0 : 1);
}

static void hear(void *user, const struct ht_store_event *event)
{
    struct heard *heard = user;
    size_t at = atomic_load(&heard->count);
    heard->seq[at] = event->seq;
    (void)snprintf(heard->subject[at], sizeof heard->subject[at], "%s", event->subject);
    atomic_store(&heard->count, at + 1);
}

static void hear_settled(void *user, int64_t last_seq)
{
    struct heard *heard = user;
    atomic_store(&heard->settled, last_seq);
}

static struct ht_commit_watch watch_of(struct heard *heard)
{
    return (struct ht_commit_watch){.event = hear, .settled = hear_settled, .user = heard};
}

static void await(struct heard *heard, int64_t last)
{
    for (int i = 0; i < 3000 && atomic_load(&heard->settled) < last; i++) {
        (void)usleep(10000);
    }
    HT_CHECK(atomic_load(&heard->settled) == last);
}

static void *write_many(void *user)
{
    (void)user;
    for (int i = 0; i < 500; i++) {
        submit("a", false);
    }
    return NULL;
}

HT_CASE(watchers_hear_each_event_once_in_order_while_many_write)
{
    static struct heard heard;
    pthread_t writers[4];
    int64_t after = -1;
    const struct ht_commit_watch watch = watch_of(&heard);
    HT_CHECK(open_store());
    HT_CHECK(ht_commit_watch(commit, &watch, &after) == HT_OK && after == 0);
    for (size_t i = 0; i < 4; i++) {
        HT_CHECK(pthread_create(&writers[i], NULL, write_many, NULL) == 0);
    }
    for (size_t i = 0; i < 4; i++) {
        HT_CHECK(pthread_join(writers[i], NULL) == 0);
    }
    await(&heard, 2000);
    HT_CHECK(atomic_load(&heard.count) == 2000);
    for (size_t i = 0; i < 2000; i++) {
        HT_CHECK(heard.seq[i] == (int64_t)i + 1);
    }
    close_store();
}

HT_CASE(what_was_taken_back_is_not_told)
{
    static struct heard heard;
    int64_t after = -1;
    const struct ht_commit_watch watch = watch_of(&heard);
    HT_CHECK(open_store());
    HT_CHECK(ht_commit_watch(commit, &watch, &after) == HT_OK);
    submit("kept", false);
    submit("taken", true);
    submit("last", false);
    await(&heard, 2);
    HT_CHECK(atomic_load(&heard.count) == 2);
    HT_CHECK(strcmp(heard.subject[0], "kept") == 0 && strcmp(heard.subject[1], "last") == 0);
    close_store();
}

HT_CASE(a_watcher_that_comes_later_is_told_where_it_begins)
{
    static struct heard first;
    static struct heard second;
    int64_t after = -1;
    const struct ht_commit_watch early = watch_of(&first);
    const struct ht_commit_watch late = watch_of(&second);
    HT_CHECK(open_store());
    HT_CHECK(ht_commit_watch(commit, &early, &after) == HT_OK);
    submit("one", false);
    await(&first, 1);
    HT_CHECK(ht_commit_watch(commit, &late, &after) == HT_OK && after == 1);
    submit("two", false);
    await(&first, 2);
    await(&second, 2);
    HT_CHECK(atomic_load(&second.count) == 1 && second.seq[0] == 2);
    ht_commit_unwatch(commit, &first);
    submit("three", false);
    await(&second, 3);
    HT_CHECK(atomic_load(&first.count) == 2);
    close_store();
}

HT_CASE(what_another_process_wrote_is_told_with_the_next_commit)
{
    static struct heard heard;
    int64_t after = -1;
    struct ht_store *other = NULL;
    struct ht_store_tx *tx = NULL;
    const struct ht_store_options options = {.mode = HT_STORE_WRITE};
    const struct ht_store_event event = {
        .at_ms = 1, .actor = "x", .kind = "items.loaded", .subject = "other", .body = "{}"};
    const struct ht_commit_watch watch = watch_of(&heard);
    HT_CHECK(open_store());
    HT_CHECK(ht_commit_watch(commit, &watch, &after) == HT_OK);
    HT_CHECK(ht_store_open(path, &options, &other, NULL) == HT_OK);
    HT_CHECK(ht_store_begin(other, &tx, NULL) == HT_OK);
    HT_CHECK(ht_store_event_append(tx, &event, NULL, NULL) == HT_OK);
    HT_CHECK(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(other);
    submit("own", false);
    await(&heard, 2);
    HT_CHECK(strcmp(heard.subject[0], "other") == 0 && strcmp(heard.subject[1], "own") == 0);
    close_store();
}

HT_MAIN()

/* Jobs that note when they run and when they are done. */
struct step {
    struct ht_job job;
    char name;
    bool alone;
    sem_t *gate; /* waited for in `run`; NULL: nothing */
};

static char steps[32];
static sem_t steps_over;

static void step_run(struct ht_job *job, void *context)
{
    const struct step *step = (const struct step *)job;
    (void)context;
    if (step->gate != NULL) {
        (void)sem_wait(step->gate);
    }
    (void)strncat(steps, &step->name, 1);
    if (step->alone) {
        ht_commit_alone(commit);
    }
}

static void step_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    const struct step *step = (const struct step *)job;
    const char done = (char)(step->name - 'a' + 'A');
    (void)context;
    (void)outcome;
    (void)strncat(steps, &done, 1);
    (void)sem_post(&steps_over);
}

HT_CASE(a_job_that_ends_its_batch_is_done_before_the_next_runs)
{
    sem_t gate;
    struct step jobs[] = {{.name = 'a', .gate = &gate},
                          {.name = 'b'},
                          {.name = 'c', .alone = true},
                          {.name = 'd'},
                          {.name = 'e'}};
    const int count = sizeof jobs / sizeof jobs[0];
    HT_REQUIRE(open_store());
    HT_REQUIRE(sem_init(&gate, 0, 0) == 0 && sem_init(&steps_over, 0, 0) == 0);
    steps[0] = '\0';
    for (int i = 0; i < count; i++) {
        jobs[i].job = (struct ht_job){.run = step_run, .done = step_done};
        HT_CHECK(ht_commit_submit(commit, &jobs[i].job));
        for (struct ht_commit_stats stats = {.waiting = 1}; i == 0 && stats.waiting > 0;) {
            ht_commit_stats_read(commit, &stats); /* until the writer has it: the rest will wait */
        }
    }
    (void)sem_post(&gate);
    for (int i = 0; i < count; i++) {
        (void)sem_wait(&steps_over);
    }
    HT_CHECK_STR(steps, "aAbcBCdeDE");
    (void)sem_destroy(&gate);
    (void)sem_destroy(&steps_over);
    close_store();
}
