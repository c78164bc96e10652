/* What the rooms of a simulated day share. Not a door.
 *
 *   day         the clock, what happens, the end
 *   mover       somebody on the way, and the positions that are told of him
 *   meals       orders and what is known of them
 *   vans        drivers who do what their plans say
 *   responders  those who are sent to alarms, and the desk's operator
 *   posts       where responders wait
 *   inspectors  rounds, check-ins, results
 *   streets     closures and zones that come and go
 *   wire        how devices tell something
 */
#ifndef HT_API_SIMULATE_SIM_INTERNAL_H
#define HT_API_SIMULATE_SIM_INTERNAL_H

#include "api/simulate/chaos.h"
#include "api/simulate/curve.h"
#include "api/simulate/day.h"
#include "api/simulate/drive.h"
#include "api/simulate/town.h"
#include "engine/base/names.h"

struct ht_sim;

/* Somebody with a receiver. */
struct ht_sim_mover {
    const struct ht_sim_unit *unit;
    uint32_t lane;
    struct ht_point point; /* where he really is */
    struct ht_point to;    /* where he goes */
    struct ht_sim_drive drive;
    bool drives;
    bool asks; /* for the way */
    struct ht_sim_dice dice;
    struct ht_sim_gps gps;
    struct ht_sim_chaos chaos;
    struct ht_sim_position held; /* told later */
    bool holds;
    int64_t told_ms; /* when he told last where he is */
    int64_t at_ms;   /* how far he has been simulated */
};

/* Sets off; the way comes with the answers of this step. */
void ht_sim_go(struct ht_sim *sim, struct ht_sim_mover *mover, struct ht_point to);
/* Whether he is where he was going. */
bool ht_sim_is_there(const struct ht_sim_mover *mover, struct ht_point point);
/* Everybody on to now. */
void ht_sim_movers_step(struct ht_sim *sim);
void ht_sim_movers_free(struct ht_sim *sim);

enum ht_sim_meal_state {
    HT_SIM_MEAL_SENT, /* not answered yet */
    HT_SIM_MEAL_TAKEN,
    HT_SIM_MEAL_LOADED,
    HT_SIM_MEAL_ENROUTE,
    HT_SIM_MEAL_DELIVERED,
    HT_SIM_MEAL_FAILED,
    HT_SIM_MEAL_CANCELLED
};

/* When the plan says that a meal comes: handing over begins. */
struct ht_sim_band {
    int64_t eta_ms;
    int64_t low_ms;
    int64_t high_ms;
};

struct ht_sim_meal {
    struct ht_named named;
    struct ht_sim_meal *next;
    char id[HT_SIM_ID];
    char kitchen[HT_SIM_ID];
    char token[128];
    const struct ht_sim_home *climbed; /* for, to its door; NULL: they come to the van, or it is
                                          not known */
    bool ours;                         /* ordered here */
    bool refused;                      /* by the server */
    enum ht_sim_meal_state state;
    int64_t due_from_ms; /* this and the next: 0: not known */
    int64_t due_to_ms;
    int64_t ended_ms;
    bool told;               /* the plan came within ten minutes of it */
    struct ht_sim_band band; /* what it said then; eta_ms 0: too late to count */
    bool found;              /* at the end */
};

/* NULL: out of memory. */
struct ht_sim_meal *ht_sim_meal_known(struct ht_sim *sim, const char *id);
void ht_sim_meal_order(struct ht_sim *sim, const struct ht_sim_happening *happening);
/* What a driver says of an order; the state follows when the server took it. */
void ht_sim_meal_event(struct ht_sim *sim, struct ht_sim_meal *meal, uint32_t lane,
                       const char *event, enum ht_sim_meal_state after);
/* Learns where one is cooked that was not ordered here. */
void ht_sim_meal_ask(struct ht_sim *sim, struct ht_sim_meal *meal, uint32_t lane);
/* What a plan says of one. */
void ht_sim_meal_told(struct ht_sim *sim, struct ht_sim_meal *meal, struct ht_sim_band band);
void ht_sim_meals_tidy(struct ht_sim *sim);  /* what earlier days left */
void ht_sim_meals_check(struct ht_sim *sim); /* what was taken is there */
void ht_sim_meals_count(struct ht_sim *sim);
void ht_sim_meals_free(struct ht_sim *sim);

struct ht_sim_van;
struct ht_sim_responder;
struct ht_sim_incident;
struct ht_sim_post;
struct ht_sim_inspector;
struct ht_sim_visit;
struct ht_sim_closed;
struct ht_sim_wire;

