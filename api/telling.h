/* Telling: what of somebody who has to be told of an incident is in the event table, and on the
 * incident.
 *
 *   incident.tell_wanted   {"incident","to","at","level","webhook","household"?,"kind","severity"}
 *   incident.tell_failed   {"incident","to","at","webhook","telling","attempt","status","error"}
 *   incident.tell_done     likewise: somebody took it
 *   incident.tell_given_up likewise, with the reason: too_old, no_webhook, no_contact
 *
 * `tell_wanted` is written in the transaction of the event (`at`) that it is about, one for each
 * webhook that takes tellings of that kind, so none is lost and none made up; where no webhook
 * does, `tell_given_up` alone says so. `telling` is the number of the row that wanted it. They are
 * events of the incident like all others: the chain holds them, nobody can change what was tried,
 * and whoever replays the table knows what is still to be told. That is why there is no side table.
 * No row holds a number or a name of a person: these are read from the registry (and duty phones
 * from the setting) when they are needed, so erasing them there erases them.
 *
 * Threading: `want` on the writer's thread; the rest pure, or with the thread's own reader.
 * Ownership: values.
 */
#ifndef HT_API_TELLING_H
#define HT_API_TELLING_H

#include "api/incident_tell.h"
#include "geodata/store.h"

#define HT_TELLING_PREFIX "incident.tell_"

enum ht_telling_step {
    HT_TELLING_WANTED,
    HT_TELLING_FAILED,
    HT_TELLING_DONE,
    HT_TELLING_GIVEN_UP,
    HT_TELLING_STEPS
};

enum { HT_TELLING_ERROR = 96 };

struct ht_telling_row {
    enum ht_telling_step step;
    int64_t seq;     /* the row's own */
    int64_t telling; /* that of the row that wanted it; 0: nobody could be asked to */
    int64_t at_ms;
    char incident[HT_DESK_ID_MAX + 1];
    enum ht_tell to;
    enum ht_desk_event_kind event;
    char webhook[HT_ID_MAX + 1]; /* "" none */
    /* wanted */
    char household[HT_ID_MAX + 1]; /* "" none */
    enum ht_incident_kind kind;
    uint8_t severity;
    uint8_t level;
    /* the others */
    int64_t attempt;              /* 1 for the first; given up: those made */
    int status;                   /* HTTP's; 0: none came */
    char error[HT_TELLING_ERROR]; /* of a failure without a status; of giving up the reason */
};

/* HT_NOT_FOUND: a kind that is none of these; HT_INVALID: no such body; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_telling_read(const struct ht_store_event *event,
                                             struct ht_telling_row *out);
/* Appends a row; its `seq` is not looked at, `*seq` (may be NULL) what it became. */
HT_MUST_CHECK enum ht_status ht_telling_append(struct ht_store_tx *tx,
                                               const struct ht_telling_row *row, const char *actor,
                                               int64_t *seq, struct ht_error *error);

/* An event of an incident of which somebody is to be told. */
struct ht_telling_cause {
    const struct ht_incident *incident;
    enum ht_desk_event_kind event;
    int64_t at_ms;
    uint8_t level;
    uint8_t whom; /* bits 1 << enum ht_tell */
    const char *actor;
};
HT_MUST_CHECK enum ht_status ht_tellings_want(struct ht_store_tx *tx,
                                              const struct ht_telling_cause *cause,
                                              struct ht_error *error);

/* Writes `"told":[{telling, to, at, webhook, state, attempts[]}, ...]` of an incident, nothing
 * where nobody had to be told. `state`: waiting, told, given_up. */
HT_MUST_CHECK enum ht_status ht_tellings_write(struct ht_json *json, struct ht_store_reader *reader,
                                               const char *incident, struct ht_error *error);

#endif
