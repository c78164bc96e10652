/* Units: meal vans, responders, inspectors, each where its home is or on a street nearby. */
#include <stdio.h>
#include <string.h>

#include "geodata/sample_town_internal.h"

enum { VANS = 24, INSPECTORS = 113 };
enum { AMBULANCE_KMH = 32, EBIKE_KMH = 16, FOOT_KMH = 5 }; /* from crossing to crossing */

static void add_name(struct ht__census *census, struct ht__dice *dice)
{
    char name[HT__NAME_BYTES];
    ht__person_make(dice, HT__AGE_GROWN, NULL, name);
    ht__item_text(census, "name", name);
}

static void make_vans(struct ht__census *census, struct ht__dice *dice)
{
    static const char *const skills[] = {"hot", "cold", "soft"};
    for (size_t i = 0; i < VANS; i++) {
        size_t kitchen = i % HT__KITCHENS;
        ht__item_begin(census, "van-%02zu", i + 1);
        ht__item_point(census, ht__facilities_home(census, "kitchen", kitchen, HT__KITCHENS));
        ht__item_json(census, "name", "\"餐车%02zu号\"", i + 1);
        ht__item_text(census, "kind", "van");
        ht__item_text(census, "profile", "van");
        ht__item_words(census, "skills", skills, i % 3 == 1 ? 3 : i % 4 == 0 ? 5 : 1);
        ht__item_json(census, "capacity", "[%d]", 60 + 20 * ht__dice_range(dice, 0, 3));
        ht__item_json(census, "shift", "[\"09:30-13:30\",\"15:30-18:30\"]");
        ht__item_json(census, "home", "\"kitchen-%zu\"", kitchen + 1);
        ht__item_text(census, "status", "idle");
        ht__item_end(census);
    }
}

/* Three shifts, and some that never end, so that the promise can be kept at night. Each station has
 * an ambulance at all hours; the shifts' own wait where they are needed, as those on e-bikes and on
 * foot do. */
static void post_responders(const struct ht__census *census, struct ht__guards *guards)
{
    for (uint32_t i = 0; i < HT__RESPONDERS; i++) {
        bool ambulance = i % 4 == 0;
        bool station = ambulance && i / 4 % 4 == HT__NEVER_ENDS;
        guards->all[i] = (struct ht__guard){
            .shift = i / 4 % 4,
            .kmh = ambulance    ? AMBULANCE_KMH
                   : i % 3 == 0 ? FOOT_KMH
                                : EBIKE_KMH,
            .fixed = station,
            .placed = station,
            .post = station ? i / 16 % HT__STATIONS : 0,
        };
    }
    ht__guards_post(census, guards);
}

static void make_responders(struct ht__census *census, struct ht__dice *dice)
{
    static const char *const skills[] = {"first_aid", "lift", "gas", "water", "door", "fall"};
    static const char *const shifts[] = {"08:00-16:00", "16:00-24:00", "00:00-08:00", "24/7"};
    struct ht__guards guards;
    post_responders(census, &guards);
    for (size_t i = 0; i < HT__RESPONDERS; i++) {
        const struct ht__guard *guard = &guards.all[i];
        bool ambulance = guard->kmh == AMBULANCE_KMH;
        uint32_t bits = ambulance ? 3 : (uint32_t)ht__dice_range(dice, 1, 63);
        ht__item_begin(census, "responder-%02zu", i + 1);
        ht__item_point(census, guard->point);
        add_name(census, dice);
        ht__item_text(census, "kind", "responder");
        ht__item_text(census, "profile",
                      ambulance                ? "emergency"
                      : guard->kmh == FOOT_KMH ? "foot"
                                               : "ebike");
        ht__item_words(census, "skills", skills, i % 5 == 0 ? bits : bits | 1);
        ht__item_json(census, "shift", "[\"%s\"]", shifts[guard->shift]);
        ht__item_text(census, "home", guard->home);
        ht__item_text(census, "status", "idle");
        ht__item_end(census);
    }
}

static void make_inspectors(struct ht__census *census, struct ht__dice *dice)
{
    static const char *const skills[] = {"fire", "electric", "chemical", "building"};
    static const char *const teams[] = {"red", "white", "blue"};
    for (size_t i = 0; i < INSPECTORS; i++) {
        size_t home = i % HT__POINTS;
        ht__item_begin(census, "inspector-%03zu", i + 1);
        ht__item_point(census, ht__facilities_home(census, "point", home, HT__POINTS));
        add_name(census, dice);
        ht__item_text(census, "kind", "inspector");
        ht__item_text(census, "profile", ht__dice_chance(dice, 700) ? "ebike" : "foot");
        ht__item_words(census, "skills", skills,
                       1U | (uint32_t)ht__dice_range(dice, 0, 7) << 1 | (i % 6 == 0 ? 6U : 0U));
        ht__item_json(census, "shift", "[\"Mo-Fr 08:30-17:00\"]");
        ht__item_json(census, "home", "\"point-%zu\"", home + 1);
        ht__item_text(census, "status", "idle");
        ht__item_text(census, "team", teams[i % 3]);
        ht__item_end(census);
    }
}

void ht__units_make(struct ht__census *census)
{
    struct ht__dice dice = ht__dice_new(census->seed, 980000);
    ht__item_collection(census, "units");
    make_vans(census, &dice);
    make_responders(census, &dice);
    make_inspectors(census, &dice);
}
