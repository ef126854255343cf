"""Calls: what becomes of one invocation of one task. `dispatch` is the way in."""

from prefectx.calls.attempts import function_of
from prefectx.calls.call import Call
from prefectx.calls.decision import Decision, Facts, Refuse, Run, Skip, Wait, decide
from prefectx.calls.facts import look
from prefectx.calls.failed_calls import FailedCalls
from prefectx.calls.flow_runs import whole_run
from prefectx.calls.lazy import with_lazy_started
from prefectx.calls.make_call import make_call
from prefectx.calls.own_output import current_target
from prefectx.calls.payload import Outcome, Payload
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.calls.target_owners import owners_of_run, target_owners
from prefectx.calls.task_definition import TaskDefinition

__all__ = [
    "REDEFINITIONS",
    "Call",
    "Decision",
    "Facts",
    "FailedCalls",
    "Outcome",
    "Payload",
    "Refuse",
    "ResolvedTask",
    "Run",
    "Skip",
    "TaskDefinition",
    "Wait",
    "current_target",
    "decide",
    "function_of",
    "look",
    "make_call",
    "owners_of_run",
    "target_owners",
    "whole_run",
    "with_lazy_started",
]
