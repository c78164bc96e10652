#include "api/zone_profiles.h"

#include <stdio.h>
#include <string.h>

#include "engine/live/world.h"
#include "geodata/members.h"
#include "geodata/profile.h"

static bool is_name(const char *profile, const char *name)
{
    const char *alias = ht_world_alias(profile);
    return strcmp(profile, name) == 0 || (alias != NULL && strcmp(alias, name) == 0);
}

static bool is_known(const struct ht_world *world, const char *name)
{
    for (size_t i = 0; ht_profile_builtin(i) != NULL; i++) {
        if (is_name(ht_profile_builtin(i), name)) {
            return true;
        }
    }
    for (uint32_t i = 0; world != NULL && i < ht_world_road_count(world); i++) {
        if (is_name(ht_world_profile(world, i), name)) {
            return true;
        }
    }
    return false;
}

enum ht_status ht_profile_names_check(const struct ht_world *world, const char *names,
                                      struct ht_error *error)
{
    char name[256];
    while (*names != '\0') {
        size_t size = strcspn(names, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)size, names);
        if (size >= sizeof name || !is_known(world, name)) {
            return ht_error_set(error, HT_INVALID, 0, "\"%.64s\" is the name of no profile", name);
        }
        names += size + (names[size] == ',');
    }
    return HT_OK;
}

enum ht_status ht_zone_check(const struct ht_world *world, const char *properties,
                             struct ht_error *error)
{
    if (ht_member_time(properties, "until", INT64_MAX) <=
        ht_member_time(properties, "from", INT64_MIN)) {
        return ht_error_set(error, HT_INVALID, 0,
                            "until: is not after from; such a zone would never hold");
    }
    struct ht_member list;
    struct ht_member item;
    char name[256];
    if (!ht_member_find(properties, "profiles", &list) || list.value[0] != '[') {
        return HT_OK;
    }
    const char *at = list.value;
    while (ht_member_item(&at, &item)) {
        if (!ht_member_text(&item, name, sizeof name) || !is_known(world, name)) {
            return ht_error_set(error, HT_INVALID, 0,
                                "profiles: \"%.64s\" is the name of no profile; such a zone would "
                                "close nothing",
                                name);
        }
    }
    return HT_OK;
}

enum ht_status ht_unit_check(const struct ht_world *world, const char *properties,
                             struct ht_error *error)
{
    static const char *const members[] = {"profile", "profile_plain"};
    struct ht_member member;
    char name[256];
    for (size_t i = 0; world != NULL && i < sizeof members / sizeof members[0]; i++) {
        if (!ht_member_find(properties, members[i], &member) || member.value[0] == 'n') {
            continue; /* absent or null: as where it is not said */
        }
        if (!ht_member_text(&member, name, sizeof name) || !is_known(world, name)) {
            return ht_error_set(error, HT_INVALID, 0, "%s: \"%.64s\" is the name of no profile",
                                members[i], member.value[0] == '"' ? name : "");
        }
    }
    return HT_OK;
}
