#include "api/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "geodata/digest.h"

enum { FIELDS = 4, NAME_MAX_SIZE = 64, TOKEN_BYTES = 32, FILE_MAX = 1 << 20 };

struct entry {
    struct ht_caller caller;
    const char *hash;
};

struct ht_tokens {
    char *text; /* the file, cut into fields by NULs */
    struct entry *entries;
    size_t count;
    size_t capacity;
};

static const char *const role_names[] = {NULL, "viewer", "device", "dispatcher", "admin"};

const char *ht_role_name(enum ht_role role)
{
    return role_names[role];
}

enum ht_role ht_role_of(const char *name, size_t size)
{
    for (size_t i = 1; i < sizeof role_names / sizeof *role_names; i++) {
        if (strlen(role_names[i]) == size && memcmp(role_names[i], name, size) == 0) {
            return (enum ht_role)i;
        }
    }
    return HT_ROLE_NONE;
}

static bool word_sound(const char *word)
{
    size_t size = strlen(word);
    return size > 0 && size <= NAME_MAX_SIZE &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") ==
               size;
}

static bool scope_read(char *scope, struct ht_caller *caller)
{
    if (strcmp(scope, "-") == 0) {
        return true;
    }
    char *rest = NULL;
    for (char *part = strtok_r(scope, ",", &rest); part != NULL;
         part = strtok_r(NULL, ",", &rest)) {
        if (strncmp(part, "unit=", 5) == 0 && word_sound(part + 5)) {
            caller->unit = part + 5;
        } else if (strncmp(part, "household=", 10) == 0 && word_sound(part + 10)) {
            caller->household = part + 10;
        } else if (strncmp(part, "district=", 9) == 0 && word_sound(part + 9)) {
            caller->district = part + 9;
        } else {
            return false;
        }
    }
    return true;
}

/* NULL, or what is wrong with the line. */
static const char *line_read(char *line, struct entry *out)
{
    char *fields[FIELDS + 1] = {NULL};
    char *rest = NULL;
    size_t count = 0;
    for (char *field = strtok_r(line, " \t\r", &rest); field != NULL && count <= FIELDS;
         field = strtok_r(NULL, " \t\r", &rest)) {
        fields[count++] = field;
    }
    if (count != FIELDS) {
        return "a line is: name role scope sha256";
    }
    out->caller =
        (struct ht_caller){.name = fields[0], .role = ht_role_of(fields[1], strlen(fields[1]))};
    out->hash = fields[3];
    if (!word_sound(fields[0])) {
        return "a name is 1 to 64 of letters, digits, . _ : -";
    }
    if (out->caller.role == HT_ROLE_NONE) {
        return "a role is viewer, device, dispatcher or admin";
    }
    if (!scope_read(fields[2], &out->caller)) {
        return "a scope is -, unit=ID, household=ID or district=NAME";
    }
    if (out->caller.role == HT_ROLE_DEVICE && out->caller.unit == NULL &&
        out->caller.household == NULL) {
        return "a device needs the scope unit=ID or household=ID";
    }
    return strlen(out->hash) == 64 && strspn(out->hash, "0123456789abcdef") == 64
               ? NULL
               : "a hash is 64 hex digits";
}

static enum ht_status lines_read(struct ht_tokens *tokens, const char *path, struct ht_error *error)
{
    int64_t number = 0;
    char *next = tokens->text;
    while (next != NULL) {
        char *line = strsep(&next, "\n");
        number++;
        if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#') {
            continue;
        }
        void *entries = tokens->entries;
        enum ht_status status = ht_array_reserve(&entries, &tokens->capacity, tokens->count + 1,
                                                 sizeof *tokens->entries);
        tokens->entries = entries;
        if (status != HT_OK) {
            return ht_error_set(error, status, 0, NULL);
        }
        const char *wrong = line_read(line, &tokens->entries[tokens->count]);
        if (wrong != NULL) {
            return ht_error_set(error, HT_SYNTAX, number, "%.120s: line %lld: %s", path,
                                (long long)number, wrong);
        }
        tokens->count++;
    }
    return HT_OK;
}

static enum ht_status io_error(const char *path, struct ht_error *error)
{
    char why[128];
    return ht_error_set(error, HT_IO, 0, "%.120s: %s", path, strerror_r(errno, why, sizeof why));
}

