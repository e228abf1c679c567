# Fuzzing: every tests/fuzz/NAME.c with an LLVMFuzzerTestOneInput is a program, built apart from
# all else by clang with libFuzzer, ASan and UBSan. What it links stands in it, as in unit tests:
# `/* link: a.c */`, `/* libs: libcommon.a */`, `/* ldflags: ... */`.
FUZZ_BUILD := build/fuzz
FUZZ_SRC   := $(sort $(shell grep -l LLVMFuzzerTestOneInput tests/fuzz/*.c))
FUZZ       := $(FUZZ_SRC:%.c=$(B)/%)
# `make fuzz RUNS=10000000 T=wasi` or `make fuzz SECONDS=60`: that much for each program.
SECONDS ?= 60
RUNS    ?=

define fuzz_rule
$(B)/$(1:%.c=%): $(B)/$(1:%.c=%.o) $$(call obj,$(call noted,link,$(1))) \
        $(addprefix $(B)/,$(call noted,libs,$(1)))
$(B)/$(1:%.c=%): FUZZ_LDFLAGS := $(call noted,ldflags,$(1))
endef
ifneq ($(filter fuzz-programs,$(MAKECMDGOALS)),)
$(foreach source,$(FUZZ_SRC),$(eval $(call fuzz_rule,$(source))))
endif
$(FUZZ):
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $(FUZZ_LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ)
fuzz: third-party ## Fuzz all entry points for untrusted bytes; SECONDS=60 or RUNS=n each, T=name
	$(Q)$(SUB_MAKE) CC=clang-14 B=$(FUZZ_BUILD) SANITIZE=fuzzer-no-link,address,undefined \
	    CFLAGS='$(CFLAGS) -fsanitize-coverage-ignorelist=tests/fuzz/ignore.txt' fuzz-programs
	$(Q)$(PYTHON) tests/fuzz/run.py --build $(FUZZ_BUILD) --match '$(T)' \
	    $(if $(RUNS),--runs $(RUNS),--seconds $(SECONDS)) $(FUZZ_SRC)
