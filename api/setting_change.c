#include "api/setting_change.h"

#include <string.h>

#include "api/json_merge.h"
#include "api/pointer.h"
#include "engine/base/text.h"

enum { CHANGES_MOST = 64, VALUE_MOST = 200, DEPTH_MOST = 16 };

struct telling {
    struct ht_json *json;
    bool texts;
    int count;
};

/* Whether nothing in it can name anybody: numbers and truths, and lists of them. */
static bool is_plain(yajl_val value, bool texts)
{
    if (YAJL_IS_ARRAY(value)) {
        for (size_t i = 0; i < value->u.array.len; i++) {
            if (!is_plain(value->u.array.values[i], texts)) {
                return false;
            }
        }
        return true;
    }
    if (YAJL_IS_OBJECT(value) && texts) {
        for (size_t i = 0; i < value->u.object.len; i++) {
            if (!is_plain(value->u.object.values[i], texts)) {
                return false;
            }
        }
        return true;
    }
    return YAJL_IS_NUMBER(value) || YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value) ||
           YAJL_IS_NULL(value) || (texts && YAJL_IS_STRING(value));
}

static void value_tell(struct telling *telling, const char *name, yajl_val value)
{
    struct ht_text text = {0};
    if (value == NULL || !is_plain(value, telling->texts)) {
        return;
    }
    ht_json_tree_write(&text, value);
    telling->json->out->failed = telling->json->out->failed || text.failed;
    if (text.size <= VALUE_MOST) {
        ht_json_key(telling->json, name);
        ht_json_raw(telling->json, ht_text_string(&text), text.size);
    }
    ht_text_deinit(&text);
}

static bool is_same(yajl_val before, yajl_val after)
{
    struct ht_text a = {0};
    struct ht_text b = {0};
    if (before == NULL || after == NULL) {
        return before == after;
    }
    ht_json_tree_write(&a, before);
    ht_json_tree_write(&b, after);
    bool same = strcmp(ht_text_string(&a), ht_text_string(&b)) == 0;
    ht_text_deinit(&a);
    ht_text_deinit(&b);
    return same;
}

static void compare(struct telling *telling, const char *pointer, int depth, yajl_val before,
                    yajl_val after);

/* The members of one object, and with them those of the other of the same name. `both` false: only
 * those that the other lacks. */
static void members_compare(struct telling *telling, const char *pointer, int depth,
                            const yajl_val of[2], bool both)
{
    char inner[HT_POINTER_MOST];
    for (size_t i = 0; i < of[0]->u.object.len; i++) {
        const char *name = of[0]->u.object.keys[i];
        yajl_val other = ht_json_member(of[1], name);
        ht_pointer(inner, sizeof inner, pointer, name);
        if (both) {
            compare(telling, inner, depth + 1, of[0]->u.object.values[i], other);
        } else if (other == NULL) {
            compare(telling, inner, depth + 1, NULL, of[0]->u.object.values[i]);
        }
    }
}

static void compare(struct telling *telling, const char *pointer, int depth, yajl_val before,
                    yajl_val after)
{
    if (YAJL_IS_OBJECT(before) && YAJL_IS_OBJECT(after) && depth < DEPTH_MOST) {
        members_compare(telling, pointer, depth, (const yajl_val[2]){before, after}, true);
        members_compare(telling, pointer, depth, (const yajl_val[2]){after, before}, false);
        return;
    }
    if (is_same(before, after) || ++telling->count > CHANGES_MOST) {
        return;
    }
    ht_json_object(telling->json);
    ht_json_key_text(telling->json, "pointer", pointer);
    value_tell(telling, "before", before);
    value_tell(telling, "after", after);
    ht_json_object_end(telling->json);
}

void ht_setting_change_write(struct ht_json *json, yajl_val before, yajl_val after, bool texts)
{
    struct telling telling = {.json = json, .texts = texts};
    ht_json_key(json, "changed");
    ht_json_array(json);
    compare(&telling, "", 0, before, after);
    ht_json_array_end(json);
    if (telling.count > CHANGES_MOST) {
        ht_json_key_int(json, "more", telling.count - CHANGES_MOST);
    }
}
