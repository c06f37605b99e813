#include "sandbox/library.h"

#include <dlfcn.h>
#include <string.h>

#include "proto/err.h"

int library_load(struct library *l, struct err *e)
{
	void *handle;

	if (l->is_loaded)
		return 0;
	handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(e, "cannot load %s, which Debian's package %s has: %.150s", l->file,
			       l->package, dlerror());
	for (size_t i = 0; i < l->nsymbols; i++) {
		void *found = dlsym(handle, l->symbols[i].name);

		if (!found)
			return err_set(e, "%s has no %s; that of Debian 12's package %s does",
				       l->file, l->symbols[i].name, l->package);
		memcpy(l->symbols[i].pointer, &found, sizeof(found));
	}
	l->is_loaded = 1;
	return 0;
}
