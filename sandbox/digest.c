#include "sandbox/digest.h"

#include <openssl/evp.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/library.h"

/* Being linked with it would be a quarter of the time that `sandbox run` takes. */
#define CALLS(X)                                                                                   \
	X(EVP_MD_CTX_new)                                                                          \
	X(EVP_MD_CTX_free)                                                                         \
	X(EVP_sha256)                                                                              \
	X(EVP_DigestInit_ex)                                                                       \
	X(EVP_DigestUpdate)                                                                        \
	X(EVP_DigestFinal_ex)

static struct {
	CALLS(LIBRARY_POINTER)
} lib;

#define AS_ROW(name) {#name, &lib.name},
static const struct library_symbol calls[] = {CALLS(AS_ROW)};

int digest_load(struct err *e)
{
	static struct library crypto = {"libcrypto.so.3", "libssl3", calls, ARRAY_LEN(calls), 0};

	return library_load(&crypto, e) < 0 ? err_wrap(e, "SHA-256") : 0;
}

int digest_open(struct digest *d, struct err *e)
{
	*d = (struct digest){0};
	if (digest_load(e) < 0)
		return -1;
	d->ctx = lib.EVP_MD_CTX_new();
	if (d->ctx && lib.EVP_DigestInit_ex(d->ctx, lib.EVP_sha256(), NULL))
		return 0;
	digest_drop(d);
	return err_set(e, "SHA-256 failed");
}

int digest_add(struct digest *d, const void *data, size_t len, struct err *e)
{
	return lib.EVP_DigestUpdate(d->ctx, data, len) ? 0 : err_set(e, "SHA-256 failed");
}

int digest_close(struct digest *d, char hex[DIGEST_HEX], struct err *e)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int ok = lib.EVP_DigestFinal_ex(d->ctx, bytes, &len);

	digest_drop(d);
	if (!ok || len != (DIGEST_HEX - 1) / 2)
		return err_set(e, "SHA-256 failed");
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

void digest_drop(struct digest *d)
{
	if (d->ctx)
		lib.EVP_MD_CTX_free(d->ctx);
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
