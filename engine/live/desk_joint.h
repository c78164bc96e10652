/* Joint: the incidents that wait, and those whose units did not acknowledge yet, served together.
 *
 * What is paid for is weight of severity * lateness in ms, summed over the units wanted; one that
 * nobody comes to counts as late as it will be in two hours. The plan is that of engine/plan/assign
 * over the units that are free or may still be turned round; it is taken only where it pays less
 * than what was decided one by one, so it never is worse, and of plans that pay the same it is one
 * that leaves units where they are: none is turned round for nothing. Looked at are 8 incidents
 * (the one that a command is about, the first 4 that wait, those that have one of the 16 units
 * nearest to it) and the 16 units nearest to each; where the one that it is about is in time,
 * nothing is looked at: the others were as well off as they could be before it came, and it took
 * what they left.
 *
 * Threading and ownership: the desk's writer.
 */
#ifndef HT_ENGINE_LIVE_DESK_JOINT_H
#define HT_ENGINE_LIVE_DESK_JOINT_H

#include "engine/base/status.h"

struct ht__joint;
struct ht__turn;
struct ht__entry;

HT_MUST_CHECK enum ht_status ht__desk_joint_new(struct ht__joint **out);
void ht__desk_joint_free(struct ht__joint *joint);

/* Looks whether those around `about` are better served together. */
HT_MUST_CHECK enum ht_status ht__desk_joint(struct ht__turn *turn, struct ht__entry *about);

#endif
