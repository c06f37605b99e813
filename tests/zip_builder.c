#include "zip_builder.h"

#include <sys/stat.h>

static void add(char **to, size_t *len, const void *data, size_t n)
{
	*to = realloc(*to, *len + n + 1);
	if (!*to)
		abort();
	memcpy(*to + *len, data, n);
	*len += n;
}

static void add16(char **to, size_t *len, unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};

	add(to, len, bytes, sizeof(bytes));
}

static void add32(char **to, size_t *len, uint32_t value)
{
	add16(to, len, value & 0xffff);
	add16(to, len, value >> 16);
}

static uint32_t crc32_of(const char *text, size_t len)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* What the local header and the central one have in common. */
static void add_common(char **to, size_t *len, const struct zip_entry *e, size_t name_len)
{
	size_t size = strlen(e->text);

	add16(to, len, 20);
	add16(to, len, e->flags);
	add16(to, len, e->method);
	add32(to, len, 0x00210000); /* 1980-01-01 */
	add32(to, len, crc32_of(e->text, size) + (uint32_t)e->wrong_sum);
	add32(to, len, (uint32_t)size);
	add32(to, len, (uint32_t)size);
	add16(to, len, (unsigned)name_len);
	add16(to, len, 0);
}

void zip_add(struct zip_builder *z, const struct zip_entry *e)
{
	size_t name_len = e->name_len ? e->name_len : strlen(e->name);
	size_t at = z->len;
	uint32_t mode = e->mode                                        ? e->mode
			: name_len > 0 && e->name[name_len - 1] == '/' ? S_IFDIR | 0755
								       : S_IFREG | 0644;

	add(&z->data, &z->len, "PK\003\004", 4);
	add_common(&z->data, &z->len, e, name_len);
	add(&z->data, &z->len, e->name, name_len);
	add(&z->data, &z->len, e->text, strlen(e->text));

	add(&z->central, &z->central_len, "PK\001\002", 4);
	add16(&z->central, &z->central_len, 3 << 8 | 20); /* made by Unix */
	add_common(&z->central, &z->central_len, e, name_len);
	add16(&z->central, &z->central_len, 0);
	add16(&z->central, &z->central_len, 0);
	add16(&z->central, &z->central_len, 0);
	add32(&z->central, &z->central_len, mode << 16);
	add32(&z->central, &z->central_len, (uint32_t)at);
	add(&z->central, &z->central_len, e->name, name_len);
	z->entries++;
}

void zip_text(struct zip_builder *z, const char *name, const char *text)
{
	zip_add(z, &(struct zip_entry){.name = name, .text = text});
}

char *zip_finish(struct zip_builder *z, size_t *len)
{
	size_t at = z->len;
	char *data;

	if (z->central_len > 0)
		add(&z->data, &z->len, z->central, z->central_len);
	add(&z->data, &z->len, "PK\005\006\0\0\0\0", 8);
	add16(&z->data, &z->len, z->entries);
	add16(&z->data, &z->len, z->entries);
	add32(&z->data, &z->len, (uint32_t)z->central_len);
	add32(&z->data, &z->len, (uint32_t)at);
	add16(&z->data, &z->len, 0);
	*len = z->len;
	data = z->data;
	free(z->central);
	*z = (struct zip_builder){0};
	return data;
}

void zip_write(struct zip_builder *z, const char *path)
{
	size_t len;
	char *data = zip_finish(z, &len);
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
	free(data);
}
