#include "api/rounds_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/page.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define WEEK_MS (7 * DAY_MS)

enum { WEEKS_MOST = HT_ROUND_WEEKS_MOST };

/* ---- counting ---- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void names_unite(struct ht_round_report *report)
{
    uint32_t kept = 0;
    if (report->inspector_count > 0) {
        qsort((void *)report->inspectors, report->inspector_count, sizeof(char *), by_text);
    }
    for (uint32_t i = 0; i < report->inspector_count; i++) {
        if (kept == 0 || strcmp(report->inspectors[kept - 1], report->inspectors[i]) != 0) {
            report->inspectors[kept++] = report->inspectors[i];
        }
    }
    report->inspector_count = kept;
}

static bool is_within(const struct ht_round_record *record, int64_t at_ms)
{
    return at_ms >= record->from_ms && at_ms < record->to_ms;
}

/* Also those of no tour who found or saw mended what there was. */
static void finders_add(struct ht_round_report *report, const struct ht_round_notice *notices,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (notices[i].finder != NULL && is_within(report->record, notices[i].found_ms)) {
            report->inspectors[report->inspector_count++] = notices[i].finder;
        }
        if (notices[i].mender != NULL && is_within(report->record, notices[i].mended_ms)) {
            report->inspectors[report->inspector_count++] = notices[i].mender;
        }
    }
}

static enum ht_status inspectors_list(struct ht_round_report *report,
                                      const struct ht_round_notice *notices, size_t notice_count)
{
    const struct ht_round_record *record = report->record;
    size_t most = 2 * record->visit_count + record->tour_count + 2 * notice_count;
    report->inspectors = ht_array_new(most, sizeof(char *));
    if (report->inspectors == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < record->visit_count; i++) {
        const struct ht_round_visit *visit = &record->visits[i];
        report->inspectors[report->inspector_count++] = visit->inspector; /* "": nobody */
        if (visit->second[0] != '\0') {
            report->inspectors[report->inspector_count++] = visit->second;
        }
    }
    for (size_t i = 0; i < record->tour_count; i++) {
        report->inspectors[report->inspector_count++] = record->tours[i].inspector;
    }
    finders_add(report, notices, notice_count);
    names_unite(report);
    return HT_OK;
}

/* NONE: it is none of these. */
static uint32_t index_of(const struct ht_round_report *report, const char *inspector)
{
    const char **found = inspector == NULL || report->inspector_count == 0
                             ? NULL
                             : bsearch(&inspector, (const void *)report->inspectors,
                                       report->inspector_count, sizeof(char *), by_text);
    return found == NULL ? HT_PLAN_NONE : (uint32_t)(found - report->inspectors);
}

/* The day of a moment; below 0 or past the last: none of the round's. */
static int64_t day_of(const struct ht_round_report *report, int64_t at_ms)
{
    int64_t since_ms = ht_zone_local_ms(at_ms) - ht_zone_local_ms(report->record->from_ms);
    return since_ms < 0 ? -1 : since_ms / DAY_MS;
}

static struct ht_round_counts *cell_of(const struct ht_round_report *report, const char *inspector,
                                       int64_t at_ms)
{
    uint32_t index = index_of(report, inspector);
    int64_t day = day_of(report, at_ms);
    if (index == HT_PLAN_NONE || day < 0 || day / 7 >= report->weeks) {
        return NULL;
    }
    return &report->cells[(size_t)(day / 7) * report->inspector_count + index];
}

/* How many of an inspector's visits were made on a day; NULL: none of the round's. */
static uint32_t *made_of(const struct ht_round_report *report, const char *inspector, int64_t at_ms)
{
    uint32_t index = index_of(report, inspector);
    int64_t day = day_of(report, at_ms);
    return index == HT_PLAN_NONE || day < 0 || day / 7 >= report->weeks
               ? NULL
               : &report->made[(size_t)day * report->inspector_count + index];
}

/* What one who was there did. */
static void work_count(const struct ht_round_report *report, const struct ht_round_visit *visit,
                       const char *who)
{
    bool there = ht_visit_is_outcome(visit->state) && visit->state != HT_VISIT_IS_MISSED;
    struct ht_round_counts *cell = there ? cell_of(report, who, visit->start_ms) : NULL;
    uint32_t *made = there ? made_of(report, who, visit->start_ms) : NULL;
    bool said = visit->seen_ms != 0 && visit->until_ms != 0;
    bool in = visit->state != HT_VISIT_IS_REFUSED;
    if (cell != NULL && made != NULL) {
        int64_t length_ms = said ? visit->until_ms - visit->seen_ms
                            : in ? visit->end_ms - visit->start_ms
                                 : 0;
        cell->done_service_s += length_ms / 1000;
        ++*made;
    }
}

