# make [all|demo|check|check-sanitize|check-valgrind|fuzz|bench|layers|lint|images|install|uninstall|dist|clean]
# Variables: CC CFLAGS LDFLAGS PREFIX BINDIR MANDIR DATADIR DESTDIR BUILD SHARED V=1 WERROR= SAN=1 T=60
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/ctr
BUILD ?= build
SHARED ?= ../shared
WERROR ?= -Werror
T ?= 60
VERSION := 0.1.0
comma := ,
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))
MAKEFLAGS += --no-print-directory
# In a sub-make: as many jobs as processors, unless the caller chose.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

probe = $(shell printf 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo $(1))
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	$(call probe,-fstack-clash-protection) $(call probe,-ftrivial-auto-var-init=zero)
# SAN=1: sanitizers instead of hardening; SAN=fuzz: also what libFuzzer needs (clang).
SANFLAGS := -fsanitize=address,undefined$(if $(filter fuzz,$(SAN)),$(comma)fuzzer-no-link) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
WARN := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wimplicit-fallthrough $(WERROR)
ALLCFLAGS := -std=c17 -D_GNU_SOURCE -O2 -g $(WARN) -fPIE -ffunction-sections -fdata-sections -iquote lib -iquote . -DCTR_VERSION='"$(VERSION)"' \
	$(if $(SAN),$(SANFLAGS),$(HARDEN)) $(CFLAGS)
ALLLDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	$(if $(SAN),$(SANFLAGS)) $(LDFLAGS)

# Libraries per program, so that a parser does not link what it does not use.
LIBS := -lcrypto -lcjson -lcbor -lyaml
LIBS_ctr-policygen := -lz -lzstd -lpthread
LIBS_ctr-manifest := -lz -lpthread
LIBS_ctr-attest-verify := -lz -lpthread
LIBS_ctr-coordinatord := -lssl -lz -levent_core -lpthread
LIBS_ctr-initdata := -lz
LIBS_ctr-node-install := -lsystemd
LIBS_ctr-initializer := -lz -lpthread
# Programs without a dynamic linker, for guests that have little else; what their sources define themselves
# takes the place of libctr's. Not with sanitizers, which must be linked dynamically.
STATIC := ctr-initdata
LIBS_static := -static-pie -s -Wl,--gc-sections
LIBS_tests := $(LIBS) -lsystemd -lssl -lz -lzstd -levent_core -lpthread

