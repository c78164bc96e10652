/* Match: from a noisy trace of positions to the way that was driven.
 *
 * A hidden Markov model after Newson and Krumm ("Hidden Markov map matching through noise and
 * sparseness", 2009), decoded with Viterbi's algorithm:
 *
 *   state        a place on a street near the fix, in one direction (in both where the trace turns
 *                round sharply); the nearest HT_MATCH_PLACES pieces of street within the radius
 *   emission     normal: - d^2 / 2 s^2 - ln s - ln(2 pi) / 2, d the distance, s the fix's sigma_m
 *   transition   exponential in |shortest way - straight line|: - |w - g| / b - ln b. Ways come
 *                from hop.h
 *   time         a way whose duration passes 2 dt + 5 s pays 1 for each further 5 s; one that
 *                differs from the line by max_speed_mps dt (2,000 m without times) and 3 (s + s')
 *                is impossible
 *   standing     on one street, a place behind the last one by up to 2 (s + s') m is nobody who
 *                turned: the way counts below 0, and what comes out is that the vehicle stood
 *   beam         states less likely than the fix's best by HT_MATCH_BEAM are given up
 *
 * Only what can still win is searched: with the best value so far known, a transition's limit of
 * length follows, so the answer is that of the whole model. A fix without places, or that nothing
 * leads to, is left out; where that goes on, the fix before it is, too, and at last the trace is
 * split (as OSRM does, after 10 fixes or ten times the median step).
 *
 * Two forms share one step: a whole trace (ht_match_run), and a stream with a fixed lag (Goh et al.
 * 2012), which gives out what all survivors agree on, or what is older than the lag, and keeps as
 * many fixes as the lag is long.
 *
 * Threading: one workspace for each thread; the road is read-only. Ownership: what is found lies in
 * the workspace until its next call. Errors: HT_NOMEM, others as said.
 */
#ifndef HT_ENGINE_ROAD_MATCH_H
#define HT_ENGINE_ROAD_MATCH_H

#include "engine/road/route.h"

enum { HT_MATCH_PLACES = 12, HT_MATCH_BEAM = 20, HT_MATCH_LAG_MAX = 256 };

#define HT_MATCH_NO_TIME INT64_MIN

struct ht_match_fix {
    struct ht_point point;
    int64_t time_ms;             /* HT_MATCH_NO_TIME; not before the last fix's */
    double sigma_m;              /* > 0: standard deviation of its error along each axis */
    struct ht_snap_options snap; /* radius_m < 0: 3 sigma_m */
};

struct ht_match_options {
    double beta_m;        /* <= 0: as suits the time between fixes */
    double max_speed_mps; /* > 0 */
    bool split;           /* at gaps of time; else only where ways end */
    int64_t gap_ms; /* a longer gap splits; 0: ten times the median step; in a stream a minute */
};

/* 50 m/s (what OSRM has for cars), split. */
struct ht_match_options ht_match_options_default(void);

/* How a fix was reached from the one before. */
enum ht_match_step {
    HT_MATCH_BEGIN,
    HT_MATCH_ALONG, /* on the same arc, ahead or standing */
    HT_MATCH_WAY,   /* over the end of the arc */
};

/* A fix that was matched. */
struct ht_match_spot {
    uint32_t fix;          /* its number in the trace or the stream */
    uint32_t alternatives; /* other states of this fix that lead to some state of the last */
    struct ht_place place; /* sides that were not driven are HT_NONE */
    uint8_t from_side;     /* side of the place before by which it was left */
    uint8_t side;          /* by which this one was reached; of a part's first spot, was left */
    enum ht_match_step step;
    struct ht_cost cost; /* of the way from the place before */
};

struct ht_match_part {
    uint32_t first; /* spots[first .. first + count), at least 2 */
    uint32_t count;
    double confidence;     /* 0 to 1: of lengths of way and trace, OSRM's classifier */
    double log_likelihood; /* of its best sequence of states */
};

struct ht_match_found {
    const struct ht_match_part *parts;
    uint32_t part_count;
    const struct ht_match_spot *spots;
};

struct ht_match;

HT_MUST_CHECK enum ht_status ht_match_new(struct ht_match **out);
void ht_match_free(struct ht_match *match);

/* HT_NO_SEGMENT: no fix has a street within its radius; HT_NO_ROUTE: no two fixes could be joined;
 * HT_TOO_BIG: fixes lie so far apart that it would take long to join them; HT_INVALID: fewer than
 * two fixes, times that go back, a sigma that is not above 0. */
HT_MUST_CHECK enum ht_status ht_match_run(struct ht_match *match, const struct ht_road *road,
                                          const struct ht_match_options *options,
                                          const struct ht_match_fix *fixes, uint32_t count,
                                          struct ht_match_found *out);

/* The arcs from one spot to the next (its successor in a part), from the arc that holds the first
 * to the one that holds the second. Lives until the next call. */
HT_MUST_CHECK enum ht_status ht_match_arcs(struct ht_match *match, const struct ht_road *road,
                                           const struct ht_match_spot *from,
                                           const struct ht_match_spot *to, const uint32_t **arcs,
                                           uint32_t *count);

/* A part as a route: a leg from each spot to the next; source and target are numbers of spots
 * within the part. Lives as the above. */
HT_MUST_CHECK enum ht_status ht_match_route(struct ht_match *match, const struct ht_road *road,
                                            const struct ht_match_found *found, uint32_t part,
                                            struct ht_route_found *out);

/* A trace that goes on: 4 KB for each fix of the lag. */
struct ht_match_stream;

/* `lag`: a fix is settled when so many have come after it (2 to HT_MATCH_LAG_MAX, else
 * HT_INVALID). */
HT_MUST_CHECK enum ht_status ht_match_stream_new(const struct ht_match_options *options,
                                                 uint32_t lag, struct ht_match_stream **out);
void ht_match_stream_free(struct ht_match_stream *stream);

/* Forgets what was not settled: to be called before a road of another network comes. */
void ht_match_stream_reset(struct ht_match_stream *stream);

/* What a push settled, in order; lives in the stream until its next call. A spot with step
 * HT_MATCH_BEGIN begins a new part, others follow the last that was given out. */
struct ht_match_settled {
    const struct ht_match_spot *spots;
    uint32_t count;
};

/* Takes the next fix. `match` lends its workspace (what it found before is gone), any of the
 * thread's; the road may have other costs from call to call. HT_INVALID as above: the fix is not
 * taken, the stream goes on. Time and memory do not grow with the trace. */
HT_MUST_CHECK enum ht_status ht_match_stream_push(struct ht_match_stream *stream,
                                                  struct ht_match *match,
                                                  const struct ht_road *road,
                                                  const struct ht_match_fix *fix,
                                                  struct ht_match_settled *out);

/* Settles what is left, by the most likely state of the newest fix. The stream may go on, with a
 * new part. */
HT_MUST_CHECK enum ht_status ht_match_stream_end(struct ht_match_stream *stream,
                                                 struct ht_match *match, const struct ht_road *road,
                                                 struct ht_match_settled *out);

/* Where the vehicle is most likely now: the best state of the newest fix that could be joined, and
 * its number. HT_EMPTY: there is none. */
HT_MUST_CHECK enum ht_status ht_match_stream_now(const struct ht_match_stream *stream,
                                                 const struct ht_road *road, uint32_t *fix,
                                                 struct ht_place *place);

#endif
