/* App: what the handlers of all threads share: the world, the clock, the map file, the counters.
 *
 * Threading: ht_app_network_open and ht_app_refresh from any thread, they lock; contexts are of one
 * thread each. A thread of the app's own wakes when a turn opens or closes by the clock. Ownership:
 * an app outlives its contexts and its server.
 */
#ifndef HT_API_APP_H
#define HT_API_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/clock.h"
#include "api/http_server.h"
#include "api/map.h"
#include "api/metrics.h"
#include "api/osrm.h"
#include "api/settings.h"
#include "api/token.h"
#include "engine/live/world.h"
#include "geodata/crs.h"
#include "geodata/registry.h"
#include "geodata/store.h"

struct ht_commit;
struct ht_desk_room;
struct ht_finder;
struct ht_courier;
struct ht_teller;
struct ht_coverage_scenes;
struct ht_device_book;
struct ht_fencing;
struct ht_follower;
struct ht_forwarder;
struct ht_node;
struct ht_coverage;
struct ht_homes_keeper;
struct ht_jt808;
struct ht_isochrone_maps;
struct ht_isochrone_work;
struct ht_later;
struct ht_learning;
struct ht_live;
struct ht_live_work;
struct ht_mqtt;
struct ht_relay;
struct ht_relay_takers;
struct ht_loads;
struct ht_orders_room;
struct ht_visits_room;
struct ht_planner;
struct ht_office_calendar;
struct ht_rounds_keeper;
struct ht_regime_slot;
struct ht_traffic_said;
struct ht_traffic_table;
struct ht_guide_memory;
struct ht_zone_table;
struct ht_stream;
struct ht_tiles;
struct ht__part;
struct ht_gazetteer_work;

struct ht_arrivals;
struct ht_underway;

struct ht_app_context;

enum { HT_APP_TOKEN_SETS = 1000 };

struct ht_app {
    struct ht_world_slot *slot;
    struct ht_osrm_limits limits;
    struct ht_clock clock;
    atomic_bool lockstep;       /* what follows by itself follows within POST /v1/clock alone */
    struct ht_shared_pool pool; /* for one big answer at a time */
    pthread_mutex_t open_lock;  /* one new map or time at a time */
    struct ht_map *map;         /* the open one; under open_lock */
    int64_t next_change_ms;     /* UTC, of a turn, street or zone; under open_lock */
    struct ht_traffic_table *traffic;   /* under open_lock */
    struct ht_traffic_said *said;       /* changes that are written, not obeyed yet; the writer's */
    struct ht_zone_table *zones;        /* locks itself */
    atomic_uint_least64_t streets_said; /* how often traffic or zones were told */
    struct ht_later *later;             /* locks itself */
    struct ht_learning *learning;       /* NULL before the live town is open */
    struct ht_guide_memory *turns;      /* locks itself */
    pthread_cond_t wake;                /* the keeper, with open_lock */
    pthread_t keeper;
    bool keeper_started;
    bool stop;
    atomic_bool trusted;    /* all of the open map was checked, by now or before */
    atomic_bool damaged;    /* a profile of the open map turned out to be */
    struct ht_error damage; /* how; under open_lock */
    pthread_mutex_t context_lock;
    struct ht_app_context *contexts;
    struct ht_http_server *server; /* NULL while there is none; under open_lock */
    struct ht_jt808 *jt808;        /* NULL: there is none; set before loops run */
    uint64_t descriptors;          /* how many the process may have */
    int64_t started_s;             /* Unix time, of the machine */
    atomic_size_t swaps;
    struct ht_store *store;   /* NULL: none */
    struct ht_commit *commit; /* NULL: the store can't be written */
    struct ht_node *node;     /* NULL: this process is alone; borrowed, before the store is open */
    struct ht_commit *following;      /* where another process writes: it tells what; else NULL */
    struct ht_follower *follower;     /* likewise */
    struct ht_forwarder *forwarder;   /* likewise */
    struct ht_relay *relay;           /* of a node with doors for devices; borrowed; else NULL */
    struct ht_relay_takers *takers;   /* of a node that is the desk; else NULL */
    bool doors_lent;                  /* jt808, mqtt and relay are the process's (api/doors.h) */
    struct ht_worker_context *writer; /* what jobs of the writer are run with */
    struct ht_registry *registry;     /* the writer's */
    struct ht_live *live;
    struct ht_isochrone_maps *isochrones;
    struct ht_tiles *tiles;
    struct ht_homes_keeper *homes;
    struct ht_coverage_scenes *coverage;
    struct ht_stream *stream; /* NULL: there is none */
    struct ht_finder *finder;
    struct ht_loads *loads;         /* NULL: the store can't be written */
    atomic_int_least64_t saved_ms;  /* when positions went to the store last, by a steady clock */
    atomic_uint solving;            /* plans being made (api/optimize.c, api/rounds.c) */
    bool rounds_enough;             /* what is planned so far will do: the server is to stop */
    atomic_bool saving;             /* a job of it is on its way */
    uint64_t incidents_forgotten;   /* the number to go on with; the writer's */
    int64_t seen_saved_ms;          /* when devices' last_seen were; the writer's */
    atomic_int_least64_t tidied_ms; /* when old ones were forgotten */
    struct ht_fencing *fencing;     /* NULL: the store can't be written */
    struct ht_courier *courier;     /* likewise */
    struct ht_teller *teller;       /* likewise */
    struct ht_device_book *book;    /* likewise */
    struct ht_mqtt *mqtt;           /* NULL: no broker was named */
    struct ht_settings settings;
    struct ht_office_calendar *calendar;
    struct ht_regime_slot *regimes;
    struct ht_desk_room *desk;     /* NULL: there is no store */
    size_t desk_skipped;           /* rows of incidents that could not be replayed */
    struct ht_orders_room *orders; /* NULL: there is no store */
    size_t orders_skipped;         /* orders that could not be replayed */
    struct ht_arrivals *arrivals;  /* NULL: there is no store */
    struct ht_visits_room *visits; /* NULL: there is no store */
    size_t visits_skipped;         /* visits and rectifications that could not be replayed */
    struct ht_planner *planner;    /* NULL: the store can't be written */
    struct ht_rounds_keeper *keeps_rounds; /* likewise */
    struct ht_underway *underway;          /* likewise */
    /* NULL: anybody on this machine may do everything. Sets that were replaced stay until the end,
     * since requests under way point into them. */
    _Atomic(const struct ht_tokens *) tokens;
    struct ht_tokens *token_sets[HT_APP_TOKEN_SETS];
    size_t token_set_count;
    const char *token_path;
    int64_t token_changed_ns; /* when the file was last changed */
};

