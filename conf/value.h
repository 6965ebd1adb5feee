/* conf/value.h - the value of one key: text to number, name, address, a problem when it is not.
 *
 * Each function reads one value, returns true when it is good, and else adds a problem that names
 * the key, the value, and what it may be; *out then keeps what the comment says.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_parse.c.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"

struct conf_value {
	const char *key;
	int line;
	const char *text;
};

enum { CONF_VALUES_MAX = 128 };

/* What was given in a section, in the order of its table of keys.  A list has a value for each of
 * its members, the first CONF_WORDS_MAX + 1 of them; an empty list has one whose text is NULL. */
struct conf_values {
	struct conf_value value[CONF_VALUES_MAX];
	unsigned count;
};

/* The first value of a key; NULL: it was not given.  *count (may be NULL): how many follow each
 * other from there. */
const struct conf_value *conf_values_find(const struct conf_values *values, const char *key,
					  unsigned *count);

/* A whole number of min..max in `unit` ("ms"; "" for none).  *out: 0 when bad. */
bool conf_value_number(struct conf_value v, uint32_t min, uint32_t max, const char *unit,
		       uint32_t *out, struct conf_problems *problems);

/* yes or no.  *out: unchanged when bad. */
bool conf_value_boolean(struct conf_value v, bool *out, struct conf_problems *problems);

/* A name of ours: 1..31 of A-Z a-z 0-9 . _ -, not beginning with '-'.  *out: cut, also when bad. */
bool conf_value_name(struct conf_value v, char out[YOKE_NAME_SIZE],
		     struct conf_problems *problems);

/* An absolute file name of at most `max` bytes without NUL.  *out: unchanged when bad. */
bool conf_value_file(struct conf_value v, size_t max, char out[CONF_FILE_SIZE],
		     struct conf_problems *problems);

/* Where the AgentX master listens: an absolute file name, or unix:FILE or tcp:HOST:PORT as net-snmp
 * writes it.  *out: unchanged when bad. */
bool conf_value_agentx(struct conf_value v, char out[CONF_FILE_SIZE],
		       struct conf_problems *problems);

/* A network interface: 1..15 bytes without '/' and ':'.  *out: empty when bad. */
bool conf_value_interface(struct conf_value v, char out[YOKE_NAME_SIZE],
			  struct conf_problems *problems);

/* The absolute path of a program, of at most CONF_COMMAND_SIZE bytes. */
bool conf_value_program(struct conf_value v, struct conf_problems *problems);

/* A list of `count` words, 1..CONF_WORDS_MAX.  *out: empty when bad. */
bool conf_value_words(const struct conf_value *words, unsigned count, char out[CONF_COMMAND_SIZE],
		      struct conf_problems *problems);

/* A command of `count` words: an absolute path and arguments.  *out: empty when bad. */
bool conf_value_command(const struct conf_value *words, unsigned count,
			char out[CONF_COMMAND_SIZE], struct conf_problems *problems);

/* A path's end: a unicast IPv4 or IPv6 address; the port is set.  address_len: 0 when bad. */
bool conf_value_endpoint(struct conf_value v, uint16_t port, struct conf_endpoint *out,
			 struct conf_problems *problems);

/* A multicast address, IPv4 or IPv6, that leaves the machine; the port is set.  *out: ss_family 0
 * when bad. */
bool conf_value_multicast(struct conf_value v, uint16_t port, struct sockaddr_storage *out,
			  struct conf_problems *problems);

/* A service address ADDRESS/PREFIX: unicast, not the network's own.  family: 0 when bad. */
bool conf_value_service(struct conf_value v, struct conf_resource *out,
			struct conf_problems *problems);

#endif
