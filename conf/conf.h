/* conf/conf.h - the configuration: one file for both nodes, read once, checked as a whole.
 *
 * Reading order: this struct, conf/sample/yoke.conf (each key with its unit, range and default),
 * conf/load.c (the file), conf/scan.c (its text cleaned of all that has the wrong shape),
 * conf/parse.c (libconfuse to struct), conf/path.c, conf/resource.c and conf/arbiter.c (the keys of
 * a path, a resource and an arbiter), conf/value.c (one key's value), conf/check*.c (rules over
 * several keys), conf/print.c, conf/bound.c (how long a failover takes).  A conf that
 * conf_parse() accepted is safe to run with; nothing else is.
 *
 * Layer: conf; libconfuse appears in parse.c only.  May include: agent/base.
 * Memory: struct conf is plain values in the caller's memory (about 320 KB); nothing is owned.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/base/limits.h"
#include "agent/base/words.h"

enum {
	CONF_FILE_SIZE = 108,    /* bytes with NUL: a path of a file or unix socket */
	CONF_PROBLEMS_MAX = 64,  /* later ones are counted, not kept */
	CONF_PROBLEM_SIZE = 256, /* bytes with NUL */
	CONF_TEXT_MAX = 262144,  /* bytes: a longer file is refused */
	CONF_GROUP_RESOURCES_MAX = 16,
	CONF_COMMAND_SIZE = 512,  /* bytes of a command's words, each with NUL, and a last NUL */
	CONF_WORDS_MAX = 16,      /* words of a command, the program's path included */
	CONF_PORT = 4747,         /* UDP, when a path has no 'port' */
	CONF_WITNESS_PORT = 4748, /* UDP, when a witness has no 'port' */
	CONF_ADDRESSES_MAX = 8,   /* of a ping arbiter */
	CONF_KEY_SIZE = 32,       /* bytes: a cluster key is AES-256 sized */
	CONF_KEYS_MAX = 2,        /* the old one and the new one */
	CONF_DIGEST_SIZE = 32,    /* bytes: SHA-256 */
	CONF_CLUSTER_ID_SIZE = 8,
	CONF_FAILBACK_MS = 60000,
	CONF_DISK_MS_MIN = 100, /* between two heartbeats on a disk */
	CONF_ADDRESS_MS = 1000, /* bound of a start or a stop of an address: the kernel does it */
};

/* One path's end on one node. */
struct conf_endpoint {
	bool configured;
	enum yoke_path_type type; /* default udp */
	enum yoke_path_role role; /* default private; serial, disk: private */
	/* type = udp */
	struct sockaddr_storage address; /* sin_port/sin6_port set; AF_INET or AF_INET6 */
	socklen_t address_len;
	char interface[YOKE_NAME_SIZE]; /* SO_BINDTODEVICE; empty: not bound to one */
	bool is_multicast;                 /* default no */
	struct sockaddr_storage multicast; /* where frames are sent to instead of the other end's
					      address, with the port; ss_family 0: was refused */
	/* type = serial, disk */
	char device[CONF_FILE_SIZE]; /* a tty; a partition or file that both nodes see; absolute */
	/* type = serial */
	uint32_t baud;               /* one of YOKE_BAUDS, default 9600; 0: was refused */
	bool rtscts;                 /* default no */
	/* type = disk */
	uint32_t interval_ms; /* 100..20000, default 200: between two heartbeats that it writes */
	/* all types */
	int line; /* in the file, for messages; not printed, not digested */
};

struct conf_node {
	char name[YOKE_NAME_SIZE];                     /* as in `hostname`, up to the first dot */
	struct conf_endpoint endpoint[YOKE_PATHS_MAX]; /* [path number - 1] */
	int line;
};

struct conf_resource {
	char name[YOKE_NAME_SIZE];
	enum yoke_resource_type type;
	uint16_t group; /* index of its group, 0.. */
	int line;
	/* type = address */
	int family;                     /* AF_INET or AF_INET6 */
	uint8_t address[16];            /* network order; the first 4 bytes for AF_INET */
	uint8_t prefix_len;             /* bits, 1..32 or 1..128 */
	char interface[YOKE_NAME_SIZE]; /* required */
	/* type = script: commands are words, each ended by NUL, the last one followed by an empty
	 * one; the first is an absolute path.  See conf_command_next(). */
	char start[CONF_COMMAND_SIZE], stop[CONF_COMMAND_SIZE], status[CONF_COMMAND_SIZE];
	char monitor[CONF_COMMAND_SIZE]; /* a plugin: 0 and 1 are good; empty: status is used */
	uint32_t start_timeout_ms, stop_timeout_ms; /* 100..3600000, default 60000 */
	uint32_t monitor_timeout_ms;                /* of monitor and status; default 20000 */
	uint32_t monitor_interval_ms;               /* 0 (never), 100..3600000, default 10000 */
	uint32_t monitor_failures; /* so many in a row are a failure: 1..100, default 2 */
	uint32_t monitor_window; /* or so many of the last ones; 0 (default): only in a row; 2..32,
				    and more than monitor_failures */
	/* all types */
	uint32_t restarts;          /* here, within the window, before the group moves: 0..16,
				       default 3 */
	uint32_t restart_window_ms; /* 1000..86400000, default 3600000 */
};

