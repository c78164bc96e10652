#include "api/box.h"

#include <math.h>

#include "api/params.h"

static enum ht_status wrong(struct ht_error *error, const char *what)
{
    return ht_error_set(error, HT_SYNTAX, 0, "%s", what);
}

enum ht_status ht_bbox_read(const char *text, const struct ht_crs *crs, struct ht_crs_work *work,
                            struct ht_box *out, struct ht_error *error)
{
    double n[6];
    if (ht_param_doubles(text, n, 6)) {
        n[2] = n[3];
        n[3] = n[4];
    } else if (!ht_param_doubles(text, n, 4)) {
        return wrong(error, "bbox is four numbers (or six)");
    }
    bool around = n[0] > n[2] && ht_crs_plain(crs);
    if ((n[0] > n[2] && !around) || n[1] > n[3]) {
        return wrong(error, "bbox ends before it begins");
    }
    double corners[4][2] = {{n[0], n[1]}, {n[2], n[1]}, {n[2], n[3]}, {n[0], n[3]}};
    if (ht_crs_to_wgs84(work, crs, corners, 4) != HT_OK) {
        return wrong(error, "bbox does not lie on Earth");
    }
    double west = fmin(fmin(corners[0][0], corners[1][0]), fmin(corners[2][0], corners[3][0]));
    double east = fmax(fmax(corners[0][0], corners[1][0]), fmax(corners[2][0], corners[3][0]));
    double south = fmin(fmin(corners[0][1], corners[1][1]), fmin(corners[2][1], corners[3][1]));
    double north = fmax(fmax(corners[0][1], corners[1][1]), fmax(corners[2][1], corners[3][1]));
    *out = (struct ht_box){{(int32_t)floor(west * 1e7), (int32_t)floor(south * 1e7)},
                           {(int32_t)ceil(east * 1e7), (int32_t)ceil(north * 1e7)}};
    if (around) {
        out->min.lon_e7 = (int32_t)floor(n[0] * 1e7);
        out->max.lon_e7 = (int32_t)ceil(n[2] * 1e7);
    }
    return HT_OK;
}
