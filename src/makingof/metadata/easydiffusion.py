"""Easy Diffusion: one PNG chunk for every field, or JSON in EXIF, under either of two namings."""

from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, object_in
from makingof.metadata.record import Record, Sheet
from makingof.reading import Locator, Reading, State

READER = "easydiffusion/1"

# As the API names a field, and as the page shows it.
_NAMES = {
    "prompt": ("prompt", "Prompt"),
    "negative": ("negative_prompt", "Negative Prompt"),
    "typed_prompt": ("original_prompt",),
    "seed": ("seed", "Seed"),
    "steps": ("num_inference_steps", "Steps"),
    "sampler": ("sampler_name", "Sampler"),
    "scheduler": ("scheduler_name", "Scheduler"),
    "guidance": ("guidance_scale", "Guidance Scale"),
    "model": ("use_stable_diffusion_model", "Stable Diffusion model", "Stable Diffusion Model"),
    "vae": ("use_vae_model", "VAE model", "VAE Model"),
    "adapters": ("use_lora_model", "LoRA model", "LoRA Model"),
    "denoise": ("prompt_strength", "Prompt Strength"),
    "width": ("width", "Width"),
    "height": ("height", "Height"),
    "clip_skip": ("clip_skip", "Clip Skip"),
}
_SHARED = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}
TELLING = frozenset(_NAMES["model"])
_OTHER_KEYS = frozenset(
    """use_face_correction|Use Face Correction|use_upscale|Use Upscaling|upscale_amount|Upscale By|lora_alpha
    LoRA Strength|use_hypernetwork_model|Hypernetwork model|hypernetwork_strength|Hypernetwork Strength
    use_controlnet_model|ControlNet model|control_filter_to_apply|use_embeddings_model|Embedding models
    tiling|Seamless Tiling|latent_upscaler_steps|codeformer_upscale_faces|used_random_seed
    preserve_init_image_color_profile|distilled_guidance_scale""".replace("\n    ", "|").split("|")
)


def read(sheet: Sheet) -> Found:
    """Read the chunks together as one record, or the JSON object."""
    if any(record.key in TELLING for record in sheet.records):
        return _read_chunks(sheet)
    for record in sheet.find_all("UserComment", "Comment", "parameters", "COM"):
        value = object_in(record, *TELLING)
        if value is not None and any(key in value for key in TELLING):
            reading = Reading(
                tool="easydiffusion",
                locator=record.locator,
                state=State.PRESENT,
                raw=record.raw,
                fields=fields_of(value, _SHARED, record.place),
                main=True,
                checks=json_checks(record),
                reader=READER,
            )
            return Found([reading], [record])
    return NOTHING


def _read_chunks(sheet: Sheet) -> Found:
    mine: list[Record] = [
        record for record in sheet.records if record.key in _SHARED or record.key in _OTHER_KEYS
    ]
    texts = {record.key: record.text for record in mine if record.text is not None}
    fields = fields_of(texts, _SHARED, sheet.container or "")
    checks = tuple(check for record in mine for check in record.checks)
    reading = Reading(
        tool="easydiffusion",
        locator=Locator(sheet.container or "", "text chunks, one for each field"),
        state=State.PRESENT,
        raw=b"\n".join([record.raw for record in mine]),
        fields=fields,
        main=True,
        checks=checks,
        reader=READER,
    )
    return Found([reading], mine) if fields else NOTHING
