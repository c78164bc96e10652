/* Writing the network file: sections one at a time, so that an import holds one profile in memory.
 *
 * The file is written beside as FILE.tmp; closing writes table and header, syncs and renames, so
 * that FILE is at any moment the old one or the whole new one.
 *
 * Threading: one thread. Ownership: data is written at once, nothing is kept.
 */
#ifndef HT_GEODATA_HNET_WRITE_H
#define HT_GEODATA_HNET_WRITE_H

#include "geodata/hnet.h"

struct ht_hnet_writer;

/* Errors of all: HT_IO (a full disk, too; the message says so), HT_NOMEM. After an error only close
 * helps. */
HT_MUST_CHECK enum ht_status ht_hnet_writer_open(const char *path, struct ht_hnet_writer **out,
                                                 struct ht_error *error);

HT_MUST_CHECK enum ht_status ht_hnet_write_network(struct ht_hnet_writer *writer,
                                                   const struct ht_network *network,
                                                   const struct ht_snap_tree *tree,
                                                   struct ht_error *error);

/* One profile, in two parts, so that the first can be let go before the second is made: its graph
 * and snap index, then its hierarchy and trimmed metric. The order of profiles gives their numbers.
 */
HT_MUST_CHECK enum ht_status ht_hnet_write_graph(struct ht_hnet_writer *writer,
                                                 const struct ht_graph *graph,
                                                 const struct ht_snap_index *snap,
                                                 struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_hnet_write_hierarchy(struct ht_hnet_writer *writer,
                                                     const struct ht_cch *cch,
                                                     const struct ht_metric *metric,
                                                     struct ht_error *error);

/* The import's own words: JSON. */
HT_MUST_CHECK enum ht_status ht_hnet_write_info(struct ht_hnet_writer *writer, const char *json,
                                                size_t size, struct ht_error *error);

/* `keep`: finishes the file and puts it in place. Otherwise, or on an error, the .tmp is removed.
 * Frees the writer (NULL is fine). */
HT_MUST_CHECK enum ht_status ht_hnet_writer_close(struct ht_hnet_writer *writer, bool keep,
                                                  struct ht_error *error);

#endif
