#include "api/live_json.h"

#include "api/live.h"
#include "engine/base/time.h"

const char *const ht_unit_kinds[] = {"van", "responder", "inspector", "volunteer", NULL};
const char *const ht_unit_statuses[] = {"off", "idle", "busy", NULL};

void ht_live_json_point(struct ht_json *json, struct ht_point point, const struct ht_crs_out *out)
{
    double pair[1][2] = {{point.lon_e7 / 1e7, point.lat_e7 / 1e7}};
    bool plain = out == NULL || ht_crs_plain(out->crs);
    if (!plain && ht_crs_from_wgs84(out->work, out->crs, pair, 1) != HT_OK) {
        ht_json_null(json);
        return;
    }
    ht_json_array(json);
    for (size_t axis = 0; axis < 2 && !plain; axis++) {
        ht_json_double(json, pair[0][axis], 7);
    }
    if (plain) {
        ht_json_fixed(json, point.lon_e7, 7);
        ht_json_fixed(json, point.lat_e7, 7);
    }
    ht_json_array_end(json);
}

void ht_live_json_members(struct ht_json *json, const struct ht_unit *unit)
{
    char text[HT_TIME_TEXT_SIZE];
    if (unit->positioned && !unit->position.told) {
        ht_time_format(unit->position.ts_ms, text);
        ht_json_key_text(json, "last_seen", text);
        if (unit->position.fix.speed_mps >= 0) {
            ht_json_key_double(json, "speed_mps", unit->position.fix.speed_mps, 2);
        }
        if (unit->position.fix.bearing_deg >= 0) {
            ht_json_key_double(json, "bearing_deg", unit->position.fix.bearing_deg, 1);
        }
    }
    if (unit->skew_known) { /* also of a device whose clock is so wrong that nothing is taken */
        ht_json_key_int(json, "clock_skew_ms", unit->skew_ms);
    }
    ht_json_key_bool(json, "stale", unit->stale);
    ht_json_key_bool(json, "on_shift", unit->on_duty);
}

void ht_live_json_unit(struct ht_json *json, struct ht_fleet *fleet, const struct ht_unit *unit,
                       struct ht_point point, double distance_m, const struct ht_crs_out *out)
{
    const char *profile = ht_fleet_profile_name(fleet, unit->profile);
    ht_json_object(json);
    ht_json_key_text(json, "type", "Feature");
    ht_json_key_text(json, "id", unit->id);
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "Point");
    ht_json_key(json, "coordinates");
    ht_live_json_point(json, point, out);
    ht_json_object_end(json);
    ht_json_key(json, "properties");
    ht_json_object(json);
    if (distance_m >= 0) {
        ht_json_key_double(json, "distance_m", distance_m, 3);
    }
    ht_json_key_text(json, "kind", ht_unit_kinds[unit->kind]);
    ht_json_key_text(json, "status", ht_unit_statuses[unit->status]);
    if (profile != NULL) {
        ht_json_key_text(json, "profile", profile);
    }
    ht_json_key(json, "skills");
    ht_json_array(json);
    for (uint32_t bit = 0; bit < HT_SKILLS_MAX; bit++) {
        const char *skill = unit->skills >> bit & 1 ? ht_fleet_skill_name(fleet, bit) : NULL;
        if (skill != NULL) {
            ht_json_text(json, skill);
        }
    }
    ht_json_array_end(json);
    ht_live_json_members(json, unit);
    ht_json_object_end(json);
    ht_json_object_end(json);
}

void ht_live_json_line(struct ht_json *json, const struct ht_point *points, size_t count,
                       const struct ht_crs_out *out)
{
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "LineString");
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        ht_live_json_point(json, points[i], out);
    }
    ht_json_array_end(json);
    ht_json_object_end(json);
}
