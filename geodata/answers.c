#include "geodata/answers.h"

#include <string.h>

#include "geodata/members.h"
#include "geodata/registry.h"

static const char *const level_names[HT_ANSWER_LEVELS] = {"cell", "community", "sub_district",
                                                          "district"};

const char *ht_answer_level_name(enum ht_answer_level level)
{
    return level_names[level];
}

enum ht_answer_level ht_answer_level_of(const char *name)
{
    int level = 0;
    while (level < HT_ANSWER_LEVELS && strcmp(level_names[level], name) != 0) {
        level++;
    }
    return (enum ht_answer_level)level;
}

static void id_keep(char to[HT_ID_MAX + 1], const char *id)
{
    size_t size = id == NULL ? 0 : strlen(id);
    size = size > HT_ID_MAX ? 0 : size;
    if (size > 0) {
        memcpy(to, id, size);
    }
    to[size] = '\0';
}

/* A member that is an id, or "". */
static void id_read(const char *object, const char *name, char to[HT_ID_MAX + 1])
{
    struct ht_member member;
    char text[HT_ID_MAX + 2] = "";
    bool known = ht_member_find(object, name, &member) &&
                 ht_member_text(&member, text, sizeof text) && ht_id_valid(text, strlen(text));
    id_keep(to, known ? text : NULL);
}

/* One step up. */
struct step {
    const struct ht_answers_over *over;
    struct ht_answers *said; /* for a while */
    struct ht_answers *base;
    char parent[HT_ID_MAX + 1];
};

static enum ht_status cell_take(void *user, const struct ht_store_item *item)
{
    struct step *step = user;
    struct ht_member answers;
    id_read(item->properties, "parent", step->parent);
    bool any = ht_member_find(item->properties, "answers", &answers) && answers.value[0] == '{';
    for (int i = 0; any && i < HT_ANSWER_LEVELS; i++) {
        if (step->base->who[i][0] == '\0') {
            id_read(answers.value, level_names[i], step->base->who[i]);
        }
    }
    return HT_OK;
}

static void over_ask(const struct step *step, const char *cell)
{
    for (int i = 0; step->over != NULL && i < HT_ANSWER_LEVELS; i++) {
        if (step->said->who[i][0] == '\0') {
            id_keep(step->said->who[i],
                    step->over->who(step->over->user, cell, (enum ht_answer_level)i));
        }
    }
}

static enum ht_status household_take(void *user, const struct ht_store_item *item)
{
    id_keep(user, item->cell);
    return HT_OK;
}

static enum ht_status cell_of(struct ht_store_reader *reader, const char *household,
                              const struct ht_point *place, char cell[HT_ID_MAX + 1],
                              struct ht_error *error)
{
    enum ht_status status = HT_NOT_FOUND;
    cell[0] = '\0';
    if (household != NULL) {
        status = ht_store_item(reader, ht_collection_find("households", 10), household, false,
                               household_take, cell, error);
    }
    if (status == HT_NOT_FOUND) {
        status = place == NULL ? HT_OK : ht_registry_cell_at(reader, *place, cell, error);
    }
    return status;
}

enum ht_status ht_answers_find(struct ht_store_reader *reader, const char *household,
                               const struct ht_point *place, const struct ht_answers_over *over,
                               struct ht_answers *out, struct ht_error *error)
{
    struct ht_answers said = {0};
    struct step step = {.over = over, .said = &said, .base = out};
    char cell[HT_ID_MAX + 1];
    memset(out, 0, sizeof *out);
    enum ht_status status = cell_of(reader, household, place, out->cell, error);
    memcpy(cell, out->cell, sizeof cell);
    for (int i = 0; status == HT_OK && cell[0] != '\0' && i < HT_ANSWERS_UP; i++) {
        over_ask(&step, cell);
        step.parent[0] = '\0';
        status = ht_store_item(reader, ht_collection_find("cells", 5), cell, false, cell_take,
                               &step, error);
        status = status == HT_NOT_FOUND ? HT_OK : status;
        memcpy(cell, step.parent, sizeof cell);
    }
    over_ask(&step, HT_ANSWERS_EVERYWHERE);
    for (int i = 0; i < HT_ANSWER_LEVELS; i++) {
        if (said.who[i][0] != '\0') {
            memcpy(out->who[i], said.who[i], sizeof said.who[i]);
        }
    }
    return status;
}
