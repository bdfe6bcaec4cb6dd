# Every target does its own set-up, from a bare clone on. Needed: node 20 or newer with npm, go, and make itself.
SHELL := /bin/bash
NODE := node_modules/.bin/node
STAMP := node_modules/.stamp
.DELETE_ON_ERROR:
.PHONY: help up test check generate bench clean

help:
	@echo 'make up        bridge, traffic, Prometheus, Alertmanager and, after a minute, a page'
	@echo 'make test      type check and all tests, with real Prometheus, Alertmanager, Collector and Chromium'
	@echo 'make check     type check, fast tests, and that the generated files are up to date'
	@echo 'make generate  rules and configurations from alerts/'
	@echo 'make bench     the bridge beside the Collector, memory, scrape'
	@echo 'make clean     removes node_modules and ./data; built components stay in their cache'

# make up UP='--no-traffic --web-address 127.0.0.1:9465'
up: $(STAMP)
	@exec bin/spanbridge up $(UP)

# Components take 15 to 25 minutes to build the first time, tests about 20. What cannot be had is skipped by name, and fails where CI=true.
test: $(STAMP)
	@.ci/java
	@echo '==> components'
	@$(NODE) components/ensure.ts
	@.ci/chromium
	@.ci/docker
	@mkdir -p .cache; rm -f .cache/tests.json; status=0; \
	echo '==> type check'; node_modules/.bin/tsc --noEmit || status=1; \
	echo '==> tests'; \
	$(NODE) node_modules/vitest/vitest.mjs run --reporter=default --reporter=json --outputFile.json=.cache/tests.json || status=1; \
	exit $$status

check: $(STAMP)
	@echo '==> type check'
	@node_modules/.bin/tsc --noEmit
	@echo '==> fast tests, generated files among them'
	@$(NODE) node_modules/vitest/vitest.mjs run --project unit

generate: $(STAMP)
	@$(NODE) alerts/generate.ts

bench: $(STAMP)
	@echo '==> components'
	@$(NODE) components/ensure.ts collector
	@status=0; for script in run memory scrape; do echo "==> bench/$$script.ts"; $(NODE) bench/$$script.ts || status=1; done; exit $$status

clean:
	rm -rf node_modules data

# npm says nothing for as long as it works: a line every quarter minute says that it still does.
$(STAMP): package-lock.json package.json
	@command -v npm >/dev/null || { echo 'cannot install: no npm on the PATH; install node 20 or newer with npm'; exit 1; }
	@echo '==> npm ci (about a minute, two with the optional jsonnet compiled)'
	@( i=0; while sleep 15 && kill -0 $$$$ 2>/dev/null; do i=$$((i + 15)); echo "    npm ci: $$i s so far"; done ) & ticker=$$!; \
	npm ci --no-progress --loglevel=error; status=$$?; kill $$ticker 2>/dev/null; exit $$status
	@touch $@
