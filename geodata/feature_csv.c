/* CSV after RFC 4180: quoted cells may hold commas, ends of line and "" for a quote.
 *
 * Rows are cut in the bytes as they came and converted one by one: no byte of a GB18030 character
 * but the first can be a quote, a comma or an end of line.
 */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/array.h"
#include "geodata/feature_internal.h"

#define ROW_MAX (4 * (size_t)HT_FEATURE_BYTES_MAX)
#define NO_COLUMN SIZE_MAX

struct cell {
    size_t begin; /* in the row's text, which is unquoted in place */
    size_t size;
    bool quoted;
};

struct column {
    const struct ht_property *property; /* NULL: unknown, kept as text */
    size_t name_begin;                  /* in `names` */
    size_t name_size;
    bool special; /* id or a coordinate: no property */
};

struct csv {
    struct ht__reader *reader;
    const char *at;
    const char *end;
    int64_t line;    /* of the row at hand */
    int64_t lines;   /* that it takes */
    bool gb18030;    /* else UTF-8 */
    iconv_t convert; /* of GB18030 */
    struct ht_text row;
    struct cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    struct ht_text names;
    struct column columns[HT_FEATURE_KEYS_MAX];
    size_t column_count;
    size_t id;
    size_t x;
    size_t y;
    size_t wkt;
};

