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
clang   := -O2
CFLAGS   = -std=gnu17 -g $(WARN) $(HARDEN) $($(MODE)) $(EXTRA_CFLAGS)
CPPFLAGS = -D_GNU_SOURCE -I. -I$(B)/gen -include proto/banned.h -MMD -MP -isystem /usr/include/libnl3
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
THREADED = $(filter test_store test_store_rejudge test_api test_api_rejudge test_grpc test_worker test_blob_cache test_queue,$(UNITS))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SOURCES := $(wildcard proto/*.[ch] sandbox/*.[ch] judge/*.[ch] tests/*.[ch] tests/*/*.[ch] tests/attack/*/*.[ch])

LIBS_proto   := -lprotobuf-c
LIBS_sandbox := -lseccomp -lcap -lcyaml -lyaml -ljansson $(LIBS_proto)
LIBS_judge   := -larchive -lexpat -lseccomp -lgrpc -lgpr -lsqlite3 -lcyaml -lyaml -ljansson -lcrypto -lpthread $(LIBS_proto)

# V=1 shows the commands.  Everything may run in parallel; deps.stamp comes before whatever needs a package.
Q := $(if $(V),,@)
say = @printf '  %-6s %s\n' $(1) $(2)
MAKEFLAGS += -j$(shell nproc) --no-print-directory

all: $(addprefix $(BIN)/,$(PROGS)) attacks ## build the programs into build/bin (default)

# Looked at again whenever the list of packages changes.
build/deps.stamp: scripts/deps.sh
	@scripts/deps.sh
	@mkdir -p $(@D) && touch $@

deps: ## install the Debian packages that are missing
	scripts/deps.sh
	@mkdir -p build && touch build/deps.stamp

deps-languages: ## install the compilers and runtimes of every language that has a rule
	scripts/deps.sh languages

languages-check: all ## judge the test programs of every installed language (root, minutes)
	$(BIN)/judge languages --check

.SECONDARY:
.SUFFIXES:
.DELETE_ON_ERROR:

$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: %.proto | build/deps.stamp
	@mkdir -p $(@D)
	$(call say,PROTO,$<)
	$(Q)protoc-c --c_out=$(B)/gen $<

# The descriptors of every .proto, for server reflection and the compatibility test.
$(B)/gen/descriptors.pb: $(PROTOS) | build/deps.stamp
	@mkdir -p $(@D)
	$(Q)protoc --include_imports --descriptor_set_out=$@ $(PROTOS)
$(B)/gen/descriptors.o: proto/descriptors.S $(B)/gen/descriptors.pb
	$(Q)$(CC) -c -I$(B)/gen -o $@ $<

$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c | $(GEN)
	$(Q)$(CC) -std=gnu17 -g -fPIE $($(MODE)) -I$(B)/gen -c -o $@ $<

$(B)/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libproto.a: $(SHARED)
$(B)/libsandbox.a: $(SANDBOX)
$(B)/libjudge.a: $(JUDGE)
$(B)/libfixtures.a: $(call objs,$(filter-out tests/test_%,$(wildcard tests/*.c)))
$(B)/%.a:
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

define program
$(BIN)/$(patsubst %_main,%,$(notdir $(2))): $(B)/$(2).o $(B)/lib$(1).a $(B)/libproto.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$(Q)$(CC) $$(LDFLAGS) -o $$@ $$^ $(LIBS_$(1))
endef
$(foreach f,$(basename $(wildcard sandbox/*_main.c)),$(eval $(call program,sandbox,$f)))
$(foreach f,$(basename $(wildcard judge/*_main.c)),$(eval $(call program,judge,$f)))

# Tests link every archive: they may look at both sides, the programs may not.
# Under ThreadSanitizer they get a main() of their own: see tests/tsan/main.c.
$(B)/test_%: $(B)/tests/test_%.o $(if $(filter tsan,$(MODE)),$(B)/tests/tsan/main.o) $(B)/libfixtures.a $(B)/libjudge.a $(B)/libsandbox.a $(B)/libproto.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcriterion $(LIBS_judge) $(LIBS_sandbox)

# What `sandbox selftest` runs: those attacks that need neither a compiler, a private network nor judged, and what they say of themselves.
ATTACKS := build/lib/gavel/attacks
SHIPPED := $(foreach group,escape host theft leftovers starvation measure judge,$(sort $(foreach ending,c cpp S py,\
           $(wildcard tests/attack/$(group)/*.$(ending)))))
COMPILE_c   := gcc -std=gnu17 -D_GNU_SOURCE -O1 -pthread -Itests/attack
COMPILE_cpp := g++ -std=gnu++17 -O1 -pthread -static-libstdc++ -static-libgcc -Itests/attack
COMPILE_S   := gcc -no-pie -z noexecstack -Itests/attack
define attack
$(ATTACKS)/$(basename $(notdir $(1))): $(1) tests/attack/attack.h
	@mkdir -p $$(@D)
	$(Q)$(COMPILE_$(subst .,,$(suffix $(1)))) -o $$@ $$<
endef
$(foreach f,$(filter-out %.py,$(SHIPPED)),$(eval $(call attack,$f)))
$(ATTACKS)/layers: tests/attack/layers.txt
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(ATTACKS)/list: $(SHIPPED)
	@mkdir -p $(@D)
	$(call say,ATTACK,$(@D))
	$(Q)cp $(filter %.py,$^) $(@D)
	$(Q)for f in $^; do sed -n "1{s,^[/*\# ]*attack:,$${f#tests/attack/},;s, \*/\$$,,;/ net=bridge\\| verdict=/!p;q}" $$f; done >$@
