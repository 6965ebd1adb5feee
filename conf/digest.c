#include "conf/conf.h"

#include <openssl/evp.h>

#include "conf/print.h"

/* What both nodes must agree on, as text: the same words as in the file, so that a difference of
 * digests can be found by comparing the output of conf_print(). */
enum part { WHOLE, CLUSTER, NODES, PATHS, ARBITERS, GROUP };

static void print_cluster(const struct conf *c, FILE *out)
{
	fprintf(out, "yoke 1\n%s\n", c->cluster);
	fprintf(out, "%u %u %u %u %u %u %u %u\n", c->interval_ms, c->late_ms, c->dead_ms,
		c->startup_ms, c->conflict_ms, c->refresh_ms, c->operation_ms, c->retry_ms);
	/* The other node must know how long we may go on; which device resets us is our own. */
	fprintf(out, "%u %u\n", c->lease_ms, c->watchdog[0] != '\0' ? c->watchdog_ms : 0);
}

static void print_part(const struct conf *c, enum part part, unsigned group, FILE *out)
{
	switch (part) {
	case WHOLE:
		print_cluster(c, out);
		conf_print_members(c, out);
		break;
	case CLUSTER:
		print_cluster(c, out);
		break;
	case NODES:
		for (unsigned i = 0; i < c->node_count; i++)
			fprintf(out, "%s\n", c->node[i].name);
		break;
	case PATHS:
		conf_print_nodes(c, out);
		break;
	case ARBITERS:
		conf_print_arbiters(c, out);
		break;
	case GROUP:
		conf_print_group(c, &c->group[group], out);
		break;
	}
}

/* All zero, when there is no memory, is no configuration's digest: it will differ from the peer's,
 * which is an alarm. */
static void digest_part(const struct conf *c, enum part part, unsigned group,
			uint8_t digest[CONF_DIGEST_SIZE])
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool ok = out != NULL;

	memset(digest, 0, CONF_DIGEST_SIZE);
	if (ok) {
		print_part(c, part, group, out);
		ok = fclose(out) == 0 &&
		     EVP_Digest(text, size, digest, NULL, EVP_sha256(), NULL) == 1;
	}
	if (!ok)
		memset(digest, 0, CONF_DIGEST_SIZE);
	free(text);
}

/* The first bytes: enough to tell two versions of one part from each other. */
static uint32_t short_digest(const struct conf *c, enum part part, unsigned group)
{
	uint8_t digest[CONF_DIGEST_SIZE];

	digest_part(c, part, group, digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
	       digest[3];
}

void conf_digest(struct conf *conf)
{
	digest_part(conf, WHOLE, 0, conf->digest);
	conf->cluster_digest = short_digest(conf, CLUSTER, 0);
	conf->nodes_digest = short_digest(conf, NODES, 0);
	conf->paths_digest = short_digest(conf, PATHS, 0);
	conf->arbiters_digest = short_digest(conf, ARBITERS, 0);
	for (unsigned g = 0; g < conf->group_count; g++)
		conf->group_digest[g] = short_digest(conf, GROUP, g);
}

void conf_cluster_id(const struct conf *conf, uint8_t id[CONF_CLUSTER_ID_SIZE])
{
	uint8_t sum[CONF_DIGEST_SIZE];

	if (EVP_Digest(conf->cluster, strlen(conf->cluster), sum, NULL, EVP_sha256(), NULL) != 1)
		memset(sum, 0, sizeof(sum));
	memcpy(id, sum, CONF_CLUSTER_ID_SIZE);
}