/* What decides when the nodes do not hear each other. */
struct conf_arbiter {
	char name[YOKE_NAME_SIZE];
	enum yoke_arbiter_type type;
	uint32_t timeout_ms; /* of one question: 100..600000; default 30000 (fence), else 1000 */
	uint32_t test_ms;    /* tried so often while nothing is wrong: 0 (never), 1000..86400000,
				default 60000 (fence 600000); ping: default 5000 */
	int line;
	/* type = fence.  Parameters are words "name=value", as in conf_resource's commands. */
	char agent[CONF_FILE_SIZE]; /* absolute; in the file "fence_x" is /usr/sbin/fence_x */
	char parameters[CONF_COMMAND_SIZE];                      /* for every node */
	char node_parameters[YOKE_NODES_MAX][CONF_COMMAND_SIZE]; /* [index], empty: none */
	bool node[YOKE_NODES_MAX];        /* [index] it can switch this node off */
	char secret_file[CONF_FILE_SIZE]; /* lines name=value, root-only; empty: none */
	uint32_t level;                   /* 1..9, default 1: lower first */
	uint32_t delay_ms;                /* 0..600000, default 5000 */
	uint32_t retries;                 /* 0..100, default 1 */
	/* type = disk */
	char device[CONF_FILE_SIZE]; /* a partition or file that both nodes see, absolute path */
	/* type = witness: address; type = ping: the first `address_count` */
	struct sockaddr_storage address[CONF_ADDRESSES_MAX];
	socklen_t address_len[CONF_ADDRESSES_MAX];
	uint16_t address_count;
};

struct conf_group {
	char name[YOKE_NAME_SIZE];
	bool exclusive;
	bool unproven;        /* takeover = unproven: of an exclusive one, on silence alone */
	bool parallel;        /* mode = parallel: runs on each of its nodes */
	bool manual;          /* failover = manual: no fault moves it */
	bool failback;        /* failback = auto: back to its first node by itself */
	uint32_t failback_ms; /* 0..86400000, default 60000: when that was fit for so long */
	uint16_t failback_from, failback_to; /* minutes of the day; equal (default): always */
	char after_name[YOKE_NAME_SIZE];     /* empty: after none */
	uint16_t after;                      /* number of that group; 0: none */
	int after_line;
	uint32_t priority;             /* 0..100, default 0 */
	bool yields;                   /* not where one of higher priority runs */
	int exclusive_line;            /* of that key; the group's when it is not given */
	int takeover_line;             /* likewise */
	uint16_t node[YOKE_NODES_MAX]; /* indexes of nodes, preferred first */
	uint16_t node_count;
	uint16_t resource_first, resource_count; /* in conf.resource; in start order */
	int line;
};

/* Where the keys that conf_check() compares were given; 0: not in the file. */
struct conf_lines {
	int cluster, name; /* the section, and the key in it */
	int interval, dead, late, lease;
};

struct conf {
	char cluster[YOKE_NAME_SIZE];
	char key_file[CONF_FILE_SIZE];     /* default /etc/yoke/cluster.key */
	char state_dir[CONF_FILE_SIZE];    /* default /var/lib/yoke */
	char run_dir[CONF_FILE_SIZE];      /* default /run/yoke; has yoke.sock and recorder */
	char user[YOKE_NAME_SIZE];         /* the engine's; default "yoke" */
	uint32_t dead_ms;                  /* 20..60000, default 1000 */
	uint32_t interval_ms;              /* 1..dead/3, default dead/10 (at least 1) */
	uint32_t late_ms;                  /* interval..dead, default dead/2 */
	uint32_t startup_ms;               /* 0..600000, default 3*dead, at least 3000: silence
					      after our start before an unheard node is lost */
	uint32_t conflict_ms;              /* 0..5000, default 200: the longest wait for an
					      answer to the conflict probe before an
					      address is started */
	uint32_t refresh_ms;               /* 0..3600000, default 60000: re-announced; 0: never */
	uint32_t operation_ms;             /* 1000..600000, default 30000: bound of an operation */
	uint32_t retry_ms;                 /* 1000..86400000, default 60000: a failed group may be
					      tried again after it */
	uint32_t lease_ms;                 /* dead*3/2..600000, default dead*2, at least 1000:
					      an exclusive group runs so long that nobody
					      renews */
	char watchdog[CONF_FILE_SIZE];     /* device; empty: none */
	uint32_t watchdog_ms;              /* 1000..255000, default 5000: its timeout */
	bool log_syslog;                   /* default yes; no: stderr */
	bool log_debug;                    /* default no */
	bool snmp;                         /* run yoke-snmp; default yes */
	bool snmp_set;                     /* SNMP SET may change the cluster; default no */
	char snmp_user[YOKE_NAME_SIZE];    /* of yoke-snmp; default "yoke-snmp" */
	char snmp_agentx[CONF_FILE_SIZE];  /* AgentX address; default /var/agentx/master */
	char snmp_program[CONF_FILE_SIZE]; /* default: yoke-snmp beside yoked */

