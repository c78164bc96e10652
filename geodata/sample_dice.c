#include "geodata/sample_internal.h"

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

struct ht__dice ht__dice_new(uint64_t seed, uint64_t stream)
{
    return (struct ht__dice){.state = mix(seed + mix(stream + UINT64_C(0x9E3779B97F4A7C15)))};
}

uint64_t ht__dice_roll(struct ht__dice *dice) /* splitmix64 */
{
    dice->state += UINT64_C(0x9E3779B97F4A7C15);
    return mix(dice->state);
}

int32_t ht__dice_range(struct ht__dice *dice, int32_t low, int32_t high)
{
    if (high <= low) {
        return low;
    }
    uint64_t span = (uint64_t)((int64_t)high - low) + 1;
    return (int32_t)(low + (int64_t)((ht__dice_roll(dice) >> 11) % span));
}

bool ht__dice_chance(struct ht__dice *dice, int32_t permille)
{
    return ht__dice_range(dice, 0, 999) < permille;
}

static int64_t lattice(uint64_t seed, int64_t x, int64_t y)
{
    uint64_t hash = mix(seed ^ mix((uint64_t)x * UINT64_C(0x9E3779B97F4A7C15) ^ mix((uint64_t)y)));
    return (int64_t)(hash % 2049) - 1024;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* 3t² - 2t³ in 1/1024. */
static int64_t smooth(int64_t t)
{
    return t * t * (3 * 1024 - 2 * t) / (1024 * 1024);
}

int32_t ht__noise(uint64_t seed, struct ht__place place, int32_t wave_cm)
{
    int64_t x = floor_divide(place.x_cm, wave_cm);
    int64_t y = floor_divide(place.y_cm, wave_cm);
    int64_t u = smooth((place.x_cm - x * wave_cm) * 1024 / wave_cm);
    int64_t v = smooth((place.y_cm - y * wave_cm) * 1024 / wave_cm);
    int64_t south = lattice(seed, x, y) * (1024 - u) + lattice(seed, x + 1, y) * u;
    int64_t north = lattice(seed, x, y + 1) * (1024 - u) + lattice(seed, x + 1, y + 1) * u;
    return (int32_t)((south * (1024 - v) + north * v) / (1024 * 1024));
}

int32_t ht__sine(int32_t degrees)
{
    int32_t turn = degrees % 360;
    turn += turn < 0 ? 360 : 0;
    int32_t half = turn % 180;
    int32_t product = half * (180 - half); /* Bhaskara's approximation */
    int32_t value = 4 * 1024 * product / (40500 - product);
    return turn < 180 ? value : -value;
}

int64_t ht__square_root(int64_t value)
{
    int64_t root = 0;
    for (int64_t bit = INT64_C(1) << 30; bit > 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value) {
            root += bit;
        }
    }
    return root;
}

int64_t ht__cube_root(int64_t value)
{
    int64_t root = 0;
    for (int64_t bit = INT64_C(1) << 20; bit > 0; bit >>= 1) {
        int64_t next = root + bit;
        if (next * next * next <= value) {
            root = next;
        }
    }
    return root;
}

/* One centimetre is 0.89932 units of 1e-7 degrees of latitude, and 1.03793 of longitude at 29.95 N.
 */
enum { LAT_PER_CM_E5 = 89932, LON_PER_CM_E5 = 103793 };
enum { MIDDLE_LON_E7 = 1217200000, MIDDLE_LAT_E7 = 299500000 };

/* Three waves of bending, each so flat that no two streets can change sides; and nothing runs due
 * north. */
static const struct {
    int32_t wave_m;
    int32_t height_m;
} bends[] = {{4200, 400}, {1500, 85}, {620, 22}};

enum { TILT_DEG = 17 };

struct ht_point ht__place_on_globe(uint64_t seed, struct ht__place place)
{
    int64_t x = place.x_cm;
    int64_t y = place.y_cm;
    for (uint64_t i = 0; i < sizeof bends / sizeof bends[0]; i++) {
        int32_t wave = bends[i].wave_m * HT__METRE;
        int64_t height = bends[i].height_m * HT__METRE;
        x += ht__noise(seed + 2 * i + 1, place, wave) * height / 1024;
        y += ht__noise(seed + 2 * i + 2, place, wave) * height / 1024;
    }
    int64_t sine = ht__sine(TILT_DEG);
    int64_t cosine = ht__sine(TILT_DEG + 90);
    int64_t east = (x * cosine + y * sine) / 1024;
    int64_t north = (y * cosine - x * sine) / 1024;
    return (struct ht_point){
        .lon_e7 = (int32_t)(MIDDLE_LON_E7 + floor_divide(east * LON_PER_CM_E5, 100000)),
        .lat_e7 = (int32_t)(MIDDLE_LAT_E7 + floor_divide(north * LAT_PER_CM_E5, 100000)),
    };
}