enum ht_status ht_tokens_load(const char *path, struct ht_tokens **out, struct ht_error *error)
{
    struct ht_tokens *tokens = calloc(1, sizeof *tokens);
    FILE *file = fopen(path, "re");
    if (tokens == NULL || file == NULL) {
        enum ht_status status =
            tokens == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : io_error(path, error);
        free(tokens);
        if (file != NULL) {
            (void)fclose(file);
        }
        return status;
    }
    enum ht_status status = HT_OK;
    tokens->text = malloc(FILE_MAX + 1);
    if (tokens->text == NULL) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        size_t size = fread(tokens->text, 1, FILE_MAX + 1, file);
        if (ferror(file) != 0) {
            status = io_error(path, error);
        } else if (size > FILE_MAX || memchr(tokens->text, '\0', size) != NULL) {
            status = ht_error_set(error, HT_SYNTAX, 0, "%.120s: not a file of tokens", path);
        } else {
            tokens->text[size] = '\0';
            status = lines_read(tokens, path, error);
        }
    }
    (void)fclose(file);
    if (status != HT_OK) {
        ht_tokens_free(tokens);
        return status;
    }
    *out = tokens;
    return HT_OK;
}

void ht_tokens_free(struct ht_tokens *tokens)
{
    if (tokens != NULL) {
        free(tokens->text);
        free(tokens->entries);
        free(tokens);
    }
}

const struct ht_caller *ht_tokens_find(const struct ht_tokens *tokens, const char *token,
                                       size_t size)
{
    char hash[HT_DIGEST_TEXT];
    const struct ht_caller *found = NULL;
    if (ht_digest_of(token, size, hash) != HT_OK) {
        return NULL;
    }
    for (size_t i = 0; i < tokens->count; i++) {
        if (ht_equal_secret(tokens->entries[i].hash, hash, HT_DIGEST_TEXT - 1)) {
            found = &tokens->entries[i].caller;
        }
    }
    return found;
}

static enum ht_status name_free(const char *path, const char *name, struct ht_error *error)
{
    struct ht_tokens *tokens = NULL;
    enum ht_status status = ht_tokens_load(path, &tokens, error);
    for (size_t i = 0; status == HT_OK && tokens != NULL && i < tokens->count; i++) {
        if (strcmp(tokens->entries[i].caller.name, name) == 0) {
            status =
                ht_error_set(error, HT_EXISTS, 0, "%.120s has a token for %s already", path, name);
        }
    }
    ht_tokens_free(tokens);
    return status;
}

/* "ht_" and 43 letters of base64url: 256 bits. */
static enum ht_status token_make(char token[HT_TOKEN_TEXT])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[TOKEN_BYTES + 1] = {0};
    enum ht_status status = ht_random_bytes(bytes, TOKEN_BYTES);
    size_t at = 0;
    token[at++] = 'h';
    token[at++] = 't';
    token[at++] = '_';
    for (size_t bit = 0; bit < (size_t)TOKEN_BYTES * 8; bit += 6) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        token[at++] = letters[pair >> (10 - bit % 8) & 63];
    }
    token[at] = '\0';
    return status;
}

static enum ht_status line_write(int fd, const char *path, const struct ht_caller *caller,
                                 const char *hash, struct ht_error *error)
{
    const struct {
        const char *name;
        const char *value;
    } parts[] = {
        {"unit", caller->unit}, {"household", caller->household}, {"district", caller->district}};
    char scope[3 * NAME_MAX_SIZE + 64] = "-";
    char line[5 * NAME_MAX_SIZE + 256];
    char last = '\n';
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].value != NULL) {
            used += (size_t)snprintf(scope + used, sizeof scope - used, "%s%s=%s",
                                     used == 0 ? "" : ",", parts[i].name, parts[i].value);
        }
    }
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1) {
        return io_error(path, error);
    }
    int size = snprintf(line, sizeof line, "%s%s %s %s %s\n", last == '\n' ? "" : "\n",
                        caller->name, ht_role_name(caller->role), scope, hash);
    return write(fd, line, (size_t)size) == size && fsync(fd) == 0 ? HT_OK : io_error(path, error);
}

enum ht_status ht_token_add(const char *path, const struct ht_caller *caller,
                            char token[HT_TOKEN_TEXT], struct ht_error *error)
{
    char hash[HT_DIGEST_TEXT];
    if (!word_sound(caller->name) || (caller->unit != NULL && !word_sound(caller->unit)) ||
        (caller->household != NULL && !word_sound(caller->household)) ||
        (caller->district != NULL && !word_sound(caller->district))) {
        return ht_error_set(error, HT_INVALID, 0, "names are 1 to 64 of letters, digits, . _ : -");
    }
    if (caller->role == HT_ROLE_DEVICE && caller->unit == NULL && caller->household == NULL) {
        return ht_error_set(error, HT_INVALID, 0, "a device needs --unit or --household");
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        enum ht_status status = io_error(path, error);
        if (fd >= 0) {
            (void)close(fd);
        }
        return status;
    }
    enum ht_status status = name_free(path, caller->name, error);
    if (status == HT_OK &&
        (token_make(token) != HT_OK || ht_digest_of(token, strlen(token), hash) != HT_OK)) {
        status = ht_error_set(error, HT_IO, 0, "no random bytes to be had");
    }
    if (status == HT_OK) {
        status = line_write(fd, path, caller, hash, error);
    }
    (void)close(fd);
    return status;
}
