"""Words and pure rules of Uri-AI. Imports only the standard library."""