static void fail(struct csv *csv, enum ht_status status, const char *what)
{
    ht__reader_fail(csv->reader, status, csv->line, "%s", what);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Where the row that begins at `at` ends, its end of line not included; NULL: a quote is open. */
static const char *row_end(struct csv *csv)
{
    const char *at = csv->at;
    bool quoted = false;
    csv->lines = 1;
    for (; at < csv->end; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (*at == '\n') {
            if (!quoted) {
                return at;
            }
            csv->lines++;
        }
    }
    return quoted ? NULL : at;
}

static bool is_ascii(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)bytes[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* The row's bytes as UTF-8. */
static enum ht_status convert_row(struct csv *csv, const char *bytes, size_t size)
{
    ht_text_clear(&csv->row);
    if (!csv->gb18030 || is_ascii(bytes, size)) {
        ht_text_add(&csv->row, bytes, size);
        bool valid = csv->row.failed || ht_utf8_valid(bytes, size) == size;
        return csv->row.failed ? HT_NOMEM : valid ? HT_OK : HT_SYNTAX;
    }
    char *out = ht_text_reserve(&csv->row, size * 2 + 16); /* two bytes become three, four four */
    if (out == NULL) {
        return HT_NOMEM;
    }
    union {
        const char *bytes;
        char *iconvs; /* its prototype lacks const */
    } in = {.bytes = bytes};
    size_t left = size;
    size_t room = size * 2 + 16;
    (void)iconv(csv->convert, NULL, NULL, NULL, NULL);
    if (iconv(csv->convert, &in.iconvs, &left, &out, &room) == (size_t)-1) {
        return HT_SYNTAX;
    }
    ht_text_grow(&csv->row, size * 2 + 16 - room);
    return HT_OK;
}

static enum ht_status add_cell(struct csv *csv, struct cell cell)
{
    if (csv->cell_count == HT_FEATURE_KEYS_MAX) {
        return HT_TOO_BIG;
    }
    void *cells = csv->cells;
    enum ht_status status =
        ht_array_reserve(&cells, &csv->cell_capacity, csv->cell_count + 1, sizeof cell);
    csv->cells = cells;
    if (status == HT_OK) {
        csv->cells[csv->cell_count++] = cell;
    }
    return status;
}

/* The quoted cell that begins behind `at`; returns where it ended, its quotes taken out. */
static size_t unquote(char *text, size_t at, size_t size, struct cell *cell)
{
    size_t to = at;
    cell->quoted = true;
    for (at++; at < size; at++) {
        if (text[at] == '"') {
            if (at + 1 >= size || text[at + 1] != '"') {
                at++;
                break;
            }
            at++;
        }
        text[to++] = text[at];
    }
    cell->size = to - cell->begin;
    return at;
}

/* Cuts the row into cells. HT_SYNTAX: a quote where none may be. */
static enum ht_status cut_row(struct csv *csv)
{
    char *text = csv->row.data;
    size_t size = csv->row.size;
    size_t at = 0;
    csv->cell_count = 0;
    if (size > 0 && text[size - 1] == '\r') {
        size--;
    }
    for (;;) {
        struct cell cell = {.begin = at};
        if (at < size && text[at] == '"') {
            at = unquote(text, at, size, &cell);
        } else {
            while (at < size && text[at] != ',') {
                if (text[at] == '"') {
                    return HT_SYNTAX;
                }
                at++;
            }
            cell.size = at - cell.begin;
        }
        enum ht_status status = add_cell(csv, cell);
        if (status != HT_OK) {
            return status;
        }
        if (at >= size) {
            return HT_OK;
        }
        if (text[at] != ',') {
            return HT_SYNTAX;
        }
        at++;
    }
}

/* The next row's cells. HT_EMPTY: no row is left; HT_CANCELLED: it is broken, and reported. */
static enum ht_status next_row(struct csv *csv)
{
    struct ht__reader *reader = csv->reader;
    if (csv->at >= csv->end) {
        return HT_EMPTY;
    }
    const char *end = row_end(csv);
    if (end == NULL) {
        ht__reader_problem(reader, HT_SYNTAX, csv->line, "a quote is not closed");
        csv->at = csv->end;
        return HT_CANCELLED;
    }
    size_t size = (size_t)(end - csv->at);
    enum ht_status status = size > ROW_MAX ? HT_TOO_BIG : convert_row(csv, csv->at, size);
    csv->at = end < csv->end ? end + 1 : end;
    if (status == HT_SYNTAX) {
        ht__reader_problem(reader, status, csv->line, "the row is not %s",
                           csv->gb18030 ? "GB18030" : "UTF-8");
        return HT_CANCELLED;
    }
    status = status == HT_OK ? cut_row(csv) : status;
    if (status != HT_OK) {
        ht__reader_problem(reader, status, csv->line, "%s",
                           status == HT_SYNTAX    ? "a quote stands within a cell"
                           : status == HT_TOO_BIG ? "the row is too long"
                                                  : ht_status_text(status));
        return HT_CANCELLED;
    }
    return HT_OK;
}

/* --- the header row --------------------------------------------------------------------------- */

static const char *cell_text(const struct csv *csv, size_t index)
{
    return csv->row.data + csv->cells[index].begin;
}

/* The cell without spaces around it. */
static const char *trimmed(const char *text, size_t *size)
{
    while (*size > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        (*size)--;
    }
    while (*size > 0 && (text[*size - 1] == ' ' || text[*size - 1] == '\t')) {
        (*size)--;
    }
    return text;
}

static bool is_blank(const char *text, size_t size)
{
    (void)trimmed(text, &size);
    return size == 0;
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static size_t column_named(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        if (is_word(csv->names.data + csv->columns[i].name_begin, csv->columns[i].name_size,
                    name)) {
            return i;
        }
    }
    return NO_COLUMN;
}

static bool names_differ(const struct csv *csv)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct column *a = &csv->columns[i];
            const struct column *b = &csv->columns[k];
            if (a->name_size == b->name_size &&
                memcmp(csv->names.data + a->name_begin, csv->names.data + b->name_begin,
                       a->name_size) == 0) {
                return false;
            }
        }
    }
    return true;
}

static void find_special(struct csv *csv)
{
    csv->id = column_named(csv, "id");
    csv->x = column_named(csv, "lon");
    csv->y = column_named(csv, "lat");
    csv->wkt = column_named(csv, "wkt");
    if (csv->x == NO_COLUMN && csv->y == NO_COLUMN && csv->wkt == NO_COLUMN) {
        csv->x = column_named(csv, "x");
        csv->y = column_named(csv, "y");
    }
    size_t special[] = {csv->id, csv->x, csv->y, csv->wkt};
    for (size_t i = 0; i < 4; i++) {
        if (special[i] != NO_COLUMN) {
            csv->columns[special[i]].special = true;
        }
    }
}

