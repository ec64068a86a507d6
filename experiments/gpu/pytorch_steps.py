"""Training steps in PyTorch on a GPU, timed: reads settings from stdin, one JSON object a line, and prints a row for each.

    echo '{"model": "resnet20", "normalizer": "group", "images": 2, "precision": "float32", "setting": "graph"}' |
        python experiments/gpu/pytorch_steps.py

Forward, backward and SGD (Nesterov 0.9, weight decay 1e-4, fused) on images that wait in the GPU's memory as float32.
Settings: eager, channels-last; graph and graph-channels-last capture the whole step as one CUDA graph; compile… compiles
forward, loss and backward before.
"""

import json
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision

root = Path(__file__).parents[2]
sys.path[:0] = [str(root / "src" / "models" / "fixtures")]
from cifar_resnet import CifarResnet, normalizer as cifar_norm

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def build(name, norm):
    """The model, the side of its images, and its classes."""
    if name == "resnet20":
        return CifarResnet(20, cifar_norm(norm), "projection"), 32, 10
    layers = {
        "batch": torch.nn.BatchNorm2d,
        "group": partial(torch.nn.GroupNorm, 32),
        "none": torch.nn.Identity,
    }
    return getattr(torchvision.models, name)(norm_layer=layers[norm]), 224, 1000


def make_step(model, normalizer, images, precision, setting):
    torch.manual_seed(1)
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    layout = torch.channels_last if setting.endswith("channels-last") else torch.contiguous_format
    network, side, classes = build(model, normalizer)
    network = network.to(DEVICE, memory_format=layout)
    x = torch.randn(images, 3, side, side, device=DEVICE).to(memory_format=layout)
    labels = torch.randint(classes, (images,), device=DEVICE)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9, weight_decay=1e-4, nesterov=True, fused=True)
    captured = "graph" in setting and DEVICE == "cuda"

    def loss_of(x, labels):
        with torch.autocast(
            DEVICE, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=not captured
        ):
            return F.cross_entropy(network(x), labels)

    if setting.startswith("compile"):
        torch.compiler.reset()
        loss_of = torch.compile(loss_of, dynamic=False)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, labels)
        loss.backward()
        optimizer.step()
        return loss

    if not captured:
        return lambda: step().item()
    side_stream = torch.cuda.Stream()
    side_stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side_stream):
        for _ in range(4):
            step()
    torch.cuda.current_stream().wait_stream(side_stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss.item()

    return replay


def measure(setting, seconds):
    began = time.perf_counter()
    step = make_step(**setting)
    for _ in range(5):
        step()
    start, times = time.perf_counter(), []
    while time.perf_counter() < start + seconds or len(times) < 5:
        before = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - before))
    q1, median, q3 = statistics.quantiles(times, n=4)
    return {
        "stepMs": {"median": round(median, 4), "q1": round(q1, 4), "q3": round(q3, 4)},
        "imagesPerSecond": round(1000 * setting["images"] / median, 1),
        "setupSeconds": round(start - began, 1),
        "memoryMB": round(torch.cuda.max_memory_allocated() / 1e6) if DEVICE == "cuda" else None,
    }


for line in sys.stdin:
    setting = json.loads(line)
    try:
        row = measure(setting, float(os.environ.get("SECONDS_A_SETTING", "0.7")))
    except Exception as error:  # what one setting cannot do, another may
        row = {"error": (str(error).splitlines() or [type(error).__name__])[0][:200]}
    if DEVICE == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    print(json.dumps({"framework": "pytorch", "version": torch.__version__, **setting, **row}), flush=True)
