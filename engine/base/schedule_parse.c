/* The grammar of conditions; schedule.h says which part of OSM's it is. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/schedule.h"
#include "engine/base/schedule_internal.h"

#define TEXT_MAX 1000

struct parser {
    char text[TEXT_MAX + 1]; /* normalized */
    const char *at;
    struct ht__rule rules[HT__RULE_MAX];
    int rule_count;
    struct ht__rule *rule; /* the one at hand */
    bool timed;            /* the rule at hand has its times */
    bool inside;           /* the parentheses of a "not" */
    struct ht_error *error;
};

static const char *const weekday_names[] = {"mo", "tu", "we", "th", "fr", "sa", "su"};
static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static enum ht_status fail(struct parser *parser, enum ht_status status, const char *what)
{
    int size = 0;
    while (parser->at[size] != '\0' && strchr(" ;,()", parser->at[size]) == NULL && size < 40) {
        size++;
    }
    if (*parser->at == '\0') {
        return ht_error_set(parser->error, status, parser->at - parser->text + 1, "%s its end",
                            what);
    }
    return ht_error_set(parser->error, status, parser->at - parser->text + 1, "%s \"%.*s\"", what,
                        size == 0 ? 1 : size, parser->at);
}

/* Words that we don't know are conditions that we can't judge; the rest is a mistake. */
static enum ht_status fail_word(struct parser *parser)
{
    const char *end = parser->at;
    while (*end != '\0' && strchr(" ;,()", *end) == NULL) {
        end++;
    }
    bool compares = memchr(parser->at, '<', (size_t)(end - parser->at)) != NULL ||
                    memchr(parser->at, '>', (size_t)(end - parser->at)) != NULL ||
                    memchr(parser->at, '=', (size_t)(end - parser->at)) != NULL;
    if (is_letter(*parser->at) || *parser->at == '(' || compares) {
        return fail(parser, HT_UNSUPPORTED, "unsupported condition");
    }
    return fail(parser, HT_SYNTAX, "malformed condition at");
}

static void skip_spaces(struct parser *parser)
{
    while (*parser->at == ' ') {
        parser->at++;
    }
}

/* The size of `word` where it stands at `at` in any case and whole, else 0. */
static size_t word_ahead(const char *at, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < size; i++) {
        if ((at[i] | 0x20) != word[i]) {
            return 0;
        }
    }
    return is_letter(at[size]) ? 0 : size;
}

static bool take_word(struct parser *parser, const char *word)
{
    size_t size = word_ahead(parser->at, word);
    parser->at += size;
    return size > 0;
}

static bool take_char(struct parser *parser, char c)
{
    skip_spaces(parser);
    if (*parser->at != c) {
        return false;
    }
    parser->at++;
    skip_spaces(parser);
    return true;
}

/* The index of the word that stands here, -1 for none. */
static int take_name(struct parser *parser, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (take_word(parser, names[i])) {
            return i;
        }
    }
    return -1;
}

static int digit_count(const char *at)
{
    int count = 0;
    while (is_digit(at[count]) && count < 8) {
        count++;
    }
    return count;
}

/* A number of 1 to 4 digits, -1 for none. */
static int take_number(struct parser *parser)
{
    int count = digit_count(parser->at);
    if (count == 0 || count > 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < count; i++) {
        value = value * 10 + (*parser->at++ - '0');
    }
    return value;
}

/* A time of day looks like 7:00 or 07:00. */
static bool time_ahead(const char *at)
{
    int count = digit_count(at);
    return (count == 1 || count == 2) && at[count] == ':' && digit_count(at + count + 1) == 2;
}

static bool year_ahead(const char *at)
{
    return digit_count(at) == 4 && at[4] != ':';
}

static bool name_ahead(const char *at, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (word_ahead(at, names[i]) > 0) {
            return true;
        }
    }
    return false;
}

static int take_time(struct parser *parser)
{
    if (!time_ahead(parser->at)) {
        return -1;
    }
    int hour = take_number(parser);
    parser->at++;
    int minute = take_number(parser);
    return hour <= 48 && minute < 60 && hour * 60 + minute <= 2 * HT__DAY_MIN ? hour * 60 + minute
                                                                              : -1;
}

