/* Publishers: devices that publish positions to an MQTT 5 broker with QoS 1, at a wanted rate, as
 * cheaply as may be: a few connections of one thread, packets written as bytes, what is due in a
 * millisecond together. Each position is sent by another unit ("u0", "u1", ...) in turn; `ts` is
 * the moment of sending.
 *
 * Threading: one thread. Ownership: opened is closed. What fails ends the program with a line on
 * stderr.
 */
#ifndef HT_BENCH_PUBLISHERS_H
#define HT_BENCH_PUBLISHERS_H

#include <stddef.h>
#include <stdint.h>

struct ht_publisher;

struct ht_publishers {
    struct ht_publisher *list;
    int count;
    size_t units;
    size_t sent;
    size_t acknowledged;
};

void ht_publishers_open(struct ht_publishers *publishers, uint16_t port, int count, size_t units);
/* Publishes for so many seconds. Where the broker acknowledges too slowly less is sent. */
void ht_publishers_run(struct ht_publishers *publishers, int rate, int seconds);
void ht_publishers_close(struct ht_publishers *publishers);

#endif
