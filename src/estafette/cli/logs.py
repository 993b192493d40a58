"""The log: one JSON object a line on the error output, ours and that of the libraries, each with its correlation."""

import logging
import sys
from typing import Any

from estafette.store import correlation


def configure_log(level: int) -> None:
    """Log what is at least of this level; an exception is its trace, without the values it met."""
    import structlog

    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        correlation.say,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    written = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[*common, written],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common[:2], structlog.stdlib.add_logger_name, *common[2:]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, written],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
