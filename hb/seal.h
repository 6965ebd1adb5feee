/* hb/seal.h - AES-256-GCM over a frame's content, with its header as associated data.
 *
 * A key belongs to one incarnation of one sender:
 *   HKDF-SHA256(cluster key, info: "yoke heartbeat 1" | sender | incarnation)      RFC 5869
 * and the nonce is the sequence (four zero bytes, then 64 bits, big-endian), which never repeats
 * within an incarnation; incarnations are random, so nothing needs to be remembered over a restart.
 *
 * Layer: hb, pure (no I/O, no clock); hb/seal.c is the only file of hb that includes openssl.
 * Memory: hb_seal_init() and hb_seal_derive() allocate (openssl); sealing and opening do not.  The
 * derived key exists inside openssl's context only, which wipes it when it is freed.
 * Example: tests/unit/hb_seal.c, first test.
 */
#ifndef HB_SEAL_H
#define HB_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HB_KEY_SIZE = 32, HB_TAG_SIZE = 16, HB_MAC_SIZE = 32 };

struct evp_cipher_ctx_st;

struct hb_seal_key {
	struct evp_cipher_ctx_st *context; /* NULL: not initialised */
};

/* Returns 0; -1 when the crypto library has no memory or no AES-256-GCM. */
int hb_seal_init(struct hb_seal_key *key);
/* Wipes the key.  Harmless on one that is all zero. */
void hb_seal_fini(struct hb_seal_key *key);

/* Overwrite what was derived; it must be derived anew before it is used. */
void hb_seal_forget(struct hb_seal_key *key);

/* Load the key of an incarnation of a sender; what was loaded before is overwritten.  Returns 0; -1
 * when the crypto library fails, and then the key must not be used. */
int hb_seal_derive(struct hb_seal_key *key, const uint8_t cluster_key[HB_KEY_SIZE], uint16_t sender,
		   uint64_t incarnation);

/* Encrypt bytes[size] in place and fill tag.  Returns false when the crypto library fails. */
bool hb_seal_close(const struct hb_seal_key *key, uint64_t sequence, const uint8_t *header,
		   size_t header_size, uint8_t *bytes, size_t size, uint8_t tag[HB_TAG_SIZE]);

/* Decrypt sealed[size] to bytes[size].  Returns false when anything was changed, or it was sealed
 * with another key or sequence; what is in bytes then is worth nothing. */
bool hb_seal_open(const struct hb_seal_key *key, uint64_t sequence, const uint8_t *header,
		  size_t header_size, const uint8_t *sealed, size_t size,
		  const uint8_t tag[HB_TAG_SIZE], uint8_t *bytes);

/* HMAC-SHA256 (RFC 2104) with a key of its own, HKDF-SHA256(cluster key, info: label).  Returns
 * false when the crypto library fails. */
bool hb_seal_mac(const uint8_t cluster_key[HB_KEY_SIZE], const char *label, const uint8_t *bytes,
		 size_t size, uint8_t mac[HB_MAC_SIZE]);

/* Are they equal?  Takes as long for all that are not. */
bool hb_seal_same(const void *a, const void *b, size_t size);

/* Overwrite a secret in a way that the compiler does not leave out. */
void hb_seal_wipe(void *bytes, size_t size);

#endif
