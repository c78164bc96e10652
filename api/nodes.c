#include "api/nodes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "api/commit.h"
#include "api/follower.h"
#include "api/log.h"
#include "api/node.h"
#include "geodata/nodes.h"

enum {
    BEAT_MS = 500,
    LEASE_MS = 3000,  /* a desk that was silent for longer is taken over */
    VACANT_BEATS = 2, /* without the lock: a session that was lost may be made again */
    AGAIN_MS = 1000,  /* after a term could not be made */
    TEND_EVERY_MS = 2000,
    HOST_SIZE = 128,
};

/* A term that answers, in a thread of its own, to its end. */
struct running {
    struct ht_term *term;
    struct running *next; /* of those that end */
    pthread_t thread;
    bool follows;
    int64_t epoch;
    atomic_bool ends; /* another one answers instead, or none: its own thread alone looks at it */
    atomic_bool over;
    atomic_bool closed;
    enum ht_status status;
    struct ht_error error;
};

/* The next one, being made. */
struct build {
    pthread_t thread;
    bool active;
    bool follows;
    atomic_bool done;
    atomic_int_least64_t epoch; /* that it has begun */
    struct ht_term *term;
    struct ht_term_options options;
    enum ht_status status;
    struct ht_error error;
};

struct manager {
    const struct ht_nodes_options *options;
    struct ht_nodes *link;
    struct ht_node *node;
    struct running *now; /* NULL: none yet */
    struct running *ending;
    struct build build;
    struct ht_doors doors;
    struct ht_node_view view;
    struct ht_node_state state;
    char url[HT_NODE_URL];
    uint16_t port;  /* 0: not listening yet */
    int vacant;     /* beats in which nobody had the lock */
    int64_t seen;   /* the highest number that the record had */
    bool gone_back; /* it has less now: another one was put in its place */
    bool closing;   /* the term closes by itself: nobody else looks into it any more */
    int64_t tried_ms;
    int64_t tended_ms;
};

/* For the signal handler. */
static atomic_bool stopping;
static atomic_int wake_fd = -1;

static void wake(void)
{
    uint64_t one = 1;
    int fd = atomic_load(&wake_fd);
    if (fd >= 0) {
        ssize_t written = write(fd, &one, sizeof one);
        (void)written; /* a full counter wakes just as well */
    }
}