	struct conf_node node[YOKE_NODES_MAX]; /* in the file's order: index 0 is number 1 */
	struct conf_group group[YOKE_GROUPS_MAX];
	struct conf_resource resource[YOKE_RESOURCES_MAX];
	struct conf_arbiter arbiter[YOKE_ARBITERS_MAX];
	char path[YOKE_PATHS_MAX][YOKE_NAME_SIZE]; /* in order of first mention */
	uint16_t node_count, group_count, resource_count, path_count, arbiter_count;
	struct conf_lines line;

	/* Of what both nodes must agree on, see conf_digest(): the whole, and its parts. */
	uint8_t digest[CONF_DIGEST_SIZE];
	uint32_t cluster_digest, nodes_digest, paths_digest, arbiters_digest;
	uint32_t group_digest[YOKE_GROUPS_MAX];
};

struct conf_problem {
	int line;                     /* 0: of the whole file */
	bool warning;                 /* the file may be used all the same */
	char text[CONF_PROBLEM_SIZE]; /* what is wrong and what to do, no newline */
};

struct conf_problems {
	struct conf_problem problem[CONF_PROBLEMS_MAX]; /* by line */
	unsigned count;                                 /* kept */
	unsigned errors; /* that are not warnings, also those not kept */
};

/* Read a configuration file and conf_parse() its text.  A file that cannot be read, is no regular
 * file, is longer than CONF_TEXT_MAX or holds a NUL byte is a problem of line 0 (or of the NUL's).
 * Returns as conf_parse().  Blocks on the disk, allocates; not for the running engine. */
int conf_load(const char *file_name, struct conf *conf, struct conf_problems *problems);

/* Read the text of a configuration (NUL-terminated) into *conf, defaults filled in, and check it
 * as a whole (conf_check).  file_name is for messages only.  All problems are collected, never only
 * the first, also when the syntax is wrong.  *problems is emptied first.  Returns 0 when
 * problems->errors is 0, else -1 and *conf must not be used.  Not for several threads at once and
 * not for the running engine: libconfuse allocates and its scanner is global. */
int conf_parse(const char *text, const char *file_name, struct conf *conf,
	       struct conf_problems *problems);

/* PURE: the rules over several keys.  Adds to problems.  A zero where zero is out of range
 * (dead_ms, interval_ms, late_ms, address_len, family) means that its value was refused before: the
 * rules over it are left out. */
void conf_check(const struct conf *conf, struct conf_problems *problems);

/* Add a problem, printf-like; keeps them sorted by line, on one line in the order they were found.
 * When all places are taken an error replaces the last warning, else it is only counted. */
