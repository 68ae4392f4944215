# make [all|demo|check|check-sanitize|check-valgrind|fuzz|bench|layers|lint|install|uninstall|dist|clean]
# Variables: CC CFLAGS LDFLAGS PREFIX BINDIR MANDIR DESTDIR BUILD V=1 WERROR= SAN=1 T=60 SHARED
CC ?= gcc
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
BUILD ?= build
SHARED ?= ../shared
WERROR ?= -Werror
VERSION := 0.1.0
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

probe = $(shell printf 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo $(1))
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	$(call probe,-fstack-clash-protection) $(call probe,-ftrivial-auto-var-init=zero)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
WARN := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wimplicit-fallthrough $(WERROR)
ALLCFLAGS := -std=c17 -D_GNU_SOURCE -O2 -g $(WARN) -fPIE -MMD -MP -Ilib -DCTR_VERSION='"$(VERSION)"' \
	$(if $(SAN),$(SANFLAGS),$(HARDEN)) $(CFLAGS)
ALLLDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(if $(SAN),$(SANFLAGS)) $(LDFLAGS)

TOOLS := $(notdir $(patsubst %/main.c,%,$(wildcard tools/*/main.c)))
LIBOBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c))
toolobj = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/$(1)/*.c))
BINS := $(TOOLS:%=$(BUILD)/bin/%)

# Libraries per tool, so that a parser does not link what it does not use.
LIBS := -lcrypto -lcjson -lyaml
LIBS_ctr-policygen := -lz -lzstd -lpthread
LIBS_ctr-manifest := -lz

UNITS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
UNITBINS := $(UNITS:%=$(BUILD)/unit/test_%)
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS := $(FUZZERS:%=$(BUILD)/fuzz/replay_%)

SIMS := $(patsubst tests/sim/%.c,%,$(wildcard tests/sim/*.c))
SIMBINS := $(SIMS:%=$(BUILD)/sim/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo check check-sanitize check-valgrind fuzz bench layers lint install uninstall dist clean unit

all: $(BINS)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -c -o $@ $<

$(BUILD)/libctr.a: $(LIBOBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

define TOOL
$(BUILD)/bin/$(1): $(call toolobj,$(1)) $(BUILD)/libctr.a
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(ALLCFLAGS) -o $$@ $$^ $(ALLLDFLAGS) $(LIBS) $(LIBS_$(1))
endef
$(foreach t,$(TOOLS),$(eval $(call TOOL,$(t))))

# A unit test links libctr.a and the tool objects that its first lines name: "/* needs: tools/x/y.c */".
needs = $(patsubst %.c,$(BUILD)/%.o,$(shell sed -n 's,^/\* needs: \(.*\) \*/$$,\1,p' $(1)))
define UNIT
$(BUILD)/unit/test_$(1): $(BUILD)/tests/unit/test_$(1).o $(BUILD)/tests/unit/t.o $(call needs,tests/unit/test_$(1).c) $(BUILD)/libctr.a
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(ALLCFLAGS) -o $$@ $$^ $(ALLLDFLAGS) $(LIBS) -lcmocka -lz -lzstd -lpthread
endef
$(foreach u,$(UNITS),$(eval $(call UNIT,$(u))))

# A fuzz target defines LLVMFuzzerTestOneInput; replay_X runs a corpus through it with any compiler.
define FUZZ
$(BUILD)/fuzz/replay_$(1): $(BUILD)/tests/fuzz/fuzz_$(1).o $(BUILD)/tests/fuzz/replay.o $(call needs,tests/fuzz/fuzz_$(1).c) $(BUILD)/libctr.a
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(ALLCFLAGS) -o $$@ $$^ $(ALLLDFLAGS) $(LIBS) -lz -lzstd -lpthread
endef
$(foreach f,$(FUZZERS),$(eval $(call FUZZ,$(f))))

# Programs that tests/bats runs: servers that misbehave, drivers for parts that no tool shows.
define SIM
$(BUILD)/sim/$(1): $(BUILD)/tests/sim/$(1).o $(call needs,tests/sim/$(1).c) $(BUILD)/libctr.a
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(ALLCFLAGS) -o $$@ $$^ $(ALLLDFLAGS) $(LIBS) -lssl -lpthread
endef
$(foreach s,$(SIMS),$(eval $(call SIM,$(s))))

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
