/* tests/bench/seal.c - how many heartbeats a second one core seals and opens again.
 *
 *   seal yoke         as hb does it: AES-256-GCM, the header as associated data
 *   seal corosync     the ciphers that the benchmark's corosync is configured for, AES-256-CBC with
 *                     a random initial vector, then HMAC-SHA256: by OpenSSL, whose contexts are
 *                     kept, without the library that corosync calls it through; so at most so many
 *
 * Prints frames/s of CPU time.
 */
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hb/seal.h"

enum {
	HEADER_SIZE = 32,
	SIZE = 28 + 16, /* of what is sealed, in a pair's usual heartbeat */
	VECTOR_SIZE = 16,
	ROUNDS = 200000,
};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool seal_yoke(void)
{
	static const uint8_t cluster_key[HB_KEY_SIZE] = "a key for nothing but this";
	uint8_t header[HEADER_SIZE] = {1}, bytes[SIZE] = {2}, opened[SIZE], tag[HB_TAG_SIZE];
	struct hb_seal_key key;
	bool good = hb_seal_init(&key) == 0 && hb_seal_derive(&key, cluster_key, 1, 1) == 0;

	for (uint64_t i = 1; i <= ROUNDS && good; i++)
		good = hb_seal_close(&key, i, header, sizeof(header), bytes, SIZE, tag) &&
		       hb_seal_open(&key, i, header, sizeof(header), bytes, SIZE, tag, opened);
	hb_seal_fini(&key);
	return good;
}

static bool sign(EVP_MAC_CTX *mac, const uint8_t *bytes, size_t size, uint8_t sum[HB_MAC_SIZE])
{
	size_t sum_size;

	return EVP_MAC_init(mac, NULL, 0, NULL) == 1 && EVP_MAC_update(mac, bytes, size) == 1 &&
	       EVP_MAC_final(mac, sum, &sum_size, HB_MAC_SIZE) == 1;
}

/* Of `bytes`, with room for a block more, to `out`.  Returns the size; 0: failed. */
static int cipher(EVP_CIPHER_CTX *context, const uint8_t *vector, const uint8_t *bytes, int size,
		  uint8_t *out)
{
	int first, last;

	if (EVP_CipherInit_ex(context, NULL, NULL, NULL, vector, -1) != 1 ||
	    EVP_CipherUpdate(context, out, &first, bytes, size) != 1 ||
	    EVP_CipherFinal_ex(context, out + first, &last) != 1)
		return 0;
	return first + last;
}

static bool seal_both(EVP_CIPHER_CTX *in, EVP_CIPHER_CTX *out, EVP_MAC_CTX *mac)
{
	uint8_t bytes[HEADER_SIZE + SIZE] = {2}, opened[sizeof(bytes) + VECTOR_SIZE];
	uint8_t sent[VECTOR_SIZE + sizeof(opened)], sums[2][HB_MAC_SIZE];
	int size;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (RAND_bytes(sent, VECTOR_SIZE) != 1)
			return false;
		size = cipher(in, sent, bytes, sizeof(bytes), sent + VECTOR_SIZE);
		if (size == 0 || !sign(mac, sent, VECTOR_SIZE + (size_t)size, sums[0]) ||
		    !sign(mac, sent, VECTOR_SIZE + (size_t)size, sums[1]) ||
		    !hb_seal_same(sums[0], sums[1], HB_MAC_SIZE) ||
		    cipher(out, sent, sent + VECTOR_SIZE, size, opened) != sizeof(bytes))
			return false;
	}
	return true;
}

static bool seal_corosync(void)
{
	static const uint8_t key[HB_KEY_SIZE] = "a key for nothing but this";
	EVP_CIPHER_CTX *in = EVP_CIPHER_CTX_new(), *out = EVP_CIPHER_CTX_new();
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);
	char name[] = "SHA256";
	const OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
				     OSSL_PARAM_construct_end()};
	bool good = EVP_CipherInit_ex(in, EVP_aes_256_cbc(), NULL, key, NULL, 1) == 1 &&
		    EVP_CipherInit_ex(out, EVP_aes_256_cbc(), NULL, key, NULL, 0) == 1 &&
		    EVP_MAC_init(mac, key, sizeof(key), digest) == 1 && seal_both(in, out, mac);

	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
	EVP_CIPHER_CTX_free(in);
	EVP_CIPHER_CTX_free(out);
	return good;
}

int main(int argc, char **argv)
{
	double since = cpu_s();
	bool good = false;

	if (argc == 2 && strcmp(argv[1], "yoke") == 0)
		good = seal_yoke();
	else if (argc == 2 && strcmp(argv[1], "corosync") == 0)
		good = seal_corosync();
	else
		fputs("usage: seal yoke|corosync\n", stderr);
	if (!good)
		return 1;
	printf("%.0f\n", ROUNDS / (cpu_s() - since));
	return 0;
}
