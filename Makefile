# `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(wildcard ../shared/data)
PHOTOS ?= demo-photos
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help install format lint check test apps demo bench bench-compare docs clean exiftool exiv2 lua applications

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.developer  ## everything for working on aesth, in .venv

format: $(VENV)/.developer  ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: $(VENV)/.developer  ## check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test  ## what must pass before a change is proposed

# Tests start the program many times: it is compiled once, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.developer | exiftool exiv2 lua  ## run every test but those of darktable and digiKam
	$(BIN)/python -m pytest -m "not apps" --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(if $(DATA),--data=$(DATA)) $(PYTEST_ARGS)

apps: export PYTHONDONTWRITEBYTECODE :=
apps: $(VENV)/.developer | exiftool exiv2 applications  ## run the tests of the real darktable, digiKam and Chromium, from Debian
	$(BIN)/python -m pytest -m apps --need-apps $(if $(DATA),--data=$(DATA)) $(PYTEST_ARGS)

demo: export PHOTOS_FOLDER = $(PHOTOS)
demo: $(VENV)/.user | exiftool  ## rate a few photos: make demo, or make demo PHOTOS=~/Photos
	@[ "$$PHOTOS_FOLDER" != demo-photos ] || $(BIN)/python scripts/demo_photos.py demo-photos
	@case "$$PHOTOS_FOLDER" in "~/"*) PHOTOS_FOLDER="$$HOME/$${PHOTOS_FOLDER#"~/"}";; esac; \
	set -x; $(BIN)/aesth tag -- "$$PHOTOS_FOLDER"

# Bytecode is kept, as it is where aesth is installed: else starting it would seem slow.
bench bench-compare: export PYTHONDONTWRITEBYTECODE :=
bench bench-compare: export PHOTOS_FOLDER = $(if $(filter demo-photos,$(PHOTOS)),,$(PHOTOS))
bench: $(VENV)/.bench | exiftool  ## measure how fast it is: make bench, or make bench PHOTOS=~/Photos
	$(BIN)/python benchmarks/bench.py $${PHOTOS_FOLDER:+--photos "$$PHOTOS_FOLDER"} $(BENCH_ARGS)

bench-compare: $(VENV)/.bench | exiftool  ## measure again, and tell what got slower than in the saved run
	$(BIN)/python benchmarks/bench.py --compare $${PHOTOS_FOLDER:+--photos "$$PHOTOS_FOLDER"} $(BENCH_ARGS)

docs: $(VENV)/.docs  ## build the documentation site, in build/site
	$(BIN)/python scripts/docs_pages.py build/pages
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean

clean:  ## remove what the other targets made
	rm -rf $(VENV) build demo-photos bench-photos .mypy_cache .ruff_cache .pytest_cache .hypothesis

exiftool:
	@scripts/install-program exiftool libimage-exiftool-perl exiftool

exiv2:
	@scripts/install-program exiv2 exiv2 exiv2

# No Homebrew names: these tests are for the versions of Debian.
applications:
	@scripts/install-program darktable darktable
	@scripts/install-program digikam digikam
	@scripts/install-program Xvfb xvfb
	@scripts/install-program openbox openbox
	@scripts/install-program xdotool xdotool
	@scripts/install-program dbus-daemon dbus-daemon
	@scripts/install-program dbus-send dbus-bin
	@scripts/install-program gdbus libglib2.0-bin
	@scripts/install-program import imagemagick
	@scripts/install-program chromium chromium

# What checks the plugin's Lua; its tests are skipped where it cannot be installed.
lua:
	-@scripts/install-program lua5.4 lua5.4 lua@5.4
	-@scripts/install-program busted lua-busted busted
	-@scripts/install-program luacheck lua-check luacheck

$(BIN)/python:
	@scripts/make-venv $(PYTHON) $(VENV)

# Run-time dependencies only: what a person gets who installs aesth.
$(VENV)/.user: pyproject.toml | $(BIN)/python
	@echo "Installing aesth into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developer: pyproject.toml | $(BIN)/python
	@echo "Installing aesth and what its tests and training need into $(VENV); PyTorch is large ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[openvino,train,video,watch,cluster,mysql,test,dev]"
	@touch $@ $(VENV)/.user

# What others are measured by beside ours, which no test needs.
$(VENV)/.bench: pyproject.toml | $(BIN)/python
	@echo "Installing aesth and what it is measured against into $(VENV); PyTorch is large ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[openvino,train,video,test,bench]"
	@touch $@ $(VENV)/.user

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	@echo "Installing what builds the documentation into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $@ $(VENV)/.user
