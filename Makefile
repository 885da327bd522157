# libpmemshim. `make help` lists the targets.
#
# CFLAGS, CPPFLAGS and LDFLAGS belong to the user; what the build needs is
# kept apart in BUILD_*. V=1 shows the commands. WERROR=1 is for CI.

VERSION := 0.1.0

BUILD ?= build
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
PROFILEDIR ?= $(PREFIX)/share/pmemshim/profiles
DOCDIR ?= $(PREFIX)/share/doc/pmemshim

CFLAGS ?= -O2 -g
AR ?= ar

# For the tests: address, undefined or thread, in a BUILD of its own.
SANITIZE ?=
SANITIZE_CFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer)
# The suites that `make check` runs; tests/all --help names them.
SUITES ?=
# How often `make powercut` cuts, and what its chances follow from.
CUTS ?= 1000
SEED ?= 1
# A directory on a DAX mount of this machine, for `make demo` and `make bench`.
DAX ?=

# The folder of this machine's architecture, or the one that sends everything
# to the kernel.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ARCH ?= $(if $(wildcard shim/arch/$(MACHINE)),$(MACHINE),generic)

BUILD_CPPFLAGS := -D_GNU_SOURCE -DPMEMSHIM_VERSION='"$(VERSION)"' \
	-DPMEMSHIM_LIBDIR='"$(LIBDIR)"' -I.
BUILD_CFLAGS := -std=c11 -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fno-builtin -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wconversion $(if $(WERROR),-Werror) \
	$(SANITIZE_CFLAGS)
# gcc turns a byte loop inside memcpy into a call to memcpy; clang has no
# such pass once -fno-builtin is given, and does not know the flag.
BUILD_CFLAGS += $(shell $(CC) -fno-tree-loop-distribute-patterns -E -x c \
	/dev/null >/dev/null 2>&1 && echo -fno-tree-loop-distribute-patterns)
DEPFLAGS = -MMD -MP

# The command needs libelf, with its header, for the machine it is built for.
HAVE_LIBELF := $(shell echo 'int main(void) { return (int)elf_version(0); }' | \
	$(CC) -include libelf.h -x c - -o /dev/null -lelf >/dev/null 2>&1 && echo yes)
COMMAND := $(if $(HAVE_LIBELF),$(BUILD)/pmemshim)

# Everything that links into an ordinary program without interposing.
INTERPOSING := $(wildcard shim/init.c shim/intercept.c \
	shim/arch/$(ARCH)/intercept.c)
