"""Measurements of the edge agent, each beside Debian's `motion` in the same run: `python -m bench.edge`."""
