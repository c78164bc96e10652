#include "engine/live/fleet.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    STRIPES = 64,
    SKEW_SLOTS = 8, /* of 75 s each: the window of ten minutes */
    SKEW_SLOT_MS = 75000,
};

#define TIME_MAX_MS (INT64_C(1) << 53)
static const double FASTEST_MPS = 400.0 / 3.6;

/* The word of a unit: what a filter reads. */
enum { WORD_THERE = 1U << 24, WORD_ENGAGED = 1U << 25 };
#define WORD(kind, status, profile, plain)                                                         \
    (WORD_THERE | (uint32_t)(kind) | (uint32_t)(status) << 8 | (uint32_t)(profile) << 16 |         \
     (uint32_t)(plain) << 26)
#define WORD_KIND(word) ((word)&0xffU)
#define WORD_STATUS(word) ((word) >> 8 & 0xffU)
#define WORD_PROFILE(word) ((word) >> 16 & 0xffU)
#define WORD_PLAIN(word) ((word) >> 26)
static_assert(HT_FLEET_PROFILES_MAX <= 64, "a profile fits into six bits");

/* An idle unit that is engaged is busy. */
static uint32_t status_of(uint32_t word)
{
    return (word & WORD_ENGAGED) != 0 && WORD_STATUS(word) == HT_UNIT_IDLE ? (uint32_t)HT_UNIT_BUSY
                                                                           : WORD_STATUS(word);
}

/* Minutes since 1970, from << 32 | until; the last of each stands for never. */
#define ALWAYS UINT64_C(0xffffffff)
enum { MINUTE_MS = 60000 };

struct skew_slot {
    int64_t number; /* received_ms / SKEW_SLOT_MS, and one */
    int64_t least_ms;
};

struct body {
    char id[HT_UNIT_ID_MAX + 1]; /* under the registry's lock, the rest under the stripe's */
    bool positioned;
    uint32_t generation; /* grows when the unit goes */
    struct skew_slot skew[SKEW_SLOTS];
    struct ht_position position;
};

struct names {
    _Atomic uint32_t count;
    char (*text)[HT_NAME_MAX + 1];
    uint32_t most;
};

struct ht_fleet {
    struct ht_fleet_settings settings;
    atomic_int_least64_t stale_ms;
    uint32_t capacity;
    size_t bytes;
    pthread_rwlock_t registry;
    pthread_mutex_t stripes[STRIPES];
    uint32_t *table; /* open addressing: index + 1 by hash of the id */
    uint32_t mask;
    uint32_t *vacant; /* indices that were removed */
    uint32_t vacant_count;
    _Atomic uint32_t end;
    _Atomic uint32_t count;
    struct body *bodies;
    _Atomic uint32_t *words; /* 0: no such unit */
    _Atomic uint64_t *skills;
    _Atomic int64_t *heard_ms; /* INT64_MIN: never */
    _Atomic uint64_t *duty;    /* minutes since 1970: from << 32 | until */
    _Atomic uint32_t *held;    /* number of the set of permits */
    struct ht_permits *permits;
    _Atomic uint32_t plains; /* bits of profiles without blue light */
    _Atomic uint32_t unlit;  /* units that have none; for a moment one too many */
    struct names profile_names;
    struct names skill_names;
    char profile_text[HT_FLEET_PROFILES_MAX][HT_NAME_MAX + 1];
    char skill_text[HT_SKILLS_MAX][HT_NAME_MAX + 1];
    _Atomic uint64_t refusals[HT_REFUSAL_COUNT];
};

const char *ht_refusal_text(enum ht_refusal refusal)
{
    static const char *const texts[] = {
#define HT_REFUSAL_TEXT(name, text) text,
        HT_REFUSAL_MAP(HT_REFUSAL_TEXT)
#undef HT_REFUSAL_TEXT
    };
    return refusal < HT_REFUSAL_COUNT ? texts[refusal] : "unknown reason";
}

struct ht_fleet_settings ht_fleet_settings_default(void)
{
    return (struct ht_fleet_settings){.stale_ms = 120000, .future_ms = 10000};
}