MODULES := $(sort $(wildcard config/*.c) $(filter-out $(INTERPOSING), \
	$(wildcard shim/arch/$(ARCH)/*.c shim/*.c)))
PRELOAD := $(MODULES) $(INTERPOSING)

MODULE_OBJS := $(MODULES:%.c=$(BUILD)/%.o)
PRELOAD_OBJS := $(PRELOAD:%.c=$(BUILD)/%.o)
# test_arch_ARCH.c looks inside one architecture.
UNIT_SOURCES := $(filter-out tests/unit/test_arch_% \
	$(if $(HAVE_LIBELF),,tests/unit/test_cli_%),$(wildcard tests/unit/*.c)) \
	$(wildcard tests/unit/test_arch_$(ARCH).c)
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(sort $(UNIT_SOURCES)))
SUPPORT_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c)))

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

.DEFAULT_GOAL := all
.PHONY: all no-command FORCE examples units differ install uninstall check check-fast check-unit \
	check-symbols check-docs check-sanitize check-tsan \
	check-counts check-counts-guest syncers check-powercut powercut stress bench demo \
	lint format clean help faults fuzz coverage mutation soak check-analyzer

all: $(BUILD)/libpmemshim.so $(or $(COMMAND),no-command)	## the library and the command

no-command:
	@echo '  no $(BUILD)/pmemshim: it needs libelf (Debian: libelf-dev)'

# ISA flags belong to the one file that is named for them.
isa_flags = $(if $(filter %_avx512,$(1)),-mavx512f -mavx512bw -mavx512vl) \
	$(if $(filter %_avx2,$(1)),-mavx2)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BUILD_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(BUILD_CFLAGS) \
		$(call isa_flags,$*) $(DEPFLAGS) -c -o $@ $<

SYMBOLS := shim/symbols.def $(wildcard shim/arch/$(ARCH)/symbols.def)
# The names in them, one a line.
symbols = sed -n 's/^SYMBOL([^,]*, \([a-z0-9_]*\),.*/\1/p' $(SYMBOLS)

$(BUILD)/libpmemshim.map: $(SYMBOLS)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q){ echo '{ global:'; $(symbols) | sed 's/$$/;/'; \
		echo 'local: *; };'; } >$@

$(BUILD)/libpmemshim.so: $(PRELOAD_OBJS) $(BUILD)/libpmemshim.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libpmemshim.so \
		-Wl,--version-script=$(BUILD)/libpmemshim.map \
		-Wl,-z,defs,-z,relro,-z,now,--as-needed -o $@ $(PRELOAD_OBJS)

$(BUILD)/libmodules.a: $(MODULE_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(MODULE_OBJS)

# The command is an ordinary program; all but main.c also links into tests.
CLI_CFLAGS := -std=c11 -fPIE -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wconversion $(if $(WERROR),-Werror) \
	$(SANITIZE_CFLAGS)
CLI_SOURCES := $(sort $(filter-out cli/main.c,$(wildcard cli/*.c)))
CLI_LIBS := $(BUILD)/libcli.a $(BUILD)/libmodules.a

$(BUILD)/cli/%.o: cli/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BUILD_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(CLI_CFLAGS) \
		$(DEPFLAGS) -c -o $@ $<

# LIBDIR as it was compiled in; make install may be given another one.
$(BUILD)/cli/libdir: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBDIR)' | cmp -s - $@ || echo '$(LIBDIR)' >$@
FORCE:
$(BUILD)/cli/library.o: $(BUILD)/cli/libdir

$(BUILD)/libcli.a: $(CLI_SOURCES:%.c=$(BUILD)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/pmemshim: $(BUILD)/cli/main.o $(CLI_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_CFLAGS) $(LDFLAGS) -pie -o $@ $< \
		$(CLI_LIBS) -Wl,--as-needed -lelf -lm

# Tests are ordinary programs: no -fno-builtin, Criterion's headers as they are.
TEST_CFLAGS := -std=c11 -Wall -Wextra $(if $(WERROR),-Werror) $(SANITIZE_CFLAGS)

$(BUILD)/tests/%.o: tests/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BUILD_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) \
		$(DEPFLAGS) -c -o $@ $<

$(filter $(BUILD)/tests/unit/test_cli_%,$(UNIT_TESTS)): $(BUILD)/libcli.a

$(UNIT_TESTS): %: %.o $(SUPPORT_OBJS) $(BUILD)/libmodules.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_CFLAGS) $(LDFLAGS) -o $@ \
		-Wl,--start-group $^ -Wl,--end-group -lcriterion -lpthread \
		-Wl,--as-needed $(if $(HAVE_LIBELF),-lelf) -lm

STRESS := $(BUILD)/tests/stress/stress

$(STRESS): %: %.o $(SUPPORT_OBJS) $(BUILD)/libmodules.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

# The kernel as the oracle: differ, and the shipped objects with a probe.
DIFFER := $(BUILD)/tests/differential/differ $(BUILD)/tests/differential/libprobed.so

$(BUILD)/tests/differential/differ: $(patsubst %,$(BUILD)/tests/differential/%.o,\
		differ inspect op world) $(BUILD)/tests/support/t_pages.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Each call that is written is made.
$(BUILD)/tests/differential/world.o: TEST_CFLAGS += -fno-builtin
$(BUILD)/tests/differential/probe.o: TEST_CFLAGS += -fPIC -fvisibility=hidden

$(BUILD)/tests/differential/libprobed.so: $(PRELOAD_OBJS) \
		$(BUILD)/tests/differential/probe.o $(BUILD)/libpmemshim.map
	$(call say,LINK,$@)
	$(Q)sed 's/local:/pmemshim_probe_*; local:/' $(BUILD)/libpmemshim.map >$@.map
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libpmemshim.so \
		-Wl,--version-script=$@.map -Wl,-z,defs,-z,relro,-z,now -o $@ \
		$(PRELOAD_OBJS) $(BUILD)/tests/differential/probe.o

differ: $(DIFFER)

EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard examples/*.c)))

# As a user would compile them: nothing of ours in the flags.
$(EXAMPLES): $(BUILD)/%: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Wall -Wextra $(CFLAGS) $(LDFLAGS) -o $@ $<

examples: $(EXAMPLES)		## the textbook programs of examples/

units: $(UNIT_TESTS)

check: 				## every test; installs what it lacks
	$(Q)tests/support/t_install.sh $$(tests/all --packages $(SUITES))
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/all $(SUITES)

check-fast:			## unit and preload tests: seconds, no root
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/all symbols docs unit examples preload

check-unit:
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/all unit

check-symbols: $(BUILD)/libpmemshim.so	## exported names are symbols.def's
	$(Q)nm -D --defined-only $< | sed 's/.* //' | LC_ALL=C sort >$(BUILD)/exported
	$(Q)$(symbols) | LC_ALL=C sort | diff - $(BUILD)/exported
	$(Q)test "$$(objdump -p $< | sed -n 's/ *NEEDED *//p')" = libc.so.6

check-docs:			## every option and symbol is documented
	$(Q)tests/check_docs.sh

check-sanitize check-tsan:	## unit tests or stress, sanitized
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/all $(@:check-%=%)

stress: $(STRESS)		## readers against map and unmap, a minute
	$(STRESS) 60

# What follows takes minutes to an hour; CI runs the short forms of the first
# four by tests/all.
faults: all			## every failure of every system call of the shim
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/faults/run --full

fuzz:				## each fuzz target for ten minutes
	$(Q)tests/support/t_install.sh clang libclang-rt-14-dev
	$(Q)BUILD=$(BUILD) tests/fuzz/run -t 600 --keep

coverage:			## lines and branches that the tests reach
	$(Q)tests/support/t_install.sh $$(tests/coverage/run --packages)
	$(Q)BUILD=$(BUILD) tests/coverage/run

check-analyzer:			## gcc -fanalyzer has nothing to say
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/analyzer CC=gcc \
		CFLAGS='-O2 -g -fanalyzer' WERROR=1 all

mutation: all units		## break the shim in a hundred ways: is it noticed?
	$(Q)BUILD=$(BUILD) tests/mutation/run

MINUTES ?= 30
soak: all			## stress for MINUTES: does anything grow?
	$(Q)tests/support/t_install.sh $$(tests/soak/run --packages)
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/soak/run $(MINUTES)

BENCH := $(BUILD)/bench/bench

$(BENCH): $(patsubst %,$(BUILD)/bench/%.o,bench contend loaded sample) \
		$(BUILD)/libmodules.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ldl -lpthread

$(BUILD)/bench/counts: $(BUILD)/bench/counts.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/bench/count_span.so: bench/count_span.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Wall -Wextra $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -fPIC \
		-fvisibility=hidden -shared -o $@ $<

bench: all			## against libpmem; QUICK=1: in minutes; DAX=DIR
	$(Q)tests/support/t_install.sh libpmem-dev python3
	$(Q)$(MAKE) --no-print-directory $(BENCH)
	$(Q)DAX='$(DAX)' bench/bench.sh $(BUILD) $(if $(QUICK),--quick) $(BENCH_OPTIONS)

check-counts: $(BUILD)/bench/counts all	## instructions per call have not grown
	$(Q)bench/counts.sh $(BUILD)

check-counts-guest: $(BUILD)/bench/counts $(BUILD)/bench/count_span.so all	## and the kernel's, on real DAX
	$(Q)bench/counts_guest.sh $(BUILD)

syncers: all			## a sync of programs that sync whole files, by every mode
	$(Q)tests/support/t_install.sh python3 $$(bench/syncers/syncers --packages)
	$(Q)tests/guest/guest --install
	$(Q)BUILD=$(BUILD) bench/syncers/syncers $(SYNCERS)

powercut: all			## power cuts; CUTS=10000 SEED=1; resumable
	$(Q)tests/support/t_install.sh $$(cat tests/powercut/packages)
	$(Q)tests/guest/guest --install
	$(Q)BUILD=$(BUILD) tests/powercut/powercut --cuts $(CUTS) --seed $(SEED) \
		--progress $(POWERCUT_OPTIONS)

check-powercut:			## a sample of them, and two broken shims
	$(Q)tests/support/t_install.sh $$(tests/all --packages powercut)
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/all powercut

demo:				## the main job on real DAX; DAX=DIR: natively
	$(Q)tests/support/t_install.sh libelf-dev $$(examples/demo/demo.sh --packages)
	$(Q)$(if $(DAX),:,tests/guest/guest --install)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)DAX=$(DAX) examples/demo/demo.sh $(BUILD)/libpmemshim.so

C_FILES := $(sort $(wildcard shim/*.[ch] shim/arch/*.h shim/arch/*/*.[ch] \
	config/*.[ch] cli/*.[ch]))
SHELL_FILES = $(sort $(shell git ls-files | xargs grep -lE '^\#!/bin/(ba)?sh'))

TIDY := $(addprefix tidy-,$(filter-out shim/arch/generic/%,$(filter %.c,$(C_FILES))))

.PHONY: $(TIDY)
$(TIDY): tidy-%:
	$(Q)clang-tidy --quiet $* -- $(BUILD_CPPFLAGS) -std=c11 -fno-builtin \
		-mavx512f -mavx512bw -mavx512vl 2>$(BUILD)/lint.log.$(subst /,.,$*) || \
		{ cat $(BUILD)/lint.log.$(subst /,.,$*); exit 1; }

# cppcheck 2.10 does not parse asm goto.
lint:				## clang-tidy, cppcheck, shellcheck
	@mkdir -p $(BUILD)
	$(Q)$(MAKE) --no-print-directory -j"$$(nproc)" $(TIDY)
	$(Q)rm -f $(BUILD)/lint.log.*
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr -j "$$(nproc)" \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem \
		--suppress='internalAstError:shim/arch/x86_64/guarded_*' \
		$(BUILD_CPPFLAGS) shim config cli
	$(Q)printf '%s\n' $(SHELL_FILES) | xargs -P "$$(nproc)" -n 6 shellcheck

format:				## clang-format in place
	$(Q)clang-format -i $(C_FILES)

install: all			## under PREFIX, below DESTDIR
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(BINDIR) \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(PROFILEDIR) $(DESTDIR)$(DOCDIR)
	install -m 755 $(BUILD)/libpmemshim.so $(DESTDIR)$(LIBDIR)/
	$(if $(COMMAND),install -m 755 $(COMMAND) $(DESTDIR)$(BINDIR)/)
	$(if $(COMMAND),install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1/)
	install -m 644 man/libpmemshim.7 $(DESTDIR)$(MANDIR)/man7/
	for f in config/profiles/*.env; do \
		sed 's|/usr/local/lib|$(LIBDIR)|; s|/usr/local/share/pmemshim/profiles|$(PROFILEDIR)|' $$f \
			>$(DESTDIR)$(PROFILEDIR)/$${f##*/} && \
		chmod 644 $(DESTDIR)$(PROFILEDIR)/$${f##*/} || exit 1; done
	install -m 644 README.md SECURITY.md LICENSE CHANGELOG.md $(DESTDIR)$(DOCDIR)/

uninstall:			## what install put there
	rm -f $(DESTDIR)$(LIBDIR)/libpmemshim.so $(DESTDIR)$(BINDIR)/pmemshim \
		$(DESTDIR)$(MANDIR)/man1/pmemshim.1 \
		$(DESTDIR)$(MANDIR)/man1/pmemshim-*.1 \
		$(DESTDIR)$(MANDIR)/man7/libpmemshim.7
	rm -rf $(DESTDIR)$(PROFILEDIR) $(DESTDIR)$(DOCDIR)

clean:				## everything that was built
	rm -rf $(BUILD)

help:				## this list
	@sed -n 's/^\([a-z -]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | \
		expand -t 36

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
