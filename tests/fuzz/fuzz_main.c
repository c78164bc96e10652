/* Stands in for libFuzzer in ordinary builds: runs a fuzz target over its corpus and over thousands
 * of deterministic mutations of it, so that every build, sanitized or not, replays what was ever
 * found.
 *
 *   fuzz_NAME DIR         each file of DIR, then mutations (50 times as many under
 * HOUTAO_TEST_LONG) fuzz_NAME FILE        this one input, to look at a crash
 *
 * An input that kills the target is left as crash-NAME.bin in the working directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
const char *__asan_default_options(void);  /* NOLINT(bugprone-reserved-identifier) */
const char *__ubsan_default_options(void); /* NOLINT(bugprone-reserved-identifier) */

enum {
    INPUT_MAX = 1 << 20, /* a mutated input stays below this */
    MUTATIONS = 4000,    /* per target, spread over its corpus */
    MUTATED_BYTES =
        128 << 20,       /* and no more than this in all, so that large files don't take minutes */
    MUTATIONS_LONG = 50, /* factor of the long measure */
};

struct input {
    uint8_t *data;
    size_t size;
    char name[NAME_MAX + 1];
};

static struct input *corpus;
static size_t corpus_count;
static const uint8_t *current;
static size_t current_size;
static char crash_path[PATH_MAX];

/* The sanitizers abort, so that the handler below sees their findings as well. */
const char *__asan_default_options(void) /* NOLINT(bugprone-reserved-identifier) */
{
    return "abort_on_error=1:handle_abort=0:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void) /* NOLINT(bugprone-reserved-identifier) */
{
    return "abort_on_error=1:print_stacktrace=1";
}

/* Leaves the input that was being run. Only calls that a signal handler may make. */
static void keep_input(int signal_number)
{
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        size_t done = 0;
        while (done < current_size) {
            ssize_t n = write(fd, current + done, current_size - done);
            if (n <= 0) {
                break;
            }
            done += (size_t)n;
        }
        (void)close(fd);
    }
    static const char text[] = "fuzz: the input that did it is in ";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)!write(STDERR_FILENO, crash_path, strlen(crash_path));
    (void)!write(STDERR_FILENO, "\n", 1);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void catch_crashes(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    (void)snprintf(crash_path, sizeof crash_path, "crash-%s.bin", name);
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = keep_input;
        (void)sigaction(signals[i], &action, NULL);
    }
}

/* One input must be done within ten seconds, sanitizers and a busy machine included. */
static void run(const uint8_t *data, size_t size)
{
    current = data;
    current_size = size;
    (void)alarm(10);
    (void)LLVMFuzzerTestOneInput(data, size);
    (void)alarm(0);
}

static bool read_input(const char *path, struct input *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    struct stat info;
    bool ok = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
    size_t size = ok ? (size_t)info.st_size : 0;
    out->data = ok ? malloc(size > 0 ? size : 1) : NULL;
    ok = out->data != NULL && fread(out->data, 1, size, file) == size;
    out->size = size;
    if (!ok) {
        free(out->data);
        out->data = NULL;
    }
    return fclose(file) == 0 && ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static bool load_corpus(const char *dir_path)
{
    DIR *dir = opendir(dir_path);
    if (dir == NULL) {
        return false;
    }
    bool ok = true;
    for (struct dirent *entry = readdir(dir); ok && entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        struct input *grown = realloc(corpus, (corpus_count + 1) * sizeof *corpus);
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", dir_path, entry->d_name);
        ok = grown != NULL && length > 0 && (size_t)length < sizeof path;
        if (grown != NULL) {
            corpus = grown;
        }
        if (ok && read_input(path, &corpus[corpus_count])) {
            (void)snprintf(corpus[corpus_count].name, sizeof corpus[0].name, "%s", entry->d_name);
            corpus_count++;
        }
    }
    (void)closedir(dir);
    if (corpus_count > 0) {
        qsort(corpus, corpus_count, sizeof *corpus, by_name);
    }
    return ok;
}

static uint32_t below(uint64_t *state, size_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(((*state * UINT64_C(2685821657736338717)) >> 33) % bound);
}

/* Integers that parsers get wrong: ends of ranges, lengths that wrap, varints without an end. */
static const uint8_t nasty[][8] = {
    {0},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0},
    {0, 0, 0, 0x80, 0, 0, 0, 0},
    {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 0, 0, 0, 0, 0, 0xf0, 0x7f},
    {'9', '9', '9', '9', '9', '9', '9', '9'},
    {'-', '1', 'e', '9', '9', '9', ',', ';'},
};

