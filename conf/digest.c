#include "conf/conf.h"

#include <openssl/evp.h>

#include "conf/print.h"

/* What both nodes must agree on, as text: the same words as in the file, so that a difference of
 * digests can be found by comparing the output of conf_print(). */
static char *agreed_text(const struct conf *c, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (out == NULL)
		return NULL;
	fprintf(out, "yoke 1\n%s\n", c->cluster);
	fprintf(out, "%u %u %u %u %u %u %u %u\n", c->interval_ms, c->late_ms, c->dead_ms,
		c->startup_ms, c->conflict_ms, c->refresh_ms, c->operation_ms, c->retry_ms);
	/* The other node must know how long we may go on; which device resets us is our own. */
	fprintf(out, "%u %u\n", c->lease_ms, c->watchdog[0] != '\0' ? c->watchdog_ms : 0);
	conf_print_members(c, out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void conf_digest(struct conf *conf)
{
	size_t size = 0;
	char *text = agreed_text(conf, &size);

	/* All zero is no configuration's digest: it will differ from the peer's, which is an alarm.
	 */
	if (text == NULL || EVP_Digest(text, size, conf->digest, NULL, EVP_sha256(), NULL) != 1)
		memset(conf->digest, 0, sizeof(conf->digest));
	free(text);
}

void conf_cluster_id(const struct conf *conf, uint8_t id[CONF_CLUSTER_ID_SIZE])
{
	uint8_t sum[CONF_DIGEST_SIZE];

	if (EVP_Digest(conf->cluster, strlen(conf->cluster), sum, NULL, EVP_sha256(), NULL) != 1)
		memset(sum, 0, sizeof(sum));
	memcpy(id, sum, CONF_CLUSTER_ID_SIZE);
}
