/* conf/push.h - the words of `yoke config`, which both of its ends use.
 *
 * Layer: conf.  May include: agent/base, openssl (SHA-256).  Memory: nothing is kept.
 * Example: tests/unit/conf_push.c.
 */
#ifndef CONF_PUSH_H
#define CONF_PUSH_H

#include "conf/conf.h"

#define CONF_PUSH_LABEL "yoke config push 2" /* of the seal: hb_seal_mac() */

enum {
	CONF_PUSH_NONCE_SIZE = 32, /* hexadecimal digits */
	CONF_PUSH_SEAL_SIZE = 64,  /* hexadecimal digits */
	CONF_PUSH_FILE_SIZE = 512, /* bytes with NUL: the file's name behind all links */
	CONF_PUSH_SEALED_SIZE =
		CONF_PUSH_NONCE_SIZE + YOKE_NAME_SIZE + CONF_DIGEST_SIZE + CONF_TEXT_MAX,
};

/* The name of the key that a PUT is sealed by: push.key, beside the cluster's. */
void conf_push_key_file(const struct conf *conf, char file[CONF_FILE_SIZE + 16]);

struct conf_push {
	const char *nonce; /* of the GET that it answers */
	const char *node;  /* who is to take it */
	const char *shown; /* what that GET gave, which is to be replaced */
	size_t shown_size;
	const char *text; /* at most CONF_TEXT_MAX */
	size_t size;
};

/* What a seal is over: nonce | node, NUL | SHA-256 of what was shown | text.  So one that was made
 * for another node, or by whom was shown another file, does not fit.  Returns its size; 0 when the
 * crypto library fails. */
size_t conf_push_sealed(const struct conf_push *push, uint8_t out[CONF_PUSH_SEALED_SIZE]);

#endif
