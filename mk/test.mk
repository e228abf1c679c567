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
UNIT     := $(if $(T),$(foreach p,$(UNIT_SRC:%.c=$(B)/%),$(if $(findstring $(T),$p),$p)),\
              $(UNIT_SRC:%.c=$(B)/%))

UNIT_LIBS_common := libcommon.a
UNIT_LIBS_api    := libapi.a libcommon.a
UNIT_LIBS_admin  := libadmin.a libcommon.a
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
	$(Q)$(CC) $(ALL_LDFLAGS) $(UNIT_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_DAEMON)

.PHONY: units unit
units: $(UNIT)
unit: units ## Unit tests (cmocka)
	$(Q)$(PYTHON) tests/support/run_units.py --jobs $(TEST_JOBS) --root $(B) $(UNIT)

# ---- integration: the real programs, a real Redis, the real engine -------------------------------
INTEGRATION_SRC := $(sort $(wildcard tests/integration/test_*.py))
# Under a sanitizer only what runs C code of ours in new ways; the rest takes long and adds nothing.
INTEGRATION_SHORT := $(addprefix tests/integration/test_,execute.py limits.py validation.py \
                       failures.py many.py)
RUN_INTEGRATION = RETORT_BUILD=$(B) $(PYTHON) tests/support/runner.py --match '$(T)'

.PHONY: integration integration-short
integration: all image ## Integration tests: HTTP, Redis, engine together
	$(Q)$(RUN_INTEGRATION) $(INTEGRATION_SRC)
integration-short: all image
	$(Q)$(RUN_INTEGRATION) $(INTEGRATION_SHORT)

# ---- the page at /admin, in a real browser --------------------------------------------------------
.PHONY: browser
browser: all image ## The page at /admin in a headless Chromium
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/support/runner.py --name browser --match '$(T)' \
	    tests/browser/test_page.py

.PHONY: screenshots
screenshots: all image ## The pictures in docs/images, from a real service
	$(Q)RETORT_BUILD=$(B) PYTHONPATH=tests/support:tests/browser $(PYTHON) tests/browser/screenshots.py

# ---- clients that others have written -------------------------------------------------------------
.PHONY: schemathesis
schemathesis: all image ## Schemathesis over the OpenAPI document, every check; EXAMPLES=n, SEED=n, T=operationId
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/clients/schemathesis_run.py --operation '$(T)' \
	    --examples $(or $(EXAMPLES),25) $(if $(SEED),--seed $(SEED))

# ---- hostile programs -----------------------------------------------------------------------------
# tests/hostile/corpus.toml, through retort-run and over HTTP, as root and as an ordinary user.
RUN_HOSTILE = RETORT_BUILD=$(B) $(PYTHON) tests/hostile/as_users.py --match '$(T)'

.PHONY: hostile hostile-short
hostile: all image ## Hostile programs, three times every way (about 10 minutes)
	$(Q)$(RUN_HOSTILE) --rounds 3 root:run,http nobody:run,http
hostile-short: all image
	$(Q)$(RUN_HOSTILE) root:http nobody:run

# ---- the queue's scripts, in every order ------------------------------------------------------------
# Each exploration ends after so many seconds, or when it is through.
RUN_MODEL = $(PYTHON) tests/support/runner.py --name model --match '$(T)' tests/model/test_model.py

.PHONY: model model-short
model: ## The queue's scripts in every order (15 minutes each); MODEL_SECONDS=n
	$(Q)MODEL_SECONDS=$(or $(MODEL_SECONDS),900) $(RUN_MODEL)
model-short:
	$(Q)$(RUN_MODEL)

# ---- chaos ----------------------------------------------------------------------------------------
# What goes wrong follows from the seed: again with the one that a failure has printed.
SEED ?=

.PHONY: chaos
chaos: all image ## Load while everything is killed, frozen, cut off; SEED=n SECONDS=n
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/chaos/chaos.py $(if $(SEED),--seed $(SEED)) \
	    --seconds $(or $(SECONDS),60)

# ---- CPython's own tests, in the sandbox ----------------------------------------------------------
.PHONY: test-cpython
test-cpython: all image ## CPython's own tests in the sandbox; writes the table in docs/PYTHON.md
	$(Q)tests/cpython/run.sh --write

# ---- everything ----------------------------------------------------------------------------------
SANITIZED := MODE=debug SANITIZE=address,undefined
SUB_MAKE  := $(MAKE) --no-print-directory
OWN_SUITES := $(foreach suite,aot wasi guest cpython,\
                $(if $(wildcard tests/$(suite)/run.sh),$(suite)=tests/$(suite)/run.sh))

