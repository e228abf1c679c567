# A rolling restart between the programs of another commit and these, under load.
PREVIOUS ?= HEAD^

.PHONY: rolling
rolling: all image ## A rolling restart from PREVIOUS=HEAD^ under load, and back: no request fails
	$(Q)RETORT_BUILD=$(B) tests/rolling/run.sh '$(PREVIOUS)' '$(T)'