static size_t overwrite_number(uint8_t *data, size_t size, uint64_t *state)
{
    if (size == 0) {
        return 0;
    }
    size_t at = below(state, size);
    size_t pick = below(state, sizeof nasty / sizeof nasty[0]);
    size_t length = 1 + below(state, sizeof nasty[0]);
    length = length < size - at ? length : size - at;
    memcpy(data + at, nasty[pick], length);
    return size;
}

/* Takes a piece of any corpus file and puts it somewhere, over what is there or in between. */
static size_t insert_piece(uint8_t *data, size_t size, uint64_t *state)
{
    const struct input *from = &corpus[below(state, corpus_count)];
    if (from->size == 0) {
        return size;
    }
    size_t start = below(state, from->size);
    size_t length = 1 + below(state, from->size - start);
    length = length < 4096 ? length : 4096;
    size_t at = below(state, size + 1);
    if (size + length > INPUT_MAX) {
        return size;
    }
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, from->data + start, length);
    return size + length;
}

static size_t erase_piece(uint8_t *data, size_t size, uint64_t *state)
{
    if (size < 2) {
        return size;
    }
    size_t at = below(state, size);
    size_t length = 1 + below(state, size - at);
    length = below(state, 2) == 0 && length > 16 ? 16 : length;
    memmove(data + at, data + at + length, size - at - length);
    return size - length;
}

static size_t mutate(uint8_t *data, size_t size, uint64_t *state)
{
    uint32_t rounds = 1 + below(state, 4);
    for (uint32_t i = 0; i < rounds; i++) {
        switch (below(state, 6)) {
        case 0:
        case 1:
            if (size > 0) {
                data[below(state, size)] ^= (uint8_t)(1U << below(state, 8));
            }
            break;
        case 2:
            if (size > 0) {
                data[below(state, size)] = (uint8_t)below(state, 256);
            }
            break;
        case 3:
            size = overwrite_number(data, size, state);
            break;
        case 4:
            size = insert_piece(data, size, state);
            break;
        default:
            size = erase_piece(data, size, state);
            break;
        }
    }
    return size;
}

static uint64_t run_mutations(void)
{
    uint64_t factor = getenv("HOUTAO_TEST_LONG") != NULL ? MUTATIONS_LONG : 1;
    uint64_t bytes_left = MUTATED_BYTES * factor;
    uint64_t done = 0;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    uint8_t *work = malloc(INPUT_MAX);
    if (work == NULL) {
        return 0;
    }
    while (corpus_count > 0 && done < MUTATIONS * factor) {
        const struct input *from = &corpus[done % corpus_count];
        size_t size = from->size < INPUT_MAX ? from->size : INPUT_MAX;
        memcpy(work, from->data, size);
        size = mutate(work, size, &state);
        if (size > bytes_left) {
            break;
        }
        bytes_left -= size;
        /* A block of its own size, so that a sanitizer sees a read one byte past the end. */
        uint8_t *exact = malloc(size > 0 ? size : 1);
        if (exact == NULL) {
            break;
        }
        memcpy(exact, work, size);
        run(exact, size);
        free(exact);
        done++;
    }
    free(work);
    return done;
}

static void free_corpus(void)
{
    for (size_t i = 0; i < corpus_count; i++) {
        free(corpus[i].data);
    }
    free(corpus);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s DIR|FILE\n", argv[0]);
        return 2;
    }
    catch_crashes(argv[0]);
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    struct input one = {0};
    if (read_input(argv[1], &one)) {
        run(one.data, one.size);
        free(one.data);
        return 0;
    }
    if (!load_corpus(argv[1]) || corpus_count == 0) {
        (void)fprintf(stderr, "fuzz: no corpus in %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    run(NULL, 0); /* as libFuzzer begins */
    for (size_t i = 0; i < corpus_count; i++) {
        run(corpus[i].data, corpus[i].size);
    }
    uint64_t mutations = run_mutations();
    (void)printf("fuzz: %zu inputs, %llu mutations\n", corpus_count, (unsigned long long)mutations);
    free_corpus();
    return mutations > 0 ? 0 : 1;
}