static bool fleet_alloc(struct ht_fleet *f)
{
    size_t slots = 16;
    while (slots < (size_t)f->capacity * 2) {
        slots *= 2;
    }
    f->mask = (uint32_t)(slots - 1);
    f->table = ht_array_new_zeroed(slots, sizeof *f->table);
    f->vacant = ht_array_new(f->capacity, sizeof *f->vacant);
    f->bodies = ht_array_new_zeroed(f->capacity, sizeof *f->bodies);
    f->words = ht_array_new_zeroed(f->capacity, sizeof *f->words);
    f->skills = ht_array_new_zeroed(f->capacity, sizeof *f->skills);
    f->heard_ms = ht_array_new_zeroed(f->capacity, sizeof *f->heard_ms);
    f->duty = ht_array_new_zeroed(f->capacity, sizeof *f->duty);
    f->held = ht_array_new_zeroed(f->capacity, sizeof *f->held);
    f->bytes =
        sizeof *f + slots * sizeof *f->table +
        f->capacity * (sizeof *f->vacant + sizeof *f->bodies + sizeof *f->words +
                       sizeof *f->skills + sizeof *f->heard_ms + sizeof *f->duty + sizeof *f->held);
    return f->table != NULL && f->vacant != NULL && f->bodies != NULL && f->words != NULL &&
           f->skills != NULL && f->heard_ms != NULL && f->duty != NULL && f->held != NULL;
}

enum ht_status ht_fleet_new(const struct ht_fleet_settings *settings, uint32_t capacity,
                            struct ht_fleet **out)
{
    if (capacity > UINT32_MAX / 4) {
        return HT_TOO_BIG;
    }
    struct ht_fleet *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return HT_NOMEM;
    }
    f->settings = *settings;
    atomic_store(&f->stale_ms, settings->stale_ms);
    f->capacity = capacity;
    f->profile_names = (struct names){.text = f->profile_text, .most = HT_FLEET_PROFILES_MAX};
    f->skill_names = (struct names){.text = f->skill_text, .most = HT_SKILLS_MAX};
    (void)pthread_rwlock_init(&f->registry, NULL);
    for (int i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_init(&f->stripes[i], NULL);
    }
    if (!fleet_alloc(f) || ht_permits_new(&f->permits) != HT_OK) {
        ht_fleet_free(f);
        return HT_NOMEM;
    }
    *out = f;
    return HT_OK;
}

void ht_fleet_free(struct ht_fleet *f)
{
    if (f == NULL) {
        return;
    }
    (void)pthread_rwlock_destroy(&f->registry);
    for (int i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_destroy(&f->stripes[i]);
    }
    free(f->table);
    free(f->vacant);
    free(f->bodies);
    free(f->words);
    free(f->skills);
    free(f->heard_ms);
    free(f->duty);
    free(f->held);
    ht_permits_free(f->permits);
    free(f);
}

void ht_fleet_set_stale(struct ht_fleet *f, int64_t stale_ms)
{
    atomic_store(&f->stale_ms, stale_ms);
}

uint32_t ht_fleet_capacity(const struct ht_fleet *f)
{
    return f->capacity;
}

size_t ht_fleet_bytes(const struct ht_fleet *f)
{
    return f->bytes;
}

uint32_t ht_fleet_end(const struct ht_fleet *f)
{
    return atomic_load_explicit(&f->end, memory_order_acquire);
}

uint32_t ht_fleet_count(const struct ht_fleet *f)
{
    return atomic_load_explicit(&f->count, memory_order_relaxed);
}

/* Ids. */

static bool id_valid(const char *id, size_t length)
{
    if (length == 0 || length > HT_UNIT_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '_' && c != ':' && c != '-') {
            return false;
        }
    }
    return true;
}

/* FNV-1a. */
static uint32_t id_hash(const char *id, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)id[i]) * UINT64_C(1099511628211);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* The slot of an id, or the empty one where it would stand. */
static uint32_t slot_of(const struct ht_fleet *f, const char *id, size_t length)
{
    uint32_t slot = id_hash(id, length) & f->mask;
    while (f->table[slot] != 0) {
        const char *other = f->bodies[f->table[slot] - 1].id;
        if (strncmp(other, id, length) == 0 && other[length] == '\0') {
            break;
        }
        slot = (slot + 1) & f->mask;
    }
    return slot;
}

/* Empties a slot and moves up what was pushed past it. */
static void slot_clear(struct ht_fleet *f, uint32_t slot)
{
    uint32_t hole = slot;
    for (;;) {
        slot = (slot + 1) & f->mask;
        if (f->table[slot] == 0) {
            break;
        }
        const char *id = f->bodies[f->table[slot] - 1].id;
        uint32_t home = id_hash(id, strlen(id)) & f->mask;
        if (((slot - home) & f->mask) >= ((slot - hole) & f->mask)) {
            f->table[hole] = f->table[slot];
            hole = slot;
        }
    }
    f->table[hole] = 0;
}

uint32_t ht_fleet_find(struct ht_fleet *f, const char *id, size_t length)
{
    if (!id_valid(id, length)) {
        return HT_NONE;
    }
    (void)pthread_rwlock_rdlock(&f->registry);
    uint32_t found = f->table[slot_of(f, id, length)];
    (void)pthread_rwlock_unlock(&f->registry);
    return found == 0 ? HT_NONE : found - 1;
}

