"""The stages, in the order in which a row travels."""

from pipeline.stages.assess import ASSESS
from pipeline.stages.cast import CAST
from pipeline.stages.contract import Stage
from pipeline.stages.converse import CONVERSE
from pipeline.stages.dedup import DEDUP
from pipeline.stages.gate import GATE
from pipeline.stages.render import RENDER
from pipeline.stages.respond import RESPOND
from pipeline.stages.rewrite import REWRITE
from pipeline.stages.screen import SCREEN
from pipeline.stages.synthesize import SYNTHESIZE
from pipeline.stages.transcribe import TRANSCRIBE
from pipeline.stages.watermark import WATERMARK

STAGE_TABLE: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        REWRITE,
        SCREEN,
        DEDUP,
        RESPOND,
        CONVERSE,
        CAST,
        SYNTHESIZE,
        RENDER,
        WATERMARK,
        TRANSCRIBE,
        ASSESS,
        GATE,
    )
}
