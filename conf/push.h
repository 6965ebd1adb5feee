/* conf/push.h - the words of `yoke config`, which both of its ends use.
 *
 * Layer: conf, pure.  May include: agent/base.  Memory: nothing is kept.
 */
#ifndef CONF_PUSH_H
#define CONF_PUSH_H

#include "conf/conf.h"

#define CONF_PUSH_LABEL "yoke config push 1" /* of the seal: hb_seal_mac() */

enum {
	CONF_PUSH_NONCE_SIZE = 32, /* hexadecimal digits */
	CONF_PUSH_SEAL_SIZE = 64,  /* hexadecimal digits */
};

/* The name of the key that a PUT is sealed by: push.key, beside the cluster's. */
void conf_push_key_file(const struct conf *conf, char file[CONF_FILE_SIZE + 16]);

#endif
