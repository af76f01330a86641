"""Structured logs: one JSON object a line on stderr, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from uriai_edge.redact import redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes ``at, level, event, logger, message`` and whatever was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": "error" if record.levelno >= logging.WARNING else "note",
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, ensure_ascii=False, default=str))


def tell(log: logging.Logger, event: str, message: str, **fields: object) -> None:
    """Log something that happened under a stable ``event`` name, which other programs wait for."""
    log.info(message, extra={"event": event, **fields})


def trouble(log: logging.Logger, message: str, **fields: object) -> None:
    """Log a failure that was foreseen: event ``error``, without a traceback."""
    log.error(message, extra={"event": "error", **fields})


def set_up_logs(level: str = "INFO") -> None:
    """Send the agent's logs to stderr at ``level``, those of libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("uriai_edge").setLevel(level)
