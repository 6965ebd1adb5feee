#include "hb/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "agent/base/buf.h"

enum { NONCE_SIZE = 12 };

static const char label[] = "yoke heartbeat 1";

int hb_seal_init(struct hb_seal_key *key)
{
	key->context = EVP_CIPHER_CTX_new();
	if (key->context == NULL ||
	    EVP_EncryptInit_ex(key->context, EVP_aes_256_gcm(), NULL, NULL, NULL) != 1) {
		hb_seal_fini(key);
		return -1;
	}
	return 0;
}

void hb_seal_fini(struct hb_seal_key *key)
{
	EVP_CIPHER_CTX_free(key->context);
	key->context = NULL;
}

void hb_seal_forget(struct hb_seal_key *key)
{
	static const uint8_t nothing[HB_KEY_SIZE];

	(void)EVP_EncryptInit_ex(key->context, NULL, NULL, nothing, NULL);
}

/* HKDF-SHA256 with the info as given and no salt (RFC 5869 section 2.2). */
static int expand(const uint8_t *secret, uint8_t *info, size_t info_size, uint8_t out[HB_KEY_SIZE])
{
	char digest[] = "SHA256";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
						  HB_KEY_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_size),
		OSSL_PARAM_construct_end(),
	};
	int ok = context != NULL && EVP_KDF_derive(context, out, HB_KEY_SIZE, params) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return ok ? 0 : -1;
}

int hb_seal_derive(struct hb_seal_key *key, const uint8_t cluster_key[HB_KEY_SIZE], uint16_t sender,
		   uint64_t incarnation)
{
	uint8_t info[sizeof(label) - 1 + 2 + 8];
	uint8_t derived[HB_KEY_SIZE];
	struct yoke_buf b;
	int rc;

	yoke_buf_init(&b, info, sizeof(info));
	yoke_buf_put(&b, label, sizeof(label) - 1);
	yoke_buf_put_u16(&b, sender);
	yoke_buf_put_u64(&b, incarnation);
	rc = expand(cluster_key, info, sizeof(info), derived);
	if (rc == 0 && EVP_EncryptInit_ex(key->context, NULL, NULL, derived, NULL) != 1)
		rc = -1;
	hb_seal_wipe(derived, sizeof(derived));
	return rc;
}

static void nonce_of(uint64_t sequence, uint8_t nonce[NONCE_SIZE])
{
	struct yoke_buf b;

	yoke_buf_init(&b, nonce, NONCE_SIZE);
	yoke_buf_put_u32(&b, 0);
	yoke_buf_put_u64(&b, sequence);
}

bool hb_seal_close(const struct hb_seal_key *key, uint64_t sequence, const uint8_t *header,
		   size_t header_size, uint8_t *bytes, size_t size, uint8_t tag[HB_TAG_SIZE])
{
	EVP_CIPHER_CTX *context = key->context;
	uint8_t nonce[NONCE_SIZE];
	int len;

	nonce_of(sequence, nonce);
	return EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &len, header, (int)header_size) == 1 &&
	       EVP_EncryptUpdate(context, bytes, &len, bytes, (int)size) == 1 &&
	       EVP_EncryptFinal_ex(context, bytes + len, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, HB_TAG_SIZE, tag) == 1;
}

bool hb_seal_open(const struct hb_seal_key *key, uint64_t sequence, const uint8_t *header,
		  size_t header_size, const uint8_t *sealed, size_t size,
		  const uint8_t tag[HB_TAG_SIZE], uint8_t *bytes)
{
	EVP_CIPHER_CTX *context = key->context;
	uint8_t nonce[NONCE_SIZE];
	int len;

	nonce_of(sequence, nonce);
	return EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, HB_TAG_SIZE,
				   (void *)(uintptr_t)tag) == 1 &&
	       EVP_DecryptUpdate(context, NULL, &len, header, (int)header_size) == 1 &&
	       EVP_DecryptUpdate(context, bytes, &len, sealed, (int)size) == 1 &&
	       EVP_DecryptFinal_ex(context, bytes + len, &len) == 1;
}

bool hb_seal_mac(const uint8_t cluster_key[HB_KEY_SIZE], const char *label_text,
		 const uint8_t *bytes, size_t size, uint8_t mac[HB_MAC_SIZE])
{
	uint8_t info[32], derived[HB_KEY_SIZE];
	size_t info_size = strlen(label_text);
	unsigned mac_size = HB_MAC_SIZE;
	bool ok;

	if (info_size > sizeof(info))
		return false;
	memcpy(info, label_text, info_size);
	ok = expand(cluster_key, info, info_size, derived) == 0 &&
	     HMAC(EVP_sha256(), derived, sizeof(derived), bytes, size, mac, &mac_size) != NULL;
	hb_seal_wipe(derived, sizeof(derived));
	return ok;
}

bool hb_seal_same(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void hb_seal_wipe(void *bytes, size_t size)
{
	OPENSSL_cleanse(bytes, size);
}
