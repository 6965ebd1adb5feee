/* agent/base/limits.h - every size that is fixed when the programs are built.
 *
 * The running engine allocates nothing, so each table has a named limit; the configuration check
 * refuses what would not fit, and says which limit it was.
 *
 * Layer: base, pure.  May include: nothing.
 */
#ifndef AGENT_BASE_LIMITS_H
#define AGENT_BASE_LIMITS_H

enum {
	YOKE_NODES_MAX = 4,       /* data structures; two nodes are promised */
	YOKE_PATHS_MAX = 8,       /* heartbeat paths between two nodes */
	YOKE_GROUPS_MAX = 256,    /* per cluster */
	YOKE_RESOURCES_MAX = 512, /* per cluster, over all groups */
	YOKE_OPERATIONS_MAX = 16, /* finished and running ones that are remembered */
	YOKE_EVENTS_MAX = 512,    /* remembered in the event table */
	YOKE_ARBITERS_MAX = 8,    /* per cluster */
	YOKE_KEYS_MAX = 2,        /* the cluster's: the old one and the new one */
	YOKE_UNREADY_MAX = 32,    /* reasons why a failover would not succeed, that are told */
	YOKE_HWADDRS_MAX = 4,     /* hardware addresses a node answers from */
	YOKE_STARTS_MAX = 16,     /* programs that start resources of a node at once */
	YOKE_LOOKS_MAX = 8,       /* of them that probe or monitor some */
	YOKE_GONE_MS = 7000,      /* what was ended for being late is gone after it, or hangs */

	YOKE_NAME_SIZE = 32,   /* bytes with the final NUL: node, path, group, resource, cluster */
	YOKE_REASON_SIZE = 96, /* bytes with the final NUL: a cause, for people */
	YOKE_TEXT_SIZE = 200,  /* bytes with the final NUL: one rendered event */
	YOKE_PAYLOAD_SIZE = 1372,  /* bytes: the largest payload of one sealed frame; with its
				     header, UDP and IPv6 it fits 1500 */
	YOKE_MESSAGE_SIZE = 32768, /* bytes: a node's whole state, in parts when it is larger */
	YOKE_RECORD_SIZE = 32768,  /* bytes: the largest saved record */
};

#endif
