# make demo   build, train the three networks on a simulated TF, draw the dashboard
# make test   every check: format, lint, Swift tests, symbols, Python tests, documentation, wheel

PYTHON ?= python3
SWIFT ?= swift
VENV ?= .venv
OUTPUT ?= deepmotif-demo

BIN := $(VENV)/bin
SOURCES := $(shell find Sources python/ext -type f) Package.swift setup.py pyproject.toml

.PHONY: demo test install lint swift-test python-test sanitize wheel-test clean help

help:
	@sed -n 's/^# //p' Makefile

# ---- What the README names ----

demo: $(VENV)/.installed
	$(BIN)/deepmotif demo --output $(OUTPUT)

test: lint swift-test python-test wheel-test

# ---- Installation into a virtual environment of the project, built with that environment's own NumPy ----

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "DeepMotif needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip 'setuptools>=77' 'numpy>=2'

$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[test]'
	touch $@

install: $(VENV)/.installed

# ---- Checks ----

lint: $(VENV)/.tested
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Release with the same settings as the extension, so that both share one build.
swift-test:
	$(SWIFT) test --configuration release
	$(PYTHON) Tests/check_kernel_symbols.py "$$($(SWIFT) build --configuration release --show-bin-path)"

# The engine's tests in debug, where every overflow and bad index traps, under the address and thread sanitizers. Leaks are
# not looked for: XCTest's own main function has two.
sanitize:
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --sanitize=address --scratch-path .build-address
	$(SWIFT) test --sanitize=thread --scratch-path .build-thread

python-test: $(VENV)/.tested
	$(BIN)/python -m pytest python/tests
	$(BIN)/python -m pytest --doctest-modules --doctest-ignore-import-errors python/deepmotif

wheel-test: $(VENV)/.tested
	$(BIN)/python python/tests/check_wheel.py

clean:
	rm -rf .build .build-* build dist $(VENV) python/*.egg-info python/deepmotif/*.so