/* "07:00-09:00" or "18:00+" */
static enum ht_status read_span(struct parser *parser)
{
    struct ht__rule *rule = parser->rule;
    if (rule->span_count == HT__SPAN_MAX) {
        return fail(parser, HT_TOO_BIG, "too many times at");
    }
    int from = take_time(parser);
    if (from < 0 || from > HT__DAY_MIN) {
        return fail(parser, HT_SYNTAX, "no time at");
    }
    int to = HT__DAY_MIN;
    if (take_char(parser, '-')) {
        if (is_letter(*parser->at) || *parser->at == '(') {
            return fail(parser, HT_UNSUPPORTED, "unsupported time");
        }
        to = take_time(parser);
        if (to < 0) {
            return fail(parser, HT_SYNTAX, "no time at");
        }
        if (*parser->at == '+') {
            parser->at++;
        }
        to += to <= from ? HT__DAY_MIN : 0;
        if (to - from > HT__DAY_MIN) {
            return fail(parser, HT_SYNTAX, "a time of more than a day before");
        }
    } else if (!take_char(parser, '+')) {
        return fail(parser, HT_SYNTAX, "a time without end before");
    }
    if (*parser->at == '/') {
        return fail(parser, HT_UNSUPPORTED, "unsupported interval");
    }
    rule->spans[rule->span_count++] = (struct ht__span){.from = (int16_t)from, .to = (int16_t)to};
    return HT_OK;
}

/* Times, as long as commas lead to more of them. */
static enum ht_status read_spans(struct parser *parser)
{
    for (;;) {
        enum ht_status status = read_span(parser);
        if (status != HT_OK) {
            return status;
        }
        const char *mark = parser->at;
        if (!take_char(parser, ',') || !time_ahead(parser->at)) {
            parser->at = mark;
            parser->timed = true;
            return HT_OK;
        }
    }
}

static enum ht_status read_day(struct parser *parser)
{
    struct ht__rule *rule = parser->rule;
    if (take_word(parser, "ph")) {
        rule->public_holiday = true;
        return HT_OK;
    }
    if (take_word(parser, "sh")) {
        rule->school_holiday = true;
        return HT_OK;
    }
    int from = take_name(parser, weekday_names, 7);
    if (from < 0) {
        return fail_word(parser);
    }
    int to = from;
    if (take_char(parser, '-')) {
        to = take_name(parser, weekday_names, 7);
        if (to < 0) {
            return fail(parser, HT_SYNTAX, "not a weekday:");
        }
    }
    if (*parser->at == '[') {
        return fail(parser, HT_UNSUPPORTED, "unsupported weekday");
    }
    for (int day = from;; day = (day + 1) % 7) {
        rule->weekdays = (uint8_t)(rule->weekdays | 1U << day);
        if (day == to) {
            return HT_OK;
        }
    }
}

static bool day_ahead(const char *at)
{
    return word_ahead(at, "ph") > 0 || word_ahead(at, "sh") > 0 || name_ahead(at, weekday_names, 7);
}

static enum ht_status read_days(struct parser *parser)
{
    parser->rule->days_given = true;
    for (;;) {
        enum ht_status status = read_day(parser);
        if (status != HT_OK) {
            return status;
        }
        const char *mark = parser->at;
        if (take_char(parser, ':')) {
            return HT_OK;
        }
        if (!take_char(parser, ',') || !day_ahead(parser->at)) {
            parser->at = mark;
            return HT_OK;
        }
    }
}

static int month_days(int month)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month];
}

/* The day of a month, 0 when none stands here, -1 when it is wrong. */
static int take_month_day(struct parser *parser, int month)
{
    const char *mark = parser->at;
    skip_spaces(parser);
    if (digit_count(parser->at) == 0 || digit_count(parser->at) > 2 || time_ahead(parser->at)) {
        parser->at = mark;
        return 0;
    }
    int day = take_number(parser);
    return day >= 1 && day <= month_days(month) ? day : -1;
}

/* The end of a date range, after the "-": "2025 Feb 3", "Feb 3", "Feb" or "3". */
static enum ht_status read_date_end(struct parser *parser, struct ht__dates *dates)
{
    int year = dates->from.year;
    if (year_ahead(parser->at)) {
        year = take_number(parser);
        skip_spaces(parser);
    }
    int month = take_name(parser, month_names, 12);
    int day = take_month_day(parser, month >= 0 ? month : dates->from.month - 1);
    if (day < 0 || (month < 0 && day == 0)) {
        return fail(parser, HT_SYNTAX, "not a date before");
    }
    month = month >= 0 ? month + 1 : dates->from.month;
    dates->to = (struct ht__date){
        .year = (int16_t)year, .month = (int16_t)month, .day = (int16_t)(day > 0 ? day : 31)};
    bool back = month < dates->from.month ||
                (month == dates->from.month && dates->to.day < dates->from.day);
    if (back && year != 0 && year == dates->from.year) {
        dates->to.year++;
    }
    return HT_OK;
}

