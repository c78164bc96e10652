#include "api/rounds_hint.h"

#include <stdio.h>
#include <string.h>

/* What goes into the words. */
struct facts {
    unsigned number;
    const char *who;    /* an inspector, or somebody */
    const char *with;   /* " with ", or nothing */
    const char *skills; /* names, or nothing */
    bool later;         /* on no day in particular */
};

static void english(enum ht_rounds_hint hint, const struct facts *f, char *out, size_t size)
{
    switch (hint) {
    case HT_ROUNDS_HINT_INSPECTOR:
        (void)snprintf(out, size, "%u more inspectors%s%s", f->number, f->with, f->skills);
        break;
    case HT_ROUNDS_HINT_SHIFT:
        (void)snprintf(out, size, "a shift for %s on %u more days", f->who, f->number);
        break;
    case HT_ROUNDS_HINT_WAY:
        (void)snprintf(out, size, "a street to it for %s", f->who);
        break;
    case HT_ROUNDS_HINT_DAYS:
        (void)snprintf(out, size, "%u more open days, or so many visits less", f->number);
        break;
    case HT_ROUNDS_HINT_OPEN_LONGER:
        (void)snprintf(out, size, "to be open for %u seconds more", f->number);
        break;
    case HT_ROUNDS_HINT_GAP:
        (void)snprintf(out, size, "a least gap that is %u days shorter", f->number);
        break;
    case HT_ROUNDS_HINT_WORK_LONGER:
        (void)snprintf(out, size, "%u seconds more of %s's shift", f->number, f->who);
        break;
    case HT_ROUNDS_HINT_QUOTA:
        (void)snprintf(out, size, "%u visits more for %s", f->number, f->who);
        break;
    case HT_ROUNDS_HINT_OWNER:
        (void)snprintf(out, size, "to name %s for the site, so that nobody else comes", f->who);
        break;
    case HT_ROUNDS_HINT_OTHERS:
        (void)snprintf(out, size, "to let others than %s come", f->who);
        break;
    case HT_ROUNDS_HINT_VISITS:
        (void)snprintf(out, size, "%u visits more%s", f->number,
                       f->later ? " on days to come" : "");
        break;
    case HT_ROUNDS_HINTS:
    default:
        out[0] = '\0';
        break;
    }
}

static void chinese_words(enum ht_rounds_hint hint, const struct facts *f, char *out, size_t size)
{
    switch (hint) {
    case HT_ROUNDS_HINT_INSPECTOR:
        (void)snprintf(out, size, "再增加%u名%s%s督导员", f->number, f->with, f->skills);
        break;
    case HT_ROUNDS_HINT_SHIFT:
        (void)snprintf(out, size, "%s再排班%u天", f->who, f->number);
        break;
    case HT_ROUNDS_HINT_WAY:
        (void)snprintf(out, size, "需有%s可通行的道路", f->who);
        break;
    case HT_ROUNDS_HINT_DAYS:
        (void)snprintf(out, size, "再开放%u天，或少查%u次", f->number, f->number);
        break;
    case HT_ROUNDS_HINT_OPEN_LONGER:
        (void)snprintf(out, size, "开放时间再延长%u秒", f->number);
        break;
    case HT_ROUNDS_HINT_GAP:
        (void)snprintf(out, size, "最短间隔再缩短%u天", f->number);
        break;
    case HT_ROUNDS_HINT_WORK_LONGER:
        (void)snprintf(out, size, "%s的班次再延长%u秒", f->who, f->number);
        break;
    case HT_ROUNDS_HINT_QUOTA:
        (void)snprintf(out, size, "%s的定额再增加%u次", f->who, f->number);
        break;
    case HT_ROUNDS_HINT_OWNER:
        (void)snprintf(out, size, "指定%s包干该点位，不由他人代查", f->who);
        break;
    case HT_ROUNDS_HINT_OTHERS:
        (void)snprintf(out, size, "允许%s以外的督导员检查", f->who);
        break;
    case HT_ROUNDS_HINT_VISITS:
        (void)snprintf(out, size, "%s再增加%u次检查", f->later ? "往后" : "", f->number);
        break;
    case HT_ROUNDS_HINTS:
    default:
        out[0] = '\0';
        break;
    }
}

void ht_round_hint_text(const struct ht_round_scene *scene, const struct ht_rounds_mend *mend,
                        bool chinese, char out[HT_ROUND_HINT_TEXT])
{
    char skills[160];
    bool one = mend->inspector != HT_PLAN_NONE;
    ht_round_skills_text(scene, mend->skills, skills, sizeof skills);
    const struct facts facts = {.number = mend->number,
                                .who = one       ? scene->inspectors[mend->inspector].id
                                       : chinese ? "任一督导员"
                                                 : "somebody",
                                .with = skills[0] == '\0' ? ""
                                        : chinese         ? "具备技能的（"
                                                          : " with ",
                                .skills = skills,
                                .later = mend->day == HT_PLAN_NONE};
    if (chinese) {
        if (skills[0] != '\0') {
            (void)snprintf(skills + strlen(skills), sizeof skills - strlen(skills), "）");
        }
        chinese_words(mend->hint, &facts, out, HT_ROUND_HINT_TEXT);
    } else {
        english(mend->hint, &facts, out, HT_ROUND_HINT_TEXT);
    }
}

const char *ht_round_hint_refused(const char *reason)
{
    static const char *const words[][2] = {{"closed", "这些天内均不开放，或开放时间无法识别"},
                                           {"skills", "一个方案最多包含64种技能"},
                                           {"no_place", "登记中没有它的位置"},
                                           {"unknown", "登记中没有该点位"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], reason) == 0) {
            return words[i][1];
        }
    }
    return "";
}