void conf_problem(struct conf_problems *problems, int line, bool warning, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* PURE: the path's heartbeats, by its index: how long between two, and when one is late.  On a
 * serial line both follow its rate: a quarter of it is for heartbeats.  A disk has an interval of
 * its own.  None is shorter than the cluster's. */
uint32_t conf_path_interval_ms(const struct conf *conf, unsigned path);
uint32_t conf_path_late_ms(const struct conf *conf, unsigned path);

/* PURE: how long between two looks at what the other node has written, on a path over a disk: so
 * much later a heartbeat may be heard; other paths: 0. */
uint32_t conf_path_look_ms(const struct conf *conf, unsigned path);

/* PURE: the longest time from a node's end until it is lost, by the slowest path. */
uint32_t conf_detect_ms(const struct conf *conf);

/* PURE: of what type a path is, and in which role: those of its first end. */
enum yoke_path_type conf_path_type(const struct conf *conf, unsigned path);
enum yoke_path_role conf_path_role(const struct conf *conf, unsigned path);

/* PURE: how long between two heartbeats on a public path while a private one is up. */
uint32_t conf_slow_ms(const struct conf *conf);

/* How long until another node runs an exclusive group whose owner died, part by part; the parts
 * that do not belong to the way that was asked for are 0. */
struct conf_bound {
	uint32_t detect_ms; /* until it is lost */
	uint32_t delay_ms;  /* fence: before it is switched off */
	uint32_t fence_ms;  /* fence: off and status of every level, once */
	uint32_t lease_ms;  /* lease: with the margin for two clocks */
	uint32_t stop_ms;   /* lease: conf_stop_bound_ms(), with that margin, too */
	uint32_t probe_ms;  /* fence, lease: whether anybody has its addresses */
	uint32_t wait_ms;   /* for a place among the programs that start other groups */
	uint32_t start_ms;  /* the time-outs of the group's resources */
	uint32_t total_ms;
};

/* PURE: how many arbiters there are of one type. */
unsigned conf_arbiters_of(const struct conf *conf, enum yoke_arbiter_type type);

/* PURE: how many locks there are (disk, witness): a node needs more than half of them. */
unsigned conf_locks(const struct conf *conf);

/* PURE: a node whose lease has ended runs nothing exclusive after so long: the watchdog's time, or
 * the longest that one exclusive group may need to stop (agent/base/bound.h). */
uint32_t conf_stop_bound_ms(const struct conf *conf);

/* PURE: the bound of one exclusive group, by silence alone (unproven), by fencing (when all goes
 * well at the first try of the last level), or by the end of a lease. */
struct conf_bound conf_bound_silence(const struct conf *conf, const struct conf_group *group);
struct conf_bound conf_bound_fence(const struct conf *conf, const struct conf_group *group);
struct conf_bound conf_bound_lease(const struct conf *conf, const struct conf_group *group);

/* PURE: the word behind `word` of a command; NULL: that was the last.  NULL: its first word. */
const char *conf_command_next(const char command[CONF_COMMAND_SIZE], const char *word);

/* PURE: the absolute paths of what a script is run by, inside of *r; empty: nothing for that.  The
 * same one may come several times. */
enum { CONF_PROGRAMS = 4 };
void conf_programs(const struct conf_resource *r, const char *programs[CONF_PROGRAMS]);

/* Which node are we?  name: from --node, or NULL for the host name (up to its first dot).
 * Returns the node's index; -1 with why[YOKE_REASON_SIZE] when no such node is configured. */
int conf_self(const struct conf *conf, const char *name, char *why);

/* ---- key.c: the cluster's keys, in a file that only root may read ----
 *
 * A line for each key, the oldest first: "ID HEX DATE", as in "1 00..ff 2026-03-31".  The date is
 * the day on which it was made (UTC) and may be left out.  One line of the digits alone is key 1.
 */
struct conf_key {
	uint8_t bytes[CONF_KEY_SIZE];
	uint8_t id;     /* 1..255 */
	int64_t made_s; /* since 1970; 0: not known */
};

struct conf_keys {
	struct conf_key key[CONF_KEYS_MAX]; /* oldest first */
	unsigned count;
};

/* Read the keys from an open file.  It must belong to root (or to the caller's effective user) and
 * nobody else may read or write it.  Returns 0; -1 with why[CONF_PROBLEM_SIZE] that says what to
 * do, and then *keys is wiped. */
int conf_keys_read(int fd, const char *file_name, struct conf_keys *keys, char *why);

/* The same of a file's name. */
int conf_keys_load(const char *file_name, struct conf_keys *keys, char *why);

/* Write a file of mode 0600, of the caller, durable and whole or not at all.  An existing one is
 * refused unless `replace`.  Returns 0; -1 with why[CONF_PROBLEM_SIZE].  Blocks on the disk. */
int conf_keys_write(const char *file_name, const struct conf_keys *keys, bool replace, char *why);

/* Add a new random key behind the others, whose id follows the last one's.  Returns 0; -1 with
 * why: there is no room, or no randomness.  Blocks on the kernel's random source early after
 * boot. */
int conf_keys_add(struct conf_keys *keys, char *why);

/* Forget the oldest one; there must be two (asserted). */
void conf_keys_drop(struct conf_keys *keys);

/* The canonical text: every key with its value, in a fixed order; it reads back as the same. */
void conf_print(const struct conf *conf, FILE *out);

/* Fill the digests: SHA-256 over the canonical form of cluster name, timing, nodes, paths,
 * arbiters, groups and resources (not of local files and devices, of what a secret_file holds, of
 * users, logs and SNMP).  conf_parse() does not: only who
 * compares them needs it, and the first use of the crypto library costs two megabytes. */
void conf_digest(struct conf *conf);

/* The cluster as heartbeat frames name it: the first bytes of SHA-256 of its name. */
void conf_cluster_id(const struct conf *conf, uint8_t id[CONF_CLUSTER_ID_SIZE]);

#endif
