"""The outside as services see it: abstract classes that adapters, and the fakes of tests, subclass."""