struct ht_sim {
    const struct ht_sim_options *options;
    struct ht_sim_client *client;
    struct ht_sim_tally *tally;
    struct ht_sim_town town;
    char run[24];    /* of all ids that are made here */
    int64_t day_ms;  /* the day's begin, in UTC */
    int64_t from_ms; /* what is simulated */
    int64_t to_ms;   /* INT64_MAX: until it is stopped */
    int64_t now_ms;
    int64_t before_ms; /* the step before */
    uint64_t made;     /* ids */
    bool leftovers;    /* there are more of earlier days */
    bool failed;       /* out of memory */
    struct ht_sim_happening *happenings;
    size_t happening_count;
    size_t happening_next;
    struct ht_sim_mover *movers; /* one for each unit of the town */
    size_t mover_count;
    struct ht_sim_wire *wire;
    struct ht_names meals;
    struct ht_sim_meal *first_meal;
    struct ht_sim_meal **last_meal;
    struct ht_sim_van *vans;
    size_t van_count;
    struct ht_sim_responder *responders;
    size_t responder_count;
    struct ht_sim_post *posts; /* one for each mover */
    int64_t posts_ms;          /* the next look at them */
    struct ht_names incidents;
    struct ht_sim_incident *first_incident;
    struct ht_sim_incident **last_incident;
    struct ht_sim_inspector *inspectors;
    size_t inspector_count;
    struct ht_sim_visit *visits;
    size_t visit_count;
    size_t visit_capacity;
    struct ht_sim_closed *closed;
    size_t closed_count;
    size_t closed_capacity;
};

/* HT_NOMEM: sim->failed. Each makes its part of those who move. */
void ht_sim_vans_make(struct ht_sim *sim);
void ht_sim_vans_step(struct ht_sim *sim);
void ht_sim_vans_free(struct ht_sim *sim);

void ht_sim_responders_make(struct ht_sim *sim);
void ht_sim_alarm(struct ht_sim *sim, const struct ht_sim_happening *happening);
void ht_sim_responders_step(struct ht_sim *sim);
void ht_sim_incidents_look(struct ht_sim *sim); /* at those that are open */
void ht_sim_incidents_check(struct ht_sim *sim);
void ht_sim_incidents_count(struct ht_sim *sim);
void ht_sim_responders_free(struct ht_sim *sim);
/* He waits there from now on. */
void ht_sim_responder_wait(struct ht_sim *sim, const struct ht_sim_mover *mover,
                           struct ht_point point);

void ht_sim_posts_make(struct ht_sim *sim);
void ht_sim_posts_step(struct ht_sim *sim);
void ht_sim_posts_free(struct ht_sim *sim);

void ht_sim_inspectors_make(struct ht_sim *sim);
void ht_sim_inspectors_begin(struct ht_sim *sim); /* the round, and today's list */
void ht_sim_inspectors_step(struct ht_sim *sim);
void ht_sim_visits_check(struct ht_sim *sim);
void ht_sim_visits_count(struct ht_sim *sim);
void ht_sim_inspectors_free(struct ht_sim *sim);

void ht_sim_street_close(struct ht_sim *sim, const struct ht_sim_happening *happening);
void ht_sim_zone_draw(struct ht_sim *sim, const struct ht_sim_happening *happening);
void ht_sim_streets_step(struct ht_sim *sim);
void ht_sim_streets_free(struct ht_sim *sim);

/* HT_INVALID: the door is none; HT_IO: nobody answers there; HT_NOMEM. */
enum ht_status ht_sim_wire_begin(struct ht_sim *sim, struct ht_error *error);
void ht_sim_wire_free(struct ht_sim *sim);
/* False: this one's positions go over HTTP, with others together. */
bool ht_sim_wire_position(struct ht_sim *sim, const struct ht_sim_mover *mover,
                          const struct ht_sim_position *position);
/* The alarm of a kit of the town, by MQTT. */
void ht_sim_wire_alarm(struct ht_sim *sim, size_t device, bool twice);
/* Whether an incident of a household is of alarms that went by the wire; they are seen now. */
bool ht_sim_wire_rang(struct ht_sim *sim, const char *household);
/* Waits until the server has looked at what went by the wire, some seconds at most. */
enum ht_status ht_sim_wire_settle(struct ht_sim *sim, struct ht_error *error);
void ht_sim_wire_count(struct ht_sim *sim);

/* An Idempotency-Key, and now and then (chaos) the ask a second time with the same: it has to be
 * the same answer, and nothing twice. */
void ht_sim_send_keyed(struct ht_sim *sim, struct ht_sim_ask *ask, struct ht_sim_chaos *chaos,
                       struct ht_sim_dice *dice);
/* A moment as the API has it. */
void ht_sim_add_moment(struct ht_text *text, int64_t ms);
/* The mover of a unit; NULL: none. */
struct ht_sim_mover *ht_sim_mover_of(struct ht_sim *sim, const char *unit);

#endif
