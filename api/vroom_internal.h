/* Inside the reader of VROOM's documents: its state and the values that all objects share.
 *
 * Threading: one thread. Ownership: the struct ht_vroom's.
 */
#ifndef HT_API_VROOM_INTERNAL_H
#define HT_API_VROOM_INTERNAL_H

#include "api/vroom_read.h"

/* Where the reader is, and the first thing that was wrong. */
struct ht__vroom_reader {
    struct ht_vroom *vroom;
    struct ht_error *error;
    enum ht_status status;
    yajl_val vehicles;
    yajl_val jobs;
    yajl_val shipments;
    yajl_val matrices;
    struct ht_task *tasks;
    struct ht_vehicle *list;        /* vehicles */
    struct ht_plan_reload *reloads; /* [HT_PLAN_RELOADS_MOST] of all vehicles */
    uint64_t *skills;               /* the values that are named, ascending */
    uint32_t skill_count;
    const char **types; /* [0]: none */
    uint32_t *slots;    /* of places by their coordinates: index + 1 */
    size_t slot_mask;
    uint8_t *planned;  /* [tasks] in some vehicle's steps */
    uint32_t *parking; /* [tasks] the location where the vehicle stands; HT_PLAN_NONE: there */
    bool any_parking;
    uint32_t *by_id[3]; /* tasks of each kind, by id */
    uint32_t id_count[3];
    bool any_place;
    bool all_placed;
};

/* Whom a message is about: "for job 7". */
struct ht__vroom_about {
    const char *type;
    uint64_t id;
};

/* Keeps the first thing that is wrong: a code of VROOM's and its words. */
void ht__vroom_fail(struct ht__vroom_reader *r, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As ht_vroom_take; NULL: it has failed. */
void *ht__vroom_take(struct ht__vroom_reader *r, size_t count, size_t item);
/* Members of objects and elements of arrays; null counts as absent. */
yajl_val ht__vroom_member(yajl_val object, const char *name);
size_t ht__vroom_length_of(yajl_val array);
yajl_val ht__vroom_element(yajl_val array, size_t index);
/* A whole number in [0, most]. */
bool ht__vroom_whole(yajl_val value, int64_t most, int64_t *out);
/* "id" of an object: whole, of 64 bits without a sign. */
bool ht__vroom_id_of(yajl_val object, uint64_t *out);
/* One of an object; absent: stays as it is. Told as "Invalid NAME value." */
void ht__vroom_whole_member(struct ht__vroom_reader *r, yajl_val object, const char *name,
                            int64_t most, int64_t *out);
/* The same of a time: "Invalid NAME duration." */
void ht__vroom_seconds_member(struct ht__vroom_reader *r, yajl_val object, const char *name,
                              uint32_t *out);
/* "id" and "description". */
void ht__vroom_id_read(struct ht__vroom_reader *r, yajl_val object, const char *type,
                       struct ht_vroom_name *out);
/* A member of an object; NULL: absent, or it has failed. */
const int64_t *ht__vroom_amount_read(struct ht__vroom_reader *r, yajl_val object, const char *key);
/* How many dimensions: as the first vehicle's capacity has. */
void ht__vroom_amounts_size(struct ht__vroom_reader *r);
/* All values that are named get a bit, by value. */
void ht__vroom_skills_collect(struct ht__vroom_reader *r);
const uint64_t *ht__vroom_skills_read(struct ht__vroom_reader *r, yajl_val object);
bool ht__vroom_window_read(struct ht__vroom_reader *r, yajl_val value, struct ht_window *out);
/* "time_windows"; NULL: absent, or it has failed. */
const struct ht_window *ht__vroom_windows_read(struct ht__vroom_reader *r, yajl_val object,
                                               const char *type, uint64_t id, uint32_t *count);
/* Types of vehicles by name; 0: none has it. */
uint32_t ht__vroom_type_find(const struct ht__vroom_reader *r, const char *name);
void ht__vroom_types_collect(struct ht__vroom_reader *r);
/* {"type": seconds}; types that no vehicle has are left out. */
const uint32_t *ht__vroom_per_type_read(struct ht__vroom_reader *r, yajl_val object,
                                        const char *name, uint32_t other,
                                        const struct ht__vroom_about *about);
/* A place by its index or its coordinates; HT_PLAN_NONE: neither is there. */
uint32_t ht__vroom_location_read(struct ht__vroom_reader *r, yajl_val object, const char *pair_name,
                                 const char *index_name, const struct ht__vroom_about *about);
/* The matrix of a name and speed; a new one where there is none yet. */
uint32_t ht__vroom_profile_find(struct ht__vroom_reader *r, const char *name, double speed);
/* "parking" of a task. */
void ht__vroom_parking_read(struct ht__vroom_reader *r, yajl_val object, uint32_t task,
                            const struct ht__vroom_about *about);
/* What stands where, once all tasks are read, and the profile by which one walks. */
void ht__vroom_parking_end(struct ht__vroom_reader *r);
void ht__vroom_places_begin(struct ht__vroom_reader *r);
/* HT_PLAN_NONE: no task of this kind has the id. */
uint32_t ht__vroom_task_find(const struct ht__vroom_reader *r, int kind, uint64_t id);
/* The vehicle at an index of the list; its steps, once all tasks are read. */
void ht__vroom_vehicle_read(struct ht__vroom_reader *r, size_t v);
void ht__vroom_steps_read(struct ht__vroom_reader *r, size_t v);

/* The matrices that are given, and what of each profile is to be routed. */
void ht__vroom_matrices_read(struct ht__vroom_reader *r);

/* Fails where a plan over the matrices of a profile, which were given, could cost too much. */
void ht__vroom_bound_check(struct ht__vroom_reader *r, uint32_t profile);

#endif
