"""Stand-ins with the shapes diffusers and torch document: a pipeline, its scheduler, its noise."""

import hashlib
from types import SimpleNamespace

from PIL import Image


class Noise:
    """A generator: its state moves on when it is used, and it goes on telling its first seed."""

    def __init__(self, device="cpu"):
        self.device = device
        self.manual_seed(0)

    def manual_seed(self, seed):
        self._seed, self._used = seed, 0
        return self

    def initial_seed(self):
        return self._seed

    def get_state(self):
        data = hashlib.sha256(f"{self._seed}/{self._used}".encode()).digest()
        return SimpleNamespace(numpy=lambda: SimpleNamespace(tobytes=lambda: data))

    def draw(self):
        self._used += 1
        return self._seed * 31 + self._used


class DDIMScheduler:
    config = {"_class_name": "DDIMScheduler", "beta_start": 0.0001, "steps_offset": 1}  # noqa: RUF012


class Output(dict):
    def __init__(self, images, flags):
        super().__init__(images=images, nsfw_content_detected=flags)
        self.images, self.nsfw_content_detected = images, flags


class Pipeline:
    """Paints what its generators draw."""

    def __init__(self, folder=None):
        self.config = {"_name_or_path": str(folder)} if folder else {}
        self.scheduler = DDIMScheduler()
        self.device = "cpu"
        self._interrupt = False
        self.inside = None  # called in the middle of a call
        self.asked = []

    @property
    def components(self):
        return {
            "scheduler": self.scheduler,
            "unet": SimpleNamespace(config=self.config),
            "safety_checker": None,
        }

    def __call__(
        self,
        prompt=None,
        height=8,
        width=8,
        num_inference_steps=2,
        guidance_scale=7.5,
        negative_prompt=None,
        num_images_per_prompt=1,
        generator=None,
        image=None,
        prompt_embeds=None,
        output_type="pil",
        return_dict=True,  # noqa: FBT002 - as the library has it
        callback_on_step_end=None,
        callback_on_step_end_tensor_inputs=("latents",),
    ):
        self.asked.append((prompt, callback_on_step_end_tensor_inputs))
        if prompt is None and prompt_embeds is None:
            message = "Provide either `prompt` or `prompt_embeds`."
            raise ValueError(message)
        self._interrupt = False
        for step in range(num_inference_steps):
            if callback_on_step_end is not None:
                callback_on_step_end(self, step, 1000.5 - step, {})
        if self.inside is not None:
            self.inside()
        prompts = prompt if isinstance(prompt, list) else [prompt]
        noises = generator if isinstance(generator, list) else [generator] * len(prompts)
        images = [
            paint(height, width, noise.draw() if noise else 0)
            for noise in noises
            for _ in range(num_images_per_prompt)
        ]
        if output_type == "latent":
            images = Latents()
        return Output(images, None) if return_dict else (images, None)


class Latents:
    """What a pipeline gives with `output_type="latent"`."""

    dtype = "float32"
    shape = (1, 4, 1, 1)
    nbytes = 16

    def reshape(self, *_sizes):
        return self

    def copy(self):
        return self

    def tobytes(self):
        return bytes(16)


def paint(height, width, number):
    return Image.new("RGB", (width, height), (number % 256, number // 256 % 256, 7))


class Callback:
    """A program's own callback, of the kind that names the tensors it needs."""

    tensor_inputs = ("latents", "prompt_embeds")

    def __init__(self):
        self.heard = []

    def __call__(self, pipe, step, timestep, tensors):
        self.heard.append(step)
        return tensors
