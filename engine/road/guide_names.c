/* Is this still the same street? Names, references, pronunciations and exit numbers are compared as
 * OSRM's name announcements do: losing a name is no news, a changed compass suffix ("Main Street
 * North") neither, a new reference with the old name neither. */
#include <ctype.h>
#include <string.h>

#include "engine/road/guide_internal.h"

enum { HT__SUFFIX_MAX = 5, HT__AFFIX_SEEK = 8 };

static const char *ht__text(const struct ht__map *map, uint32_t offset)
{
    return map->network->strings + offset;
}

bool ht__nameless(const struct ht__map *map, uint32_t way)
{
    const struct ht_way *w = ht__way(map, way);
    return (w->name | w->ref | w->destinations | w->pronunciation | w->exits) == 0;
}

/* Equal texts lie at one place in a network's strings, so that places can be compared. */
bool ht__same_signs(const struct ht__map *map, uint32_t a, uint32_t b)
{
    const struct ht_way *x = ht__way(map, a);
    const struct ht_way *y = ht__way(map, b);
    return a == b ||
           (x->name == y->name && x->ref == y->ref && x->destinations == y->destinations &&
            x->pronunciation == y->pronunciation && x->exits == y->exits);
}

/* True when a piece of a name is nothing but spaces or a compass word. */
static bool ht__is_suffix(const char *text, size_t size)
{
    static const char *const words[] = {"n",     "ne",    "e",    "se",   "s",   "sw",  "w",  "nw",
                                        "north", "south", "west", "east", "nor", "sou", "we", "ea"};
    char word[HT__SUFFIX_MAX + 1];
    while (size > 0 && text[0] == ' ') {
        text++;
        size--;
    }
    while (size > 0 && text[size - 1] == ' ') {
        size--;
    }
    if (size == 0) {
        return true;
    }
    if (size > HT__SUFFIX_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        word[i] = (char)tolower((unsigned char)text[i]);
    }
    word[size] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The longest run that both names share and that begins near the front of both: what remains on
 * either side must be suffixes. A run that begins further in leaves a front that can't be one. */
bool ht__names_similar(const char *from, const char *to)
{
    size_t from_size = strlen(from);
    size_t to_size = strlen(to);
    if (from_size == 0 || to_size == 0) {
        return ht__is_suffix(from, from_size) && ht__is_suffix(to, to_size);
    }
    size_t best = 0;
    size_t best_from = 0;
    size_t best_to = 0;
    size_t front = to_size < HT__AFFIX_SEEK ? to_size : HT__AFFIX_SEEK;
    for (size_t i = 0; i < HT__AFFIX_SEEK && i < from_size; i++) {
        const char *hit = to;
        while ((hit = memchr(hit, from[i], front - (size_t)(hit - to))) != NULL) {
            size_t j = (size_t)(hit - to);
            size_t run = 1;
            while (i + run < from_size && j + run < to_size && from[i + run] == to[j + run]) {
                run++;
            }
            if (run > best) {
                best = run;
                best_from = i;
                best_to = j;
            }
            hit++;
        }
    }
    if (best == 0) {
        return ht__is_suffix(from, from_size) && ht__is_suffix(to, to_size);
    }
    size_t from_end = best_from + best;
    size_t to_end = best_to + best;
    return ht__is_suffix(from, best_from) && ht__is_suffix(to, best_to) &&
           ht__is_suffix(from + from_end, from_size - from_end) &&
           ht__is_suffix(to + to_end, to_size - to_end);
}

static bool ht__begins_with(const char *text, const char *front)
{
    return strncmp(text, front, strlen(front)) == 0;
}

static bool ht__announce(const struct ht__map *map, uint32_t from, uint32_t to, bool suffixes)
{
    const struct ht_way *f = ht__way(map, from);
    const struct ht_way *t = ht__way(map, to);
    if ((f->name | f->ref) == 0 && (t->name | t->ref) != 0) {
        return true;
    }
    const char *from_name = ht__text(map, f->name);
    const char *to_name = ht__text(map, t->name);
    const char *from_ref = ht__text(map, f->ref);
    const char *to_ref = ht__text(map, t->ref);
    bool names_empty = f->name == 0 && t->name == 0;
    bool contained = f->name == t->name || ht__begins_with(from_name, to_name) ||
                     ht__begins_with(to_name, from_name);
    bool similar = f->name == t->name || (suffixes && ht__names_similar(from_name, to_name));
    bool names_equal = contained || similar;
    bool refs_empty = f->ref == 0 && t->ref == 0;
    bool ref_contained = f->ref == 0 || t->ref == 0 || f->ref == t->ref ||
                         strstr(from_ref, to_ref) != NULL || strstr(to_ref, from_ref) != NULL;
    bool plain = (names_empty && refs_empty) || (names_equal && (ref_contained || refs_empty)) ||
                 (ref_contained && f->name != 0 && t->name == 0) ||
                 (names_equal && f->ref != 0 && t->ref == 0) || similar;
    bool swapped = (f->name == 0 && f->ref != 0 && t->name != 0 && t->ref == 0) ||
                   (f->name != 0 && f->ref == 0 && t->name == 0 && t->ref != 0) ||
                   (names_empty && !ref_contained);
    bool exits_change = f->exits != t->exits;
    bool exit_lost = names_equal && f->exits != 0 && t->exits == 0;
    return !plain || swapped || f->pronunciation != t->pronunciation ||
           (exits_change && !exit_lost);
}

bool ht__announces(const struct ht__map *map, uint32_t from, uint32_t to)
{
    return !ht__same_signs(map, from, to) && ht__announce(map, from, to, true);
}

bool ht__announces_plainly(const struct ht__map *map, uint32_t from, uint32_t to)
{
    return !ht__same_signs(map, from, to) && ht__announce(map, from, to, false);
}

bool ht__identical_names(const struct ht__map *map, uint32_t a, uint32_t b)
{
    return !ht__nameless(map, a) && !ht__nameless(map, b) && !ht__announces(map, a, b) &&
           !ht__announces(map, b, a);
}

bool ht__has_name(const struct ht__map *map, uint32_t way)
{
    return ht__way(map, way)->name != 0;
}

bool ht__continues_name(const struct ht__map *map, uint32_t from, uint32_t to)
{
    return ht__has_name(map, from) && ht__has_name(map, to) && !ht__announces(map, from, to);
}
