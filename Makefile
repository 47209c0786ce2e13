# The front door: names and variables. What they do is in tools/.

# The variables are taken literally: $(value ...) keeps make from expanding `$HOME` in a command, and the environment
# carries quotes, pipes and spaces to the tools untouched.
VARIABLES := PAGE_SIZE CPU SMP MEM CMD EXTRA APPEND QEMU_ARGS DEBUG TIMEOUT
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(VARIABLES)

# A mistake in them ends here, with one line and status 2. make does not export to $(shell ...), hence the list.
quote = '$(subst ','\'',$(1))'
ifneq ($(filter run test test-linux gdb bench image soak,$(MAKECMDGOALS)),)
PROBLEM := $(shell $(foreach name,$(VARIABLES),$(name)=$(call quote,$($(name)))) tools/preflight 2>&1)
ifneq ($(PROBLEM),)
$(error $(PROBLEM))
endif
endif

.PHONY: help run test test-linux gdb bench check mutants soak image clean
.DEFAULT_GOAL := help

help:
	@cat tools/help.txt

run:
	@tools/run

test:
	@tools/test all

test-linux:
	@tools/test-linux

check:
	@tools/test check

mutants:
	@tools/mutants

soak:
	@tools/soak

gdb:
	@tools/run gdb

bench:
	@tools/bench

image:
	@tools/image

clean:
	rm -rf target
