"""A real diffusers pipeline of five megabytes with random weights, made on the spot: no hub is asked.

Saved with the library version that loads it again: another one may find none of the text
encoder's weights in the file, put random ones in their place and raise nothing.
"""

import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

_PLAIN = (*range(33, 127), *range(161, 173), *range(174, 256))
_MERGES = ("a n", "t h")


def make_model(folder: Path) -> Path:
    """Write the pipeline below `folder`; return where it lies."""
    torch.manual_seed(20261122)
    tokenizer = _tokenizer(folder)
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(16, 16, 32, 32),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            norm_num_groups=8,
        ),
        text_encoder=_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            sample_size=8,
            cross_attention_dim=32,
            attention_head_dim=8,
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder / "tiny")
    return folder / "tiny"


def load(model: Path) -> StableDiffusionPipeline:
    """Load the pipeline as a program would."""
    pipe = StableDiffusionPipeline.from_pretrained(model, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_adapter(pipe: StableDiffusionPipeline, folder: Path) -> Path:
    """Write a LoRA for the UNet of `pipe`, which is left with it."""
    pipe.unet.add_adapter(
        LoraConfig(r=4, lora_alpha=4, init_lora_weights="gaussian", target_modules=["to_k"])
    )
    layers = get_peft_model_state_dict(pipe.unet)
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder / "pytorch_lora_weights.safetensors"


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _tokenizer(folder: Path) -> CLIPTokenizer:
    rest = iter(range(256, 512))
    symbols = [chr(byte if byte in _PLAIN else next(rest)) for byte in range(256)]
    words = [
        *symbols,
        *(symbol + "</w>" for symbol in symbols),
        *(pair.replace(" ", "") for pair in _MERGES),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}), "utf-8")
    merges.write_text("\n".join(("#version: 0.2", *_MERGES, "")), "utf-8")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)


def _text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        max_position_embeddings=77,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)
