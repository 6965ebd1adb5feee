/* conf/witness.h - the configuration of a witness: /etc/yoke/witness.conf.
 *
 *   witness {
 *     address = "192.0.2.7"  port = 4748
 *     state_dir = "/var/lib/yoke-witness"  user = "yoke-witness"
 *   }
 *   cluster "demo" { key_file = "/etc/yoke/demo.key" }
 *
 * Layer: conf; libconfuse.  May include: agent/base.
 * Memory: plain values; nothing is owned.  Example: conf/sample/witness.conf.
 */
#ifndef CONF_WITNESS_H
#define CONF_WITNESS_H

#include "conf/conf.h"

enum { CONF_CLUSTERS_MAX = 64 };

struct conf_witness {
	struct sockaddr_storage address; /* default: any, IPv6 and IPv4 */
	socklen_t address_len;
	char state_dir[CONF_FILE_SIZE]; /* default /var/lib/yoke-witness */
	char user[YOKE_NAME_SIZE];      /* default yoke-witness; only if root starts it */
	struct {
		char name[YOKE_NAME_SIZE];
		char key_file[CONF_FILE_SIZE];
	} cluster[CONF_CLUSTERS_MAX];
	unsigned cluster_count;
};

/* Read the file.  Returns 0; -1 with what is wrong in problems.  Blocks on the disk, allocates. */
int conf_witness_load(const char *file_name, struct conf_witness *witness,
		      struct conf_problems *problems);

#endif
