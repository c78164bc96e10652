/* Strips in two halves: where streets meet the avenue (sample_strip.c), and how that is drawn
 * (sample_avenue.c).
 *
 * Threading: one draft, one thread. Ownership: the draft owns its stops, ht__strip_draw frees them.
 */
#ifndef HT_GEODATA_SAMPLE_STRIP_H
#define HT_GEODATA_SAMPLE_STRIP_H

#include "geodata/sample_internal.h"

/* A place where something meets the avenue. */
struct ht__stop {
    int32_t along_cm;
    size_t left; /* port, SIZE_MAX: none */
    size_t right;
    bool through; /* the street goes on to the other side */
    bool ramps;   /* an interchange of the motorway beside it */
    /* Filled in when drawn. [0] is the left row, [1] the right one; the same where there is one
     * row. `in` is where the avenue's piece from before ends, `out` where the next begins: two
     * nodes at a roundabout. */
    uint32_t in[2];
    uint32_t out[2];
    uint32_t link;          /* line between the carriageways, UINT32_MAX: none */
    uint32_t connectors[2]; /* lines to the ports, UINT32_MAX: none that is driven on */
};

struct ht__stops {
    struct ht__stop *list;
    size_t count;
    size_t capacity;
};

struct ht__strip_draft {
    struct ht__sketch *sketch;
    const struct ht__strip *strip;
    struct ht__dice dice;
    struct ht__stops stops;
    bool dual;
    size_t row_count;
    int32_t left_cm; /* where the rows run, across */
    int32_t right_cm;
    uint32_t ends[2][2]; /* row, first or last */
};

/* Nodes, connectors, links, bridges. */
void ht__strip_draw_stops(struct ht__strip_draft *draft, const struct ht__ports *left,
                          const struct ht__ports *right);

/* The avenue itself, what it runs beside, and its turn bans. HT_NOMEM. */
enum ht_status ht__strip_draw_rows(struct ht__strip_draft *draft);

#endif
