# make help lists the targets.  MODE=release|debug|asan|tsan picks a build;
# every build lives in its own folder under build/, so they never mix.
MODE   ?= release
CC      = gcc
PREFIX ?= /usr/local
B      := build/$(MODE)
BIN    := $(if $(filter release,$(MODE)),build/bin,$(B)/bin)

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 -Wundef \
           -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Werror
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fPIE
release := -O2 -D_FORTIFY_SOURCE=3
debug   := -Og -DFAILPOINTS
asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
tsan    := -O1 -fsanitize=thread
CFLAGS   = -std=gnu17 -g $(WARN) $(HARDEN) $($(MODE)) $(EXTRA_CFLAGS)
CPPFLAGS = -D_GNU_SOURCE -I. -I$(B)/gen -include proto/banned.h -MMD -MP
LDFLAGS  = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(filter -fsanitize%,$(CFLAGS))

# A folder's *_main.c is a program; everything else in it goes in one archive,
# which the programs, the tests and the fuzzers link alike.
srcs     = $(filter-out %_main.c,$(wildcard $(1)/*.c))
objs     = $(patsubst %.c,$(B)/%.o,$(1))
PROTOS  := $(wildcard proto/*.proto)
GEN     := $(patsubst %.proto,$(B)/gen/%.pb-c.c,$(PROTOS))
SHARED  := $(call objs,$(call srcs,proto)) $(GEN:.c=.o) $(B)/gen/descriptors.o
SANDBOX := $(call objs,$(call srcs,sandbox))
JUDGE   := $(call objs,$(call srcs,judge))
PROGS   := $(patsubst %_main.c,%,$(notdir $(wildcard sandbox/*_main.c judge/*_main.c)))
UNITS   := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SOURCES := $(wildcard proto/*.[ch] sandbox/*.[ch] judge/*.[ch] tests/*.[ch] tests/*/*.[ch])

LIBS_proto   := -lprotobuf-c
LIBS_sandbox := -lseccomp -lcap -lcyaml -lyaml -ljansson -lcrypto $(LIBS_proto)
LIBS_judge   := -lgrpc -lgpr -lsqlite3 -lcyaml -lyaml -ljansson -lcrypto -lpthread $(LIBS_proto)

all: $(addprefix $(BIN)/,$(PROGS)) ## build the programs into build/bin (default)

.SECONDARY:
.SUFFIXES:
.DELETE_ON_ERROR:

$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: %.proto
	@mkdir -p $(@D)
	protoc-c --c_out=$(B)/gen $<

# The descriptors of every .proto, for server reflection and the compatibility test.
$(B)/gen/descriptors.pb: $(PROTOS)
	@mkdir -p $(@D)
	protoc --include_imports --descriptor_set_out=$@ $(PROTOS)
$(B)/gen/descriptors.o: proto/descriptors.S $(B)/gen/descriptors.pb
	$(CC) -c -I$(B)/gen -o $@ $<

$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c | $(GEN)
	$(CC) -std=gnu17 -g -fPIE $($(MODE)) -I$(B)/gen -c -o $@ $<

$(B)/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libproto.a: $(SHARED)
$(B)/libsandbox.a: $(SANDBOX)
$(B)/libjudge.a: $(JUDGE)
$(B)/libfixtures.a: $(call objs,$(filter-out tests/test_%,$(wildcard tests/*.c)))
$(B)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

define program
$(BIN)/$(patsubst %_main,%,$(notdir $(2))): $(B)/$(2).o $(B)/lib$(1).a $(B)/libproto.a
	@mkdir -p $$(@D)
	$(CC) $$(LDFLAGS) -o $$@ $$^ $(LIBS_$(1))
endef
$(foreach f,$(basename $(wildcard sandbox/*_main.c)),$(eval $(call program,sandbox,$f)))
$(foreach f,$(basename $(wildcard judge/*_main.c)),$(eval $(call program,judge,$f)))

# Tests link every archive: they may look at both sides, the programs may not.
$(B)/test_%: $(B)/tests/test_%.o $(B)/libfixtures.a $(B)/libjudge.a $(B)/libsandbox.a $(B)/libproto.a
	$(CC) $(LDFLAGS) -o $@ $^ -lcriterion $(LIBS_judge) $(LIBS_sandbox)

# What several tests share.
$(B)/test_store $(B)/test_store_sqlite: $(B)/tests/store_box.o

# Criterion's macros define functions without prototypes.
$(B)/tests/%.o: WARN += -Wno-missing-prototypes -Wno-conversion -Wno-sign-conversion

unit: $(addprefix $(B)/,$(UNITS)) ## run the unit tests of this MODE
	@set -e; for t in $^; do echo "== $$t"; $$t; done

lint: $(GEN) ## clang-tidy on all sources, warnings are errors
	clang-tidy --quiet $(filter-out tests/%,$(filter %.c,$(SOURCES))) -- -std=gnu17 $(filter-out -MMD -MP,$(CPPFLAGS))

format: ## rewrite the sources with clang-format
	clang-format -i $(SOURCES)

format-check: ## fail if clang-format would change anything
	clang-format --dry-run -Werror $(SOURCES)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

clean: ## remove build/
	rm -rf build

.PHONY: all unit lint format format-check help clean
-include $(shell find build -name '*.d' 2>/dev/null)