/* Names. */

static uint32_t name_find(const struct names *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names->text[i], name) == 0) {
            return i;
        }
    }
    return HT_NONE;
}

/* Finds or appends; `*count` is published by the caller when all went well. */
static enum ht_status name_intern(struct names *names, uint32_t *count, const char *name,
                                  uint32_t *number)
{
    size_t length = name == NULL ? 0 : strnlen(name, HT_NAME_MAX + 1);
    if (length == 0 || length > HT_NAME_MAX) {
        return HT_INVALID;
    }
    *number = name_find(names, *count, name);
    if (*number == HT_NONE) {
        if (*count == names->most) {
            return HT_TOO_BIG;
        }
        *number = (*count)++;
        memcpy(names->text[*number], name, length + 1);
    }
    return HT_OK;
}

static const char *name_at(const struct names *names, uint32_t number)
{
    return number < atomic_load_explicit(&names->count, memory_order_acquire) ? names->text[number]
                                                                              : NULL;
}

uint32_t ht_fleet_profile_count(const struct ht_fleet *f)
{
    return atomic_load_explicit(&f->profile_names.count, memory_order_acquire);
}

const char *ht_fleet_profile_name(const struct ht_fleet *f, uint32_t profile)
{
    return name_at(&f->profile_names, profile);
}

uint32_t ht_fleet_unlit(const struct ht_fleet *f)
{
    return atomic_load_explicit(&f->unlit, memory_order_acquire);
}

uint32_t ht_fleet_plain_profiles(const struct ht_fleet *f)
{
    return atomic_load_explicit(&f->plains, memory_order_acquire);
}

const char *ht_fleet_skill_name(const struct ht_fleet *f, uint32_t bit)
{
    return name_at(&f->skill_names, bit);
}

enum ht_status ht_fleet_skills(struct ht_fleet *f, const char *const *names, size_t count,
                               uint64_t *bits)
{
    uint32_t known = atomic_load_explicit(&f->skill_names.count, memory_order_acquire);
    *bits = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bit = name_find(&f->skill_names, known, names[i]);
        if (bit == HT_NONE) {
            return HT_NOT_FOUND;
        }
        *bits |= UINT64_C(1) << bit;
    }
    return HT_OK;
}

/* Units. */

static pthread_mutex_t *stripe_of(struct ht_fleet *f, uint32_t index)
{
    return &f->stripes[index % STRIPES];
}

static uint32_t word_of(const struct ht_fleet *f, uint32_t index)
{
    return index < f->capacity ? atomic_load_explicit(&f->words[index], memory_order_acquire) : 0;
}

struct ht_permits *ht_fleet_permits(const struct ht_fleet *f)
{
    return f->permits;
}

/* Gives a unit another set, which is taken over. Needs the registry's lock. */
static void permits_set(struct ht_fleet *f, uint32_t index, uint32_t number)
{
    uint32_t before = atomic_load_explicit(&f->held[index], memory_order_relaxed);
    if (before != number) {
        ht_permits_begin(f->permits);
        atomic_store_explicit(&f->held[index], number, memory_order_release);
        ht_permits_end(f->permits);
    }
    ht_permits_drop(f->permits, before);
}

/* A number for a new unit, whose id goes into the empty `slot`. */
static uint32_t unit_add(struct ht_fleet *f, uint32_t slot, const char *id, size_t length)
{
    uint32_t end = atomic_load_explicit(&f->end, memory_order_relaxed);
    uint32_t index = f->vacant_count > 0 ? f->vacant[--f->vacant_count] : end;
    struct body *body = &f->bodies[index];
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t generation = body->generation;
    memset(body, 0, sizeof *body);
    body->generation = generation;
    memcpy(body->id, id, length);
    (void)pthread_mutex_unlock(stripe_of(f, index));
    atomic_store_explicit(&f->heard_ms[index], INT64_MIN, memory_order_relaxed);
    atomic_store_explicit(&f->duty[index], ALWAYS, memory_order_relaxed);
    f->table[slot] = index + 1;
    if (index == end) {
        atomic_store_explicit(&f->end, end + 1, memory_order_release);
    }
    (void)atomic_fetch_add_explicit(&f->count, 1, memory_order_relaxed);
    return index;
}

/* What a spec names, as numbers. */
struct named {
    uint32_t profiles; /* how many there are now */
    uint32_t skill_count;
    uint32_t profile;
    uint32_t plain;
    uint64_t skills;
};