TOOLS := $(notdir $(patsubst %/main.c,%,$(wildcard tools/*/main.c)))
BINS := $(TOOLS:%=$(BUILD)/bin/%)
names = $(patsubst tests/$(1)%.c,%,$(wildcard tests/$(1)*.c))
UNITBINS := $(patsubst %,$(BUILD)/unit/test_%,$(call names,unit/test_))
SIMS := $(patsubst tests/sim/%.c,%,$(shell grep -ls '^int main' tests/sim/*.c))
SIMBINS := $(SIMS:%=$(BUILD)/sim/%) $(BUILD)/sim/ctr-initdata $(BUILD)/sim/ctr-node-install
BENCHBINS := $(patsubst %,$(BUILD)/bench/bench_%,$(call names,bench/bench_))
FUZZ := $(call names,fuzz/fuzz_)
REPLAYS := $(FUZZ:%=$(BUILD)/fuzz/replay_%)
FUZZERS := $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)
# What k8s runs, as OCI layouts; the last one written stands for all.
IMAGES := $(BUILD)/images/agent/index.json
# RSA keys of simulated CAs: too slow to make for each test.
SIMKEYS := $(BUILD)/sim/keys/asvk.key
SRC := $(wildcard lib/*.c tools/*/*.c tests/*/*.c tests/*/*/*.c)
obj = $(patsubst %.rego,$(BUILD)/%.rego.o,$(patsubst %.c,$(BUILD)/%.o,$(1)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tests fuzzers demo check check-sanitize check-valgrind fuzz bench layers lint \
	images install uninstall dist clean FORCE
export BUILD SHARED

all: $(BINS)

# Rewritten, and so everything rebuilt, only when the compiler or its flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(CC) $(subst ','\'',$(ALLCFLAGS) $(ALLLDFLAGS))' > $@.new; \
		if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

# tools/X/rules.rego becomes the string rules_rego of X.
$(BUILD)/%.rego.c: %.rego scripts/embed scripts/rego-minify
	$(call say,EMBED,$<)
	$(Q)mkdir -p $(@D)
	$(Q)scripts/embed $< >$@

$(BUILD)/%.rego.o: $(BUILD)/%.rego.c $(BUILD)/flags
	$(Q)$(CC) $(ALLCFLAGS) -c -o $@ $<

$(BUILD)/lib/trust.o: $(wildcard data/trust/*)

$(BUILD)/libctr.a: $(call obj,$(wildcard lib/*.c))
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# $(call PROG,PROGRAM,OBJECTS,LIBRARIES): a program over libctr.a.
define PROG
$(1): $(2) $(BUILD)/libctr.a
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(ALLCFLAGS) -o $$@ $$^ $(if $(filter -static-pie,$(3)),,-pie) $(ALLLDFLAGS) $(3)
endef
prog = $(eval $(call PROG,$(1),$(2),$(3)))

# A test's first lines name the tool parts it links: "/* needs: tools/x/y.c tools/x/rules.rego */".
needs = $(call obj,$(1) $(shell sed -n 's,^/\* needs: \(.*\) \*/$$,\1,p' $(1)))

libs = $(if $(SAN),$(LIBS),$(if $(filter $(STATIC),$(1)),$(LIBS_static) -lcrypto,$(LIBS))) $(LIBS_$(1))
$(foreach t,$(TOOLS),$(call prog,$(BUILD)/bin/$(t),$(call obj,$(wildcard tools/$(t)/*.c tools/$(t)/*.rego)),\
	$(call libs,$(t))))
$(foreach u,$(call names,unit/test_),$(call prog,$(BUILD)/unit/test_$(u),\
	$(call needs,tests/unit/test_$(u).c) $(call obj,tests/unit/t.c),$(LIBS_tests) -lcmocka))
$(foreach s,$(SIMS),$(call prog,$(BUILD)/sim/$(s),$(call needs,tests/sim/$(s).c),$(LIBS_tests)))
# The guest's program with all platforms, the simulated one too: else the same objects.
$(call prog,$(BUILD)/sim/ctr-initdata,$(call obj,$(filter-out %/kinds.c,$(wildcard tools/ctr-initdata/*.c))),\
	$(LIBS_tests))
# The installer with devices that are files.
$(call prog,$(BUILD)/sim/ctr-node-install,$(call obj,$(filter-out %/hostio.c,$(wildcard tools/ctr-node-install/*.c)) \
	tests/sim/lib/hostio.c),$(LIBS_tests))
$(foreach b,$(call names,bench/bench_),$(call prog,$(BUILD)/bench/bench_$(b),\
	$(call needs,tests/bench/bench_$(b).c),$(LIBS_tests)))
# replay_X runs files through fuzz target X, with any compiler; fuzz_X is the fuzzer, with SAN=fuzz.
$(foreach f,$(FUZZ),$(call prog,$(BUILD)/fuzz/replay_$(f),\
	$(call needs,tests/fuzz/fuzz_$(f).c) $(call obj,tests/fuzz/replay.c),$(LIBS_tests)))
$(foreach f,$(FUZZ),$(call prog,$(BUILD)/fuzz/fuzz_$(f),\
	$(call needs,tests/fuzz/fuzz_$(f).c),$(LIBS_tests) -fsanitize=fuzzer))

tests: all $(UNITBINS) $(SIMBINS) $(REPLAYS) $(IMAGES) $(SIMKEYS) $(BUILD)/envoy/envoy
fuzzers: $(FUZZERS)

$(IMAGES): scripts/make-images
	$(call say,IMG,$(BUILD)/images)
	$(Q)scripts/make-images $(BUILD)/images

$(SIMKEYS): | $(BUILD)/sim/simchain
	$(call say,KEYS,$(@D))
	$(Q)$(BUILD)/sim/simchain keys $(@D)

$(BUILD)/envoy/envoy: scripts/get-envoy
	$(call say,GET,$@)
	$(Q)scripts/get-envoy $@

# The targets that a newcomer runs first install what is missing; probes then need a make of their own.
demo:
	$(Q)scripts/install-deps
	$(Q)$(MAKE) $(JOBS) all $(IMAGES) $(SIMKEYS) $(BUILD)/sim/ctr-initdata
	$(Q)scripts/demo

check:
	$(Q)scripts/install-deps
	$(Q)$(MAKE) $(JOBS) tests
	$(Q)scripts/check

# An own exit status: a finding must never read as the answer "no".
check-sanitize: export ASAN_OPTIONS := exitcode=99:detect_stack_use_after_return=1:$(ASAN_OPTIONS)
check-sanitize: export UBSAN_OPTIONS := exitcode=99:print_stacktrace=1:$(UBSAN_OPTIONS)
check-sanitize:
	$(Q)$(MAKE) $(JOBS) SAN=1 BUILD=$(BUILD)/san tests
	$(Q)BUILD=$(BUILD)/san SAN=1 scripts/check unit replay bats

check-valgrind:
	$(Q)$(MAKE) $(JOBS) HARDEN= STATIC= BUILD=$(BUILD)/valgrind tests
	$(Q)BUILD=$(BUILD)/valgrind VALGRIND=1 scripts/check unit replay bats

fuzz:
	$(Q)$(MAKE) $(JOBS) CC=clang SAN=fuzz BUILD=$(BUILD)/fuzzing fuzzers
	$(Q)BUILD=$(BUILD)/fuzzing scripts/fuzz $(T)

bench: all $(BENCHBINS) $(SIMBINS) $(IMAGES)
	$(Q)scripts/bench

layers:
	$(Q)scripts/layers

lint:
	$(Q)$(MAKE) $(JOBS) CC=clang BUILD=$(BUILD)/clang tests
	$(Q)$(MAKE) $(JOBS) tests
	$(Q)scripts/lint

images: all
	$(Q)scripts/build-images $(BUILD)/oci

PAGES := $(wildcard man/*.[1-8])
K8S := $(shell find k8s -type f)
install: all
	install -d $(DESTDIR)$(BINDIR)
	install -m 755 $(BINS) $(DESTDIR)$(BINDIR)
	install -m 755 scripts/deploy.sh $(DESTDIR)$(BINDIR)/ctr-deploy
	$(Q)for f in $(K8S); do install -D -m 644 $$f $(DESTDIR)$(DATADIR)/$$f || exit 1; done
	$(Q)for p in $(PAGES); do \
		install -D -m 644 $$p $(DESTDIR)$(MANDIR)/man$${p##*.}/$${p##*/} || exit 1; done

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(DESTDIR)$(BINDIR)/ctr-deploy
	rm -rf $(DESTDIR)$(DATADIR)/k8s
	$(Q)for p in $(PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${p##*.}/$${p##*/}; done

dist:
	mkdir -p $(BUILD)
	git archive --prefix=ctr-$(VERSION)/ HEAD | gzip -n > $(BUILD)/ctr-$(VERSION).tar.gz

clean:
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(call obj,$(SRC)))