void ht_nodes_stop(void)
{
    atomic_store(&stopping, true);
    wake();
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- the next term ---- */

static void *build_main(void *user)
{
    struct build *build = user;
    struct ht_store *store = NULL;
    const struct ht_store_options how = {
        .mode = build->follows ? HT_STORE_READ_ONLY : HT_STORE_CREATE, .desk = !build->follows};
    build->status = ht_store_open(build->options.store, &how, &store, &build->error);
    if (build->status == HT_OK) {
        atomic_store(&build->epoch, build->follows ? 0 : ht_store_epoch(store));
        build->status =
            ht_term_open(&build->options, store, build->follows, &build->term, &build->error);
    }
    if (build->status != HT_OK) {
        atomic_store(&build->epoch, 0);
    }
    atomic_store(&build->done, true);
    wake();
    return NULL;
}

static void build_begin(struct manager *m, bool follows)
{
    struct build *build = &m->build;
    m->tried_ms = steady_ms();
    m->seen = m->view.seq;
    m->gone_back = false;
    build->options = m->options->term;
    build->options.node = m->node;
    build->options.doors = &m->doors;
    build->options.port = m->port == 0 ? build->options.port : m->port;
    build->options.shares_port = m->now != NULL;
    build->follows = follows;
    build->term = NULL;
    build->error = (struct ht_error){0};
    atomic_store(&build->epoch, 0);
    atomic_store(&build->done, false);
    build->active = pthread_create(&build->thread, NULL, build_main, build) == 0;
}

static void running_close(struct running *running)
{
    enum ht_status status = ht_term_close(running->term, &running->error);
    running->status = running->status == HT_OK ? status : running->status;
    atomic_store(&running->closed, true);
}

static void *running_main(void *user)
{
    struct running *running = user;
    running->status = ht_term_run(running->term, &running->error);
    if (atomic_load(&running->ends)) {
        running_close(running); /* which may take its time */
    }
    atomic_store(&running->over, true);
    wake();
    return NULL;
}

/* The term that was made answers from now on, and the one before ends. */
static void term_begin(struct manager *m)
{
    struct build *build = &m->build;
    struct running *before = m->now;
    struct running *running = calloc(1, sizeof *running);
    if (running != NULL) {
        running->term = build->term;
        running->follows = build->follows;
        running->epoch = atomic_load(&build->epoch);
        m->port = ht_http_server_port(ht_term_server(build->term));
    }
    if (running == NULL || pthread_create(&running->thread, NULL, running_main, running) != 0) {
        free(running);
        struct ht_error unread;
        (void)ht_term_close(build->term, &unread);
        atomic_store(&build->epoch, 0);
        return;
    }
    m->now = running;
    m->vacant = 0;
    atomic_store(&build->epoch, 0); /* the term's by now */
    if (before == NULL) {
        m->options->started(m->options->user, m->port);
    } else {
        before->next = m->ending;
        m->ending = before;
        ht_doors_move(&m->doors, ht_term_app(running->term));
        atomic_store(&before->ends, true);
        ht_http_server_hand_over(ht_term_server(before->term));
    }
    if (before == NULL || before->follows != running->follows) {
        m->state.turns++;
        if (running->follows) {
            ht_log(HT_LOG_INFO, "this node follows the desk");
        } else {
            ht_log(HT_LOG_INFO, "this node is the desk, epoch %lld", (long long)running->epoch);
        }
    }
}

/* What came of a term that was made. False: there is none at all, and won't be. */
static bool build_end(struct manager *m, struct ht_error *error)
{
    struct build *build = &m->build;
    (void)pthread_join(build->thread, NULL);
    build->active = false;
    if (build->status == HT_OK && m->closing) { /* too late */
        struct ht_error unread;
        (void)ht_term_close(build->term, &unread);
        return true;
    }
    if (build->status == HT_OK) {
        term_begin(m);
        return m->now != NULL;
    }
    if (m->now == NULL && build->status == HT_BUSY && !build->follows) {
        return true; /* another one was first */
    }
    if (m->now == NULL) {
        *error = build->error;
        return false;
    }
    if (build->status != HT_BUSY) {
        ht_log(HT_LOG_WARNING, "this node can't become %s yet: %s",
               build->follows ? "a follower" : "the desk", build->error.message);
    }
    return true;
}

/* ---- what is to be done ---- */

static void follower_decide(struct manager *m)
{
    const struct ht_node_view *view = &m->view;
    struct ht_error error = {0};
    m->vacant = view->held ? 0 : m->vacant + 1;
    if (m->vacant >= VACANT_BEATS) {
        build_begin(m, false);
    } else if (view->held && view->known && view->silent_ms > LEASE_MS) {
        ht_log(HT_LOG_WARNING, "the desk (%s) has been silent for %lld ms; its session is ended",
               view->url, (long long)view->silent_ms);
        if (ht_nodes_oust(m->link, view->epoch, LEASE_MS, &error) != HT_OK) {
            ht_log(HT_LOG_WARNING, "it can't be ended: %s", error.message);
        }
        m->vacant = VACANT_BEATS - 1;
    } else if (ht_follower_outdated(ht_term_app(m->now->term)->follower)) {
        build_begin(m, true);
    }
}

static void desk_decide(struct manager *m)
{
    struct ht_app *app = ht_term_app(m->now->term);
    if (ht_store_deposed(app->store) || m->view.epoch > m->now->epoch) {
        ht_log(HT_LOG_WARNING, "another node has taken over, or memory is behind the record");
        build_begin(m, true);
    } else if (!m->view.held && steady_ms() - m->tended_ms >= TEND_EVERY_MS) {
        m->tended_ms = steady_ms();
        ht_app_live_save(app, true); /* whose transaction takes the lock again */
    }
}

static void decide(struct manager *m)
{
    if (m->build.active || steady_ms() - m->tried_ms < AGAIN_MS) {
        return;
    }
    if (m->now == NULL) {
        build_begin(m, m->view.held);
    } else if (m->gone_back) {
        ht_log(HT_LOG_WARNING, "the record has lost events that were there: it is opened anew");
        build_begin(m, true);
    } else if (m->now->follows) {
        follower_decide(m);
    } else {
        desk_decide(m);
    }
}

/* ---- what is told ---- */

/* NULL: there is none, or none any more. */
static struct ht_app *app_of(const struct manager *m)
{
    return m->now == NULL || m->closing ? NULL : ht_term_app(m->now->term);
}

static int64_t own_seq(const struct manager *m)
{
    struct ht_app *app = app_of(m);
    return app == NULL ? 0 : app->following != NULL ? ht_commit_told(app->following) : m->view.seq;
}

/* Whether the record answered. A desk that ends is one until its last word is written. */
static bool beat(struct manager *m)
{
    struct ht_error error = {0};
    int64_t epoch = atomic_load(&m->build.epoch);
    struct ht_app *app = app_of(m);
    bool desk = app == NULL ? m->closing && m->state.desk
                            : !m->now->follows && !ht_store_deposed(app->store);
    const struct ht_node_told told = {.url = m->url,
                                      .epoch = epoch > 0 ? epoch
                                               : desk    ? m->now->epoch
                                                         : 0,
                                      .seq = own_seq(m)};
    int64_t begun_ms = steady_ms();
    bool heard = ht_nodes_tell(m->link, &told, &m->view, &error) == HT_OK;
    struct ht_node_state *state = &m->state;
    if (heard) {
        state->sure_ms = begun_ms + LEASE_MS;
        m->gone_back = m->gone_back || m->view.seq < m->seen;
        m->seen = m->view.seq > m->seen ? m->view.seq : m->seen;
    }
    if (!heard && state->heard) {
        ht_log(HT_LOG_WARNING, "the record does not answer: %s", error.message);
    } else if (heard && !state->heard && m->now != NULL) {
        ht_log(HT_LOG_INFO, "the record answers again");
    }
    state->heard = heard;
    state->desk = desk;
    state->known = heard && m->view.held && m->view.known && m->view.silent_ms <= LEASE_MS;
    (void)snprintf(state->url, sizeof state->url, "%s", state->known ? m->view.url : "");
    state->epoch = m->view.epoch;
    state->seq = m->view.seq;
    state->own = own_seq(m);
    state->nodes = m->view.nodes;
    ht_node_set(m->node, state);
    if (app != NULL) {
        ht_mqtt_sure(m->doors.mqtt, ht_node_get(m->node).desk);
    }
    return heard;
}

/* Where other nodes reach this one, once that is known. */
static void url_set(struct manager *m)
{
    const struct ht_nodes_options *options = m->options;
    const char *host = options->term.host;
    char name[HOST_SIZE] = "";
    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    if (any && gethostname(name, sizeof name - 1) == 0) {
        host = name;
    }
    bool v6 = strchr(host, ':') != NULL;
    uint16_t port = m->port == 0 ? options->term.port : m->port;
    if (options->advertise != NULL) {
        (void)snprintf(m->url, sizeof m->url, "%s", options->advertise);
    } else {
        (void)snprintf(m->url, sizeof m->url, "http://%s%s%s:%u", v6 ? "[" : "", host,
                       v6 ? "]" : "", (unsigned)port);
    }
}

/* ---- the loop ---- */

static void ending_join(struct manager *m, bool all)
{
    struct running **at = &m->ending;
    while (*at != NULL) {
        struct running *running = *at;
        if (!all && !atomic_load(&running->over)) {
            at = &running->next;
            continue;
        }
        (void)pthread_join(running->thread, NULL);
        if (!atomic_load(&running->closed)) { /* it had ended before it was told to */
            running_close(running);
        }
        *at = running->next;
        free(running);
    }
}

/* One round. False: it is over. */
static bool round_run(struct manager *m, struct ht_error *error)
{
    bool heard = beat(m);
    if (m->build.active && atomic_load(&m->build.done)) {
        if (!build_end(m, error)) {
            return false;
        }
        url_set(m);
        m->view.epoch =
            m->now != NULL && m->now->epoch > m->view.epoch ? m->now->epoch : m->view.epoch;
        (void)beat(m); /* what it is by now */
        return true;
    }
    ending_join(m, false);
    bool over = m->now != NULL && atomic_load(&m->now->over);
    if (atomic_load(&stopping) && !m->build.active && (m->now == NULL || over)) {
        return false;
    }
    if (over) {
        return false; /* it stopped by itself */
    }
    if (atomic_load(&stopping)) {
        if (m->now != NULL && !m->closing) {
            m->closing = true;
            atomic_store(&m->now->ends, true);
            ht_http_server_drain(ht_term_server(m->now->term));
        }
    } else if (heard) {
        decide(m);
    }
    return true;
}

static void loop(struct manager *m, int fd, struct ht_error *error)
{
    uint64_t count = 0;
    while (round_run(m, error)) {
        int64_t until_ms = steady_ms() + BEAT_MS;
        for (int64_t left = BEAT_MS; left > 0; left = until_ms - steady_ms()) {
            bool news = ht_nodes_wait(m->link, fd, (int)left);
            struct ht_app *app = app_of(m);
            if (news && app != NULL && app->following != NULL) {
                ht_commit_look(app->following, 0);
            }
            if (read(fd, &count, sizeof count) > 0) {
                break;
            }
        }
    }
}

/* The table of nodes comes with the store: where there is none yet, the first term makes it. */
static enum ht_status link_open(struct manager *m, struct ht_error *error)
{
    struct ht_store *store = NULL;
    const struct ht_store_options how = {.mode = HT_STORE_CREATE};
    const char *path = m->options->term.store;
    enum ht_status status = ht_nodes_open(path, NULL, &m->link, error);
    if (status == HT_NOT_FOUND) {
        status = ht_store_open(path, &how, &store, error);
        ht_store_close(store);
        status = status == HT_OK ? ht_nodes_open(path, NULL, &m->link, error) : status;
    }
    return status;
}

static enum ht_status manage(struct manager *m, int fd, struct ht_error *error)
{
    struct ht_error wrong = {0};
    enum ht_status status = link_open(m, error);
    if (status != HT_OK) {
        return status;
    }
    url_set(m);
    const struct ht_node_told told = {.url = m->url};
    status = ht_nodes_tell(m->link, &told, &m->view, error); /* whether it may be written */
    if (status != HT_OK) {
        return status;
    }
    m->tried_ms = -AGAIN_MS;
    loop(m, fd, &wrong);
    if (m->now != NULL) {
        (void)pthread_join(m->now->thread, NULL);
        if (!atomic_load(&m->now->closed)) { /* it stopped by itself */
            running_close(m->now);
        }
        status = m->now->status;
        wrong = status == HT_OK ? wrong : m->now->error;
    }
    status = status == HT_OK ? wrong.status : status;
    *error = wrong;
    return status;
}

enum ht_status ht_nodes_run(const struct ht_nodes_options *options, struct ht_error *error)
{
    struct manager m = {.options = options};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum ht_status status = fd < 0 ? HT_NOMEM : ht_node_new(&m.node);
    if (status != HT_OK) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return ht_error_set(error, status, 0, NULL);
    }
    atomic_store(&wake_fd, fd);
    status = manage(&m, fd, error);
    ending_join(&m, true);
    ht_doors_deinit(&m.doors);
    ht_nodes_close(m.link);
    atomic_store(&wake_fd, -1);
    free(m.now);
    ht_node_free(m.node);
    (void)close(fd);
    return status;
}
