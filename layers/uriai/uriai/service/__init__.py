"""Use cases, one module per verb. They see the outside only through the ports in ``service.ports``."""
