/* Feeds the fold, which must not change what it made, the terms and the pinyin of what it made,
 * and the query reader, whose atoms must stay within their bounds. */
#include <stdlib.h>
#include <string.h>

#include "engine/road/key.h"
#include "geodata/fold.h"
#include "geodata/gazetteer_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ht_status look(void *user, const char *bytes, size_t size, uint64_t marks)
{
    size_t most = *(const size_t *)user;
    bool within = size >= 64 || (marks >> size) == 0;
    if (size == 0 || size > most || !within || memchr(bytes, '\0', size) != NULL) {
        abort();
    }
    return HT_OK;
}

static void keys_look(const char *text, size_t size)
{
    struct ht__keys_room room = {0};
    size_t most = HT__TERM_MAX;
    for (int address = 0; address < 2; address++) {
        const struct ht_gazetteer_text one = {text, size, address != 0};
        if (ht__gazetteer_terms(&room, &one, look, &most) != HT_OK) {
            abort();
        }
    }
    most = HT__FORM_MAX - 1;
    if (ht__gazetteer_forms(&room, text, size, look, &most) != HT_OK) {
        abort();
    }
    ht__keys_room_deinit(&room);
}

static void query_look(const char *text, size_t size)
{
    static struct ht__query query;
    if (ht__gazetteer_query(&query, text, size) == HT_OK) {
        if (query.word_count == 0 || query.word_count > HT__WORDS || query.atom_count > HT__ATOMS) {
            abort();
        }
        for (uint32_t i = 0; i < query.atom_count; i++) {
            const struct ht__atom *atom = &query.atoms[i];
            if (strlen(atom->text) != atom->size || atom->number_size >= sizeof atom->number) {
                abort();
            }
        }
        for (uint32_t w = 0; w < query.word_count; w++) {
            const struct ht__word *word = &query.words[w];
            if (word->whole >= query.atom_count ||
                word->part + word->part_count > query.atom_count ||
                (word->run != HT_NONE && (word->run >= query.atom_count ||
                                          word->run_end > word->part + word->part_count))) {
                abort();
            }
        }
    }
    ht__gazetteer_query_deinit(&query);
    memset(&query, 0, sizeof query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_text once = {0};
    struct ht_text twice = {0};
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    ht_fold(copy, size, &once);
    ht_fold(ht_text_string(&once), once.size, &twice);
    if (once.size != twice.size ||
        memcmp(ht_text_string(&once), ht_text_string(&twice), once.size) != 0) {
        abort();
    }
    keys_look(ht_text_string(&once), once.size);
    query_look(copy, size);
    ht_text_deinit(&once);
    ht_text_deinit(&twice);
    free(copy);
    return 0;
}