# What a sanitizer build cannot do (memory at address 0) has been tested in the release build: its
# skips are counted and printed, and do not fail.
.PHONY: test check
test: all image units ## Every suite that CI runs; one closing line with the counts
	$(Q)$(PYTHON) tests/support/suites.py \
	    'lint=$(SUB_MAKE) lint-fast' \
	    'unit=$(SUB_MAKE) unit' \
	    $(foreach suite,$(OWN_SUITES),'$(suite)') \
	    'integration=$(SUB_MAKE) integration' \
	    'browser=$(SUB_MAKE) browser' \
	    'schemathesis=$(SUB_MAKE) schemathesis' \
	    'hostile=$(SUB_MAKE) hostile-short' \
	    'model=$(SUB_MAKE) model-short' \
	    'chaos=$(SUB_MAKE) chaos SEED=1 SECONDS=60' \
	    'escape=$(SUB_MAKE) escape' \
	    'rolling=$(SUB_MAKE) rolling' \
	    'deploy=$(SUB_MAKE) test-deploy' \
	    'container=$(SUB_MAKE) test-container' \
	    'e2e=$(SUB_MAKE) e2e' \
	    'fuzz=$(SUB_MAKE) fuzz SECONDS=4' \
	    'unit, sanitized=SKIP_IS_FAIL= $(SUB_MAKE) $(SANITIZED) unit' \
	    'integration, sanitized=$(SUB_MAKE) $(SANITIZED) integration-short'
check: test

# ---- lint ----------------------------------------------------------------------------------------
C_FILES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
.PHONY: lint lint-fast tidy docs
lint-fast: docs ## Format, layers, sizes, shell scripts, documentation
	$(Q)$(PYTHON) tests/support/lint.py
lint: lint-fast tidy ## The same and static analysis

tidy: third-party
	$(Q)cppcheck --quiet --enable=warning,portability --std=c11 --inline-suppr -j $(TEST_JOBS) \
	    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
	    --error-exitcode=1 -I. api admin common worker/*.c worker/sandbox worker/wasi worker/engine \
	    worker/run worker/cli
	$(Q)printf '%s\n' $(filter api/%.c admin/%.c common/%.c worker/%.c,$(C_FILES)) | \
	    xargs -P $(TEST_JOBS) -n 8 sh -c 'clang-tidy-14 --quiet --warnings-as-errors="*" \
	    --checks="$(TIDY_CHECKS)" "$$@" -- -std=c11 -D_GNU_SOURCE -I. -I$(GEN) \
	    -isystem $(LLHTTP_DIR)/include 2>/dev/null' tidy

# Checks that find faults, not taste. clang-tidy-14's va_list check is wrong from its second file on.
TIDY_CHECKS := -*,clang-analyzer-*,-clang-analyzer-valist.Uninitialized,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,-bugprone-implicit-widening-of-multiplication-result,-bugprone-macro-parentheses,-clang-analyzer-valist.Uninitialized

DOCS_TABLES := $(addprefix $(B)/tests/support/,options metrics surfaces)
$(DOCS_TABLES): %: %.o $(B)/libcommon.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

# The rows that a sanitizer build has for itself are in no profile.
DOCS_SECCOMP := $(if $(SANITIZE),,$(B)/deploy/seccomp_print)
$(B)/deploy/seccomp_print: $(B)/deploy/seccomp_print.o $(B)/libretort-sandbox.a $(B)/libcommon.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lseccomp -lm

CHECK_DOCS = $(PYTHON) tests/support/check_docs.py $(if $(WRITE),--write)
docs: $(DOCS_TABLES) $(DOCS_SECCOMP) ## Check tables in documents and deploy/seccomp.json against the programs'; WRITE=1
	$(Q)$(CHECK_DOCS) $(B)/tests/support/options README.md
	$(Q)$(CHECK_DOCS) --table=metrics $(B)/tests/support/metrics docs/OPERATIONS.md
	$(Q)$(CHECK_DOCS) --table=surfaces $(B)/tests/support/surfaces docs/API.md
	$(if $(DOCS_SECCOMP),$(Q)$(CHECK_DOCS) --whole $(DOCS_SECCOMP) deploy/seccomp.json)

# ---- bench ---------------------------------------------------------------------------------------
BENCH_TOOLS := $(B)/tests/bench/load $(B)/tests/bench/spawn
$(BENCH_TOOLS): $(B)/%: $(B)/%.o $(B)/tests/bench/samples.o
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

.PHONY: bench
bench: all image $(BENCH_TOOLS) ## Side by side with native Python; build/bench.json
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/bench/bench.py

.PHONY: neighbours
neighbours: all image $(BENCH_TOOLS) ## What hostile programs cost others on the same worker
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/bench/neighbours.py

RUN_BENCH = RETORT_BUILD=$(B) PYTHONPATH=tests/support $(PYTHON)
# QUICK=1: the short forms.
BENCH_FLAGS = $(if $(QUICK),--quick)
SOAK_SECONDS = $(if $(filter file undefined,$(origin SECONDS)),1800,$(SECONDS))
.PHONY: overload idle-connections soak key-cost
key-cost: all image $(BENCH_TOOLS) ## What a key and its rate add to a request, at most 0.3 ms at p50
	$(Q)$(RUN_BENCH) tests/bench/key_cost.py $(BENCH_FLAGS)
overload: all image $(BENCH_TOOLS) ## Five times more jobs than slots can do; build/overload.json
	$(Q)$(RUN_BENCH) tests/bench/overload.py $(BENCH_FLAGS)
idle-connections: all image ## 2,000 idle clients and 500 waiting ones on one API process
	$(Q)$(RUN_BENCH) tests/bench/idle_connections.py $(BENCH_FLAGS)
soak: all image $(BENCH_TOOLS) ## 70 % load for SECONDS=1800: does anything grow
	$(Q)$(RUN_BENCH) tests/bench/soak.py --seconds $(SOAK_SECONDS)
