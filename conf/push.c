#include "conf/push.h"

#include <openssl/evp.h>

#include "agent/base/buf.h"

void conf_push_key_file(const struct conf *conf, char file[CONF_FILE_SIZE + 16])
{
	const char *slash = strrchr(conf->key_file, '/');

	snprintf(file, CONF_FILE_SIZE + 16, "%.*s/push.key",
		 slash == NULL ? 0 : (int)(slash - conf->key_file), conf->key_file);
}

size_t conf_push_sealed(const struct conf_push *push, uint8_t out[CONF_PUSH_SEALED_SIZE])
{
	uint8_t digest[CONF_DIGEST_SIZE];
	struct yoke_buf b;

	if (EVP_Digest(push->shown, push->shown_size, digest, NULL, EVP_sha256(), NULL) != 1)
		return 0;
	yoke_buf_init(&b, out, CONF_PUSH_SEALED_SIZE);
	yoke_buf_put(&b, push->nonce, CONF_PUSH_NONCE_SIZE);
	yoke_buf_put(&b, push->node, strlen(push->node) + 1);
	yoke_buf_put(&b, digest, sizeof(digest));
	yoke_buf_put(&b, push->text, push->size);
	return yoke_buf_ok(&b) ? b.used : 0;
}
