/* Listen: sockets that wait for connections, of HTTP and of device protocols.
 *
 * Threading: pure functions. Ownership: descriptors are the caller's. Errors: HT_INVALID: that is
 * no numeric address; HT_IO with the reason.
 */
#ifndef HT_API_LISTEN_H
#define HT_API_LISTEN_H

#include <stdint.h>

#include "engine/base/status.h"

/* Binds and listens, not blocking, with SO_REUSEPORT; what it accepts has TCP_NODELAY. `*port` 0:
 * any free one, which it becomes. `*fd` is set also when it fails, to be closed. */
HT_MUST_CHECK enum ht_status ht_listen_open(const char *host, uint16_t *port, int *fd,
                                            struct ht_error *error);

/* SO_REUSEPORT lets a second server of the same user in unnoticed, and each would get half of the
 * connections: the port must be free for a socket that does not share. */
HT_MUST_CHECK enum ht_status ht_listen_check(const char *host, uint16_t port,
                                             struct ht_error *error);

#endif
