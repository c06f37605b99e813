#include "judge/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "proto/err.h"

static void to_hex(const unsigned char *digest, char *hex)
{
	for (size_t i = 0; i < HASH_LEN / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int hash_bytes(const void *data, size_t len, char *hex, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL))
		return err_set(e, "SHA-256 failed");
	to_hex(digest, hex);
	return 0;
}

static int feed(EVP_MD_CTX *ctx, int fd, uint64_t max, uint64_t *bytes, struct err *e)
{
	char buffer[65536];

	for (*bytes = 0;;) {
		ssize_t n = pread(fd, buffer, sizeof(buffer), (off_t)*bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return 0;
		*bytes += (uint64_t)n;
		if (*bytes > max)
			return err_set(e, "larger than %llu bytes", (unsigned long long)max);
		if (!EVP_DigestUpdate(ctx, buffer, (size_t)n))
			return err_set(e, "SHA-256 failed");
	}
}

int hash_fd(int fd, uint64_t max, char *hex, uint64_t *bytes, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		err_set(e, "SHA-256 is not available");
	else if (feed(ctx, fd, max, bytes, e) < 0)
		rc = -1;
	else if (!EVP_DigestFinal_ex(ctx, digest, NULL))
		err_set(e, "SHA-256 failed");
	else
		rc = 0;
	EVP_MD_CTX_free(ctx);
	if (rc == 0)
		to_hex(digest, hex);
	return rc;
}
