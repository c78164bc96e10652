/* The notice of a rectification as a page to be printed: 责令整改通知单, in Chinese or English.
 * Everything on it is in the page itself; no script, font or picture comes from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/page.h"
#include "api/rectifications.h"
#include "api/visit_site.h"
#include "api/visits_internal.h"
#include "api/visits_room.h"
#include "api/zone.h"
#include "engine/base/time.h"
#include "geodata/members.h"

enum language { ZH, EN };

struct page_look {
    struct ht_look look;
    enum language language;
};

struct page {
    struct ht_buffer *out;
    enum language language;
    const struct ht_rectification *notice;
    const char *text; /* NULL: not for the caller, or gone */
    char site[256];
    char tenant[256];
    char inspectors[2 * HT_PAGE_NAMED + 8]; /* of the visit that found it last */
};

/* ---- words ---- */

enum word {
    TITLE,
    NUMBER,
    TO,
    TENANT,
    FOUND,
    HAZARD,
    SEVERITY,
    DUE,
    ORDER,
    EXTENDED,
    VISIT,
    INSPECTOR,
    SIGNED,
    ISSUED,
    STAMP,
    CLOSED,
    WITHHELD,
    WORDS
};

static const char *const words[WORDS][2] = {
    [TITLE] = {"责令整改通知单", "Rectification notice"},
    [NUMBER] = {"编号", "Number"},
    [TO] = {"受检单位", "Site"},
    [TENANT] = {"承租单位", "Tenant"},
    [FOUND] = {"检查时间", "Found on"},
    [HAZARD] = {"存在的隐患", "Hazard"},
    [SEVERITY] = {"隐患等级（1 低至 4 高）", "Severity (1 low to 4 high)"},
    [DUE] = {"整改期限", "To be mended by"},
    [ORDER] = {"请于整改期限前完成整改，并接受复查。逾期未整改的，将依法上报处理。",
               "Mend the hazard before the date above and admit the re-visit. What is overdue is "
               "reported to the next level."},
    [EXTENDED] = {"延期次数", "Extensions"},
    [VISIT] = {"检查记录", "Visit"},
    [INSPECTOR] = {"检查人员", "Inspector"},
    [SIGNED] = {"受检单位签收", "Received by"},
    [ISSUED] = {"签发日期", "Issued on"},
    [STAMP] = {"（盖章）", "(seal)"},
    [CLOSED] = {"已整改，复查通过", "Mended, seen at a re-visit"},
    [WITHHELD] = {"（内容不予显示）", "(not shown)"},
};

static const char *word(const struct page *page, enum word which)
{
    return words[which][page->language];
}

/* ---- pieces ---- */

static void row(const struct page *page, enum word name, const char *value)
{
    ht_buffer_text(page->out, "<tr><th>");
    ht_buffer_text(page->out, word(page, name));
    ht_buffer_text(page->out, "</th><td>");
    ht_page_text(page->out, value);
    ht_buffer_text(page->out, "</td></tr>\n");
}

/* By the office's clock, to the minute. */
static const char *moment_text(int64_t at_ms, char text[HT_TIME_TEXT_SIZE])
{
    ht_time_format(ht_zone_local_ms(at_ms), text);
    text[10] = ' ';
    text[16] = '\0';
    return text;
}

/* "2026-17号": the year of the office in which it was opened first, and its number. */
static void number_text(const struct page *page, char *text, size_t size)
{
    char at[HT_TIME_TEXT_SIZE];
    (void)moment_text(page->notice->opened_ms, at);
    (void)snprintf(text, size, page->language == ZH ? "〔%.4s〕%u号" : "%.4s-%u", at,
                   page->notice->number);
}

/* ---- the page ---- */

