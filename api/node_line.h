/* Node line: HTTP from one node to another (api/nodes.h): connections that are kept, requests and
 * answers as bytes.
 *
 * Threading: any thread; a lock inside for the lines that rest. Who waits gives up when the desk is
 * another one, or the lines are stopped. Ownership: the node is borrowed.
 */
#ifndef HT_API_NODE_LINE_H
#define HT_API_NODE_LINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/node.h"
#include "api/reply.h"

enum { HT_NODE_LINES = 16 }; /* that rest */

struct ht_node_line {
    int fd;
    int64_t rested_ms;
    char url[HT_NODE_URL];
};

struct ht_node_lines {
    struct ht_node *node;
    pthread_mutex_t lock;
    struct ht_node_line list[HT_NODE_LINES];
    size_t count;
    atomic_bool stop; /* whatever is under way is given up */
};

void ht_node_lines_init(struct ht_node_lines *lines, struct ht_node *node);
void ht_node_lines_deinit(struct ht_node_lines *lines);

/* One that rested and is open still, or a new one; -1: the desk can't be reached. */
int ht_node_line_take(struct ht_node_lines *lines, const char *url);
/* It may be asked again. */
void ht_node_line_rest(struct ht_node_lines *lines, int fd, const char *url);

/* False: it is not the desk any more, is gone, or it took too long. */
bool ht_node_line_send(const struct ht_node_lines *lines, int fd, const struct ht_node_state *desk,
                       const char *bytes, size_t size);

/* An answer: bytes of `in`. */
struct ht_node_answer {
    int status;
    bool open;        /* the connection may be asked again */
    const char *head; /* after the first line, without the empty one at its end */
    const char *head_end;
    const char *body;
    size_t body_size;
};
/* Reads one within `patience_ms`. False as above. */
bool ht_node_answer_read(const struct ht_node_lines *lines, int fd,
                         const struct ht_node_state *desk, int64_t patience_ms,
                         struct ht_buffer *in, struct ht_node_answer *out);

/* The value of a header of the head [begin, end), trimmed; NULL: there is none. */
const char *ht_node_header(const char *begin, const char *end, const char *name, size_t *size);

#endif