/* Nothing is seen of new names until they are published. */
static enum ht_status names_intern(struct ht_fleet *f, const struct ht_unit_spec *spec,
                                   struct named *out)
{
    *out = (struct named){
        .profiles = atomic_load_explicit(&f->profile_names.count, memory_order_relaxed),
        .skill_count = atomic_load_explicit(&f->skill_names.count, memory_order_relaxed)};
    enum ht_status status =
        name_intern(&f->profile_names, &out->profiles, spec->profile, &out->profile);
    out->plain = out->profile;
    if (status == HT_OK && spec->plain != NULL) {
        status = name_intern(&f->profile_names, &out->profiles, spec->plain, &out->plain);
    }
    for (size_t i = 0; i < spec->skill_count && status == HT_OK; i++) {
        uint32_t bit = 0;
        status = name_intern(&f->skill_names, &out->skill_count, spec->skills[i], &bit);
        out->skills |= status == HT_OK ? UINT64_C(1) << bit : 0;
    }
    return status;
}

static void names_publish(struct ht_fleet *f, const struct named *named)
{
    atomic_store_explicit(&f->profile_names.count, named->profiles, memory_order_release);
    atomic_store_explicit(&f->skill_names.count, named->skill_count, memory_order_release);
    if (named->plain != named->profile) {
        (void)atomic_fetch_or_explicit(&f->plains, UINT32_C(1) << named->plain,
                                       memory_order_release);
    }
}

static bool is_unlit(uint32_t word)
{
    return word != 0 && WORD_PROFILE(word) == WORD_PLAIN(word);
}

/* What is known of a unit from now on; 0: there is none. The unit is locked. */
static void word_set(struct ht_fleet *f, uint32_t index, uint32_t word)
{
    bool was = is_unlit(word_of(f, index));
    if (is_unlit(word) && !was) { /* counted before it can be found, and until it can't */
        (void)atomic_fetch_add_explicit(&f->unlit, 1, memory_order_release);
    }
    atomic_store_explicit(&f->words[index], word, memory_order_release);
    if (was && !is_unlit(word)) {
        (void)atomic_fetch_sub_explicit(&f->unlit, 1, memory_order_release);
    }
}

static enum ht_status put_locked(struct ht_fleet *f, const char *id, size_t length,
                                 const struct ht_unit_spec *spec, uint32_t *index)
{
    struct named named;
    uint32_t permits = 0;
    enum ht_status status = names_intern(f, spec, &named);
    uint32_t slot = slot_of(f, id, length);
    if (status == HT_OK && f->table[slot] == 0 &&
        atomic_load_explicit(&f->count, memory_order_relaxed) == f->capacity) {
        status = HT_TOO_BIG;
    }
    if (status == HT_OK) {
        status = ht_permits_hold(f->permits, spec->permits, spec->permit_count, &permits);
    }
    if (status != HT_OK) {
        return status;
    }
    names_publish(f, &named);
    *index = f->table[slot] == 0 ? unit_add(f, slot, id, length) : f->table[slot] - 1;
    (void)pthread_mutex_lock(stripe_of(f, *index));
    if (WORD_PROFILE(word_of(f, *index)) != named.profile) {
        f->bodies[*index].position.network = 0; /* its place is on the streets of another */
    }
    if (WORD_PROFILE(word_of(f, *index)) != named.profile ||
        WORD_PLAIN(word_of(f, *index)) != named.plain) {
        f->bodies[*index].position.plain_network = 0;
    }
    atomic_store_explicit(&f->skills[*index], named.skills, memory_order_relaxed);
    word_set(f, *index,
             WORD(spec->kind, spec->status, named.profile, named.plain) |
                 (word_of(f, *index) & WORD_ENGAGED));
    permits_set(f, *index, permits);
    (void)pthread_mutex_unlock(stripe_of(f, *index));
    return HT_OK;
}

enum ht_status ht_fleet_put(struct ht_fleet *f, const char *id, const struct ht_unit_spec *spec,
                            uint32_t *index)
{
    size_t length = strnlen(id, HT_UNIT_ID_MAX + 1);
    if (!id_valid(id, length) || (unsigned)spec->kind > HT_UNIT_VOLUNTEER ||
        (unsigned)spec->status > HT_UNIT_BUSY) {
        return HT_INVALID;
    }
    (void)pthread_rwlock_wrlock(&f->registry);
    enum ht_status status = put_locked(f, id, length, spec, index);
    (void)pthread_rwlock_unlock(&f->registry);
    return status;
}

void ht_fleet_remove(struct ht_fleet *f, uint32_t index)
{
    (void)pthread_rwlock_wrlock(&f->registry);
    if (word_of(f, index) != 0) {
        struct body *body = &f->bodies[index];
        slot_clear(f, slot_of(f, body->id, strlen(body->id)));
        (void)pthread_mutex_lock(stripe_of(f, index));
        word_set(f, index, 0);
        body->generation++;
        permits_set(f, index, 0);
        (void)pthread_mutex_unlock(stripe_of(f, index));
        f->vacant[f->vacant_count++] = index;
        (void)atomic_fetch_sub_explicit(&f->count, 1, memory_order_relaxed);
    }
    (void)pthread_rwlock_unlock(&f->registry);
}

enum ht_status ht_fleet_set_status(struct ht_fleet *f, uint32_t index, enum ht_unit_status status)
{
    if (index >= f->capacity) {
        return HT_NOT_FOUND;
    }
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t word = word_of(f, index);
    if (word != 0) {
        atomic_store_explicit(&f->words[index],
                              WORD(WORD_KIND(word), status, WORD_PROFILE(word), WORD_PLAIN(word)) |
                                  (word & WORD_ENGAGED),
                              memory_order_release);
    }
    (void)pthread_mutex_unlock(stripe_of(f, index));
    return word == 0 ? HT_NOT_FOUND : HT_OK;
}

void ht_fleet_set_engaged(struct ht_fleet *f, uint32_t index, bool engaged)
{
    if (index >= f->capacity) {
        return;
    }
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t word = word_of(f, index);
    if (word != 0) {
        atomic_store_explicit(&f->words[index],
                              engaged ? word | WORD_ENGAGED : word & ~(uint32_t)WORD_ENGAGED,
                              memory_order_release);
    }
    (void)pthread_mutex_unlock(stripe_of(f, index));
}

static uint64_t minute_of(int64_t ms)
{
    return ms <= 0 ? 0 : ms / MINUTE_MS < UINT32_MAX ? (uint64_t)(ms / MINUTE_MS) : UINT32_MAX;
}

void ht_fleet_set_duty(struct ht_fleet *f, uint32_t index, int64_t from_ms, int64_t until_ms)
{
    if (index < f->capacity) {
        atomic_store_explicit(&f->duty[index], minute_of(from_ms) << 32 | minute_of(until_ms),
                              memory_order_relaxed);
    }
}

bool ht_fleet_duty(const struct ht_fleet *f, uint32_t index, int64_t *from_ms, int64_t *until_ms)
{
    uint64_t duty = index < f->capacity
                        ? atomic_load_explicit(&f->duty[index], memory_order_relaxed)
                        : UINT64_MAX;
    *from_ms = (int64_t)(duty >> 32) * MINUTE_MS;
    *until_ms = (uint32_t)duty == UINT32_MAX ? INT64_MAX : (int64_t)(uint32_t)duty * MINUTE_MS;
    return duty >> 32 != UINT32_MAX;
}

static bool on_duty(const struct ht_fleet *f, uint32_t index, int64_t now_ms)
{
    uint64_t duty = atomic_load_explicit(&f->duty[index], memory_order_relaxed);
    uint64_t now = minute_of(now_ms);
    return duty >> 32 <= now && (now < (uint32_t)duty || (uint32_t)duty == UINT32_MAX) &&
           duty >> 32 != UINT32_MAX;
}

static bool skew_of(const struct body *body, int64_t now_ms, int64_t *least_ms)
{
    bool known = false;
    int64_t now = now_ms / SKEW_SLOT_MS + 1;
    for (int i = 0; i < SKEW_SLOTS; i++) {
        const struct skew_slot *slot = &body->skew[i];
        if (slot->number != 0 && now - slot->number < SKEW_SLOTS &&
            (!known || slot->least_ms < *least_ms)) {
            *least_ms = slot->least_ms;
            known = true;
        }
    }
    return known;
}

bool ht_fleet_get(struct ht_fleet *f, uint32_t index, int64_t now_ms, struct ht_unit *out)
{
    if (index >= f->capacity) {
        return false;
    }
    (void)pthread_rwlock_rdlock(&f->registry);
    (void)pthread_mutex_lock(stripe_of(f, index));
    const struct body *body = &f->bodies[index];
    uint32_t word = word_of(f, index);
    if (word != 0) {
        *out = (struct ht_unit){
            .kind = (enum ht_unit_kind)WORD_KIND(word),
            .status = (enum ht_unit_status)status_of(word),
            .profile = WORD_PROFILE(word),
            .plain = WORD_PLAIN(word),
            .skills = atomic_load_explicit(&f->skills[index], memory_order_relaxed),
            .permits = atomic_load_explicit(&f->held[index], memory_order_relaxed),
            .positioned = body->positioned,
            .stale = !body->positioned || body->position.told ||
                     now_ms - body->position.received_ms > atomic_load(&f->stale_ms),
            .on_duty = on_duty(f, index, now_ms),
            .position = body->position,
        };
        memcpy(out->id, body->id, sizeof out->id);
        out->skew_known = skew_of(body, now_ms, &out->skew_ms);
    }
    (void)pthread_mutex_unlock(stripe_of(f, index));
    (void)pthread_rwlock_unlock(&f->registry);
    return word != 0;
}

