# Murmuration. `make demo` shows it, `make test` checks it; both set up what is missing first (Scripts/setup.sh).
#
# Tests are built without testable imports (nothing here uses them), so that one build serves the program and the tests.

SWIFT ?= swift
MURMUR := .build/release/murmur
RELEASE := -c release
SOURCES := Package.swift Sources Tests Fuzz
MODULES := Machines Compute Datasets Peer Simulator

TEST := $(SWIFT) test $(RELEASE) --disable-testable-imports
SOCKETS := ^(HostTests|ControlTests|LibraryTests)\.
PROGRAMS := ^(CommandsTests|InteropTests)\.

export MURMUR_PYTHON ?= $(CURDIR)/.build/python/bin/python3

.PHONY: help demo build test interop house bench docs format lint setup clean fuzz tsan
.DEFAULT_GOAL := help

help:
	@echo "make demo     twenty peers learn digits together, nobody away and four in five away; the report is demo/report.html"
	@echo "make test     every test, in a release build"
	@echo "make interop  only the tests with go-libp2p, Kubo and py-libp2p"
	@echo "make house    only the rules of the house: imports, purity, sizes"
	@echo "make bench    how fast kernels, training and simulation are on this machine"
	@echo "make fuzz     libFuzzer on every decoder and machine, SECONDS=60 for each, or TARGET=name for one"
	@echo "make tsan     the host's tests under the thread sanitizer"
	@echo "make docs     reference documentation of the public modules, in .build/docs"
	@echo "make format   format all Swift sources;  make lint  say where they are not"
	@echo "make setup    install what is missing;   make clean remove what was built"

demo: build
	@$(MURMUR) demo --out demo
	@echo "Look at $(CURDIR)/demo/report.html"

build:
	@Scripts/setup.sh build
	@$(SWIFT) build $(RELEASE) --product murmur

# Tests on real sockets and clocks run for themselves: those that compute, and those that wait for programs, hold all threads for long.
test:
	@Scripts/setup.sh test
	@code=0; \
	$(TEST) --skip '$(SOCKETS)' --skip '$(PROGRAMS)' $(if $(REPORT),--xunit-output $(REPORT)/pure.xml) || code=$$?; \
	$(TEST) --skip-build --filter '$(SOCKETS)' $(if $(REPORT),--xunit-output $(REPORT)/sockets.xml) || code=$$?; \
	$(TEST) --skip-build --filter '$(PROGRAMS)' $(if $(NOINTEROP),--skip InteropTests) \
	  $(if $(REPORT),--xunit-output $(REPORT)/programs.xml) || code=$$?; \
	exit $$code

interop:
	@Scripts/setup.sh test
	@$(TEST) --filter '^InteropTests\.'

house:
	@Scripts/setup.sh build
	@$(TEST) --filter '^HouseTests\.'

bench: build
	@Scripts/bench.sh

fuzz:
	@Scripts/setup.sh build
	@SWIFT="$(SWIFT)" SECONDS_EACH="$(or $(SECONDS),60)" Scripts/fuzz.sh $(TARGET)

tsan:
	@Scripts/setup.sh build
	@MURMUR_SLOWNESS=6 TSAN_OPTIONS="suppressions=$(CURDIR)/Scripts/tsan.supp $$TSAN_OPTIONS" $(SWIFT) test -c debug --sanitize=thread --scratch-path .build/tsan --no-parallel --filter '^HostTests\.'

docs:
	@Scripts/setup.sh build
	@Scripts/docs.sh $(MODULES)

format:
	@$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

lint:
	@$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

setup:
	@Scripts/setup.sh test

clean:
	@rm -rf .build demo
