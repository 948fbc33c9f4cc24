"""Runs the steps from raw records to a plan as one configuration says."""

from __future__ import annotations

from crmkit.pipeline._config import Located, load_config
from crmkit.pipeline._demo import demo
from crmkit.pipeline._result import RunResult
from crmkit.pipeline._run import run
from crmkit.pipeline._schema import Config

__all__ = ["Config", "Located", "RunResult", "demo", "load_config", "run"]
