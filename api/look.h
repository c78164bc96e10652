/* Look: a question whose answer is made twice where there is something personal in it, with that
 * and without, so that the writer can note the reading first (api/persons.h) and withhold it where
 * that can't be written. What questions about orders, visits and rectifications share.
 *
 *   loop     ht_look_begin: query, id in the path, caller
 *   worker   `write`, once with what is personal, once without where there was any
 *   writer   the note; or the answer without
 *
 * Threading: one thread after the other. Ownership: a question's struct begins with struct ht_look
 * and is freed by ht_look_free.
 */
#ifndef HT_API_LOOK_H
#define HT_API_LOOK_H

#include "api/app.h"
#include "api/json.h"
#include "api/params.h"
#include "geodata/collection.h"
#include "geodata/crs.h"

/* One writing of the answer. */
struct ht_look_telling {
    struct ht_store_reader *reader;
    struct ht_json *json;
    bool personal;            /* is to be written */
    bool any;                 /* something personal was there */
    bool may;                 /* the caller may see what is */
    char etag[32];            /* "": none */
    const char *content_type; /* NULL: JSON */
};

struct ht_look {
    /* Writes the answer into telling->json; HT_NOT_FOUND and HT_INVALID (400) with the reason. */
    enum ht_status (*write)(struct ht_app_context *context, const struct ht_look *look,
                            struct ht_look_telling *telling, struct ht_error *error);
    const char *collection;  /* as the note says it */
    const char *how;         /* "items", "item", "history" */
    char id[HT_ID_MAX + 1];  /* "": many */
    struct ht_params params; /* of the query */
    size_t limit;
    struct ht_crs crs;
    struct ht_caller caller;
    int64_t at_ms;
    bool personal;
    struct ht_buffer plain;
};

/* A question of `size` bytes (struct ht_look and what follows it, zeroed) that is begun; `one`: its
 * id is in the path. NULL with the answer written. */
void *ht_look_begin(struct ht_app_context *context, struct ht_http_call *call, size_t size,
                    bool one);
void ht_look_free(void *look);
/* Hands it over. */
void ht_look_start(struct ht_http_call *call, struct ht_look *look);
/* "personal": "withheld", where it may be seen but was not to be noted that it is. */
void ht_look_withheld(const struct ht_look_telling *telling);

#endif
