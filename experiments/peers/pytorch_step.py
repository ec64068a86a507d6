"""One training step of ResNet-20 (projection shortcuts, 32x32) in PyTorch on the CPU, timed: forward, backward and SGD.

    python experiments/peers/pytorch_step.py --setting eager,channels-last --threads 2 --batch 2,32
    python experiments/peers/pytorch_step.py --setting channels-last --model resnet50 --batch 16 --resolution 64 (32 groups)
    python experiments/peers/pytorch_step.py --model i3d-resnet18 --batch 2 --resolution 112    (clips of 8 frames)

Images wait in memory as float32, so that PyTorch's step holds nothing but the step. The compiled settings compile
forward, loss and backward; the update is PyTorch's fused one everywhere.
"""

import sys
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from measurement import LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, arguments, report
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "models" / "fixtures"))
from cifar_resnet import CifarResnet, normalizer
from clip_resnet import ClipResnet

SETTINGS = ["eager", "channels-last", "compile", "compile-channels-last"]


LAYERS = {"batch": nn.BatchNorm2d, "group": partial(nn.GroupNorm, 32), "none": nn.Identity}


FRAMES, MOTIONS = 8, 8


def over_clips(name, norm):
    """I3D or C2D with the strides over time of the 8x8 setting."""
    layer = nn.BatchNorm3d if norm == "batch" else LAYERS[norm]
    return ClipResnet(int(name.split("resnet")[1]), layer, MOTIONS, name.startswith("i3d"), (1, 1, 2))


def vgg16(norm, side, classes):
    """VGG-16 whose first dense layer takes the features as they are, as the paper has it at 224x224: without the pooling to
    7x7 that torchvision puts before it."""
    features = []
    for layer in torchvision.models.vgg16_bn().features:
        features.append(LAYERS[norm](layer.num_features) if isinstance(layer, nn.BatchNorm2d) else layer)
    head = [nn.Linear(512 * (side // 32) ** 2, 4096), nn.ReLU(True), nn.Dropout(), nn.Linear(4096, 4096)]
    return nn.Sequential(*features, nn.Flatten(), *head, nn.ReLU(True), nn.Dropout(), nn.Linear(4096, classes))


def build(name, norm, side):
    """The model, the side of its images, and its classes."""
    if name == "resnet20":
        return CifarResnet(20, normalizer(norm), "projection"), 32, 10
    if name == "vgg16":
        return vgg16(norm, side, 1000), side, 1000
    if name.startswith(("i3d-", "c2d-")):
        return over_clips(name, norm), side, MOTIONS
    return getattr(torchvision.models, name)(norm_layer=LAYERS[norm]), side, 1000


def make_step(name, resolution, setting, norm, batch, precision):
    torch.manual_seed(1)
    clips = name.startswith(("i3d-", "c2d-"))
    channels_last = torch.channels_last_3d if clips else torch.channels_last
    layout = channels_last if setting.endswith("channels-last") else torch.contiguous_format
    model, side, classes = build(name, norm, resolution)
    model = model.to(memory_format=layout)
    images = torch.randn(batch, 3, *([FRAMES] if clips else []), side, side).to(memory_format=layout)
    labels = torch.randint(classes, (batch,))
    optimizer = torch.optim.SGD(
        model.parameters(), LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True, fused=True
    )

    def loss_of(images, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            return F.cross_entropy(model(images), labels)

    if setting.startswith("compile"):
        torch.compiler.reset()
        loss_of = torch.compile(loss_of, dynamic=False)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, sum(parameter.numel() for parameter in model.parameters())


if __name__ == "__main__":
    options = arguments(__doc__, SETTINGS)
    torch.set_num_threads(options.threads)
    report(
        options,
        partial(make_step, options.model, options.resolution),
        framework="pytorch",
        model=options.model,
        version=torch.__version__.split("+")[0],
    )
