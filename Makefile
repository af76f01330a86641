# Uri-AI. `make help` lists what there is to make; everything installs what it needs on first use.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# A virtual environment is made anew when its lock file, or what describes our own packages, has changed.
hash = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)
DEV := .venv/.made-$(call hash,requirements/dev.txt pyproject.toml edge_agent/pyproject.toml)
SAM := .venv-sam/.made-$(call hash,requirements/sam.txt)
MINISTACK := .venv-ministack/.made-$(call hash,requirements/ministack.txt)

PYTHON := .venv/bin/python
SOURCE ?=
ARCH ?= arm64
RUNTIME ?= 3.13
PYTEST ?= tests

.PHONY: help setup demo test lint types imports validate build sizes invoke lock bench torture clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) $(SAM) $(MINISTACK) ## virtual environments, and by apt what is missing; safe to repeat

$(DEV):
	@tools/install_system_packages.sh
	@tools/make_venv.sh .venv requirements/dev.txt edge_agent .
	@touch $@

$(SAM): | $(DEV)
	@tools/make_venv.sh .venv-sam requirements/sam.txt
	@touch $@

$(MINISTACK): | $(DEV)
	@tools/make_venv.sh .venv-ministack requirements/ministack.txt
	@touch $@

demo: setup ## the whole way once, camera to answer; SOURCE=FILE|rtsp://…|webcam:0 instead of the rendered playroom
	@.venv/bin/uriai demo $(if $(SOURCE),--source "$(SOURCE)")

test: setup ## all tests; PYTEST="tests/unit -k ports" for some
	@$(PYTHON) -m pytest $(PYTEST)

lint: setup ## style and mistakes
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: setup ## mypy, strict for what is deployed
	@.venv/bin/mypy

imports: setup ## who may import whom
	@.venv/bin/lint-imports

validate: setup ## template.yaml, as SAM and as CloudFormation see it
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=ap-northeast-2 .venv-sam/bin/sam validate --lint
	@.venv/bin/cfn-lint template.yaml

build: setup ## functions and layers for AWS: ARCH=arm64|x86_64 RUNTIME=3.12|3.13; then `sam deploy --guided`
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=ap-northeast-2 LAYER_ARCH=$(ARCH) LAYER_PYTHON=$(RUNTIME) PYTHON=$(CURDIR)/$(PYTHON) \
	    .venv-sam/bin/sam build --cache-dir .aws-sam/cache-$(RUNTIME)-$(ARCH) \
	    --parameter-overrides Runtime=python$(RUNTIME) Architecture=$(ARCH)

sizes: setup ## every function with its layers against Lambda's limit, for both architectures
	@$(PYTHON) tools/check_sizes.py

invoke: setup ## one function under the Lambda runtime interface emulator: FUNCTION=analyze EVENT=events/analyze.json
	@test -n "$(FUNCTION)" && test -n "$(EVENT)" || { echo "usage: make invoke FUNCTION=analyze EVENT=events/analyze.json" >&2; exit 2; }
	@.venv/bin/uriai up >/dev/null
	@.venv/bin/uriai invoke "$(FUNCTION)" "$(EVENT)"

UV := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: setup ## newest versions that fit, with hashes, into all lock files
	$(UV) --upgrade --all-extras --no-emit-package uriai --no-emit-package uriai-edge \
	    pyproject.toml edge_agent/pyproject.toml requirements/build.in -o requirements/dev.txt
	$(UV) --upgrade edge_agent/pyproject.toml -o edge_agent/requirements.txt
	$(UV) --upgrade requirements/sam.in -o requirements/sam.txt
	$(UV) --upgrade requirements/ministack.in -o requirements/ministack.txt
	$(UV) --upgrade --no-deps layers/uriai/requirements.in -o layers/uriai/requirements.txt
	$(UV) --upgrade --no-deps layers/vision/requirements.in -o layers/vision/requirements.txt
	$(UV) --upgrade --no-deps layers/media/requirements.in -o layers/media/requirements.txt

bench: setup ## measurements, long
	@$(PYTHON) -m bench

torture: setup ## faults, long
	@$(PYTHON) -m pytest -m torture --timeout 3600 tests

clean: ## what was built; not the virtual environments, not the data under .uriai
	rm -rf .aws-sam build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
