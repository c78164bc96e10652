/* Config: the file from which a service takes its options, one `name = value` a line.
 *
 *   # the map
 *   network = /var/lib/houtao/town.hnet
 *
 * Names are those of the options, without dashes. Blanks around names and values don't count, nor
 * does what follows a '#' at the beginning of a line or after a blank. One file serves several
 * commands: each takes the names that it knows and passes over those of the others; a name that
 * none has, a name that comes twice, and one without a value are errors that name the line.
 *
 * Threading: plain values. Ownership: names and values point into the text, which is cut in place.
 */
#ifndef HT_API_CONFIG_H
#define HT_API_CONFIG_H

#include "api/cli.h"
#include "engine/base/status.h"

enum { HT_CONFIG_BYTES = 64 * 1024 };

struct ht_config {
    char *at;     /* what is not read yet */
    int64_t line; /* of the entry that was read last */
};

struct ht_config_entry {
    const char *name;
    const char *value;
};

/* `text`: writable, ends with NUL. */
void ht_config_init(struct ht_config *config, char *text);

/* The next entry; HT_EMPTY: there is none; HT_SYNTAX with `error->line`: that line is none. */
enum ht_status ht_config_next(struct ht_config *config, struct ht_config_entry *out,
                              struct ht_error *error) HT_MUST_CHECK;

/* Fills those options of `cli` that have no value yet: what stands on the command line or in a
 * variable wins. Errors: HT_SYNTAX with the line. */
enum ht_status ht_config_fill(char *text, const struct ht_cli *cli,
                              struct ht_error *error) HT_MUST_CHECK;

/* Reads `path` (NULL: nothing is done) and fills the options from it. `*text` is to be freed when
 * they are not needed any more. Returns an exit code; what is wrong was told. */
int ht_config_read(const struct ht_cli *cli, const char *path, char **text);

#endif
