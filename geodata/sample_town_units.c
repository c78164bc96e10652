/* Units: meal vans, responders, inspectors, each where its home is or on a street nearby. */
#include <stdio.h>
#include <string.h>

#include "geodata/sample_town_internal.h"

enum { VANS = 24, RESPONDERS = 40, INSPECTORS = 113 };

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

/* Stations have the ambulances, service points those on foot and on e-bikes. Three shifts and some
 * that never end, so that the promise can be kept at night. */
static void make_responders(struct ht__census *census, struct ht__dice *dice)
{
    static const char *const skills[] = {"first_aid", "lift", "gas", "water", "door", "fall"};
    static const char *const shifts[] = {"08:00-16:00", "16:00-24:00", "00:00-08:00", "24/7"};
    for (size_t i = 0; i < RESPONDERS; i++) {
        bool station = i % 4 == 0;
        size_t home = station ? i / 4 % HT__STATIONS : (i - i / 4 - 1) % HT__POINTS;
        uint32_t bits = station ? 3 : (uint32_t)ht__dice_range(dice, 1, 63);
        ht__item_begin(census, "responder-%02zu", i + 1);
        ht__item_point(census, station ? ht__facilities_home(census, "station", home, HT__STATIONS)
                                       : ht__facilities_home(census, "point", home, HT__POINTS));
        add_name(census, dice);
        ht__item_text(census, "kind", "responder");
        ht__item_text(census, "profile", station ? "emergency" : i % 3 == 0 ? "foot" : "ebike");
        ht__item_words(census, "skills", skills, i % 5 == 0 ? bits : bits | 1);
        ht__item_json(census, "shift", "[\"%s\"]", shifts[i / 4 % 4]);
        ht__item_json(census, "home", "\"%s-%zu\"", station ? "station" : "point", home + 1);
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
