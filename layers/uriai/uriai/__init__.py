"""Uri-AI: the library that the functions share.

``domain`` holds words and pure rules, ``service`` the use cases, ``adapters`` the outside; ``bootstrap`` wires them.
"""

__version__ = "0.1.0"
