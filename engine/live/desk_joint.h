/* Joint: the incidents that wait, and those whose units did not acknowledge yet, served together.
 *
 * What is paid for is weight of severity * lateness in ms, summed over the units wanted; one that
 * nobody comes to counts as an hour late. The plan is that of engine/plan/assign over the units
 * that are free or may still be turned round; it is taken only where it pays less than what was
 * decided one by one, so it never is worse.
 *
 * Threading and ownership: the desk's writer.
 */
#ifndef HT_ENGINE_LIVE_DESK_JOINT_H
#define HT_ENGINE_LIVE_DESK_JOINT_H

#include "engine/base/status.h"

struct ht__joint;
struct ht__turn;
struct ht__entry;

HT_MUST_CHECK enum ht_status ht__joint_new(struct ht__joint **out);
void ht__joint_free(struct ht__joint *joint);

/* Looks whether those around `about` are better served together. */
HT_MUST_CHECK enum ht_status ht__joint(struct ht__turn *turn, struct ht__entry *about);

#endif
