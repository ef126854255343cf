"""What was made, from what, and whether that is still so: asked of the records, not of a run."""

from prefectx.inspection.outputs import Outputs, outputs
from prefectx.inspection.reasons import Explanation, why

__all__ = ["Explanation", "Outputs", "outputs", "why"]
