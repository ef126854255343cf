"""Plans: what a run of a flow would do, told without running it."""

from prefectx.plans.calls import PlannedCall
from prefectx.plans.forecast import Forecast
from prefectx.plans.plan import Plan, make_plan, plan

__all__ = ["Forecast", "Plan", "PlannedCall", "make_plan", "plan"]
