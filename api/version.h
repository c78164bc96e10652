/* Version: what this binary was built from. */
#ifndef HT_API_VERSION_H
#define HT_API_VERSION_H

/* The project's version, "0.1.0". */
const char *ht_version_text(void);

/* The short git commit, with "+" behind it when files had been changed; "unknown" outside a
 * repository. */
const char *ht_version_commit(void);

#endif
