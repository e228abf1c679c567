# The engine: python.wasm, native code, images.
PYTHON_GUEST := worker/guest/python
PYTHON_BUILT := build/python/.inputs
PYTHON_ARGV  := python -I /work/main.py

# Only the plain release build is trained and fully optimized, which takes minutes; other variants
# exist to test the host. Linear memory at host address 0 is where ASan's shadow memory lies.
ifeq ($(VARIANT),release)
PYTHON_IMAGE := build/image/python
AOT_FLAGS    := $(addprefix --train ,$(sort $(wildcard $(PYTHON_GUEST)/training/*.py)))
else
PYTHON_IMAGE := $(B)/image/python
AOT_FLAGS    := --base 0x200000000000 --opt -O1 --no-profile --no-lto
endif
AOT_LDFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(if $(COVERAGE),--coverage)
AOT_SRC     := $(shell find aot -name '*.py' -o -name '*.[ch]') aot/retort-aot

.PHONY: python-wasm image FORCE
python-wasm: $(PYTHON_BUILT) ## Build python.wasm and its file tree (about 3 minutes, once)
image: $(PYTHON_IMAGE)/image.json ## Build the Python image (about 5 minutes, once)

$(PYTHON_BUILT): FORCE
	$(Q)mk/python-wasm $(@D)

$(PYTHON_IMAGE)/image.json: $(PYTHON_BUILT) $(B)/libretort-sandbox.a $(AOT_SRC) \
        $(wildcard $(PYTHON_GUEST)/training/*.py) $(PYTHON_GUEST)/rehearsal.py
	$(Q)aot/retort-aot build/python/python.wasm -o $(@D) --rootfs build/python/rootfs \
	    --language python $(addprefix --arg ,$(PYTHON_ARGV)) --reads-job-device \
	    --rehearsal $(PYTHON_GUEST)/rehearsal.py \
	    --library $(B)/libretort-sandbox.a --ldflags "$(AOT_LDFLAGS)" $(AOT_FLAGS)
