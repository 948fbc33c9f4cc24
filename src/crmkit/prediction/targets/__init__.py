"""Ready-made questions about customers: who buys, leaves, complains, which mark they give, which deals are won."""

from __future__ import annotations

from crmkit.prediction.targets._buying import will_buy
from crmkit.prediction.targets._complaining import will_complain
from crmkit.prediction.targets._ending import will_end
from crmkit.prediction.targets._leaving import will_leave
from crmkit.prediction.targets._marks import next_mark
from crmkit.prediction.targets._target import Target
from crmkit.prediction.targets._winning import will_be_won

__all__ = ["Target", "next_mark", "will_be_won", "will_buy", "will_complain", "will_end", "will_leave"]