static void head_write(const struct page *page, const char *number)
{
    struct ht_buffer *out = page->out;
    ht_buffer_text(out, page->language == ZH ? "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n"
                                             : "<!DOCTYPE html>\n<html lang=\"en\">\n");
    ht_buffer_text(out, "<head><meta charset=\"utf-8\"><title>");
    ht_buffer_text(out, word(page, TITLE));
    ht_buffer_text(out, " ");
    ht_page_text(out, number);
    ht_buffer_text(
        out, "</title>\n<style>@page{size:A4;margin:25mm}"
             "body{font-family:\"Songti SC\",SimSun,serif;max-width:42em;margin:2em auto}"
             "h1{text-align:center;letter-spacing:.2em}p.number{text-align:center}"
             "table{border-collapse:collapse;width:100%}"
             "th,td{border:1px solid #000;padding:.6em;text-align:left;vertical-align:top}"
             "th{width:12em;font-weight:normal}td{white-space:pre-wrap}"
             ".sign{display:flex;justify-content:space-between;margin-top:4em}</style></head>\n"
             "<body><h1>");
    ht_buffer_text(out, word(page, TITLE));
    ht_buffer_text(out, "</h1>\n<p class=\"number\">");
    ht_buffer_text(out, word(page, NUMBER));
    ht_buffer_text(out, page->language == ZH ? "：" : ": ");
    ht_page_text(out, number);
    ht_buffer_text(out, "</p>\n<table>\n");
}

static void rows_write(const struct page *page)
{
    const struct ht_rectification *n = page->notice;
    char text[HT_TIME_TEXT_SIZE];
    char count[16];
    row(page, TO, page->site);
    if (n->tenant != NULL) {
        row(page, TENANT, page->tenant);
    }
    row(page, FOUND, moment_text(n->found_ms, text));
    row(page, HAZARD, page->text == NULL ? word(page, WITHHELD) : page->text);
    (void)snprintf(count, sizeof count, "%u", n->severity);
    row(page, SEVERITY, count);
    row(page, DUE, moment_text(n->due_ms, text));
    if (n->extensions > 0) {
        (void)snprintf(count, sizeof count, "%u", n->extensions);
        row(page, EXTENDED, count);
    }
    row(page, VISIT, n->visit);
    row(page, INSPECTOR, page->inspectors);
    if (n->state == HT_RECTIFICATION_IS_CLOSED) {
        row(page, CLOSED, moment_text(n->mended_ms, text));
    }
}

static void page_write(const struct page *page)
{
    struct ht_buffer *out = page->out;
    char number[64];
    char text[HT_TIME_TEXT_SIZE];
    number_text(page, number, sizeof number);
    head_write(page, number);
    rows_write(page);
    ht_buffer_text(out, "</table>\n<p>");
    ht_buffer_text(out, word(page, ORDER));
    ht_buffer_text(out, "</p>\n<div class=\"sign\"><span>");
    ht_buffer_text(out, word(page, SIGNED));
    ht_buffer_text(out, " ________________</span><span>");
    ht_buffer_text(out, word(page, ISSUED));
    ht_buffer_text(out, " ");
    ht_buffer_append(out, moment_text(page->notice->begun_ms, text), 10);
    ht_buffer_text(out, " ");
    ht_buffer_text(out, word(page, STAMP));
    ht_buffer_text(out, "</span></div>\n</body></html>\n");
}

/* ---- what the registry says ---- */

static void tenant_name(const struct ht_visit_site *site, struct page *page)
{
    yajl_val tree = ht_json_tree_read(site->properties, strlen(site->properties));
    yajl_val list = ht_json_member(tree, "tenants");
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        const char *id = YAJL_GET_STRING(ht_json_member(list->u.array.values[i], "id"));
        const char *name = YAJL_GET_STRING(ht_json_member(list->u.array.values[i], "name"));
        if (id != NULL && name != NULL && strcmp(id, page->notice->tenant) == 0) {
            (void)snprintf(page->tenant, sizeof page->tenant, "%.180s (%s)", name, id);
        }
    }
    yajl_tree_free(tree);
}