static bool read_header(struct csv *csv)
{
    struct ht__reader *reader = csv->reader;
    enum ht_status status = next_row(csv);
    if (status == HT_EMPTY) {
        ht__reader_problem(reader, status, 1, "the header row is missing");
    }
    if (status != HT_OK) {
        return false;
    }
    csv->column_count = csv->cell_count;
    for (size_t i = 0; i < csv->cell_count; i++) {
        size_t size = csv->cells[i].size;
        const char *name = trimmed(cell_text(csv, i), &size);
        if (size == 0 || memchr(name, '\0', size) != NULL) {
            ht__reader_problem(reader, HT_SYNTAX, 1, "column %zu has no name", i + 1);
            return false;
        }
        csv->columns[i] = (struct column){.name_begin = csv->names.size, .name_size = size};
        if (reader->values.collection != NULL) {
            csv->columns[i].property =
                ht_collection_property(reader->values.collection, name, size);
        }
        ht_text_add(&csv->names, name, size);
    }
    if (csv->names.failed) {
        ht__reader_problem(reader, HT_NOMEM, 1, "%s", ht_status_text(HT_NOMEM));
        return false;
    }
    find_special(csv);
    bool half = (csv->x == NO_COLUMN) != (csv->y == NO_COLUMN);
    if (!names_differ(csv) || half) {
        ht__reader_problem(reader, HT_SYNTAX, 1, "%s",
                           half ? "lon and lat must come together" : "two columns have one name");
        return false;
    }
    return true;
}

/* --- cells ------------------------------------------------------------------------------------ */

static bool is_number(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    double number = 0;
    bool zero = at + 1 < size && text[at] == '0' && text[at + 1] >= '0' && text[at + 1] <= '9';
    /* JSON wants a digit on both sides of a point and no zero before another digit. */
    const char *point = memchr(text, '.', size);
    bool digits =
        at < size && text[at] >= '0' && text[at] <= '9' &&
        (point == NULL || (point + 1 < text + size && point[1] >= '0' && point[1] <= '9'));
    return digits && !zero && ht_number_read(text, size, &number) == size;
}

static void add_number(struct csv *csv, const struct column *column, const char *text, size_t size)
{
    text = trimmed(text, &size);
    if (is_number(text, size)) {
        ht__values_number(&csv->reader->values, text, size);
    } else {
        ht__reader_fail(csv->reader, HT_SYNTAX, csv->line, "%s is not a number",
                        column->property->name);
    }
}

static void add_bool(struct csv *csv, const struct column *column, const char *text, size_t size)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "否", "是"};
    text = trimmed(text, &size);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(text, size, words[i])) {
            ht__values_bool(&csv->reader->values, i % 2 == 1);
            return;
        }
    }
    ht__reader_fail(csv->reader, HT_SYNTAX, csv->line, "%s must be true or false",
                    column->property->name);
}

static void add_json(struct csv *csv, const struct column *column, const char *text, size_t size)
{
    struct ht__values *values = &csv->reader->values;
    bool good = values->bad.status == HT_OK;
    ht__values_json(values, text, size);
    if (good && values->bad.status == HT_SYNTAX) {
        ht__reader_fail(csv->reader, HT_SYNTAX, csv->line, "%s: %.200s", column->property->name,
                        values->bad.message);
    }
}

/* The bytes of a separator at `text`: ";" or the full-width one. */
static size_t separator(const char *text, size_t size)
{
    return text[0] == ';' ? 1 : size >= 3 && memcmp(text, "；", 3) == 0 ? 3 : 0;
}

