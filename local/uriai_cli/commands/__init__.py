"""One module per command: `two_words.py` is `uriai two-words`."""
