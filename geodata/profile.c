#include "geodata/profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/profile_internal.h"

#define HT__PROFILES_MAX 32
#define HT__PATH_MAX 4096
#define HT__FILE_MAX ((size_t)1 << 20)

void ht_profile_free(struct ht_profile *profile)
{
    if (profile != NULL) {
        ht__arena_deinit(&profile->arena);
        free(profile);
    }
}

const char *ht_profile_name(const struct ht_profile *profile)
{
    return profile->name;
}

bool ht_profile_continue_straight(const struct ht_profile *profile)
{
    return profile->continue_straight;
}

bool ht_profile_emergency(const struct ht_profile *profile)
{
    return profile->emergency;
}

bool ht_profile_left_hand(const struct ht_profile *profile)
{
    return profile->left_hand;
}

uint16_t ht_profile_excludable(const struct ht_profile *profile)
{
    return profile->excludable;
}

bool ht_profile_obeys_restrictions(const struct ht_profile *profile)
{
    return profile->turn.obey_restrictions;
}

const char *const *ht_profile_restriction_types(const struct ht_profile *profile)
{
    return profile->vehicles;
}

/* A set of profiles being put together. */
struct gathering {
    struct ht_profile **list;
    size_t count;
    struct ht_error *error;
};

static enum ht_status gather(struct gathering *into, const char *json, size_t size,
                             const char *origin)
{
    if (into->count == HT__PROFILES_MAX) {
        return ht_error_set(into->error, HT_TOO_BIG, 0, "more than %d profiles", HT__PROFILES_MAX);
    }
    struct ht_profile *profile = NULL;
    enum ht_status status = ht_profile_parse(json, size, origin, &profile, into->error);
    if (status != HT_OK) {
        return status;
    }
    for (size_t i = 0; i < into->count; i++) {
        if (strcmp(ht_profile_name(into->list[i]), ht_profile_name(profile)) == 0) {
            status = ht_error_set(into->error, HT_INVALID, 0, "%s: profile \"%s\" is there twice",
                                  origin, ht_profile_name(profile));
            ht_profile_free(profile);
            return status;
        }
    }
    into->list[into->count++] = profile;
    return HT_OK;
}

static enum ht_status gather_builtin(struct gathering *into, const char *name, size_t size)
{
    for (size_t i = 0; i < ht__builtin_count; i++) {
        const struct ht__builtin *builtin = &ht__builtins[i];
        if (strlen(builtin->name) == size && memcmp(builtin->name, name, size) == 0) {
            return gather(into, (const char *)builtin->json, builtin->size, builtin->name);
        }
    }
    char known[128] = "";
    for (size_t i = 0; i < ht__builtin_count; i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, " %s", ht__builtins[i].name);
    }
    return ht_error_set(into->error, HT_NOT_FOUND, 0,
                        "\"%.*s\" is neither a folder nor a built-in profile (those are:%s)",
                        (int)(size < 64 ? size : 64), name, known);
}

static enum ht_status gather_names(struct gathering *into, const char *names)
{
    for (;;) {
        size_t size = strcspn(names, ",");
        enum ht_status status = gather_builtin(into, names, size);
        if (status != HT_OK || names[size] == '\0') {
            return status;
        }
        names += size + 1;
    }
}

static enum ht_status fail_io(struct gathering *into, const char *path)
{
    char text[128];
    return ht_error_set(into->error, HT_IO, 0, "%.200s: %s", path,
                        strerror_r(errno, text, sizeof text));
}

static enum ht_status gather_file(struct gathering *into, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail_io(into, path);
    }
    char *json = malloc(HT__FILE_MAX + 1);
    if (json == NULL) {
        (void)fclose(file);
        return ht_error_set(into->error, HT_NOMEM, 0, NULL);
    }
    size_t size = fread(json, 1, HT__FILE_MAX + 1, file);
    bool broken = ferror(file) != 0;
    (void)fclose(file);
    const char *slash = strrchr(path, '/');
    enum ht_status status = broken
                                ? ht_error_set(into->error, HT_IO, 0, "%.200s: can't be read", path)
                                : gather(into, json, size, slash != NULL ? slash + 1 : path);
    free(json);
    return status;
}

static int wants_json(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".json") == 0;
}

/* By bytes, so that the order of profiles in a network file doesn't depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum ht_status gather_folder(struct gathering *into, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, wants_json, by_name);
    if (count < 0) {
        return fail_io(into, folder);
    }
    enum ht_status status = HT_OK;
    for (int i = 0; i < count; i++) {
        char path[HT__PATH_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (status == HT_OK) {
            status = size < (int)sizeof path
                         ? gather_file(into, path)
                         : ht_error_set(into->error, HT_TOO_BIG, 0, "a path is too long");
        }
    }
    free(entries);
    if (status == HT_OK && into->count == 0) {
        return ht_error_set(into->error, HT_EMPTY, 0, "%.200s: no *.json in it", folder);
    }
    return status;
}

static bool is_folder(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return false;
    }
    (void)closedir(dir);
    return true;
}

enum ht_status ht_profiles_open(const char *spec, struct ht_profile ***out, size_t *count,
                                struct ht_error *error)
{
    *out = NULL;
    *count = 0;
    struct gathering into = {.error = error};
    into.list = calloc(HT__PROFILES_MAX, sizeof(struct ht_profile *));
    if (into.list == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status = HT_OK;
    if (spec == NULL) {
        status = gather_names(&into, "car,van,emergency,ebike,foot");
    } else if (is_folder(spec)) {
        status = gather_folder(&into, spec);
    } else {
        status = gather_names(&into, spec);
    }
    if (status != HT_OK) {
        ht_profiles_free(into.list, into.count);
        return status;
    }
    *out = into.list;
    *count = into.count;
    return HT_OK;
}

void ht_profiles_free(struct ht_profile **profiles, size_t count)
{
    for (size_t i = 0; profiles != NULL && i < count; i++) {
        ht_profile_free(profiles[i]);
    }
    free(profiles);
}

const char *ht_profile_builtin(size_t index)
{
    return index < ht__builtin_count ? ht__builtins[index].name : NULL;
}
