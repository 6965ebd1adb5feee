/* conf/scan.h - the text of a configuration, cleaned of everything that has the wrong shape.
 *
 * libconfuse stops at the first unknown key or syntax error, expands the environment, reads other
 * files, and carries a broken string over into the next file.  So it never sees the file: the
 * scanner reads it by the same rules, reports all that it cannot use (and goes on behind it), and
 * writes a text that holds known keys in known places only, each on its line of the file.
 *
 * In that text every word is in single quotes, comments are gone, and each section begins with
 * CONF_SCAN_LINE (the section's line, which libconfuse forgets) and, when it has a name,
 * CONF_SCAN_TITLE (as a key, because libconfuse lets one section replace another of its name).
 *
 * Layer: conf.  May include: agent/base.
 * Memory: the caller frees the text.  Example: tests/unit/conf_parse.c, test_syntax().
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "conf/conf.h"

#define CONF_SCAN_LINE "__line"
#define CONF_SCAN_TITLE "__title"

enum {
	CONF_SCAN_KEYS_MAX = 16,  /* keys of one section */
	CONF_SCAN_DEPTH_MAX = 3, /* file, section, section in a section */
};

enum conf_scan_kind {
	CONF_SCAN_VALUE,   /* key = value */
	CONF_SCAN_LIST,	   /* key = { value, value } */
	CONF_SCAN_SECTION, /* key { ... }, once */
	CONF_SCAN_NAMED,   /* key "name" { ... }, any number */
};

struct conf_scan_key {
	const char *name; /* NULL ends an array */
	enum conf_scan_kind kind;
	const struct conf_scan_key *keys; /* of a section */
};

/* Clean the NUL-terminated text by the table of keys.  Adds to problems.  Returns the cleaned text,
 * to be freed; NULL when memory is short (a problem, too). */
char *conf_scan(const char *text, const struct conf_scan_key *keys, struct conf_problems *problems);

#endif
