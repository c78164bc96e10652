#include "api/rounds_turns.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50 }; /* how soon it is seen that nobody waits any more */

/* Few: as many as there are threads that plan. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static struct ht_round_turn *held;

/* Under the lock. */
static bool is_held(const void *house, const char *round)
{
    const struct ht_round_turn *turn = held;
    while (turn != NULL && (turn->house != house || strcmp(turn->round, round) != 0)) {
        turn = turn->next;
    }
    return turn != NULL;
}

static void rest(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&given, &lock, &until);
}

bool ht_round_turn_take(struct ht_round_turn *turn, const void *house, const char *round,
                        const bool *cancel)
{
    bool wanted = true;
    (void)pthread_mutex_lock(&lock);
    while (wanted && is_held(house, round)) {
        rest();
        wanted = !__atomic_load_n(cancel, __ATOMIC_RELAXED);
    }
    if (wanted) {
        turn->house = house;
        (void)snprintf(turn->round, sizeof turn->round, "%s", round);
        turn->next = held;
        held = turn;
    }
    (void)pthread_mutex_unlock(&lock);
    return wanted;
}

void ht_round_turn_give(struct ht_round_turn *turn)
{
    (void)pthread_mutex_lock(&lock);
    struct ht_round_turn **at = &held;
    while (*at != NULL && *at != turn) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = (*at)->next;
        (void)pthread_cond_broadcast(&given);
    }
    turn->house = NULL;
    (void)pthread_mutex_unlock(&lock);
}
