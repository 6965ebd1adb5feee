# yoke - two servers that keep one service alive, run from the network management station.
# `make help` lists the verbs.  One file, no recursion, no configure; everything built is in build/.

PREFIX ?= /usr/local
DESTDIR ?=
YOKE_OID ?= 1.3.6.1.4.1.8072.9999.9999.4747
VERSION := 0.1.0
CC ?= gcc
B ?= build
SEED ?= 1
RUNS ?= 300
Q := $(if $(V),,@)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef \
	-Wvla -Wwrite-strings -Wformat=2 -Werror
CFLAGS ?= -O2 -g
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDHARDEN ?= -pie -Wl,-z,relro,-z,now
ALL = -std=c11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(CFLAGS) $(HARDEN) \
	-include agent/base/banned.h -DYOKE_VERSION='"$(VERSION)"' -DYOKE_OID='"$(YOKE_OID)"'

# $(call objs,FOLDER): the objects of all sources of one folder.
objs = $(patsubst %.c,$(B)/%.o,$(sort $(wildcard $(1)/*.c)))

BASE := $(call objs,agent/base)
CORE := $(call objs,agent/core)
HB := $(call objs,hb)
CONF := $(call objs,conf)
AGENT := $(call objs,agent)
SUBAGENT := $(call objs,subagent)
TOOLS := $(call objs,tools)
SIM := $(call objs,tests/sim)
SIM_ALL := $(wildcard tests/sim/*.c agent/base/*.c agent/core/*.c hb/*.c conf/*.c) agent/setup.c

YOKED_LIBS := -levent_core -lconfuse -lcrypto -lmnl -ljansson -lcap
SNMP_LIBS := -lnetsnmpmibs -lnetsnmpagent -lnetsnmp -ljansson
TOOL_LIBS := -lconfuse -lcrypto -ljansson -lblkid
SIM_LIBS := -lconfuse -lcrypto -ljansson

PROGRAMS := $(B)/yoked $(B)/yoke $(B)/yoke-snmp

all: $(PROGRAMS) $(B)/YOKE-MIB.txt ## build yoked, yoke, yoke-snmp and the MIB

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(ALL) -MMD -MP -c -o $@ $<

# The same sources a second time with the sanitizers, in build/san.
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN := $(B)/san
$(SAN)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  SAN   $<")
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(SANFLAGS) -include agent/base/banned.h \
		-DYOKE_VERSION='"$(VERSION)"' -DYOKE_OID='"$(YOKE_OID)"' -MMD -MP -c -o $@ $<

# And a third time for the simulator, in build/fast.
FASTFLAGS := -O3 -g -flto=auto
FAST := $(B)/fast
$(FAST)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FAST  $<")
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(FASTFLAGS) -include agent/base/banned.h \
		-DYOKE_VERSION='"$(VERSION)"' -DYOKE_OID='"$(YOKE_OID)"' -MMD -MP -c -o $@ $<

link = $(if $(V),,@echo "  LD    $@")
LD = $(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $^

$(B)/yoked: $(AGENT) $(BASE) $(CORE) $(HB) $(CONF)
	$(link)
	$(Q)$(LD) $(YOKED_LIBS)

$(B)/yoke: $(TOOLS) $(B)/agent/setup.o $(B)/agent/shared.o $(B)/hb/disk.o $(B)/hb/device.o $(B)/hb/key.o $(B)/hb/seal.o \
		$(B)/hb/tty.o $(B)/hb/cobs.o $(BASE) $(CORE) $(CONF)
	$(link)
	$(Q)$(LD) $(TOOL_LIBS)

$(B)/yoke-snmp: $(SUBAGENT) $(BASE)
	$(link)
	$(Q)$(LD) -Wl,--as-needed $(SNMP_LIBS)

$(B)/YOKE-MIB.txt: mibs/YOKE-MIB.txt.in mibs/generate.py agent/base/events.def
	@mkdir -p $(@D)
	$(Q)python3 mibs/generate.py $(YOKE_OID) $@

# ---- tests: one program for each tests/unit/*.c, linked with everything that has no main() -------

LIBRARY := $(BASE) $(CORE) $(HB) $(CONF) $(filter-out %/main.o,$(AGENT) $(TOOLS))
UNITS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))
UNIT_LIBS := $(YOKED_LIBS) -lblkid -lcmocka

$(B)/all.a: $(LIBRARY)
	$(Q)rm -f $@; ar rcs $@ $^
$(SAN)/all.a: $(patsubst $(B)/%,$(SAN)/%,$(LIBRARY))
	$(Q)rm -f $@; ar rcs $@ $^

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/all.a
	$(link)
	$(Q)$(LD) $(UNIT_LIBS)
$(SAN)/tests/unit/%: $(SAN)/tests/unit/%.o $(SAN)/all.a
	$(link)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(UNIT_LIBS)

# The older version's messages, as the simulator has them.
$(B)/tests/unit/core_maintenance $(B)/tests/unit/core_version: $(B)/tests/sim/skew.o
$(SAN)/tests/unit/core_maintenance $(SAN)/tests/unit/core_version: $(SAN)/tests/sim/skew.o

# All of it at once and optimised as one: millions of steps are run, and that makes it 1.7 times as
# fast.
$(B)/tests/sim/sim: $(SIM_ALL:%.c=$(FAST)/%.o)
	@mkdir -p $(@D)
	$(link)
	$(Q)$(CC) $(FASTFLAGS) -o $@ $^ $(SIM_LIBS)
$(SAN)/tests/sim/sim: $(patsubst $(B)/%,$(SAN)/%,$(SIM)) $(SAN)/all.a
	$(link)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(SIM_LIBS)

$(B)/tests/snmp/walk: $(B)/tests/snmp/walk.o $(filter-out %/main.o,$(SUBAGENT)) $(BASE)
	$(link)
	$(Q)$(LD) -Wl,--as-needed $(SNMP_LIBS) -lcmocka

FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
FUZZED := $(sort $(wildcard hb/*.c conf/*.c agent/base/*.c agent/core/*.c))
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZED)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ  $@")
	$(Q)clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-include agent/base/banned.h -o $@ $^ -lcrypto -lconfuse -ljansson -lcmocka

TESTS := $(UNITS:%=$(B)/tests/unit/%) $(UNITS:%=$(SAN)/tests/unit/%) $(B)/tests/sim/sim \
	$(SAN)/tests/sim/sim $(B)/tests/snmp/walk $(FUZZERS)

# ---- verbs ---------------------------------------------------------------------------------------

demo: packages-demo ## two nodes, a power cut, a trap, failback by snmpset: in a minute, with times
	$(Q)$(MAKE) --no-print-directory all
	python3 tests/lab/demo.py

lab: packages-demo ## the demo's cluster with a prompt, for trying things by hand
	$(Q)$(MAKE) --no-print-directory all
	python3 tests/lab/demo.py --shell

check: packages-check ## install what the tests need, build, and pass them all
	$(Q)$(MAKE) --no-print-directory -j2 all tests
	python3 tests/check.py $(ONLY)

tests: $(TESTS)

lint: packages-check ## style, layers, headers, purity, MIB
	$(Q)$(MAKE) --no-print-directory -j2 all
	python3 tests/check.py lint

sim: $(B)/tests/sim/sim ## the simulator: SEED= RUNS= TRACE=1
	$(B)/tests/sim/sim $(SEED) $(RUNS)

mutants: ## seeded bugs that the simulator must find; MUTANT_RUNS= histories for each
	python3 tests/sim/mutants.py $(B)

scenarios: $(B)/tests/sim/sim ## the golden scenarios; REWRITE=1 writes them anew
	$(B)/tests/sim/sim --scenarios tests/scenarios $(if $(REWRITE),--rewrite)

fuzz: $(FUZZERS) ## every fuzzer for SECONDS= (60)
	@for f in $(FUZZERS); do \
		mkdir -p $(B)/corpus/$$(basename $$f); \
		seeds=tests/fuzz/$$(basename $$f); [ -d $$seeds ] || seeds=; \
		$$f -max_total_time=$(or $(SECONDS),60) -print_final_stats=1 $(B)/corpus/$$(basename $$f) \
			$$seeds || exit 1; \
	done

check-model: packages-check ## the lock on a shared disk, checked with SPIN in every order of events
	sh tests/model/check.sh $(B)/model

bench: packages-bench ## yoke against keepalived in the same lab; CASE=, RUNS= for the power cut
	$(Q)$(MAKE) --no-print-directory all $(B)/tests/bench/seal
	python3 tests/bench/bench.py $(CASE)

$(B)/tests/bench/seal: $(B)/tests/bench/seal.o $(B)/hb/seal.o $(B)/agent/base/buf.o
	$(link)
	$(Q)$(LD) -lcrypto

packages-%:
	@sh tests/packages.sh $*

# ---- install -------------------------------------------------------------------------------------

sbindir := $(PREFIX)/sbin
bindir := $(PREFIX)/bin
mandir := $(PREFIX)/share/man
docdir := $(PREFIX)/share/doc/yoke
mibdir := $(PREFIX)/share/snmp/mibs
completiondir := $(PREFIX)/share/bash-completion/completions
unitdir := /lib/systemd/system
sysusersdir := /usr/lib/sysusers.d

# $(1) with PREFIX and the root OID put in, as $(2).
fill = sed -e 's|/usr/local/sbin|$(sbindir)|g' -e 's|1\.3\.6\.1\.4\.1\.8072\.9999\.9999\.4747|$(YOKE_OID)|g' \
	$(1) > $(DESTDIR)$(2) && chmod 644 $(DESTDIR)$(2)

INSTALLED := $(sbindir)/yoked $(sbindir)/yoke-snmp $(bindir)/yoke $(mandir)/man1/yoke.1 \
	$(mandir)/man5/yoke.conf.5 $(mandir)/man8/yoked.8 $(mibdir)/YOKE-MIB.txt \
	$(completiondir)/yoke $(unitdir)/yoked.service $(unitdir)/yoked-witness.service \
	$(sysusersdir)/yoke.conf \
	$(addprefix $(docdir)/,yoke.conf minimal.conf two-groups-ipv6.conf pool.conf witness.conf snmpd.conf snmptrapd.conf)

install: all ## install into PREFIX (/usr/local), below DESTDIR
	install -d $(sort $(dir $(addprefix $(DESTDIR),$(INSTALLED))))
	install -m 755 $(B)/yoked $(B)/yoke-snmp $(DESTDIR)$(sbindir)/
	install -m 755 $(B)/yoke $(DESTDIR)$(bindir)/
	install -m 644 tools/man/yoke.1 $(DESTDIR)$(mandir)/man1/
	install -m 644 tools/man/yoke.conf.5 $(DESTDIR)$(mandir)/man5/
	install -m 644 tools/man/yoked.8 $(DESTDIR)$(mandir)/man8/
	install -m 644 $(B)/YOKE-MIB.txt $(DESTDIR)$(mibdir)/
	install -m 644 tools/completion/yoke.bash $(DESTDIR)$(completiondir)/yoke
	install -m 644 conf/sample/yoke.conf conf/sample/minimal.conf conf/sample/two-groups-ipv6.conf \
		conf/sample/pool.conf conf/sample/witness.conf \
		$(DESTDIR)$(docdir)/
	@$(call fill,conf/sample/snmpd.conf,$(docdir)/snmpd.conf)
	@$(call fill,conf/sample/snmptrapd.conf,$(docdir)/snmptrapd.conf)
	@$(call fill,conf/sample/yoked.service,$(unitdir)/yoked.service)
	@$(call fill,conf/sample/yoked-witness.service,$(unitdir)/yoked-witness.service)
	@$(call fill,conf/sample/yoke.sysusers,$(sysusersdir)/yoke.conf)
	@[ -n "$(DESTDIR)" ] || sh tests/packages.sh users

uninstall: ## remove what install put there; configuration and state stay
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-@rmdir $(DESTDIR)$(docdir) 2>/dev/null || true

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
	@echo 'parameters: PREFIX= DESTDIR= YOKE_OID= SEED= RUNS= ONLY= SECONDS= V=1'

.PHONY: all demo lab check check-model tests lint sim mutants scenarios fuzz bench install \
	uninstall clean help
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
