/*
 * store_contract.h - how a contract is written that every store must pass: CONTRACT(name) { ... } on the fixture's store.
 *
 * A new kind of store is added to kinds[].
 */
#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

#include <criterion/criterion.h>

#include "proto/scope.h"
#include "tests/store_fixture.h"

static const char *const kinds[] = {"sqlite"};

/* A test that runs once for each kind of store, on a fresh one each time. */
#define CONTRACT(name)                                                                             \
	static void on_##name(void);                                                               \
	Test(store, name, .fini = shelf_close, .timeout = 120)                                     \
	{                                                                                          \
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {                                    \
			shelf_open(kinds[i]);                                                      \
			on_##name();                                                               \
			shelf_close();                                                             \
		}                                                                                  \
	}                                                                                          \
	static void on_##name(void)

#define OK(call) cr_assert_eq((call), 0, "%s", box.e.msg)
#define FAILS(num_, call)                                                                          \
	do {                                                                                       \
		cr_assert_eq((call), -1);                                                          \
		cr_assert_eq(box.e.num, (num_), "%s", box.e.msg);                                  \
		cr_assert_neq(box.e.msg[0], '\0');                                                 \
	} while (0)

#define NO_SUCH_ID "00000000000000000000000000000000"

#endif