static void add_list(struct csv *csv, const struct column *column, const char *text, size_t size)
{
    bool numbers = column->property->type == HT_PROPERTY_NUMBER_LIST ||
                   column->property->type == HT_PROPERTY_RANGE;
    ht__values_open(&csv->reader->values, false);
    for (size_t at = 0, begin = 0; at <= size; at++) {
        size_t taken = at < size ? separator(text + at, size - at) : 1;
        if (taken == 0) {
            continue;
        }
        size_t length = at - begin;
        const char *item = trimmed(text + begin, &length);
        if (length > 0 && numbers) {
            add_number(csv, column, item, length);
        } else if (length > 0) {
            ht__values_text(&csv->reader->values, item, length);
        }
        at += taken - 1;
        begin = at + 1;
    }
    ht__values_close(&csv->reader->values);
}

static void add_cell_value(struct csv *csv, const struct column *column, const char *text,
                           size_t size)
{
    struct ht__values *values = &csv->reader->values;
    size_t bare = size;
    char first = *trimmed(text, &bare);
    bool json = bare > 0 && (first == '[' || first == '{');
    enum ht_property_type type =
        column->property != NULL ? column->property->type : HT_PROPERTY_TEXT;
    switch (type) {
    case HT_PROPERTY_TEXT:
        if (column->property != NULL && column->property->words != NULL) {
            text = trimmed(text, &size);
        }
        ht__values_text(values, text, size);
        break;
    case HT_PROPERTY_ID:
    case HT_PROPERTY_CRS:
    case HT_PROPERTY_TIME:
        text = trimmed(text, &size);
        ht__values_text(values, text, size);
        break;
    case HT_PROPERTY_NUMBER:
    case HT_PROPERTY_INTEGER:
        add_number(csv, column, text, size);
        break;
    case HT_PROPERTY_BOOL:
        add_bool(csv, column, text, size);
        break;
    case HT_PROPERTY_TEXT_LIST:
    case HT_PROPERTY_NUMBER_LIST:
    case HT_PROPERTY_RANGE:
    case HT_PROPERTY_MIXED_LIST:
    case HT_PROPERTY_OPENING_HOURS:
        if (json) {
            add_json(csv, column, text, size);
        } else {
            add_list(csv, column, text, size);
        }
        break;
    case HT_PROPERTY_OBJECT_LIST:
    case HT_PROPERTY_ANSWERS:
    case HT_PROPERTY_POINT:
        add_json(csv, column, text, size);
        break;
    case HT_PROPERTY_PLACE:
    case HT_PROPERTY_GATE:
        if (json) {
            add_json(csv, column, text, size);
        } else {
            ht__values_text(values, text, size);
        }
        break;
    }
}

/* --- a row becomes a feature ------------------------------------------------------------------ */

static bool read_coordinate(struct csv *csv, size_t index, double *out)
{
    size_t size = csv->cells[index].size;
    const char *text = trimmed(cell_text(csv, index), &size);
    if (size > 0 && ht_number_read(text, size, out) == size) {
        return true;
    }
    ht__reader_fail(csv->reader, HT_SYNTAX, csv->line, "%.*s is not a number",
                    (int)csv->columns[index].name_size,
                    csv->names.data + csv->columns[index].name_begin);
    return false;
}

static void read_place(struct csv *csv)
{
    struct ht__reader *reader = csv->reader;
    if (csv->wkt != NO_COLUMN && csv->cells[csv->wkt].size > 0) {
        struct ht_error error;
        enum ht_status status = ht_draft_read_wkt(&reader->draft, cell_text(csv, csv->wkt),
                                                  csv->cells[csv->wkt].size, &reader->type, &error);
        if (status != HT_OK) {
            fail(csv, status, error.message);
        }
        return;
    }
    double x = 0;
    double y = 0;
    if (csv->x == NO_COLUMN || (csv->cells[csv->x].size == 0 && csv->cells[csv->y].size == 0)) {
        return;
    }
    if (read_coordinate(csv, csv->x, &x) && read_coordinate(csv, csv->y, &y)) {
        enum ht_status status = ht_draft_add(&reader->draft, x, y);
        reader->type = HT_GEOMETRY_POINT;
        if (status != HT_OK) {
            fail(csv, status, ht_status_text(status));
        }
    }
}

