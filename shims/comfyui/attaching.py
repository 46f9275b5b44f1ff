"""Where the host is held: three places to listen, each found by looking and not by version.

`add_on_prompt_handler` sees every submission before it is checked. A middleware sees
what the server answers to it: accepted under an id, or refused and why. The cache
provider, or a wrapper around `task_done`, tells that a job ended. All of them only put
a notice into a queue; a thread of our own does the rest. Where one of them is missing,
the thread finds out by looking at the queue and the history.
"""

import asyncio
import atexit
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .handing_over import HookStream, load_connection
from .host import Host
from .jobs import Jobs
from .notices import tell

HERE = Path(__file__).parent
VERSION = "1"


def attach() -> Jobs:
    """Open a stream and listen; return the thread that records."""
    from server import PromptServer  # noqa: PLC0415 - the host's own, there only inside it

    host = Host(PromptServer.instance, sys.modules.get("folder_paths"))
    connection = load_connection(HERE / "connection.json")
    source = {
        "name": "makingof-comfyui",
        "version": VERSION,
        "tool": "comfyui",
        "tool_version": host.version(),
    }
    jobs = Jobs(HookStream(connection, source), host)
    jobs.attached = [name for name, listen in LISTENING if _quietly(listen, host, jobs)]
    if not _quietly(_listen_by_provider, host, jobs):
        jobs.attached += ["task_done"] if _quietly(_wrap_task_done, host, jobs) else []
    else:
        jobs.attached.append("cache_provider")
    _quietly(_answer_doctor, host, jobs)
    jobs.start()
    atexit.register(jobs.stop)
    print(f"makingof: recording ({', '.join(jobs.attached) or 'by looking at the queue alone'})")
    return jobs


def _quietly(act: Callable[..., Any], *arguments: Any) -> bool:
    try:
        act(*arguments)
    except Exception:  # noqa: BLE001 - what one version lacks, another way of listening replaces
        return False
    return True


def _listen_to_prompts(host: Host, jobs: Jobs) -> None:
    def on_prompt(json_data: Any) -> Any:
        tell(jobs.submitted, json_data, _task())
        return json_data

    host.server.add_on_prompt_handler(on_prompt)


def _listen_to_answers(host: Host, jobs: Jobs) -> None:
    async def observe(request: Any, handler: Any) -> Any:
        response = None
        try:
            response = await handler(request)
        finally:
            tell(jobs.answered, _task(), response)
        return response

    observe.__middleware_version__ = 1  # type: ignore[attr-defined]  # what aiohttp's decorator does
    host.server.app.middlewares.append(observe)


LISTENING = (("prompt_handler", _listen_to_prompts), ("answers", _listen_to_answers))


def _listen_by_provider(_host: Host, jobs: Jobs) -> None:
    from comfy_execution import cache_provider  # noqa: PLC0415 - only newer hosts have it

    class Observer(cache_provider.CacheProvider):  # type: ignore[misc]
        def should_cache(self, *_arguments: Any, **_named: Any) -> bool:
            return False

        async def on_lookup(self, *_arguments: Any, **_named: Any) -> None:
            return None

        async def on_store(self, *_arguments: Any, **_named: Any) -> None:
            return None

        def on_prompt_start(self, *_arguments: Any, **_named: Any) -> None:
            return None

        def on_prompt_end(self, prompt_id: Any = None, *_arguments: Any, **_named: Any) -> None:
            tell(jobs.ended, prompt_id, None)

    cache_provider.register_cache_provider(Observer())


def _wrap_task_done(host: Host, jobs: Jobs) -> None:
    inner = host.queue.task_done

    def task_done(*arguments: Any, **named: Any) -> Any:
        prompt_id = _find(lambda: host.running_id(arguments[0] if arguments else named["item_id"]))
        result = inner(*arguments, **named)
        # The entry now, for a client may delete it from the history a moment later.
        tell(jobs.ended, prompt_id, _find(lambda: host.queue.history.get(prompt_id)))
        return result

    host.queue.task_done = task_done


def _answer_doctor(host: Host, jobs: Jobs) -> None:
    from aiohttp import web  # noqa: PLC0415 - the host's own

    @host.server.routes.get("/makingof/hook")
    async def answer(request: Any) -> Any:
        return web.json_response(jobs.answer(request.query.get("say", "")))


def _find(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Exception:  # noqa: BLE001 - signatures drift; then the history tells
        return None


def _task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
