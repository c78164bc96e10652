/* yajl behind a guard against the end of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/feature_internal.h"

struct ht__block {
    struct ht__block *next;
    struct ht__block **before; /* what points here */
    max_align_t data[];
};

static struct ht__block *block_of(void *data)
{
    return (struct ht__block *)(void *)((char *)data - offsetof(struct ht__block, data));
}

static void link_block(struct ht__sax *sax, struct ht__block *block)
{
    block->next = sax->blocks;
    block->before = &sax->blocks;
    if (block->next != NULL) {
        block->next->before = &block->next;
    }
    sax->blocks = block;
}

static void unlink_block(struct ht__block *block)
{
    *block->before = block->next;
    if (block->next != NULL) {
        block->next->before = block->before;
    }
}

static void *take(void *user, size_t size)
{
    struct ht__sax *sax = user;
    struct ht__block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        longjmp(sax->no_memory, 1);
    }
    link_block(sax, block);
    return block->data;
}

static void give(void *user, void *data)
{
    (void)user;
    if (data != NULL) {
        unlink_block(block_of(data));
        free(block_of(data));
    }
}

static void *retake(void *user, void *data, size_t size)
{
    struct ht__sax *sax = user;
    if (data == NULL) {
        return take(user, size);
    }
    unlink_block(block_of(data));
    struct ht__block *block = realloc(block_of(data), sizeof *block + size);
    if (block == NULL) {
        link_block(sax, block_of(data)); /* still there, to be freed with the others */
        longjmp(sax->no_memory, 1);
    }
    link_block(sax, block);
    return block->data;
}

static enum ht_status parse(struct ht__sax *sax, const char *bytes, size_t size)
{
    yajl_alloc_funcs memory = {.malloc = take, .realloc = retake, .free = give, .ctx = sax};
    sax->handle = yajl_alloc(sax->callbacks, &memory, sax->user);
    const unsigned char *text = (const unsigned char *)bytes;
    yajl_status status = yajl_parse(sax->handle, text, size);
    sax->consumed = yajl_get_bytes_consumed(sax->handle);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(sax->handle);
        sax->consumed = size;
    }
    if (status == yajl_status_error) {
        unsigned char *message = yajl_get_error(sax->handle, 0, text, size);
        (void)snprintf(sax->message, sizeof sax->message, "%s", (const char *)message);
        sax->message[strcspn(sax->message, "\n")] = '\0';
        yajl_free_error(sax->handle, message);
    }
    yajl_free(sax->handle);
    return status == yajl_status_ok      ? HT_OK
           : status == yajl_status_error ? HT_SYNTAX
                                         : HT_CANCELLED;
}

enum ht_status ht__sax_parse(struct ht__sax *sax, const char *bytes, size_t size)
{
    sax->blocks = NULL;
    sax->consumed = 0;
    sax->message[0] = '\0';
    if (setjmp(sax->no_memory) == 0) {
        return parse(sax, bytes, size);
    }
    while (sax->blocks != NULL) {
        struct ht__block *block = sax->blocks;
        sax->blocks = block->next;
        free(block);
    }
    return HT_NOMEM;
}
