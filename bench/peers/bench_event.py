"""One job's facts as one flat document: what our event of five parts says, for peers that take documents."""

import secrets

_SETTINGS = {
    "sampler": "euler",
    "scheduler": "normal",
    "steps": "20",
    "guidance": "7.0",
    "width": "1024",
    "height": "1024",
    "model": "pendant_v2.safetensors",
}
_MACHINE = {
    "device": "cpu",
    "driver": "none",
    "libraries": {"torch": "2.13.0", "numpy": "2.4.6"},
    "threads": 2,
}


def document(number: int) -> dict:
    """Return the facts of job `number`; the filler is as long as our salts."""
    prompt = f"studio product photo of a jade pendant, dark silk, soft light, variation {number}"
    facts = {"prompt": prompt, "negative": "blurry, watermark, text", "seed": str(2**40 + number)}
    facts |= {"job": f"job-{number}", "outcome": "refused", "environment": _MACHINE}
    return {**facts, **_SETTINGS, "filler": secrets.token_hex(80)}
