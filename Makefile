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

YOKED_LIBS := -levent_core -lconfuse -lcrypto -lmnl -ljansson -lcap
SNMP_LIBS := -lnetsnmpmibs -lnetsnmpagent -lnetsnmp -ljansson
TOOL_LIBS := -lconfuse -lcrypto -ljansson

PROGRAMS := $(B)/yoked $(B)/yoke $(B)/yoke-snmp

all: $(PROGRAMS) $(B)/YOKE-MIB.txt ## build yoked, yoke, yoke-snmp and the MIB

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(ALL) -MMD -MP -c -o $@ $<

$(B)/yoked: $(AGENT) $(BASE) $(CORE) $(HB) $(CONF)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $^ $(YOKED_LIBS)

$(B)/yoke: $(TOOLS) $(BASE) $(CORE) $(CONF)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS)

$(B)/yoke-snmp: $(SUBAGENT) $(BASE)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(SNMP_LIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