attacks: $(ATTACKS)/list $(ATTACKS)/layers $(addprefix $(ATTACKS)/,$(basename $(notdir $(filter-out %.py,$(SHIPPED)))))

# The sandbox with layers left out, for tests/vm/layers.py: the same objects, some functions of theirs taken over at the link.
without = $(shell grep -o '__wrap_[a-z][a-z0-9_]*' tests/vm/without.c | sort -u | sed 's/__wrap_/-Wl,--wrap=/')
build/without/%: $(B)/tests/vm/without.o $(B)/sandbox/%_main.o $(B)/libsandbox.a $(B)/libproto.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(without) -o $@ $^ $(LIBS_sandbox)
without: build/without/sandbox build/without/sandboxd

# What measures: programs of their own, as small as they can be, because fork() costs what the parent weighs.
$(B)/libbench.a: $(call objs,$(call srcs,tests/bench))
BENCHED := $(patsubst tests/bench/programs/%.c,build/bench/%,$(wildcard tests/bench/programs/*.c)) \
           build/bench/Fixed.class build/bench/fixed.py
$(B)/bench_%: $(B)/tests/bench/%_main.o $(B)/libbench.a $(B)/libjudge.a $(B)/libsandbox.a $(B)/libproto.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(LIBS_judge) $(LIBS_sandbox)
build/bench/%: tests/bench/programs/%.c
	@mkdir -p $(@D)
	$(Q)gcc -O2 -static -o $@ $< -lpthread
build/bench/%.class: tests/bench/programs/%.java
	@mkdir -p $(@D)
	$(Q)javac -d $(@D) $<
build/bench/%.py: tests/bench/programs/%.py
	@mkdir -p $(@D)
	@cp $< $@

bench: deps all $(B)/bench_speed $(BENCHED) ## what a run costs, beside bare fork+exec and other sandboxes (root)
	$(B)/bench_speed $(BENCH_ARGS)
	tests/bench/compile.py $(COMPILE_ARGS)

bench-compile: deps all ## from submitting a C++ program to its verdict, beside g++ and runs by hand (root)
	tests/bench/compile.py $(COMPILE_ARGS)

bench-exact: deps all $(B)/bench_exact $(BENCHED) ## how exact limits and measures are: overrun, spread, first and last run (root)
	$(B)/bench_exact $(BENCH_ARGS)

soak: deps all $(B)/bench_soak $(BENCHED) $(addprefix build/fuzz/bin/,$(FUZZERS)) ## 100,000 runs, 200 kills of sandboxd, 500 interactive games, every language, a minute of each fuzzer (root, hours)
	$(BIN)/judge languages --check
	tests/bench/soak.py $(SOAK_ARGS)

# Criterion's macros define functions without prototypes.
$(B)/tests/%.o: WARN += -Wno-missing-prototypes -Wno-conversion -Wno-sign-conversion

tests: all $(addprefix $(B)/,$(UNITS)) ## build the unit tests of this MODE

unit: tests ## run the unit tests of this MODE
	tests/run.py --mode $(MODE) unit

# The programs with failure points, which the tests of crashes need.
failpoints: build/deps.stamp
	@$(MAKE) MODE=debug all

test: tests failpoints ## install, build, and run the unit, attack and end-to-end tests
	@tests/run.py

deps-vm: ## install what test-vm needs, and unpack a kernel for it
	@scripts/deps.sh vm

# Everything is built outside: inside, the same takes ten times as long, and there is no network to get anything from.
vm-ready: deps-vm tests failpoints without
	@tests/attack/run.py --build
	@tests/e2e/test_grpc_js.py --install

# What a plain user may have is tested as one: all that makes cells.
ROOTLESS := $(addprefix unit:test_,box cell cells cgroup doctor jail landlock oci park rights serve) \
	$(addprefix e2e:,judge_cli roots sandbox_run)

# A machine has one processor, so that as many run beside each other as the host has.
vm = @tests/vm/vm.py --limit 7200 tests/vm/inside.py
vm-programs: vm-ready
	$(vm) unit attack
vm-daemons: vm-ready
	$(vm) e2e layers
vm-user: vm-ready
	$(vm) --user $(ROOTLESS) attack:native
vm-short-root: vm-ready
	$(vm) attack:brief e2e:judge_cli
vm-short-user: vm-ready
	$(vm) --user unit:test_jail e2e:judge_cli

test-vm: vm-daemons vm-programs vm-user ## unit, attack and end-to-end tests on Linux 6.1 with cgroup v2, in VMs, as root and as a plain user

test-vm-short: vm-short-root vm-short-user ## the part of test-vm that every change must pass

demo: all ## judge solutions in every language and print the table
	@scripts/demo.py

run: all ## sandboxd and judged in the foreground, ready for build/bin/judge submit
	@scripts/run.sh

# TSan for what has threads: judged.  The sandbox side has none.
sanitize: ## unit tests under ASan+UBSan, and judged's under TSan
	@$(MAKE) MODE=asan tests
	@tests/run.py --jobs $$(nproc) --mode asan unit
	@$(MAKE) MODE=tsan $(addprefix build/tsan/,$(THREADED))
	@tests/run.py --jobs $$(nproc) --mode tsan $(addprefix unit:,$(THREADED))

# Every source of the shared code and of both sides, instrumented; a fuzzer is one more file.
FUZZ_OBJS := $(patsubst %.c,build/fuzz/%.o,$(call srcs,proto) $(call srcs,sandbox) $(call srcs,judge))
build/fuzz/gen/%.o: build/release/gen/%.c
	@mkdir -p $(@D)
	$(Q)clang -g -O1 -fsanitize=fuzzer-no-link,address,undefined -Ibuild/release/gen -c -o $@ $<
build/fuzz/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang -std=gnu17 -D_GNU_SOURCE -I. -Ibuild/release/gen -isystem /usr/include/libnl3 -include proto/banned.h -MMD -MP \
		-g -O1 -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
build/fuzz/libgavel.a: $(FUZZ_OBJS) $(patsubst $(B)/gen/%.c,build/fuzz/gen/%.o,$(GEN)) $(B)/gen/descriptors.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
build/fuzz/bin/%: build/fuzz/tests/fuzz/%.o build/fuzz/libgavel.a
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS_judge) $(LIBS_sandbox)

fuzz: $(addprefix build/fuzz/bin/,$(FUZZERS)) ## fuzz each parser for FUZZ_SECONDS (10), from the inputs that are kept
	@tests/fuzz/run.py --seconds $${FUZZ_SECONDS:-10} $(FUZZ_ARGS) $^

LINTED := $(patsubst %,build/lint/%.ok,$(filter-out tests/%,$(filter %.c,$(SOURCES))))
build/lint/%.ok: % .clang-tidy $(GEN)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- -std=gnu17 $(filter-out -MMD -MP,$(CPPFLAGS)) 2>/dev/null
	@touch $@

lint: ## clang-tidy on all sources, and a build by clang; warnings are errors
	@$(MAKE) $(LINTED)
	@$(MAKE) MODE=clang CC=clang all

format: ## rewrite the sources with clang-format
	@clang-format -i $(SOURCES)

format-check: build/deps.stamp ## fail if clang-format would change anything
	@clang-format --dry-run -Werror $(SOURCES)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

clean: ## remove build/
	rm -rf build

.PHONY: all attacks without deps deps-languages languages-check deps-vm tests unit failpoints test vm-ready vm-programs vm-daemons vm-user vm-short-root vm-short-user test-vm test-vm-short bench bench-compile bench-exact soak demo run sanitize fuzz lint format format-check help clean
-include $(shell find build -name '*.d' 2>/dev/null)
