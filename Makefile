# Retort. `make help` lists the targets; docs/ARCHITECTURE.md explains the parts.

MODE     ?= release
SANITIZE ?=
V        ?= 0
PREFIX   ?= /usr/local
DESTDIR  ?=
CI       ?=

empty :=
space := $(empty) $(empty)
comma := ,
VARIANT := $(MODE)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(COVERAGE),-coverage)
B   := build/$(VARIANT)
GEN := build/gen
Q   := $(if $(filter 1,$(V)),,@)

# ---- flags -------------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2 -Wswitch-enum -Wvla -Wundef
ifneq ($(CI),)
WARNINGS += -Werror
endif
HARDENING := -fstack-protector-strong -fPIE
ifeq ($(SANITIZE),)
HARDENING += -fcf-protection
endif
ifeq ($(MODE),release)
OPTIMIZE := -O2 -g -D_FORTIFY_SOURCE=2
else
OPTIMIZE := -O0 -g3
endif
ifneq ($(SANITIZE),)
OPTIMIZE += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all -U_FORTIFY_SOURCE
endif
ifneq ($(COVERAGE),)
OPTIMIZE += --coverage
endif
PKGS := libevent hiredis msgpack jansson
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -I$(GEN) $(WARNINGS) $(HARDENING) $(OPTIMIZE) \
             -DMSGPACK_DISABLE_LEGACY_NIL -MMD -MP $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(if $(SANITIZE),-fsanitize=$(SANITIZE)) \
              $(if $(COVERAGE),--coverage) $(LDFLAGS)
LIBS_DAEMON := -levent -lhiredis -lmsgpackc -ljansson -lseccomp -lsodium -lz -lm

# ---- sources: every .c below its directory belongs to that directory's library -----------------
COMMON_SRC  := $(wildcard common/*.c)
API_SRC     := $(filter-out api/main.c,$(wildcard api/*.c))
WORKER_SRC  := $(filter-out worker/main.c,$(wildcard worker/*.c))
ADMIN_SRC   := $(filter-out admin/main.c,$(wildcard admin/*.c))
RUN_SRC     := $(wildcard worker/run/*.c)
CLI_SRC     := $(wildcard worker/cli/*.c)
SANDBOX_SRC := $(wildcard worker/sandbox/*.c worker/wasi/*.c worker/engine/*.c) \
               worker/job_memory.c $(addprefix common/,bytes.c call_filter.c clock.c err.c \
                 file_name.c utf8.c)

obj = $(patsubst %.c,$(B)/%.o,$(1))

PROGRAMS := $(B)/retort-api $(B)/retort-worker $(B)/retort-run $(B)/retort-cli-zygote \
            $(B)/retort-admin

.PHONY: all
all: $(PROGRAMS) $(B)/libretort-sandbox.a

include mk/third_party.mk
include mk/engine.mk
include mk/test.mk
include mk/escape.mk
include mk/fuzz.mk
include mk/run.mk
include mk/container.mk
include mk/rolling.mk

$(B)/libcommon.a:  $(call obj,$(COMMON_SRC))
# Included by the assembler, which writes no dependency file.
$(B)/common/queue_scripts.o: $(wildcard common/queue_scripts/*.lua)
$(call obj,$(API_SRC)): $(wildcard api/scripts/*.lua)
$(B)/api/web.o: $(wildcard api/web/*)
$(B)/worker/cli/bootstrap.o: worker/guest/python/bootstrap/cli.py worker/cli/small.py
$(B)/api/pages.o: $(GEN)/pages/.made
$(B)/libapi.a:     $(call obj,$(API_SRC)) $(LLHTTP_OBJ)
$(B)/libadmin.a:   $(call obj,$(ADMIN_SRC))
$(B)/libworker.a:  $(call obj,$(WORKER_SRC))
$(B)/libretort-sandbox.a: $(call obj,$(SANDBOX_SRC))

$(B)/%.a:
	@echo "  AR      $@"
	$(Q)rm -f $@ && $(AR) qcs $@ $^

$(B)/retort-api: $(B)/api/main.o $(B)/libapi.a $(B)/libcommon.a
$(B)/retort-worker: $(B)/worker/main.o $(B)/libworker.a $(B)/libcommon.a
$(B)/retort-admin: $(B)/admin/main.o $(B)/libadmin.a $(B)/libcommon.a
$(B)/retort-run: $(call obj,$(RUN_SRC)) $(B)/libworker.a $(B)/libcommon.a
$(B)/retort-cli-zygote: $(call obj,$(CLI_SRC)) $(B)/libworker.a $(B)/libcommon.a
$(PROGRAMS):
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

$(B)/%.o: %.c | third-party
	@echo "  CC      $<"
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- the rest ----------------------------------------------------------------------------------
.PHONY: clean clean-cache format help
clean: ## Remove everything that was built in this tree
	rm -rf build

clean-cache: ## Remove what builds of all trees keep (RETORT_CACHE, ~/.cache/retort)
	rm -rf "$${RETORT_CACHE:-$$HOME/.cache/retort}"

format: ## Reformat the C sources
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed 's/:.*## /\t/' | expand -t 16

.DEFAULT_GOAL := all