static void visit_count(const struct ht_round_report *report, const struct ht_round_visit *visit)
{
    struct ht_round_counts *cell = cell_of(report, visit->inspector, visit->start_ms);
    if (cell == NULL || visit->state == HT_VISIT_IS_CANCELLED) {
        return;
    }
    work_count(report, visit, visit->inspector);
    work_count(report, visit, visit->second[0] == '\0' ? NULL : visit->second);
    cell->planned++;
    if (visit->state == HT_VISIT_IS_MISSED) {
        cell->missed++;
    } else if (visit->state == HT_VISIT_IS_REFUSED) {
        cell->refused++;
    } else if (ht_visit_is_outcome(visit->state)) {
        cell->done++;
    } else if (visit->end_ms < report->now_ms) {
        cell->overdue++;
    } else {
        cell->ahead++;
    }
}

static void counts_add(struct ht_round_counts *sum, const struct ht_round_counts *more)
{
    sum->planned += more->planned;
    sum->done += more->done;
    sum->missed += more->missed;
    sum->refused += more->refused;
    sum->overdue += more->overdue;
    sum->ahead += more->ahead;
    sum->hazards_found += more->hazards_found;
    sum->hazards_mended += more->hazards_mended;
    sum->distance_m += more->distance_m;
    sum->travel_s += more->travel_s;
    sum->service_s += more->service_s;
    sum->done_m += more->done_m;
    sum->done_travel_s += more->done_travel_s;
    sum->done_service_s += more->done_service_s;
}

/* Of one week, one inspector, or (count: both) all. */
static struct ht_round_counts sum_of(const struct ht_round_report *report, uint32_t week,
                                     uint32_t inspector)
{
    struct ht_round_counts sum = {0};
    for (uint32_t w = 0; w < report->weeks; w++) {
        for (uint32_t i = 0; i < report->inspector_count; i++) {
            if ((week == report->weeks || week == w) &&
                (inspector == report->inspector_count || inspector == i)) {
                counts_add(&sum, &report->cells[(size_t)w * report->inspector_count + i]);
            }
        }
    }
    return sum;
}

static double hours_of(const struct ht_round_counts *counts)
{
    return (double)(counts->travel_s + counts->service_s) / 3600;
}

static double hours_done(const struct ht_round_counts *counts)
{
    return (double)(counts->done_travel_s + counts->done_service_s) / 3600;
}

/* Whether an inspector holds a site; where nobody does, all count. */
static bool is_holder(const struct ht_round_report *report, uint32_t inspector)
{
    const struct ht_round_record *record = report->record;
    bool holds = record->owner_count == 0;
    for (size_t i = 0; i < record->owner_count && !holds; i++) {
        holds = strcmp(record->owners[i].inspector, report->inspectors[inspector]) == 0;
    }
    return holds;
}

static enum ht_status gini_find(struct ht_round_report *report)
{
    int64_t *planned = ht_array_new(report->inspector_count, sizeof *planned);
    int64_t *done = ht_array_new(report->inspector_count, sizeof *done);
    enum ht_status status = planned == NULL || done == NULL ? HT_NOMEM : HT_OK;
    uint32_t count = 0;
    uint32_t workers = 0;
    for (uint32_t i = 0; i < report->inspector_count && status == HT_OK; i++) {
        struct ht_round_counts sum = sum_of(report, report->weeks, i);
        if (sum.travel_s + sum.service_s > 0 && is_holder(report, i)) {
            planned[count++] = sum.travel_s + sum.service_s;
        }
        if (sum.done_travel_s + sum.done_service_s > 0 && is_holder(report, i)) {
            done[workers++] = sum.done_travel_s + sum.done_service_s;
        }
    }
    report->gini_ppm = count == 0 ? 0 : ht_rounds_gini_ppm(planned, count);
    report->done_gini_ppm = workers == 0 ? 0 : ht_rounds_gini_ppm(done, workers);
    free(planned);
    free(done);
    return status;
}

/* The way of a day counts as done as far as its visits were made; where it was planned anew, what
 * was made is of its first tours. */
