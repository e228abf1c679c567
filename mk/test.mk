# Tests, lint, benchmarks. Every suite ends with the line "N passed, N failed, N skipped", which
# tests/support/suites.py adds up.
PYTHON := /usr/bin/python3
TEST_JOBS ?= 2

# ---- unit tests: every tests/unit/<dir>/test_*.c is a program ------------------------------------
# What it links follows from <dir>; a line `/* link: a.c b.c */` in it names further sources,
# `/* ldflags: -Wl,--wrap=f */` further flags.
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
# `make unit T=codec` takes only the tests whose path contains "codec".
T ?=
UNIT     := $(foreach source,$(UNIT_SRC:%.c=$(B)/%),$(if $(findstring $(T),$(source)),$(source)))

UNIT_LIBS_common := libcommon.a
UNIT_LIBS_api    := libapi.a libcommon.a
UNIT_LIBS_worker := libworker.a libcommon.a
UNIT_LIBS_cli    := libworker.a libcommon.a
UNIT_LIBS_run    := libworker.a libcommon.a
SANDBOX_UNITS    := sandbox wasi engine
$(foreach d,$(SANDBOX_UNITS),$(eval UNIT_LIBS_$(d) := libretort-sandbox.a))

# The words of the line `/* <key>: words */` near the top of a source.
noted = $(shell sed -n 's|^/\* $(1): *\(.*\) *\*/$$|\1|p;30q' $(2))
define unit_rule
$(B)/$(1:%.c=%): $(B)/$(1:%.c=%.o) $$(call obj,$(call noted,link,$(1))) \
        $(addprefix $(B)/,$(UNIT_LIBS_$(word 3,$(subst /, ,$(1)))))
$(B)/$(1:%.c=%): UNIT_LDFLAGS := $(call noted,ldflags,$(1))
endef
# Reading every test's head costs some milliseconds; only goals that build tests pay for it.
ifneq ($(filter unit units check test tests $(B)/tests/%,$(MAKECMDGOALS)),)
$(foreach source,$(UNIT_SRC),$(eval $(call unit_rule,$(source))))
endif
$(UNIT):
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(UNIT_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_DAEMON) -lseccomp

.PHONY: units unit
units: $(UNIT)
unit: units ## Unit tests (cmocka)
	$(Q)$(PYTHON) tests/support/run_units.py --jobs $(TEST_JOBS) --root $(B) $(UNIT)