static void read_row(struct csv *csv)
{
    struct ht__reader *reader = csv->reader;
    ht__reader_begin(reader, csv->line);
    if (csv->id != NO_COLUMN && csv->id < csv->cell_count) {
        size_t size = csv->cells[csv->id].size;
        const char *id = trimmed(cell_text(csv, csv->id), &size);
        ht__reader_id(reader, id, size);
    }
    if (csv->cell_count != csv->column_count) {
        ht__reader_fail(reader, HT_SYNTAX, csv->line, "the row has %zu cells, the header %zu",
                        csv->cell_count, csv->column_count);
    } else {
        read_place(csv);
        ht__values_begin(&reader->values);
        for (size_t i = 0; i < csv->cell_count; i++) {
            const struct column *column = &csv->columns[i];
            if (!column->special && !is_blank(cell_text(csv, i), csv->cells[i].size)) {
                ht__values_key(&reader->values, csv->names.data + column->name_begin,
                               column->name_size);
                add_cell_value(csv, column, cell_text(csv, i), csv->cells[i].size);
            }
        }
        ht__values_close(&reader->values);
    }
    ht__reader_emit(reader);
}

/* An empty line, or one of commas only, as spreadsheets leave at the end. */
static bool row_is_empty(const struct csv *csv)
{
    for (size_t i = 0; i < csv->cell_count; i++) {
        if (csv->cells[i].size > 0) {
            return false;
        }
    }
    return true;
}

static void read_rows(struct csv *csv)
{
    if (!read_header(csv)) {
        return;
    }
    while (!csv->reader->stopped) {
        csv->line += csv->lines;
        csv->lines = 0;
        enum ht_status status = next_row(csv);
        if (status == HT_EMPTY) {
            return;
        }
        if (status == HT_OK && !row_is_empty(csv)) {
            read_row(csv);
        }
    }
}

/* --- which characters ------------------------------------------------------------------------- */

/* Whether the bytes are UTF-8 at heart: what is no UTF-8 is rare beside what is more than ASCII and
 * well-formed. Then rows with such bytes are wrong; else all of it is GB18030, in which well-formed
 * UTF-8 hardly ever occurs. */
static bool is_utf8(const char *bytes, size_t size)
{
    size_t good = 0;
    size_t bad = 0;
    for (size_t at = 0; at < size;) {
        size_t length = ht_utf8_valid(bytes + at, size - at);
        if (at == 0 && length == size) {
            return true;
        }
        for (size_t i = 0; i < length; i++) {
            good += ((unsigned char)bytes[at + i] & 0xc0) == 0xc0;
        }
        at += length;
        if (at < size) {
            bad++;
            at++;
        }
    }
    return bad * 4 <= good;
}

void ht__read_csv(struct ht__reader *reader, const char *bytes, size_t size)
{
    static const char gb18030_bom[] = {(char)0x84, 0x31, (char)0x95, 0x33};
    bool utf8_bom = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
    bool gb_bom = size >= 4 && memcmp(bytes, gb18030_bom, 4) == 0;
    size_t skip = utf8_bom ? 3 : gb_bom ? 4 : 0;
    struct csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL) {
        ht__reader_problem(reader, HT_NOMEM, 0, "%s", ht_status_text(HT_NOMEM));
        return;
    }
    csv->reader = reader;
    csv->at = bytes + skip;
    csv->end = bytes + size;
    csv->line = 1;
    csv->gb18030 = gb_bom || (!utf8_bom && !is_utf8(bytes, size));
    if (csv->gb18030) {
        csv->convert = iconv_open("UTF-8", "GB18030");
    }
    if (csv->gb18030 && (intptr_t)csv->convert == -1) {
        ht__reader_problem(reader, errno == ENOMEM ? HT_NOMEM : HT_UNSUPPORTED, 1,
                           "the text is not UTF-8, and GB18030 is not known to this machine");
    } else {
        read_rows(csv);
        if (csv->gb18030) {
            (void)iconv_close(csv->convert);
        }
    }
    ht_text_deinit(&csv->row);
    ht_text_deinit(&csv->names);
    free(csv->cells);
    free(csv);
}