static void tour_count(const struct ht_round_report *report, const struct ht_round_tour *tour)
{
    struct ht_round_counts *cell = cell_of(report, tour->inspector, tour->start_ms);
    uint32_t *made = made_of(report, tour->inspector, tour->start_ms);
    if (cell == NULL || made == NULL) {
        return;
    }
    uint32_t done = *made < tour->visits ? *made : tour->visits;
    *made -= done;
    cell->distance_m += tour->distance_m;
    cell->travel_s += tour->travel_s;
    cell->service_s += tour->service_s;
    if (tour->visits > 0) {
        cell->done_m += (int64_t)tour->distance_m * done / tour->visits;
        cell->done_travel_s += (int64_t)tour->travel_s * done / tour->visits;
    }
}

static void notice_count(const struct ht_round_report *report, const struct ht_round_notice *notice)
{
    struct ht_round_counts *found = cell_of(report, notice->finder, notice->found_ms);
    struct ht_round_counts *mended =
        notice->mended_ms == 0 ? NULL : cell_of(report, notice->mender, notice->mended_ms);
    if (found != NULL) {
        found->hazards_found++;
    }
    if (mended != NULL) {
        mended->hazards_mended++;
    }
}

enum ht_status ht_round_report_make(const struct ht_round_record *record,
                                    const struct ht_round_notice *notices, size_t found_count,
                                    int64_t now_ms, struct ht_round_report *out)
{
    *out = (struct ht_round_report){.record = record, .now_ms = now_ms};
    int64_t weeks = (ht_zone_local_ms(record->to_ms) - ht_zone_local_ms(record->from_ms)) / WEEK_MS;
    out->weeks = weeks < 1 ? 1 : weeks > WEEKS_MOST ? WEEKS_MOST : (uint32_t)weeks;
    enum ht_status status = inspectors_list(out, notices, found_count);
    if (status == HT_OK) {
        size_t cells = (size_t)out->weeks * out->inspector_count;
        out->cells = ht_array_new_zeroed(cells, sizeof *out->cells);
        out->made = ht_array_new_zeroed(cells * 7, sizeof *out->made);
        status = out->cells == NULL || out->made == NULL ? HT_NOMEM : HT_OK;
    }
    for (size_t i = 0; status == HT_OK && i < record->visit_count; i++) {
        visit_count(out, &record->visits[i]);
    }
    for (size_t i = 0; status == HT_OK && i < record->tour_count; i++) {
        tour_count(out, &record->tours[i]);
    }
    for (size_t i = 0; status == HT_OK && i < found_count; i++) {
        notice_count(out, &notices[i]);
    }
    status = status == HT_OK ? gini_find(out) : status;
    if (status != HT_OK) {
        ht_round_report_deinit(out);
    }
    return status;
}

void ht_round_report_deinit(struct ht_round_report *report)
{
    free((void *)report->inspectors);
    free(report->cells);
    free(report->made);
    *report = (struct ht_round_report){.record = NULL};
}

/* ---- JSON ---- */

/* The first day of a week, "2026-03-02". */
static void week_date(const struct ht_round_report *report, uint32_t week, char out[11])
{
    char text[HT_TIME_TEXT_SIZE];
    ht_time_format(ht_zone_local_ms(report->record->from_ms) + week * WEEK_MS, text);
    memcpy(out, text, 10);
    out[10] = '\0';
}

static void counts_write(const struct ht_round_counts *counts, struct ht_json *json)
{
    ht_json_key_int(json, "planned", counts->planned);
    ht_json_key_int(json, "done", counts->done);
    ht_json_key_int(json, "missed", counts->missed);
    ht_json_key_int(json, "refused", counts->refused);
    ht_json_key_int(json, "overdue", counts->overdue);
    ht_json_key_int(json, "ahead", counts->ahead);
    ht_json_key_int(json, "hazards_found", counts->hazards_found);
    ht_json_key_int(json, "hazards_mended", counts->hazards_mended);
    ht_json_key_double(json, "km", (double)counts->done_m / 1000, 1);
    ht_json_key_double(json, "hours", hours_done(counts), 2);
    ht_json_key_double(json, "km_planned", (double)counts->distance_m / 1000, 1);
    ht_json_key_double(json, "hours_planned", hours_of(counts), 2);
}

