#include "api/simulate/read.h"

#include <math.h>
#include <string.h>

#include "api/json_merge.h"
#include "engine/base/time.h"

static bool number_of(yajl_val value, double *out)
{
    if (!YAJL_IS_NUMBER(value)) {
        return false;
    }
    *out = YAJL_IS_DOUBLE(value) ? YAJL_GET_DOUBLE(value) : (double)YAJL_GET_INTEGER(value);
    return true;
}

double ht_sim_number(yajl_val object, const char *name, double otherwise)
{
    double number = otherwise;
    return number_of(ht_json_member(object, name), &number) ? number : otherwise;
}

const char *ht_sim_text(yajl_val object, const char *name)
{
    return YAJL_GET_STRING(ht_json_member(object, name));
}

bool ht_sim_flag(yajl_val object, const char *name)
{
    return YAJL_IS_TRUE(ht_json_member(object, name));
}

int64_t ht_sim_moment_ms(yajl_val object, const char *name)
{
    const char *text = ht_sim_text(object, name);
    int64_t ms = 0;
    return text != NULL && ht_time_parse(text, strlen(text), &ms) ? ms : 0;
}

yajl_val ht_sim_list(yajl_val object, const char *name, size_t *count)
{
    yajl_val list = ht_json_member(object, name);
    *count = YAJL_IS_ARRAY(list) ? YAJL_GET_ARRAY(list)->len : 0;
    return list;
}

yajl_val ht_sim_item(yajl_val list, size_t at)
{
    return YAJL_IS_ARRAY(list) && at < YAJL_GET_ARRAY(list)->len ? YAJL_GET_ARRAY(list)->values[at]
                                                                 : NULL;
}

static bool point_of(yajl_val lon, yajl_val lat, struct ht_point *out)
{
    double x = 0;
    double y = 0;
    if (!number_of(lon, &x) || !number_of(lat, &y) || !(fabs(x) <= 180 && fabs(y) <= 90)) {
        return false;
    }
    *out = (struct ht_point){(int32_t)lround(x * 1e7), (int32_t)lround(y * 1e7)};
    return true;
}

bool ht_sim_place(yajl_val object, struct ht_point *out)
{
    return point_of(ht_json_member(object, "lon"), ht_json_member(object, "lat"), out);
}

bool ht_sim_pair(yajl_val list, struct ht_point *out)
{
    return YAJL_IS_ARRAY(list) && YAJL_GET_ARRAY(list)->len >= 2 &&
           point_of(YAJL_GET_ARRAY(list)->values[0], YAJL_GET_ARRAY(list)->values[1], out);
}

bool ht_sim_feature_point(yajl_val feature, struct ht_point *out)
{
    yajl_val geometry = ht_json_member(feature, "geometry");
    const char *type = ht_sim_text(geometry, "type");
    return type != NULL && strcmp(type, "Point") == 0 &&
           ht_sim_pair(ht_json_member(geometry, "coordinates"), out);
}