/* "Jan", "Dec 24", "Dec 24-26", "Nov-Mar"; `year` 0: each. */
static enum ht_status read_date(struct parser *parser, int year, int *month)
{
    struct ht__rule *rule = parser->rule;
    if (rule->date_count == HT__DATE_MAX) {
        return fail(parser, HT_TOO_BIG, "too many dates at");
    }
    int named = take_name(parser, month_names, 12);
    *month = named >= 0 ? named : *month;
    int day = take_month_day(parser, *month);
    if (day < 0 || (named < 0 && day == 0)) {
        return fail(parser, HT_SYNTAX, "not a date before");
    }
    struct ht__dates *dates = &rule->dates[rule->date_count++];
    dates->from = (struct ht__date){
        .year = (int16_t)year, .month = (int16_t)(*month + 1), .day = (int16_t)(day > 0 ? day : 1)};
    dates->to = dates->from;
    dates->to.day = (int16_t)(day > 0 ? day : 31);
    return take_char(parser, '-') ? read_date_end(parser, dates) : HT_OK;
}

static enum ht_status read_dates(struct parser *parser, int year)
{
    int month = 0;
    for (;;) {
        enum ht_status status = read_date(parser, year, &month);
        if (status != HT_OK) {
            return status;
        }
        const char *mark = parser->at;
        bool more = take_char(parser, ',');
        int digits = digit_count(parser->at);
        bool date = name_ahead(parser->at, month_names, 12) ||
                    (digits > 0 && digits <= 2 && !time_ahead(parser->at));
        if (!more || !date) {
            parser->at = mark;
            return HT_OK;
        }
    }
}

/* "2025", "2025-2027", "2025+", or the year of the date that follows. */
static enum ht_status read_year(struct parser *parser)
{
    struct ht__rule *rule = parser->rule;
    int year = take_number(parser);
    if (year < 1000) {
        return fail(parser, HT_SYNTAX, "not a year before");
    }
    skip_spaces(parser);
    if (name_ahead(parser->at, month_names, 12)) {
        return read_dates(parser, year);
    }
    rule->year_from = (int16_t)year;
    rule->year_to = (int16_t)year;
    if (take_char(parser, '+')) {
        rule->year_to = HT__YEAR_LAST;
    } else if (take_char(parser, '-')) {
        int last = year_ahead(parser->at) ? take_number(parser) : -1;
        if (last < year) {
            return fail(parser, HT_SYNTAX, "not a year before");
        }
        rule->year_to = (int16_t)last;
    }
    return HT_OK;
}

static enum ht_status begin_rule(struct parser *parser, bool first, bool adds)
{
    if (parser->rule_count == HT__RULE_MAX) {
        return fail(parser, HT_TOO_BIG, "too many rules at");
    }
    parser->rule = &parser->rules[parser->rule_count++];
    *parser->rule = (struct ht__rule){.first = first, .adds = adds};
    parser->timed = false;
    return HT_OK;
}

/* A word that changes the rule, or a comment in quotes. */
static bool take_modifier(struct parser *parser)
{
    if (take_word(parser, "off") || take_word(parser, "closed")) {
        parser->rule->off = true;
        return true;
    }
    if (*parser->at == '"') {
        const char *end = strchr(parser->at + 1, '"');
        parser->at = end != NULL ? end + 1 : parser->at;
        return end != NULL;
    }
    return take_word(parser, "open");
}

static bool take_always(struct parser *parser)
{
    if (strncmp(parser->at, "24/7", 4) != 0) {
        return false;
    }
    parser->at += 4;
    return true;
}

static bool rule_ends(const struct parser *parser)
{
    const char *at = parser->at;
    return *at == '\0' || *at == ';' || *at == ',' || (*at == ')' && parser->inside) ||
           word_ahead(at, "and") > 0;
}

static enum ht_status read_rule(struct parser *parser)
{
    bool any = false;
    for (skip_spaces(parser); !rule_ends(parser); skip_spaces(parser)) {
        enum ht_status status = HT_OK;
        any = true;
        if (parser->timed && !take_modifier(parser)) {
            return fail_word(parser);
        }
        if (parser->timed || take_always(parser) || take_modifier(parser)) {
            continue;
        }
        if (time_ahead(parser->at)) {
            status = read_spans(parser);
        } else if (year_ahead(parser->at)) {
            status = read_year(parser);
        } else if (name_ahead(parser->at, month_names, 12)) {
            status = read_dates(parser, 0);
        } else {
            status = read_days(parser);
        }
        if (status != HT_OK) {
            return status;
        }
    }
    return any ? HT_OK : fail(parser, HT_SYNTAX, "an empty rule before");
}

/* A rule that names neither days nor dates only adds its times to the rules before it. */
static void settle_rule(struct parser *parser)
{
    struct ht__rule *rule = parser->rule;
    if (!rule->first && !rule->days_given && rule->date_count == 0 && rule->year_from == 0 &&
        rule->span_count > 0) {
        rule->adds = true;
    }
}

