"""makingof for ComfyUI: records what is submitted and what comes of it. Adds no nodes and changes no job.

Put here by `makingof connect comfyui`, taken away by `makingof disconnect`. Standard
library only. Whatever goes wrong in here is printed once and stops nothing.
"""

NODE_CLASS_MAPPINGS = {}
NODE_DISPLAY_NAME_MAPPINGS = {}

try:
    from .attaching import attach

    RECORDER = attach()
except Exception as err:  # noqa: BLE001 - a recorder that cannot start must not keep its host from starting
    RECORDER = None
    print(f"makingof: not recording: {type(err).__name__}: {err}")
