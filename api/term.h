/* Term: one time that this process serves: all that is open, and the server in front of it. A
 * process that is alone has one; a node has one as follower, the next as desk, and so on, each made
 * beside the one before it, which ends when the new one answers.
 *
 * Threading: open, run and close one after the other, each from any thread. Ownership: texts, the
 * node and the doors of the options are borrowed.
 */
#ifndef HT_API_TERM_H
#define HT_API_TERM_H

#include "api/app.h"
#include "api/doors.h"
#include "api/mqtt.h"

struct ht_term_options {
    const char *network;
    const char *store;  /* path; NULL: none */
    const char *tokens; /* likewise */
    const char *host;
    uint16_t port;
    bool shares_port; /* a term of this process listens there still */
    unsigned threads;
    const char *jt808_host; /* NULL: no terminals */
    uint16_t jt808_port;
    struct ht_mqtt_options mqtt; /* url NULL: no broker */
    struct ht_clock clock;
    uint64_t descriptors;
    struct ht_node *node;   /* NULL: it is alone */
    struct ht_doors *doors; /* of the process, where it is not: opened with the first term */
};

struct ht_term;

enum { HT_TERM_DESCRIPTORS_OWN = 512 }; /* map, store and its readers, listening */
/* How many connections there may be with so many descriptors, without terminals. */
unsigned ht_term_connections(uint64_t descriptors);

/* Opens all of it. `store`: one that is open already and is taken over, also after an error (NULL:
 * that of the options); `follows`: it is another process that writes it. What is wrong but no
 * reason to stop is logged. */
HT_MUST_CHECK enum ht_status ht_term_open(const struct ht_term_options *options,
                                          struct ht_store *store, bool follows,
                                          struct ht_term **out, struct ht_error *error);
struct ht_app *ht_term_app(struct ht_term *term);
struct ht_http_server *ht_term_server(struct ht_term *term);
/* Until the server is drained. */
HT_MUST_CHECK enum ht_status ht_term_run(struct ht_term *term, struct ht_error *error);
/* Ends it in order; what was taken is committed. HT_OK, or what was found damaged meanwhile. */
enum ht_status ht_term_close(struct ht_term *term, struct ht_error *error);

#endif
