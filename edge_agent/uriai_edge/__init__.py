"""Uri-AI edge agent: cuts motion-triggered clips on the camera gateway, signs them and uploads them to S3."""

from __future__ import annotations

__version__ = "0.1.0"
