"""Turns PyTorch's weights (.pth, .pt) into safetensors, which `gnbench import` reads.

    pip install -r experiments/weights/requirements.txt
    python experiments/weights/pth_to_safetensors.py resnet50.pth [resnet50.safetensors]
    npx gnbench import resnet50.safetensors --from torchvision

Takes a state dict, or a checkpoint that holds one as "state_dict" or "model"; a leading "module." (DataParallel) is
dropped. Loaded with `weights_only=True`: a .pth is a pickle, which could otherwise run any code. Names and layouts
stay PyTorch's.
"""

import argparse
import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

CONTAINERS = ("state_dict", "model")


def state_dict(loaded):
    """The tensors by name; SystemExit when there are none, or something else among them."""
    for key in CONTAINERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
            break
    if not isinstance(loaded, dict) or not loaded:
        sys.exit(f"error: it holds no state dict, neither itself nor as {' or '.join(CONTAINERS)}")
    others = [str(name) for name, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if others:
        sys.exit(f"error: these are no tensors: {', '.join(others[:20])}")
    if all(name.startswith("module.") for name in loaded):
        loaded = {name.removeprefix("module."): value for name, value in loaded.items()}
    return loaded


def float32_or_integer(tensor):
    """A copy that shares no memory (tied weights cannot be saved so), float64 as float32."""
    tensor = tensor.detach().contiguous().clone()
    return tensor.float() if tensor.dtype == torch.float64 else tensor


def main():
    parser = argparse.ArgumentParser(description="PyTorch's .pth to safetensors")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, nargs="?", help="default: the source's name with .safetensors")
    parser.add_argument("--force", action="store_true", help="replace the target")
    arguments = parser.parse_args()
    target = arguments.target or arguments.source.with_suffix(".safetensors")
    if target.exists() and not arguments.force:
        sys.exit(f"error: {target} exists already; replace it with --force")
    try:
        loaded = torch.load(arguments.source, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load throws whatever its unpickler does
        sys.exit(f"error: {arguments.source}: {error}")
    tensors = {name: float32_or_integer(tensor) for name, tensor in state_dict(loaded).items()}
    temporary = target.with_name(f".tmp-{os.getpid()}-{target.name}")
    try:
        save_file(tensors, temporary, {"format": "pt"})
        os.umask(mask := os.umask(0))
        temporary.chmod(0o666 & ~mask)  # save_file's own is for its owner alone
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    print(f"{target}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
