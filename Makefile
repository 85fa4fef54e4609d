# Every target sets up everything it needs in .venv on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench figures smoke man

demo: $(VENV)/.installed
	$(BIN)/python benchmarks/demo.py

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py run

figures: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py figures

smoke: $(VENV)/.installed-dev
	$(BIN)/latentcodec bench benchmarks/data/kodak --out build/smoke --fresh \
		--limit 3 --points 4 --timed-images 0 --sliders 1

man: $(VENV)/.installed
	mkdir -p build
	$(BIN)/latentcodec man > build/latentcodec.1

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

# The constraints pin the torch release that this tree is tested with.
$(VENV)/.installed: $(VENV)/.created pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed
