/*
 * Lists and their page tokens.
 *
 * A token is "CHECK-POSITION", both in hexadecimal: the store's own position, and the start of a SHA-256 over the kind of
 * list, its filters and the position.  There is no secret in it, for there is nothing to gain by forging one: the check is
 * there to refuse, with a clear answer, a token that was cut, mistyped or taken from a list with other filters.
 */
#include <openssl/evp.h>

#include "judge/api_internal.h"
#include "proto/err.h"
#include "proto/scope.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX     500
#define CHECK_BYTES  8
#define CHECK_DIGITS ((size_t)2 * CHECK_BYTES)

static const char hex_digits[] = "0123456789abcdef";

static void to_hex(const uint8_t *data, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digits[data[i] >> 4];
		out[2 * i + 1] = hex_digits[data[i] & 15];
	}
	out[2 * len] = '\0';
}

/* Two digits, or -1. */
static int from_hex(const char *digits)
{
	const char *high = *digits ? strchr(hex_digits, digits[0]) : NULL;
	const char *low = high && digits[1] ? strchr(hex_digits, digits[1]) : NULL;

	return low ? (int)((high - hex_digits) << 4 | (low - hex_digits)) : -1;
}

/* out has CHECK_DIGITS + 1 bytes. */
static int check_of(const char *const *scope, const char *position, char *out,
		    struct api_status *st)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	int ok = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL);

	for (; ok && *scope; scope++)
		ok = EVP_DigestUpdate(sha, *scope, strlen(*scope) + 1);
	ok = ok && EVP_DigestUpdate(sha, position, strlen(position)) &&
	     EVP_DigestFinal_ex(sha, digest, NULL);
	EVP_MD_CTX_free(sha);
	if (!ok)
		return api_fail(st, API_INTERNAL, "out of memory");
	to_hex(digest, CHECK_BYTES, out);
	return 0;
}

char *api_make_token(const char *const *scope, const char *position, struct api_status *st)
{
	size_t len = strlen(position);
	char *token;

	if (len == 0)
		return api_strdup("", st);
	token = api_alloc(1, CHECK_DIGITS + 1 + 2 * len + 1, st);
	if (!token)
		return NULL;
	if (check_of(scope, position, token, st) < 0) {
		free(token);
		return NULL;
	}
	token[CHECK_DIGITS] = '-';
	to_hex((const uint8_t *)position, len, token + CHECK_DIGITS + 1);
	return token;
}

int api_read_token(const char *token, const char *const *scope, char *position,
		   struct api_status *st)
{
	size_t len = strlen(token);
	char check[CHECK_DIGITS + 1];
	const char *digits = token + CHECK_DIGITS + 1;
	size_t n = 0;

	position[0] = '\0';
	if (len == 0)
		return 0;
	if (len <= CHECK_DIGITS + 1 ||
	    len >= CHECK_DIGITS + 1 + (size_t)2 * (API_POSITION_MAX - 1) ||
	    token[CHECK_DIGITS] != '-')
		goto bad;
	for (; digits[2 * n]; n++) {
		int byte = from_hex(digits + 2 * n);

		if (byte <= 0)
			goto bad;
		position[n] = (char)byte;
	}
	position[n] = '\0';
	if (check_of(scope, position, check, st) < 0)
		return -1;
	if (strncmp(check, token, CHECK_DIGITS) == 0)
		return 0;
bad:
	return api_fail(st, API_INVALID_ARGUMENT,
			"page_token: not made by this server for a list with these filters");
}

int api_page_size(uint32_t asked, uint32_t *size, struct api_status *st)
{
	if (asked > PAGE_MAX)
		return api_fail(st, API_INVALID_ARGUMENT, "page_size: is %u, at most %d", asked,
				PAGE_MAX);
	*size = asked ? asked : PAGE_DEFAULT;
	return 0;
}