/* The part of one thread. */
struct ht_app_context {
    struct ht_app *app;
    struct ht_osrm *osrm;
    struct ht_world_reader world;
    struct ht_metrics metrics;
    const struct ht_caller *caller;      /* of the call that is handled */
    struct ht_store_reader *reader;      /* made when first needed */
    struct ht_crs_work *crs;             /* likewise */
    struct ht_live_work *live;           /* likewise */
    struct ht_isochrone_work *isochrone; /* likewise */
    struct ht_coverage *coverage;        /* likewise */
    struct ht__part *stream;             /* the loop's; NULL before it is told, and for workers */
    struct ht_gazetteer_work *search;    /* likewise */
    struct ht_app_context *next;
};

/* `clock`: NULL for the machine's. `threads`: of the pool that shares out big answers; 0: as many
 * as cores. */
HT_MUST_CHECK enum ht_status ht_app_new(unsigned threads, const struct ht_clock *clock,
                                        struct ht_app **out);
void ht_app_free(struct ht_app *app);

/* Opens a map file and publishes it; requests under way keep the one they have. With `whole` every
 * profile is checked before (up to seconds) and a damaged file refused: the one before stays.
 * Without, each is checked when it is first asked for, at the latest by the keeper soon after. */
HT_MUST_CHECK enum ht_status ht_app_network_open(struct ht_app *app, const char *path, bool whole,
                                                 struct ht_error *error);

/* Makes the world obey conditional turns as of the clock's time; call it when the clock was moved.
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_app_refresh(struct ht_app *app);
/* The office's calendar is another: the keeper brings the streets after it. */
void ht_app_days_changed(struct ht_app *app);

/* Opens the store at `path`, made where there is none, and begins to write it; one that can't be
 * written is served for reading, with a line in `note` (may be empty). Before the server runs. */
HT_MUST_CHECK enum ht_status ht_app_store_open(struct ht_app *app, const char *path,
                                               struct ht_error *note, struct ht_error *error);
/* The same with a store that is open already, which it takes over: as the desk, or (opened for
 * reading) as one that follows it. */
HT_MUST_CHECK enum ht_status ht_app_store_take(struct ht_app *app, struct ht_store *store,
                                               bool follows, struct ht_error *error);
/* What follows the desk follows from now on; after all else is open. Nothing where nobody does. */
HT_MUST_CHECK enum ht_status ht_app_follow(struct ht_app *app, struct ht_error *error);
/* Reads which regimes are on; after the store is open, before live town and zones are. */
HT_MUST_CHECK enum ht_status ht_app_regimes_open(struct ht_app *app, struct ht_error *error);
/* Brings the units of the store to life; after network and store are open. */
HT_MUST_CHECK enum ht_status ht_app_live_open(struct ht_app *app, struct ht_error *error);
/* Begins to stream what happens to subscribers of the server, which does not run yet. */
HT_MUST_CHECK enum ht_status ht_app_stream_open(struct ht_app *app, struct ht_http_server *server,
                                                unsigned subscribers_max);
/* Begins to read what can be searched for, and to follow what other processes load; after network,
 * store and live town are open. */
HT_MUST_CHECK enum ht_status ht_app_finder_open(struct ht_app *app, struct ht_error *error);
/* Hands positions that are not saved yet to the writer, every two seconds or so (half a second
 * where there are fences), and what the clock has to say with them. */
void ht_app_live_save(struct ht_app *app, bool now);
/* Fences follow what was committed about zones. On the writer's thread. */
void ht_app_zones_changed(struct ht_app *app);
/* Lets the settings of now count everywhere. */
void ht_app_settings_apply(struct ht_app *app);
/* Ends the stream and writing: what was taken is committed. After the server has stopped and its
 * jobs have ended (ht_http_server_jobs_end), before it is freed. */
void ht_app_store_stop(struct ht_app *app);
/* Asks for tokens from now on, those of the file, which is read again when it changes (`path` is
 * borrowed). A file that can't be read then leaves those that were known. */
HT_MUST_CHECK enum ht_status ht_app_tokens_open(struct ht_app *app, const char *path,
                                                struct ht_error *error);
void ht_app_tokens_refresh(struct ht_app *app);

/* The thread's own reader of the store; NULL with the answer written: there is none. */
struct ht_store_reader *ht_app_reader(struct ht_app_context *context, struct ht_reply *reply);

/* The thread's own part of the live town; NULL: out of memory. */
struct ht_live_work *ht_app_live_work(struct ht_app_context *context);

/* Makes the server known (NULL: it is gone). A server whose map turns out to be damaged is drained.
 */
void ht_app_server_set(struct ht_app *app, struct ht_http_server *server);

/* The callbacks for the server. */
struct ht_http_handler ht_app_handler(struct ht_app *app);

#endif
