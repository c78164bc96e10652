/* Notify: tells systemd how far the service is (sd_notify(3)): "READY=1" once it answers.
 *
 * Threading: from any thread. Where NOTIFY_SOCKET is not set nothing is done; where nobody listens
 * there, nothing is lost that we could do something about.
 */
#ifndef HT_API_NOTIFY_H
#define HT_API_NOTIFY_H

void ht_notify(const char *state);

#endif
