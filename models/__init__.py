"""Training code, conversion recipes and committed files of every model that Uri-AI uses."""
