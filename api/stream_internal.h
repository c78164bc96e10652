/* The inside of api/stream.h: for the stream_*.c alone.
 *
 *   stream.c        the hub: the thread, what it reads and sweeps, the posts
 *   stream_part.c   a loop's part: what it keeps, its subscribers, what each gets next
 *   stream_frame.c  frames and topics
 *   stream_ask.c    the request
 */
#ifndef HT_API_STREAM_INTERNAL_H
#define HT_API_STREAM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/stream.h"
#include "api/topics.h"
#include "engine/live/fleet.h"

enum {
    HT__STREAM_ROOM = 16 * 1024, /* what a subscriber is given at a time */
    HT__STREAM_PAGE = 256,       /* events of a page from the store */
    HT__STREAM_RECENT = 4096,    /* events that loops keep */
    HT__STREAM_RECENT_BYTES = 4 * 1024 * 1024,
    HT__STREAM_SWEEP_MS = 250,
    HT__STREAM_VIEWS = 8, /* coordinate systems at once */
};

/* Topics of which a viewer hears nothing: events that name households that are looked after, and
 * changes of tables that a viewer can't read. */
#define HT__OFFICE_TOPICS                                                                          \
    (UINT32_C(1) << HT_TOPIC_VISITS | UINT32_C(1) << HT_TOPIC_RECTIFICATIONS |                     \
     UINT32_C(1) << HT_TOPIC_SETTINGS)

/* ---- frames ---- */

/* Events (after_seq, last_seq], as chunks that can be sent as they are. Never changed once shared.
 */
enum ht__audience {
    HT__FOR_ALL,
    HT__FOR_OFFICERS, /* who may see personal data; for the others the next frame is the same event
                         without it */
    HT__FOR_OTHERS
};
struct ht__frame {
    int64_t seq;
    uint32_t at;
    uint32_t size;
    uint32_t topic; /* a bit */
    enum ht__audience audience;
};
struct ht__frames {
    atomic_uint references;
    bool missing; /* they could not be kept: the store has them */
    int64_t after_seq;
    int64_t last_seq;
    struct ht_buffer text;
    struct ht__frame *list;
    size_t count;
    size_t capacity;
};
struct ht__frames *ht__frames_new(int64_t after_seq);
void ht__frames_release(struct ht__frames *frames);
/* Adds an event; without its text where its topic is not one of `topics`. */
HT_MUST_CHECK enum ht_status ht__frames_add(struct ht__frames *frames,
                                            const struct ht_store_event *event, uint32_t topics);

/* Where positions are seen: a coordinate system. */
struct ht__view {
    struct ht_crs crs;
    bool projected; /* coordinates as a geometry then */
    unsigned users;
};

static inline bool ht__crs_same(const struct ht_crs *a, const struct ht_crs *b)
{
    return a->kind == b->kind && a->epsg == b->epsg && a->authority_order == b->authority_order;
}

/* Units that moved, with their positions as chunks, in each view that somebody uses. */
struct ht__moves {
    atomic_uint references;
    uint32_t count;
    uint32_t capacity;
    uint32_t *units;
    struct ht_point *points;
    struct {
        struct ht_crs crs;
        struct ht_buffer text;
        uint32_t *at; /* count + 1 of them; NULL: not in this view */
    } views[HT__STREAM_VIEWS];
};
void ht__moves_release(struct ht__moves *moves);

/* A comment, a last word, or a position as a chunk. */
void ht__frame_comment(struct ht_buffer *out, const char *text);
void ht__frame_reason(struct ht_buffer *out, const char *event, const char *reason);
void ht__frame_retry(struct ht_buffer *out, unsigned retry_ms);
void ht__frame_position(struct ht_buffer *out, struct ht_fleet *fleet, const struct ht_unit *unit,
                        const struct ht__view *view, struct ht_crs_work *work);

/* ---- subscribers ---- */

/* X(NAME, label): why one ended. */
#define HT__END_MAP(X)                                                                             \
    X(LEFT, "left")                                                                                \
    X(STUCK, "stuck")                                                                              \
    X(SLOW, "slow")                                                                                \
    X(TOKEN, "token")                                                                              \
    X(STORE, "store")                                                                              \
    X(STOPPING, "stopping")

enum ht__end {
#define HT__END_ENUM(NAME, label) HT__END_##NAME,
    HT__END_MAP(HT__END_ENUM)
#undef HT__END_ENUM
        HT__END_COUNT
};

