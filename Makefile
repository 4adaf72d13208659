# The commands of the project. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := config booking standin bench tests scripts manage.py gunicorn.conf.py
TEMPLATES = $(shell find templates -name '*.html')
# What the checks of a deployment want to see; a developer's own .env must not change it.
PRODUCTION = SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
  DEBUG=false SECURE_SSL_REDIRECT=true TRUSTED_PROXIES=1 ALLOWED_HOSTS=visit.example.com \
  MACROCRM_URL=https://crm.example.com MACROCRM_DOMAIN=example.com MACROCRM_APP_SECRET=example-secret \
  SUPPORT_PHONE='+7 800 000-00-00'

.DEFAULT_GOAL := help
.PHONY: bench help install demo html-checker test test-all test-services torture attack soak outages mutants lint format lock audit image-test messages screens screenshots

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# Two stamps, so that the demo needs nothing of what only a developer needs. pip tells of each
# package: on a slow line it takes minutes.
PIP_INSTALL := $(BIN)/pip install --disable-pip-version-check --require-hashes
$(VENV)/site.stamp: requirements.txt
	@echo 'Installing the packages of the site into $(VENV), once.'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt
	@echo 'Installing the packages of a developer into $(VENV), once.'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/site.stamp

install: $(VENV)/dev.stamp ## make .venv with all that a developer needs

demo: $(VENV)/site.stamp ## the site with a stand-in CRM and some bookings, on PORT=8000 or the next free port
	@$(BIN)/python scripts/demo.py

PYTEST := $(BIN)/python -X dev -m pytest
# As many at once as there are cores. What kills or counts seconds runs alone.
FAST := -n auto --dist worksteal -m "not slow and not browser"
# The pages of one site are drawn in one process: a module may have a site of its own.
BROWSER := -n auto --dist loadfile -m browser
# These only try very much: they kill nothing, and count the time of their own thread.
TRYING := $(addprefix tests/slow/test_,fuzz_pages.py fuzz_replies.py every_field.py patterns.py)
TWO_AT_ONCE := -n auto --dist loadfile
test: install ## the fast tests, in two minutes
	$(PYTEST) $(FAST)

test-all: test ## all tests; those in a browser need Chromium
	$(PYTEST) $(TWO_AT_ONCE) -m slow $(TRYING)
	$(PYTEST) -m "slow and not browser" $(addprefix --ignore=,$(TRYING))
	$(PYTEST) $(BROWSER)

# Not again what does not depend on where the data lie: what a page looks like, the CRM's side of the
# line, the configuration, the cost of each field.
NO_DATA := $(addprefix --ignore-glob=tests/,crm/* crm_doctor/* standin/* project/test_config.py project/test_project.py \
  $(addprefix pages/test_,mangled_links.py wording.py brand.py))
# Nor what brings its own database, or is about places and sockets.
NO_SLOW_DATA := $(addprefix --ignore-glob=tests/slow/test_,standin* demo.py fuzz_replies.py patterns.py every_field.py \
  database_*.py outages.py private_files.py gunicorn.py crowd.py)
SERVICES := $(BIN)/python -X dev -m tests.with_postgres
test-services: install ## the tests on PostgreSQL (Debian's package), but for a browser's
	$(SERVICES) $(PYTEST) $(FAST) $(NO_DATA)
	$(SERVICES) $(PYTEST) -m slow $(NO_SLOW_DATA)

torture: install ## 500 bookings by real processes while 60 workers are killed
	$(BIN)/python -m tests.torture

attack: install ## strangers attack a whole installation: what they get, what a buyer sees meanwhile
	$(BIN)/python -m tests.attack $(ATTACK)

soak: install ## MINUTES=10 of BUYERS=100 at once on two sites with PostgreSQL
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) --buyers $(or $(BUYERS),100)

mutants: install ## whether fast tests notice SAMPLE=120 small changes of the heart (SEED=1, MODULES=...)
	$(BIN)/python -m tests.mutants --sample $(or $(SAMPLE),120) --seed $(or $(SEED),1) $(MODULES)

outages: install ## what each page says while PostgreSQL hangs, is read-only or full (root, for a full disk)
	$(BIN)/python -m tests.outages

bench: install ## how fast the site is, in eight minutes (needs Debian's wrk)
	$(BIN)/python -m bench $(BENCH)

lint: install ## formatting, lint, types, system checks
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/djade --check $(TEMPLATES)
	$(BIN)/mypy config booking standin bench tests scripts
	$(BIN)/python -W error -m compileall -q $(SOURCES)
	$(BIN)/python scripts/messages.py --check
	@echo 'checks of a deployment'
	@export $(PRODUCTION) && $(BIN)/python -W error manage.py collectstatic --noinput --verbosity 0 \
	  && $(BIN)/python -W error manage.py check --deploy --fail-level WARNING \
	  && $(BIN)/python -W error manage.py makemigrations --check --dry-run

format: install ## let the tools rewrite what they can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	-$(BIN)/djade $(TEMPLATES)

# Addresses of package indexes stay out of the locks; plain pip installs from them.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml
lock: ## compile the locks from pyproject.toml (needs uv)
	$(LOCK) -o requirements.txt
	$(LOCK) --group dev -o requirements-dev.txt

# In an environment of its own, so that a developer's holds what the lock says and nothing else.
AUDIT := var/audit/bin
audit: ## known holes in the packages we use (asks the outside world, so it is not in CI)
	$(PYTHON) -m venv var/audit
	$(AUDIT)/pip install --quiet --disable-pip-version-check pip-audit==2.10.0
	$(AUDIT)/pip-audit --disable-pip --require-hashes -r requirements-dev.txt

image-test: ## build the image and look whether it keeps its promises (needs a Docker engine)
	scripts/image_test.sh

messages: install ## collect and compile the texts (needs GNU gettext)
	$(BIN)/python scripts/messages.py

# With the scripts of packages left out: it is one file, and this is all we want of npm.
NU := var/nu/node_modules/vnu-jar
$(NU): tests/nu/package-lock.json
	mkdir -p var/nu && cp tests/nu/package.json tests/nu/package-lock.json var/nu
	npm ci --prefix var/nu --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

html-checker: $(NU) ## the Nu checker, for the tests in the browser (needs npm, and Java to run)

screens: install ## a picture of every state of every page into var/screens (needs Chromium)
	$(BIN)/python scripts/screens.py

screenshots: install ## take the README's pictures (needs Chromium)
	$(BIN)/python scripts/screenshots.py
