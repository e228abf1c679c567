# make run, install, dist.

# Settings given as `make run PORT=8001` reach the programs as environment.
.PHONY: run deps
run: ## Build what is missing and run the service; settings as PORT=8001
	@exec env RETORT_BUILD=$(B) deploy/run.sh

deps: ## Install missing packages, those of the tests too
	@deploy/deps.sh --with tests

# ---- install -----------------------------------------------------------------------------------
# Every program is where retort-worker and retort-run look for it: PREFIX/bin, PREFIX/lib/retort.
LIBDIR := $(PREFIX)/lib/retort
# retort-aot finds what its programs are compiled with and linked to as it does in a source tree.
AOT_DIR   := $(LIBDIR)/aot
AOT_FILES := aot/retort-aot $(wildcard aot/retort_aot/*.py aot/retort_aot/passes/*.py \
             aot/runtime/* worker/engine/*.h worker/engine/*.def worker/wasi/*.h worker/wasi/*.def \
             worker/*.h common/*.h common/*.def)
.PHONY: install uninstall
install: all image ## Install under PREFIX (default /usr/local); DESTDIR for packagers
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/image/python
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/image/python/program $(DESTDIR)$(LIBDIR)/image/python
	install -m 644 build/image/python/tree build/image/python/image.json \
	    $(DESTDIR)$(LIBDIR)/image/python
	install -m 755 deploy/code-interpreter-api $(DESTDIR)$(PREFIX)/bin
	install -D -m 644 -t $(DESTDIR)$(LIBDIR)/serve deploy/serve.py deploy/stack.py
	for file in $(AOT_FILES); do \
	    install -D -m 644 $$file $(DESTDIR)$(AOT_DIR)/$$file || exit 1; \
	done
	chmod 755 $(DESTDIR)$(AOT_DIR)/aot/retort-aot
	install -D -m 644 $(B)/libretort-sandbox.a \
	    $(DESTDIR)$(AOT_DIR)/build/release/libretort-sandbox.a
	install -D -m 644 $(SIDECAR_STATIC)/swagger-ui-dist/LICENSE \
	    $(DESTDIR)$(LIBDIR)/licenses/swagger-ui
	install -D -m 644 $(SIDECAR_STATIC)/redoc/LICENSE $(DESTDIR)$(LIBDIR)/licenses/redoc
	ln -sf ../lib/retort/aot/aot/retort-aot $(DESTDIR)$(PREFIX)/bin/retort-aot

uninstall: ## Remove what install put there
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(PROGRAMS)) retort-aot \
	    code-interpreter-api)
	rm -rf $(DESTDIR)$(LIBDIR)

# Units, their settings (only where there are none yet) and Redis's users; docs/OPERATIONS.md.
SYSTEMD_DIR ?= /etc/systemd/system
CONFIG_DIR  ?= /etc/retort
SYSTEMD_UNITS := retort-api.socket retort-api.service retort-worker.service
.PHONY: install-systemd
install-systemd: ## Install the systemd units; `make install` installs the programs
	install -d $(DESTDIR)$(SYSTEMD_DIR)/redis-server.service.d $(DESTDIR)$(LIBDIR)/redis
	install -d $(DESTDIR)$(PREFIX)/share/doc/retort
	install -d -m 700 $(DESTDIR)$(CONFIG_DIR)
	for unit in $(SYSTEMD_UNITS); do \
	    sed 's|/usr/local/|$(PREFIX)/|; s|/etc/retort/|$(CONFIG_DIR)/|' deploy/systemd/$$unit >$(DESTDIR)$(SYSTEMD_DIR)/$$unit \
	        || exit 1; \
	done
	install -m 644 deploy/systemd/redis-server.service.d/retort.conf \
	    $(DESTDIR)$(SYSTEMD_DIR)/redis-server.service.d
	install -m 644 docs/OPERATIONS.md $(DESTDIR)$(PREFIX)/share/doc/retort
	install -m 755 deploy/redis/start.sh $(DESTDIR)$(LIBDIR)/redis
	install -m 644 deploy/redis/redis.conf deploy/redis/users.conf deploy/redis/script_commands \
	    $(DESTDIR)$(LIBDIR)/redis
	for name in api worker; do \
	    test -e $(DESTDIR)$(CONFIG_DIR)/$$name.env \
	        || install -m 600 deploy/systemd/$$name.env $(DESTDIR)$(CONFIG_DIR) || exit 1; \
	done

# ---- dist --------------------------------------------------------------------------------------
VERSION = $(shell sed -n 's/.*RETORT_VERSION *"\(.*\)".*/\1/p' common/version.h)
.PHONY: dist
dist: ## The committed sources as build/retort-VERSION.tar.gz
	@mkdir -p build
	git archive --prefix=retort-$(VERSION)/ -o build/retort-$(VERSION).tar.gz HEAD
	@echo build/retort-$(VERSION).tar.gz
