#include "judge/grpc_method.h"

#include "proto/scope.h"

static int path_is(grpc_slice path, const struct rpc_method *m)
{
	const char *text = (const char *)GRPC_SLICE_START_PTR(path);
	size_t len = GRPC_SLICE_LENGTH(path);
	size_t service = strlen(m->service), name = strlen(m->name);

	return len == service + name + 2 && text[0] == '/' && text[service + 1] == '/' &&
	       memcmp(text + 1, m->service, service) == 0 &&
	       memcmp(text + service + 2, m->name, name) == 0;
}

const struct rpc_method *grpc_method_find(grpc_slice path)
{
	static const struct rpc_method *const tables[] = {grpc_judge_methods, grpc_health_methods,
							  grpc_reflection_methods};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct rpc_method *m = tables[i]; m->service; m++)
			if (path_is(path, m))
				return m;
	return NULL;
}