static void fairness_write(const struct ht_round_report *report, struct ht_json *json)
{
    double least = 0;
    double most = 0;
    double all = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < report->inspector_count; i++) {
        struct ht_round_counts sum = sum_of(report, report->weeks, i);
        double hours = hours_of(&sum);
        if (hours > 0 && is_holder(report, i)) {
            least = count == 0 || hours < least ? hours : least;
            most = hours > most ? hours : most;
            all += hours;
            count++;
        }
    }
    ht_json_key(json, "fairness");
    ht_json_object(json);
    ht_json_key_double(json, "gini", report->gini_ppm / 1e6, 4);
    ht_json_key_double(json, "gini_done", report->done_gini_ppm / 1e6, 4);
    ht_json_key_int(json, "inspectors", count);
    ht_json_key_double(json, "hours_least", least, 2);
    ht_json_key_double(json, "hours_most", most, 2);
    ht_json_key_double(json, "hours_mean", count == 0 ? 0 : all / count, 2);
    ht_json_object_end(json);
}

static void weeks_write(const struct ht_round_report *report, struct ht_json *json)
{
    ht_json_key(json, "weeks");
    ht_json_array(json);
    for (uint32_t week = 0; week < report->weeks; week++) {
        char date[11];
        struct ht_round_counts sum = sum_of(report, week, report->inspector_count);
        week_date(report, week, date);
        ht_json_object(json);
        ht_json_key_int(json, "week", week + 1);
        ht_json_key_text(json, "from", date);
        counts_write(&sum, json);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void json_write(const struct ht_round_report *report, struct ht_buffer *out)
{
    struct ht_json json;
    struct ht_round_counts all = sum_of(report, report->weeks, report->inspector_count);
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "round", report->record->id);
    ht_json_key_text(&json, "collection", report->record->collection->name);
    ht_incident_json_moment(&json, "from", report->record->from_ms);
    ht_incident_json_moment(&json, "to", report->record->to_ms);
    ht_incident_json_moment(&json, "at", report->now_ms);
    ht_json_key(&json, "totals");
    ht_json_object(&json);
    counts_write(&all, &json);
    ht_json_object_end(&json);
    weeks_write(report, &json);
    ht_json_key(&json, "inspectors");
    ht_json_array(&json);
    for (uint32_t i = 0; i < report->inspector_count; i++) {
        struct ht_round_counts sum = sum_of(report, report->weeks, i);
        ht_json_object(&json);
        ht_json_key_text(&json, "inspector", report->inspectors[i]);
        counts_write(&sum, &json);
        ht_json_object_end(&json);
    }
    ht_json_array_end(&json);
    fairness_write(report, &json);
    ht_json_object_end(&json);
}

/* ---- CSV and the page ---- */

__attribute__((format(printf, 2, 3))) static void put(struct ht_buffer *out, const char *format,
                                                      ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (size > 0) {
        ht_buffer_append(out, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
    }
}

/* The figures of a row with `between` them. */
static void figures_put(const struct ht_round_counts *c, const char *between, struct ht_buffer *out)
{
    const uint32_t list[] = {c->planned, c->done,  c->missed,        c->refused,
                             c->overdue, c->ahead, c->hazards_found, c->hazards_mended};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        put(out, "%s%" PRIu32, between, list[i]);
    }
    put(out, "%s%.1f%s%.2f", between, (double)c->done_m / 1000, between, hours_done(c));
    put(out, "%s%.1f%s%.2f", between, (double)c->distance_m / 1000, between, hours_of(c));
}

static void csv_write(const struct ht_round_report *report, struct ht_buffer *out)
{
    ht_buffer_text(out, "week,from,inspector,planned,done,missed,refused,overdue,ahead,"
                        "hazards_found,hazards_mended,km,hours,km_planned,hours_planned\r\n");
    for (uint32_t week = 0; week < report->weeks; week++) {
        char date[11];
        week_date(report, week, date);
        for (uint32_t i = 0; i < report->inspector_count; i++) {
            put(out, "%" PRIu32 ",%s,%s", week + 1, date, report->inspectors[i]);
            figures_put(&report->cells[(size_t)week * report->inspector_count + i], ",", out);
            ht_buffer_text(out, "\r\n");
        }
    }
}

enum word {
    TITLE,
    WEEKS,
    INSPECTORS,
    WEEK,
    INSPECTOR,
    ALL,
    GINI,
    AS_OF,
    HEADS,
    WORDS = HEADS + 12
};

static const char *const english[WORDS] = {"Report of round",
                                           "By week",
                                           "By inspector",
                                           "Week of",
                                           "Inspector",
                                           "All",
                                           "Gini coefficient of hours",
                                           "as of",
                                           "planned",
                                           "done",
                                           "missed",
                                           "refused",
                                           "overdue",
                                           "ahead",
                                           "hazards found",
                                           "mended",
                                           "km",
                                           "hours",
                                           "km planned",
                                           "hours planned"};
static const char *const chinese_words[WORDS] = {
    "巡查报告", "按周统计", "按督导员统计", "周起始日", "督导员",   "合计",    "工时基尼系数",
    "截至",     "计划",     "完成",         "未到",     "被拒",     "逾期",    "待查",
    "发现隐患", "已整改",   "公里",         "工时",     "计划公里", "计划工时"};

static void head_put(const char *const *words, enum word first, struct ht_buffer *out)
{
    put(out, "<table><thead><tr><th>%s</th>", words[first]);
    for (int i = HEADS; i < WORDS; i++) {
        put(out, "<th>%s</th>", words[i]);
    }
    ht_buffer_text(out, "</tr></thead><tbody>\n");
}

static void row_put(const char *name, const struct ht_round_counts *counts, struct ht_buffer *out)
{
    ht_buffer_text(out, "<tr><th>");
    ht_page_text(out, name);
    ht_buffer_text(out, "</th><td>");
    struct ht_buffer row = {0};
    figures_put(counts, "</td><td>", &row);
    if (row.data != NULL && row.size > 9) { /* what stands between is not wanted at first */
        ht_buffer_append(out, row.data + 9, row.size - 9);
    }
    out->failed = out->failed || row.failed;
    ht_buffer_deinit(&row);
    ht_buffer_text(out, "</td></tr>\n");
}

static void table_end(const struct ht_round_report *report, const char *const *words,
                      struct ht_buffer *out)
{
    struct ht_round_counts all = sum_of(report, report->weeks, report->inspector_count);
    ht_buffer_text(out, "</tbody><tfoot>");
    row_put(words[ALL], &all, out);
    ht_buffer_text(out, "</tfoot></table>\n");
}

static void html_write(const struct ht_round_report *report, bool chinese, struct ht_buffer *out)
{
    static const char style[] =
        "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}"
        "th,td{border:1px solid #999;padding:.25em .6em;text-align:right}"
        "th{background:#eee}tbody th,tfoot th{text-align:left}"
        "thead{display:table-header-group}tr{page-break-inside:avoid}"
        "@media print{body{margin:0;font-size:11px}@page{size:A4 landscape;margin:1.5cm}}</style>";
    const char *const *words = chinese ? chinese_words : english;
    char at[HT_TIME_TEXT_SIZE];
    char from[11];
    char to[HT_TIME_TEXT_SIZE];
    char name[HT_PAGE_NAMED];
    ht_time_format(ht_zone_local_ms(report->now_ms), at);
    ht_time_format(ht_zone_local_ms(report->record->to_ms) - 1, to);
    week_date(report, 0, from);
    put(out,
        "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s %s</title>",
        chinese ? "zh-CN" : "en", words[TITLE], report->record->id);
    ht_buffer_text(out, style);
    put(out, "</head><body>\n<h1>%s %s</h1>\n<p>%s – %.10s, %s %.10s %.5s</p>\n", words[TITLE],
        report->record->id, from, to, words[AS_OF], at, at + 11);
    put(out, "<h2>%s</h2>\n", words[WEEKS]);
    head_put(words, WEEK, out);
    for (uint32_t week = 0; week < report->weeks; week++) {
        char date[11];
        struct ht_round_counts sum = sum_of(report, week, report->inspector_count);
        week_date(report, week, date);
        row_put(date, &sum, out);
    }
    table_end(report, words, out);
    put(out, "<h2>%s</h2>\n", words[INSPECTORS]);
    head_put(words, INSPECTOR, out);
    for (uint32_t i = 0; i < report->inspector_count; i++) {
        struct ht_round_counts sum = sum_of(report, report->weeks, i);
        if (report->reader != NULL) {
            ht_page_unit(report->reader, report->inspectors[i], name);
        }
        row_put(report->reader != NULL ? name : report->inspectors[i], &sum, out);
    }
    table_end(report, words, out);
    put(out, "<p>%s: %.4f</p>\n</body></html>\n", words[GINI], report->gini_ppm / 1e6);
}

void ht_round_report_write(const struct ht_round_report *report, enum ht_round_form form,
                           bool chinese, struct ht_buffer *out)
{
    switch (form) {
    case HT_ROUND_CSV:
        csv_write(report, out);
        break;
    case HT_ROUND_HTML:
        html_write(report, chinese, out);
        break;
    case HT_ROUND_JSON:
    default:
        json_write(report, out);
        break;
    }
}
