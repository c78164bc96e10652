/* Measures as mappers write them: speeds, lengths, weights, durations.
 *
 * They read what OSRM 6.0 reads (profiles/lib/measure.lua, the duration grammar of its extractor),
 * so that profile `car` judges alike: leading digits for speeds, the first number anywhere for
 * lengths and weights. https://wiki.openstreetmap.org/wiki/Map_features/Units
 *
 * Threading: pure functions.
 */
#ifndef HT_GEODATA_MEASURE_H
#define HT_GEODATA_MEASURE_H

#include <stdbool.h>

/* All return false, and leave `*out` alone, when the text has no measure of the kind. */

/* "50", "50;30", "30 mph"; "walk", "none" and "CN:urban" are words, not measures. */
bool ht_measure_speed(const char *text, double *kmh);
/* "2", "2.5 m", "2,5", "6'7\""; feet and inches where there is a '. */
bool ht_measure_metres(const char *text, double *metres);
/* The same; "default", "none", "no-sign" and "unsigned" are 4.5. */
bool ht_measure_height(const char *text, double *metres);
/* "3.5" (tonnes), "3500 kg", "7000 lbs". */
bool ht_measure_kilograms(const char *text, double *kilograms);
/* "10" (minutes), "01:30", "01:30:00", ISO 8601 "PT1H30M", "P1DT2H", "P2W", "PT01:30:00". */
bool ht_measure_duration(const char *text, double *seconds);
/* The number that the leading digits make; false without any. */
bool ht_measure_leading(const char *text, double *number);
/* "10.5 knots": the number that it begins with, and what stands behind, blanks left out (borrowed
 * from the text; "" when nothing does). */
bool ht_measure_unit(const char *text, double *number, const char **unit);
/* The text is a plain number and nothing else. */
bool ht_measure_number(const char *text, double *number);

#endif
