/* The settings document `regimes`, and below it, each on a line of its own, which are on and what
 * duties are laid over: what is accepted reads back as it was written, and what regimes lay over
 * something is JSON; what is not says why. */
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/settings_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static struct ht_regimes *again(const struct ht_regimes *regimes)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_regimes *copy = NULL;
    char *text = ht_setting_text(&ht_setting_regimes, regimes);
    must(text != NULL && ht_utf8_valid(text, strlen(text)) == strlen(text));
    yajl_val tree = ht_json_tree_read(text, strlen(text));
    must(YAJL_IS_OBJECT(tree) && ht_regimes_read(tree, &copy, &wrong) == HT_OK);
    char *other = ht_setting_text(&ht_setting_regimes, copy);
    must(other != NULL && strcmp(text, other) == 0);
    yajl_tree_free(tree);
    free(text);
    free(other);
    return copy;
}

static void duties_look(const struct ht_regime_book *book, const struct ht_regime *regime, bool on,
                        const char *properties)
{
    for (size_t i = 0; i < regime->duty_count; i++) {
        struct ht_text text = {0};
        bool any = ht_regime_book_duty(book, regime->duties[i].unit, properties, &text);
        yajl_val tree = any ? ht_json_tree_read(ht_text_string(&text), text.size) : NULL;
        must(any ? YAJL_IS_OBJECT(tree) : !on);
        yajl_tree_free(tree);
        ht_text_deinit(&text);
    }
}

static void book_look(const struct ht_regime_book *book, const char *properties)
{
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    for (size_t r = 0; r < list->count; r++) {
        const struct ht_regime *regime = &list->list[r];
        bool on = ht_regime_book_state(book, r)->on;
        for (size_t i = 0; i < regime->zone_count; i++) {
            must(ht_regime_has_zone(regime, regime->zones[i]));
            must(!on || !ht_regime_book_dormant(book, regime->zones[i]));
        }
        for (size_t i = 0; i < regime->answer_count; i++) {
            const struct ht_regime_answer *answer = &regime->answers[i];
            must(ht_regime_answer_of(regime, answer->cell) == answer);
            must(!on || answer->who[0][0] == '\0' ||
                 ht_regime_book_who(book, answer->cell, HT_ANSWER_CELL) != NULL);
        }
        duties_look(book, regime, on, properties);
    }
    for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
        struct ht_setting_wrong wrong = {{0}, {0}};
        void *value = NULL;
        enum ht_status status =
            ht_setting_in_force((enum ht_regime_setting)s, NULL, book, &value, &wrong);
        must(status == HT_OK || (status == HT_INVALID && wrong.detail[0] != '\0'));
        if (status == HT_OK) {
            ht_setting_shape_of((enum ht_regime_setting)s)->free(value);
        }
    }
}

/* The next line, cut out of the text. */
static char *line_of(char **rest)
{
    char *line = *rest;
    size_t size = strcspn(line, "\n");
    *rest = line + size + (line[size] == '\n');
    line[size] = '\0';
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_regimes *regimes = NULL;
    struct ht_regime_book *book = NULL;
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    char *rest = text;
    const char *document = line_of(&rest);
    const char *state = line_of(&rest);
    const char *properties = line_of(&rest);
    yajl_val tree = ht_json_tree_read(document, strlen(document));
    if (YAJL_IS_OBJECT(tree) && ht_regimes_read(tree, &regimes, &wrong) == HT_OK) {
        yajl_val on = ht_json_tree_read(state, strlen(state));
        yajl_val base = ht_json_tree_read(properties, strlen(properties));
        must(ht_regime_book_new(again(regimes), on, &book) == HT_OK);
        book_look(book, YAJL_IS_OBJECT(base) ? properties : "{}");
        ht_regime_book_release(book);
        yajl_tree_free(base);
        yajl_tree_free(on);
    } else {
        must(!YAJL_IS_OBJECT(tree) || wrong.detail[0] != '\0');
    }
    ht_regimes_free(regimes);
    yajl_tree_free(tree);
    free(text);
    return 0;
}