bool ht_fleet_life(struct ht_fleet *f, uint32_t index, struct ht_unit_life *out)
{
    if (index >= f->capacity) {
        return false;
    }
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t word = word_of(f, index);
    *out = (struct ht_unit_life){WORD_PROFILE(word), f->bodies[index].generation, WORD_PLAIN(word)};
    (void)pthread_mutex_unlock(stripe_of(f, index));
    return word != 0;
}

uint32_t ht_fleet_find_life(struct ht_fleet *f, const char *id, size_t length,
                            struct ht_unit_life *out)
{
    if (!id_valid(id, length)) {
        return HT_NONE;
    }
    (void)pthread_rwlock_rdlock(&f->registry);
    uint32_t found = f->table[slot_of(f, id, length)];
    bool there = found != 0 && ht_fleet_life(f, found - 1, out);
    (void)pthread_rwlock_unlock(&f->registry);
    return there ? found - 1 : HT_NONE;
}

bool ht_fleet_id(struct ht_fleet *f, uint32_t index, uint32_t generation,
                 char id[HT_UNIT_ID_MAX + 1])
{
    struct ht_unit_life life;
    (void)pthread_rwlock_rdlock(&f->registry);
    bool there = ht_fleet_life(f, index, &life) && life.generation == generation;
    if (there) {
        memcpy(id, f->bodies[index].id, HT_UNIT_ID_MAX + 1);
    }
    (void)pthread_rwlock_unlock(&f->registry);
    return there;
}

bool ht_fleet_matches(const struct ht_fleet *f, uint32_t index, const struct ht_unit_filter *filter)
{
    uint32_t word = word_of(f, index);
    if (word == 0 || (filter->kinds != 0 && (filter->kinds >> WORD_KIND(word) & 1) == 0) ||
        (filter->statuses != 0 &&
         (filter->statuses >> (filter->told ? WORD_STATUS(word) : status_of(word)) & 1) == 0)) {
        return false;
    }
    if (filter->duty != HT_DUTY_ANY &&
        on_duty(f, index, filter->duty_ms) != (filter->duty == HT_DUTY_ON)) {
        return false;
    }
    bool lit = WORD_PROFILE(word) != WORD_PLAIN(word);
    if (filter->light != HT_LIGHT_ANY && lit != (filter->light == HT_LIGHT_OFF)) {
        return false;
    }
    if (filter->parts != NULL &&
        ht_permit_part(filter->parts, atomic_load_explicit(&f->held[index], memory_order_acquire),
                       filter->light == HT_LIGHT_OFF ? WORD_PLAIN(word) : WORD_PROFILE(word)) !=
            filter->part) {
        return false;
    }
    uint64_t skills = atomic_load_explicit(&f->skills[index], memory_order_relaxed);
    return (skills & filter->skills) == filter->skills &&
           atomic_load_explicit(&f->heard_ms[index], memory_order_relaxed) >= filter->heard_ms;
}

/* Positions. */

static double known(double value)
{
    return isfinite(value) && value >= 0 ? value : -1.0;
}

/* Small enough to be added and taken apart. */
static bool time_sane(int64_t ms)
{
    return ms >= -TIME_MAX_MS && ms <= TIME_MAX_MS;
}

/* What can be told without knowing the unit. */
static enum ht_refusal check_report(const struct ht_report *report, struct ht_fix *fix)
{
    if (!isfinite(report->lon_deg) || !isfinite(report->lat_deg)) {
        return HT_REFUSAL_NOT_FINITE;
    }
    if (fabs(report->lon_deg) > 180.0 || fabs(report->lat_deg) > 90.0 ||
        !time_sane(report->ts_ms) || !time_sane(report->received_ms)) {
        return HT_REFUSAL_OUT_OF_RANGE;
    }
    double bearing = known(report->bearing_deg);
    *fix = (struct ht_fix){
        .point = {(int32_t)lround(report->lon_deg * 1e7), (int32_t)lround(report->lat_deg * 1e7)},
        .bearing_deg = bearing < 0 ? bearing : fmod(bearing, 360.0),
        .speed_mps = known(report->speed_mps),
        .accuracy_m = known(report->accuracy_m),
    };
    return fix->point.lon_e7 == 0 && fix->point.lat_e7 == 0 ? HT_REFUSAL_NULL_ISLAND
                                                            : HT_REFUSAL_NONE;
}