/* The first rule of what must hold, or (not) must not hold. */
static enum ht_status begin_group(struct parser *parser)
{
    enum ht_status status = begin_rule(parser, true, false);
    skip_spaces(parser);
    if (status == HT_OK && take_word(parser, "not")) {
        parser->rule->negated = true;
        parser->inside = take_char(parser, '(');
    }
    return status;
}

/* What stands behind a rule. HT_EMPTY: nothing more. */
static enum ht_status end_rule(struct parser *parser)
{
    if (parser->inside && take_char(parser, ')')) {
        parser->inside = false;
        if (*parser->at != '\0' && word_ahead(parser->at, "and") == 0) {
            return fail_word(parser);
        }
    }
    return *parser->at == '\0' && !parser->inside ? HT_EMPTY : HT_OK;
}

static enum ht_status read_rules(struct parser *parser)
{
    enum ht_status status = begin_group(parser);
    while (status == HT_OK) {
        status = read_rule(parser);
        if (status != HT_OK) {
            return status;
        }
        settle_rule(parser);
        status = end_rule(parser);
        if (status != HT_OK) {
            return status == HT_EMPTY ? HT_OK : status;
        }
        if (parser->inside && *parser->at != ';' && *parser->at != ',') {
            return fail_word(parser); /* not closed, or an AND that we don't turn inside out */
        }
        if (take_word(parser, "and")) {
            status = begin_group(parser);
            continue;
        }
        bool adds = *parser->at == ',';
        parser->at++;
        skip_spaces(parser);
        if (*parser->at == '\0' && !parser->inside) {
            return HT_OK; /* a last ";" is common and harmless */
        }
        status = begin_rule(parser, false, adds);
    }
    return status;
}

/* Full-width and typographic signs as Chinese keyboards make them: X(bytes, plain). */
static const struct {
    const char *bytes;
    char plain;
} signs[] = {
    {"\xEF\xBC\x9A", ':'}, {"\xEF\xBC\x8C", ','}, {"\xEF\xBC\x9B", ';'},
    {"\xEF\xBC\x8D", '-'}, {"\xE2\x80\x93", '-'}, {"\xE2\x80\x94", '-'},
    {"\xE3\x80\x80", ' '}, {"\xEF\xBC\x88", '('}, {"\xEF\xBC\x89", ')'},
};

/* Copies with plain signs; false: too long. */
static bool normalize(struct parser *parser, const char *text)
{
    size_t size = 0;
    while (*text != '\0') {
        char c = *text;
        size_t step = 1;
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
            if (strncmp(text, signs[i].bytes, 3) == 0) {
                c = signs[i].plain;
                step = 3;
            }
        }
        if (size == TEXT_MAX) {
            return false;
        }
        parser->text[size++] = (char)(c == '\t' || c == '\n' || c == '\r' ? ' ' : c);
        text += step;
    }
    while (size > 0 && parser->text[size - 1] == ' ') {
        size--;
    }
    parser->text[size] = '\0';
    return true;
}

/* Drops parentheses that stand around everything. */
static void drop_parentheses(struct parser *parser)
{
    parser->at = parser->text;
    skip_spaces(parser);
    for (size_t size = strlen(parser->at); *parser->at == '('; size = strlen(parser->at)) {
        const char *close = strchr(parser->at, ')');
        if (close == NULL || close[1] != '\0') {
            return;
        }
        parser->text[(size_t)(parser->at - parser->text) + size - 1] = '\0';
        parser->at++;
        skip_spaces(parser);
    }
}

static enum ht_status build(const struct parser *parser, struct ht_schedule **out)
{
    size_t count = (size_t)parser->rule_count;
    struct ht_schedule *schedule = malloc(sizeof *schedule + count * sizeof schedule->rules[0]);
    if (schedule == NULL) {
        return ht_error_set(parser->error, HT_NOMEM, 0, NULL);
    }
    schedule->rule_count = parser->rule_count;
    schedule->by_date = false;
    memcpy(schedule->rules, parser->rules, count * sizeof schedule->rules[0]);
    for (size_t i = 0; i < count; i++) {
        const struct ht__rule *rule = &schedule->rules[i];
        schedule->by_date = schedule->by_date || rule->date_count > 0 || rule->year_from != 0 ||
                            rule->public_holiday || rule->school_holiday;
    }
    *out = schedule;
    return HT_OK;
}

enum ht_status ht_schedule_parse(const char *text, struct ht_schedule **out, struct ht_error *error)
{
    *out = NULL;
    struct parser parser;
    parser.rule_count = 0;
    parser.inside = false;
    parser.error = error;
    if (!normalize(&parser, text)) {
        return ht_error_set(error, HT_TOO_BIG, 0, "a condition of more than %d bytes", TEXT_MAX);
    }
    drop_parentheses(&parser);
    enum ht_status status = read_rules(&parser);
    return status == HT_OK ? build(&parser, out) : status;
}
