# The container image, and its tests under a Docker daemon of their own.
CONTAINER_ROOT ?= build/container
DOCKER ?= docker

.PHONY: container container-root test-container
# Only what deploy/Dockerfile copies is sent to the daemon with it.
container-root: all image
	$(Q)rm -rf $(CONTAINER_ROOT)
	$(Q)$(SUB_MAKE) install DESTDIR=$(CONTAINER_ROOT) PREFIX=/usr/local >/dev/null
	$(Q)rm -rf $(CONTAINER_ROOT)/usr/local/lib/retort/aot $(CONTAINER_ROOT)/usr/local/bin/retort-aot

container: container-root ## Build the container image `retort` with Docker
	$(DOCKER) build --target prebuilt -t retort -f deploy/Dockerfile $(CONTAINER_ROOT)

# Settings of docker-compose.yml given as `make up PORT=8001` reach it as environment.
.PHONY: up down
up: container ## Build the image and start docker-compose.yml, with WORKERS workers (1)
	$(Q)deploy/compose.sh up
down: ## Stop what `make up` started; its Redis keeps its data
	$(Q)deploy/compose.sh down

test-container: all image ## The container, under Docker as it comes and sealed; needs root
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/container/run.py --match '$(T)'

.PHONY: test-deploy
test-deploy: ## What deploy/ tells systemd and Kubernetes, by their own rules
	$(Q)$(PYTHON) tests/support/runner.py --name deploy --match '$(T)' $(wildcard tests/deploy/test_*.py)

# HOW=docker, netns (network namespaces), or auto: Docker where it can be had.
HOW ?= auto
.PHONY: e2e
e2e: all image ## Several hosts, and what becomes of jobs when one is lost; HOW=docker, netns
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/e2e/run.py --how $(HOW) --match '$(T)'

.PHONY: two-hosts
two-hosts: all image ## Throughput of two worker hosts against one, in network namespaces
	$(Q)RETORT_BUILD=$(B) $(PYTHON) tests/e2e/two_hosts.py