/* What the positions before say. Needs the stripe. */
static enum ht_refusal check_order(const struct ht_fleet *f, const struct body *body,
                                   const struct ht_report *report, struct ht_point point)
{
    if (report->ts_ms > report->received_ms + f->settings.future_ms) {
        return HT_REFUSAL_FUTURE;
    }
    if (!body->positioned) {
        return HT_REFUSAL_NONE;
    }
    int64_t later_ms = report->ts_ms - body->position.ts_ms;
    if (later_ms <= 0) {
        return later_ms == 0 ? HT_REFUSAL_DUPLICATE : HT_REFUSAL_OUT_OF_ORDER;
    }
    double metres = ht_distance_m(body->position.fix.point, point);
    return metres > FASTEST_MPS * (double)later_ms / 1000.0 ? HT_REFUSAL_TOO_FAST : HT_REFUSAL_NONE;
}

static void note_skew(struct body *body, const struct ht_report *report)
{
    int64_t number = report->received_ms / SKEW_SLOT_MS + 1;
    struct skew_slot *slot = &body->skew[(uint64_t)number % SKEW_SLOTS];
    int64_t late_ms = report->received_ms - report->ts_ms;
    if (slot->number != number || late_ms < slot->least_ms) {
        *slot = (struct skew_slot){number, late_ms};
    }
}

static const struct ht_road *road_of(const struct ht_fleet_streets *streets, uint32_t profile)
{
    return streets != NULL && profile < streets->count ? streets->roads[profile] : NULL;
}

/* Outside of all locks. `last`: as it was under the lock. */
static enum ht_status find_place(struct ht_follow *follow, const struct ht_fleet_streets *streets,
                                 const struct ht_road *road, const struct ht_position *last,
                                 struct ht_position *next)
{
    bool same = last != NULL && last->network == streets->network;
    enum ht_status status =
        ht_follow_place(follow, road, &next->fix, same ? &last->place : NULL, &next->place);
    next->network = status == HT_OK ? streets->network : 0;
    return status;
}

/* Where it is without its blue light. After find_place. */
static enum ht_status find_plain(struct ht_follow *follow, const struct ht_fleet_streets *streets,
                                 uint32_t word, const struct ht_position *last,
                                 struct ht_position *next)
{
    uint32_t plain = WORD_PLAIN(word);
    const struct ht_road *road = road_of(streets, plain);
    next->plain_network = 0;
    next->plain_profile = plain;
    if (plain == WORD_PROFILE(word)) {
        return HT_OK;
    }
    if (road == NULL) { /* none such on this map: it can only go by its own */
        next->plain_network = next->network;
        next->plain_profile = WORD_PROFILE(word);
        next->plain = next->place;
        return HT_OK;
    }
    bool same =
        last != NULL && last->plain_network == streets->network && last->plain_profile == plain;
    enum ht_status status =
        ht_follow_place(follow, road, &next->fix, same ? &last->plain : NULL, &next->plain);
    next->plain_network = status == HT_OK ? streets->network : 0;
    return status;
}

/* A unit whose profiles changed meanwhile is not on the streets of those before. */
static void forget_other(struct ht_position *next, uint32_t before, uint32_t now)
{
    if (WORD_PROFILE(now) != WORD_PROFILE(before)) {
        next->network = 0;
    }
    if (WORD_PROFILE(now) != WORD_PROFILE(before) || WORD_PLAIN(now) != WORD_PLAIN(before)) {
        next->plain_network = 0;
    }
}

/* On both; what is out of reach goes without a place. The status is that of the first. */
static enum ht_status find_places(struct ht_follow *follow, const struct ht_fleet_streets *streets,
                                  uint32_t word, const struct ht_position *last,
                                  struct ht_position *next)
{
    const struct ht_road *road = road_of(streets, WORD_PROFILE(word));
    next->network = 0;
    enum ht_status status =
        road == NULL ? HT_NOT_FOUND : find_place(follow, streets, road, last, next);
    enum ht_status plain =
        status == HT_NOMEM ? status : find_plain(follow, streets, word, last, next);
    return plain == HT_NOMEM ? plain : status;
}