static void names_find(struct ht_store_reader *reader, struct page *page)
{
    const struct ht_rectification *n = page->notice;
    struct ht_visit_site site;
    struct ht_member member;
    char name[HT_PAGE_NAME] = "";
    (void)snprintf(page->site, sizeof page->site, "%s", n->site);
    (void)snprintf(page->tenant, sizeof page->tenant, "%s", n->tenant == NULL ? "" : n->tenant);
    if (ht_visit_site_find(reader, n->site, &site, NULL) == HT_OK) {
        if (ht_member_find(site.properties, "name", &member) &&
            ht_member_text(&member, name, sizeof name) && name[0] != '\0') {
            (void)snprintf(page->site, sizeof page->site, "%s (%s)", name, n->site);
        }
        if (n->tenant != NULL) {
            tenant_name(&site, page);
        }
    }
    ht_visit_site_deinit(&site);
}

/* Who was there when it was found last: a hazard that came back has another visit, and maybe other
 * inspectors, than at first. */
static enum ht_status inspectors_find(struct ht_app_context *context,
                                      struct ht_store_reader *reader, struct page *page)
{
    const struct ht_rectification *n = page->notice;
    struct ht_visits *past = NULL;
    enum ht_status status = HT_OK;
    const struct ht_visit *visit =
        ht_visits_get(ht_visits_room_visits(context->app->visits), n->visit);
    if (visit == NULL) {
        status = ht_visits_room_past(reader, true, n->visit, &past);
        visit = status == HT_OK ? ht_visits_get(past, n->visit) : NULL;
    }
    char first[HT_PAGE_NAMED];
    char second[HT_PAGE_NAMED];
    bool two = visit != NULL && visit->second != NULL;
    bool led = visit != NULL && visit->inspector != NULL;
    ht_page_unit(reader, led ? visit->inspector : n->inspector, first);
    ht_page_unit(reader, two ? visit->second : NULL, second);
    (void)snprintf(page->inspectors, sizeof page->inspectors, "%s%s%s", first, two ? ", " : "",
                   second);
    ht_visit_release(visit);
    ht_visits_free(past);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

static enum ht_status answer_write(struct ht_app_context *context, const struct ht_look *look,
                                   struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *past = NULL;
    const struct ht_rectification *notice = NULL;
    char *text = NULL;
    enum ht_status status = ht__rectification_find(context, look, telling->reader, &past, &notice);
    bool kept = status == HT_OK && ht__look_site_is_kept(look, telling, notice->site);
    if (status == HT_OK && !kept) {
        status = ht__hazard_text(telling->reader, notice->id, &text);
    }
    if (kept) {
        ht__look_kept_write(look, telling);
    } else if (status == HT_OK) {
        struct page page = {.out = telling->json->out,
                            .language = ((const struct page_look *)look)->language,
                            .notice = notice,
                            .text = telling->personal ? text : NULL};
        telling->any = telling->any || text != NULL;
        telling->content_type = "text/html; charset=utf-8";
        names_find(telling->reader, &page);
        status = inspectors_find(context, telling->reader, &page);
        if (status == HT_OK) {
            page_write(&page);
        }
    }
    free(text);
    ht_rectification_release(notice);
    ht_visits_free(past);
    return status == HT_OK
               ? HT_OK
               : ht_error_set(error, status, 0,
                              status == HT_NOT_FOUND ? "there is no such rectification" : NULL);
}

void ht_rectification_notice_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct page_look *look = ht__visits_stand(context, call, "lang")
                                 ? ht_look_begin(context, call, sizeof *look, true)
                                 : NULL;
    if (look == NULL) {
        return;
    }
    const char *language = ht_param(&look->look.params, "lang");
    if (language != NULL && strcmp(language, "zh") != 0 && strcmp(language, "en") != 0) {
        ht_reply_problem(call->reply, 400, "Bad Request", "lang is zh or en");
        ht_look_free(look);
        return;
    }
    look->language = language != NULL && strcmp(language, "en") == 0 ? EN : ZH;
    look->look.write = answer_write;
    look->look.collection = "rectifications";
    look->look.how = "notice";
    ht_look_start(call, &look->look);
}
