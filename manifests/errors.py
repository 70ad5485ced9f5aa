"""Defines the errors of Parley.

::

    ParleyError                exit code
    ├── UserError              2    the user can fix it: one line, no traceback
    │   ├── InputError              an input file that cannot be read as asked
    │   ├── RecipeError             an unknown recipe, key or value
    │   └── ResumeRefused           the directory holds another job's work
    ├── CorpusError            3    the data on disk is wrong
    │   └── BlockDamaged            a block of a job is not what was written; the job makes it again
    ├── EngineError            4    an engine cannot work
    │   ├── EngineUnavailable       it cannot load here; the message says what to install
    │   ├── EngineDied              it stopped working; its block is tried on a new one
    │   └── RayEnded                Ray, which runs the workers, is gone
    └── LawBroken              70   a stage broke a law of the pipeline: a bug in Parley

Bad *data* is not an error: it is recorded as a `Reason` on the row (see `manifests.reasons`).
"""


class ParleyError(Exception):
    """Base class of all errors that Parley raises on purpose."""

    exit_code = 70


class UserError(ParleyError):
    exit_code = 2


class InputError(UserError):
    pass


class RecipeError(UserError):
    pass


class ResumeRefused(UserError):
    pass


class CorpusError(ParleyError):
    exit_code = 3


class BlockDamaged(CorpusError):
    """Tells that `block` in the directory of that name is missing, or is not what was written there."""

    def __init__(self, directory: str, block: int) -> None:
        super().__init__(directory, block)
        self.directory, self.block = directory, block

    def __str__(self) -> str:
        folder = "" if self.block < 10_000 else "*/"
        return (
            f"block {self.block} in {self.directory} is missing or is not what was written there: delete its files, "
            f"{self.directory}/{folder}{self.block:06d}*, and give the command that made them once more"
        )


class EngineError(ParleyError):
    exit_code = 4


class EngineUnavailable(EngineError):
    pass


class EngineDied(EngineError):
    pass


class RayEnded(EngineError):
    pass


class LawBroken(ParleyError):
    exit_code = 70
