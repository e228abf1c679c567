# Tests from outside of the wasm and the WASI host: tests/escape/README.md.
ESCAPE_IMAGE := $(B)/tests/escape/image
ESCAPE_WASM  := $(B)/tests/escape/guest.wasm
ESCAPE_TOOLS := $(B)/tests/escape/table $(ESCAPE_IMAGE)/image.json
ESCAPE_SRC   := $(sort $(wildcard tests/escape/test_*.py))
LONG         ?=

$(ESCAPE_WASM): $(wildcard tests/escape/*.[dh]* tests/escape/guest/*.[ch]) worker/job_memory.h
	@echo "  WASM    $@"
	$(Q)mkdir -p $(@D) && clang-14 --target=wasm32-wasi -O1 -Wall -Wextra -Werror -I. \
	    -D_GNU_SOURCE -Wl,--stack-first -Wl,-z,stack-size=1048576 -o $@ tests/escape/guest/*.c
# The only program with door.o in it: no other rule names that object.
$(ESCAPE_IMAGE)/image.json: $(ESCAPE_WASM) $(B)/tests/escape/door.o $(B)/libretort-sandbox.a \
        $(AOT_SRC)
	@echo "  IMAGE   $(@D)"
	$(Q)aot/retort-aot -q $< -o $(@D) --language python --reads-job-device --arg python \
	    --no-profile --no-lto --opt -O1 --library $(B)/libretort-sandbox.a \
	    --ldflags "-Wl,--wrap=wasi_sock_recv,--wrap=poll $(B)/tests/escape/door.o"
$(B)/tests/escape/table: $(B)/tests/escape/table.o $(B)/libretort-sandbox.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lseccomp

.PHONY: escape
escape: all image $(ESCAPE_TOOLS) ## Attacks from outside the wasm; LONG=1 adds random ones
	$(Q)RETORT_BUILD=$(B) ESCAPE_LONG=$(LONG) $(PYTHON) -B tests/escape/run.py --name escape \
	    --match '$(T)' $(ESCAPE_SRC)
