"""Sales forecasts from transactions: methods, rolling evaluation, intervals, and totals that add up."""

from __future__ import annotations

from crmkit.value.forecasting._forecast import forecast
from crmkit.value.forecasting._forecast_series import forecast_series
from crmkit.value.forecasting._result import Forecast

__all__ = ["Forecast", "forecast", "forecast_series"]