static enum ht_refusal take(struct ht_fleet *f, struct ht_follow *follow, uint32_t index,
                            const struct ht_report *report, const struct ht_fleet_streets *streets,
                            struct ht_position *next)
{
    struct body *body = &f->bodies[index];
    struct ht_position last;
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t word = word_of(f, index);
    uint32_t generation = body->generation;
    bool before = body->positioned;
    enum ht_refusal refusal = HT_REFUSAL_UNKNOWN_UNIT;
    if (word != 0) {
        if (!report->told) {
            note_skew(body, report);
        }
        refusal = check_order(f, body, report, next->fix.point);
    }
    last = body->position;
    (void)pthread_mutex_unlock(stripe_of(f, index));
    if (refusal != HT_REFUSAL_NONE) {
        return refusal;
    }
    if (streets != NULL) { /* one that is out of reach, or out of memory, goes without */
        enum ht_status status = find_places(follow, streets, word, before ? &last : NULL, next);
        (void)status;
    }
    (void)pthread_mutex_lock(stripe_of(f, index));
    if (word_of(f, index) == 0 || body->generation != generation) {
        refusal = HT_REFUSAL_UNKNOWN_UNIT;
    } else if ((refusal = check_order(f, body, report, next->fix.point)) == HT_REFUSAL_NONE) {
        forget_other(next, word, word_of(f, index));
        body->position = *next;
        body->positioned = true;
        if (!report->told) {
            atomic_store_explicit(&f->heard_ms[index], report->received_ms, memory_order_relaxed);
        }
    }
    (void)pthread_mutex_unlock(stripe_of(f, index));
    return refusal;
}

enum ht_refusal ht_fleet_accept(struct ht_fleet *f, struct ht_follow *follow, uint32_t index,
                                const struct ht_report *report,
                                const struct ht_fleet_streets *streets, struct ht_position *taken)
{
    struct ht_position next = {
        .ts_ms = report->ts_ms, .received_ms = report->received_ms, .told = report->told};
    enum ht_refusal refusal = HT_REFUSAL_UNKNOWN_UNIT;
    if (word_of(f, index) != 0) {
        refusal = check_report(report, &next.fix);
        if (refusal == HT_REFUSAL_NONE) {
            refusal = take(f, follow, index, report, streets, &next);
        }
    }
    if (refusal == HT_REFUSAL_NONE && taken != NULL) {
        *taken = next;
    }
    (void)atomic_fetch_add_explicit(&f->refusals[refusal], 1, memory_order_relaxed);
    return refusal;
}

enum ht_status ht_fleet_replace(struct ht_fleet *f, struct ht_follow *follow, uint32_t index,
                                const struct ht_fleet_streets *streets, struct ht_position *taken)
{
    if (taken != NULL) {
        taken->network = 0;
        taken->plain_network = 0;
    }
    if (index >= f->capacity) {
        return HT_NOT_FOUND;
    }
    struct body *body = &f->bodies[index];
    (void)pthread_mutex_lock(stripe_of(f, index));
    uint32_t word = word_of(f, index);
    bool positioned = word != 0 && body->positioned;
    struct ht_position last = body->position;
    uint32_t generation = body->generation;
    (void)pthread_mutex_unlock(stripe_of(f, index));
    struct ht_position next = last;
    enum ht_status status =
        positioned ? find_places(follow, streets, word, &last, &next) : HT_NOT_FOUND;
    if (!positioned || status == HT_NOMEM) {
        return status;
    }
    (void)pthread_mutex_lock(stripe_of(f, index));
    bool kept = body->generation == generation && body->position.ts_ms == last.ts_ms &&
                WORD_PROFILE(word_of(f, index)) == WORD_PROFILE(word) &&
                WORD_PLAIN(word_of(f, index)) == WORD_PLAIN(word);
    if (kept) {
        body->position = next;
    }
    (void)pthread_mutex_unlock(stripe_of(f, index));
    if (kept && taken != NULL) {
        *taken = next;
    }
    return kept ? status : HT_NOT_FOUND; /* gone, or a newer one came */
}

void ht_fleet_refusals(const struct ht_fleet *f, uint64_t counts[HT_REFUSAL_COUNT])
{
    for (int i = 0; i < HT_REFUSAL_COUNT; i++) {
        counts[i] = atomic_load_explicit(&f->refusals[i], memory_order_relaxed);
    }
}

struct ht_fleet_counts ht_fleet_counts(const struct ht_fleet *f, int64_t now_ms)
{
    struct ht_fleet_counts counts = {0};
    uint32_t end = ht_fleet_end(f);
    int64_t stale_ms = atomic_load(&f->stale_ms);
    for (uint32_t i = 0; i < end; i++) {
        if (word_of(f, i) != 0) {
            int64_t heard_ms = atomic_load_explicit(&f->heard_ms[i], memory_order_relaxed);
            counts.units++;
            counts.heard += heard_ms != INT64_MIN;
            counts.stale += heard_ms != INT64_MIN && now_ms - heard_ms > stale_ms;
        }
    }
    return counts;
}
