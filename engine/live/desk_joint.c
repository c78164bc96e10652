#include "engine/live/desk_joint.h"

#include <stdlib.h>

#include "engine/live/desk_internal.h"
#include "engine/plan/assign.h"

struct ht__joint {
    struct ht_assign *assign;
};

enum ht_status ht__joint_new(struct ht__joint **out)
{
    struct ht__joint *joint = calloc(1, sizeof *joint);
    enum ht_status status = joint == NULL ? HT_NOMEM : ht_assign_new(&joint->assign);
    if (status != HT_OK) {
        free(joint);
        return status;
    }
    *out = joint;
    return HT_OK;
}

void ht__joint_free(struct ht__joint *joint)
{
    if (joint != NULL) {
        ht_assign_free(joint->assign);
        free(joint);
    }
}

enum ht_status ht__joint(struct ht__turn *turn, struct ht__entry *about)
{
    (void)turn;
    (void)about;
    return HT_OK;
}