/* What was asked for. */
struct ht__ask {
    uint32_t topics; /* bits */
    bool boxed;
    bool resumes;
    bool officer; /* may see personal data */
    struct ht_box box;
    int64_t after; /* Last-Event-ID */
    unsigned view;
};

struct ht__part;
struct ht__page;

struct ht__sub {
    struct ht__sub *prev;
    struct ht__sub *next;
    struct ht_stream *hub;
    struct ht__part *part; /* NULL before it is opened */
    struct ht_http_stream *stream;
    struct ht__page *asked;  /* on its way from the store */
    struct ht__frames *page; /* from there */
    int64_t cursor;          /* the last event that it has */
    uint64_t stamp;          /* the last change of a position that it has */
    int64_t spoke_ms;
    const struct ht_tokens *tokens; /* for which its token was good */
    struct ht__ask ask;
    uint32_t hint; /* the unit that `stamp` was of */
    uint8_t end;   /* enum ht__end */
    char token[];  /* NUL-terminated */
};

extern const struct ht_http_stream_kind ht__sub_kind;

/* ---- the parts ---- */

/* The last change of a unit as the loop knows it; in a list from the oldest to the newest. */
struct ht__place {
    uint64_t stamp; /* 0: never */
    struct ht_point point;
    uint32_t prev;
    uint32_t next;
};

struct ht__part {
    struct ht_stream *hub;
    unsigned loop;
    struct ht__sub *subs;
    struct ht__sub *at; /* whose turn it is; NULL: nobody's */
    bool again;         /* and once more from the first */
    bool posted;        /* `go` is under way */
    struct ht_http_post go;
    struct ht_buffer out;
    /* events (floor, head] */
    int64_t floor;
    int64_t head;
    struct ht__frames *recent[HT__STREAM_RECENT];
    size_t recent_first;
    size_t recent_count;
    size_t recent_events;
    size_t recent_bytes;
    /* positions */
    struct ht__place *places;
    uint32_t place_count;
    uint32_t oldest;
    uint32_t newest;
    uint64_t stamp;
    struct ht__moves *moves; /* the last, which had the stamps from moves_stamp on */
    uint64_t moves_stamp;
    size_t steps; /* of the slice of work under way */
    atomic_size_t events_sent;
    atomic_size_t positions_sent;
};

/* On the part's loop. */
void ht__part_events(struct ht__part *part, struct ht_app_context *context,
                     struct ht__frames *frames);
void ht__part_moves(struct ht__part *part, struct ht_app_context *context, struct ht__moves *moves);
void ht__part_page(struct ht__part *part, struct ht_app_context *context, struct ht__page *page);
void ht__part_wake(struct ht__part *part, struct ht_app_context *context);
void ht__part_deinit(struct ht__part *part);

/* ---- the hub ---- */

/* A page of the past for one subscriber. */
struct ht__page {
    struct ht_http_post post;
    struct ht__page *next;
    struct ht__part *part;
    struct ht__sub *sub; /* NULL: gone; only its loop looks at this */
    int64_t after;
    uint32_t topics;
    struct ht__frames *frames; /* NULL: it could not be read */
};

struct ht_stream {
    struct ht_app *app;
    struct ht_http_server *server;
    pthread_mutex_t lock; /* the views, the pages, stop */
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stop;
    struct ht_store_reader *reader; /* the thread's */
    struct ht_crs_work *crs;        /* the thread's */
    struct ht__page *pages;
    struct ht__page **pages_last;
    struct ht__view views[HT__STREAM_VIEWS];
    struct ht__frames *incoming; /* the commit thread's */
    atomic_int_least64_t last_seq;
    atomic_uint subscribers;
    atomic_uint watching; /* positions */
    unsigned subscribers_max;
    struct ht__part *parts;
    unsigned part_count;
    atomic_size_t opened;
    atomic_size_t refused;
    atomic_size_t ended[HT__END_COUNT];
    atomic_size_t pages_read;
};

/* Lets go of what a subscriber holds of the hub's, and counts its end. */
void ht__hub_leave(struct ht__sub *sub);
/* Asks the thread for a page; false: out of memory. */
bool ht__hub_ask(struct ht__sub *sub);
/* A place among the views for a coordinate system; false: there are too many. */
bool ht__hub_view(struct ht_stream *hub, const struct ht_crs *crs, bool projected, unsigned *view);
void ht__hub_view_leave(struct ht_stream *hub, unsigned view);
/* One more, or less, that wants positions. */
void ht__hub_watching(struct ht_stream *hub, int more);

#endif
