#include "sandbox/digest.h"

#include <openssl/evp.h>

#include "proto/err.h"

int digest_open(struct digest *d, struct err *e)
{
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL))
		return 0;
	digest_drop(d);
	return err_set(e, "SHA-256 failed");
}

int digest_add(struct digest *d, const void *data, size_t len, struct err *e)
{
	return EVP_DigestUpdate(d->ctx, data, len) ? 0 : err_set(e, "SHA-256 failed");
}

int digest_close(struct digest *d, char hex[DIGEST_HEX], struct err *e)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int ok = EVP_DigestFinal_ex(d->ctx, bytes, &len);

	digest_drop(d);
	if (!ok || len != (DIGEST_HEX - 1) / 2)
		return err_set(e, "SHA-256 failed");
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

void digest_drop(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

int digest_of(const void *data, size_t len, char hex[DIGEST_HEX], struct err *e)
{
	struct digest d;

	if (digest_open(&d, e) < 0)
		return -1;
	if (digest_add(&d, data, len, e) < 0) {
		digest_drop(&d);
		return -1;
	}
	return digest_close(&d, hex, e);
}