int api_check_enum(const char *field, const ProtobufCEnumDescriptor *type, int value,
		   struct api_status *st)
{
	if (protobuf_c_enum_descriptor_get_value(type, value))
		return 0;
	return api_fail(st, API_INVALID_ARGUMENT, "%s: %d is no value of %s", field, value,
			type->name);
}

/* Reads one page from the store into r. */
static int fetch_submissions(struct api *a, const Judge__V1__ListSubmissionsRequest *q,
			     const char *const *scope, Judge__V1__ListSubmissionsResponse *r,
			     struct api_status *st)
{
	struct store_filter filter = {.problem = q->problem,
				      .language = q->language,
				      .author = q->author,
				      .state = q->state,
				      .verdict = q->verdict};
	char position[API_POSITION_MAX];
	AUTO_FREE char *next = NULL;
	uint32_t size = PAGE_DEFAULT;
	struct err e = {0};

	if (api_page_size(q->page_size, &size, st) < 0 ||
	    api_read_token(q->page_token, scope, position, st) < 0)
		return -1;
	if (store_list_submissions(a->config.store, &filter, position, size, &r->submissions,
				   &r->n_submissions, &next, &e) < 0)
		return api_store_failed(st, &e, "page_token");
	r->next_page_token = api_make_token(scope, next ? next : "", st);
	return r->next_page_token ? 0 : -1;
}

ProtobufCMessage *api_list_submissions(struct api *a, const ProtobufCMessage *request,
				       struct api_status *st)
{
	const Judge__V1__ListSubmissionsRequest *q = (const void *)request;
	Judge__V1__ListSubmissionsResponse *r;
	char numbers[32];
	const char *scope[] = {"submissions", q->problem, q->language, q->author, numbers, NULL};

	if (api_check_enum("state", &judge__v1__state__descriptor, (int)q->state, st) < 0 ||
	    api_check_enum("verdict", &judge__v1__verdict__descriptor, (int)q->verdict, st) < 0)
		return NULL;
	snprintf(numbers, sizeof(numbers), "%d %d", (int)q->state, (int)q->verdict);
	r = api_alloc(1, sizeof(*r), st);
	if (!r)
		return NULL;
	judge__v1__list_submissions_response__init(r);
	if (fetch_submissions(a, q, scope, r, st) == 0)
		return &r->base;
	judge__v1__list_submissions_response__free_unpacked(r, NULL);
	return NULL;
}

/* One more than asked for tells whether there is a next page. */
static int fetch_problems(struct api *a, const Judge__V1__ListProblemsRequest *q,
			  Judge__V1__ListProblemsResponse *r, struct api_status *st)
{
	const char *scope[] = {"problems", NULL};
	char after[API_POSITION_MAX];
	uint32_t size = PAGE_DEFAULT;
	struct err e = {0};
	const char *next = "";

	if (api_page_size(q->page_size, &size, st) < 0 ||
	    api_read_token(q->page_token, scope, after, st) < 0)
		return -1;
	if (store_list_problems(a->config.store, after, size + 1, &r->problems, &r->n_problems,
				&e) < 0)
		return api_store_failed(st, &e, "page_token");
	if (r->n_problems > size) {
		judge__v1__problem__free_unpacked(r->problems[size], NULL);
		r->n_problems = size;
		next = r->problems[size - 1]->name;
	}
	r->next_page_token = api_make_token(scope, next, st);
	return r->next_page_token ? 0 : -1;
}

ProtobufCMessage *api_list_problems(struct api *a, const ProtobufCMessage *request,
				    struct api_status *st)
{
	const Judge__V1__ListProblemsRequest *q = (const void *)request;
	Judge__V1__ListProblemsResponse *r = api_alloc(1, sizeof(*r), st);

	if (!r)
		return NULL;
	judge__v1__list_problems_response__init(r);
	if (fetch_problems(a, q, r, st) == 0)
		return &r->base;
	judge__v1__list_problems_response__free_unpacked(r, NULL);
	return NULL;
}
