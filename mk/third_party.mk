# Sources fetched at build time by package name, version and checksum; nothing of them is committed.
# llhttp's generated C is not in Debian; it comes inside the source distribution of PyPI's httptools.
LLHTTP_PACKAGE := httptools
LLHTTP_VERSION := 0.6.4
LLHTTP_SHA256  := 4e93eee4add6493b59a5c514da98c939b244fce4a0d8879cd3f466562f4b7d5c

THIRD_PARTY := build/third_party
LLHTTP_DIR  := $(THIRD_PARTY)/$(LLHTTP_PACKAGE)-$(LLHTTP_VERSION)/vendor/llhttp
LLHTTP_OBJ  := $(patsubst %,$(B)/third_party/llhttp/%.o,api http llhttp)

ALL_CFLAGS += -isystem $(LLHTTP_DIR)/include

.PHONY: third-party
third-party: $(LLHTTP_DIR)/.fetched ## Fetch the sources that Debian does not have

$(LLHTTP_DIR)/.fetched: mk/third_party.mk mk/fetch-sdist
	$(Q)mk/fetch-sdist $(LLHTTP_PACKAGE) $(LLHTTP_VERSION) $(LLHTTP_SHA256) $(THIRD_PARTY)
	$(Q)touch $@

$(addprefix $(LLHTTP_DIR)/src/,api.c http.c llhttp.c): $(LLHTTP_DIR)/.fetched ;

# Generated code: our warnings do not apply to it.
$(B)/third_party/llhttp/%.o: $(LLHTTP_DIR)/src/%.c
	@echo "  CC      $@"
	$(Q)mkdir -p $(@D) && $(CC) $(filter-out $(WARNINGS),$(ALL_CFLAGS)) -w -c -o $@ $<

# Swagger UI and Redoc, as their makers build them. PyPI's package has both; it is not in Debian.
SIDECAR_PACKAGE := drf_spectacular_sidecar
SIDECAR_VERSION := 2026.10.1
SIDECAR_SHA256  := ec8d20b2594e8a10ebf22e5bab62ec313c7cf8793753a050290b209e16e81c9c
SIDECAR_DIR     := $(THIRD_PARTY)/$(SIDECAR_PACKAGE)-$(SIDECAR_VERSION)
SIDECAR_STATIC  := $(SIDECAR_DIR)/$(SIDECAR_PACKAGE)/static/$(SIDECAR_PACKAGE)

$(SIDECAR_DIR)/.fetched: mk/third_party.mk mk/fetch-sdist
	$(Q)mk/fetch-sdist $(SIDECAR_PACKAGE) $(SIDECAR_VERSION) $(SIDECAR_SHA256) $(THIRD_PARTY)
	$(Q)touch $@

# The pages that the API serves (api/pages.def), packed.
$(GEN)/pages/.made: $(wildcard api/pages/*) api/openapi/spec.yaml common/version.h \
        $(SIDECAR_DIR)/.fetched
	@echo "  PAGES   $(@D)"
	$(Q)/usr/bin/python3 api/pages/build.py $(SIDECAR_STATIC) $(@D) && touch $@
