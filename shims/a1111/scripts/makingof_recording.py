"""makingof for AUTOMATIC1111, Forge and reForge: records what is asked for and what comes of it.

Shows nothing, takes no settings and changes no job.

Put here by `makingof connect a1111`, taken away by `makingof disconnect`. The web UI loads
this file, and again on every "Reload UI"; the modules beside it are loaded once and hold
the one thread that records. Whatever goes wrong in here is printed and stops nothing.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

_NAME = "makingof_in_webui"


def _modules() -> Any:
    """Load the modules beside this file under a name that nobody else has: extensions share one space."""
    if _NAME not in sys.modules:
        folder = Path(__file__).parents[1] / _NAME
        spec = importlib.util.spec_from_file_location(
            _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[_NAME] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[_NAME]
            raise
    return sys.modules[_NAME]


try:
    from modules import script_callbacks, scripts

    _RECORDER = _modules().listen(script_callbacks)

    class MakingofRecording(scripts.Script):
        """The steps of a job, as the web UI tells them to extensions."""

        create_group = False

        def title(self) -> str:
            return "makingof"

        def show(self, *_arguments: Any, **_named: Any) -> Any:
            return scripts.AlwaysVisible

        def ui(self, *_arguments: Any, **_named: Any) -> Any:
            return []

        def before_process(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("begun", *arguments, **named)

        def process(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("prepared", *arguments, **named)

        def before_process_batch(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("sampling", *arguments, **named)

        def process_batch(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("sampling", *arguments, **named)

        def postprocess_batch(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("batch_made", *arguments, **named)

        def postprocess(self, *arguments: Any, **named: Any) -> None:
            _RECORDER.hear("ended", *arguments, **named)

except Exception as err:  # noqa: BLE001 - a recorder that cannot start must not keep its host from starting
    print(f"makingof: not recording: {type(err).__name__}: {err}")
