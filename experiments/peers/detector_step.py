"""One training step of torchvision's Mask R-CNN, ResNet-50-FPN, timed in a process of its own: a child of detector.mjs.

    python experiments/peers/detector_step.py '{"norm": "group", "setting": "channels-last", "inputs": "inputs.json", "steps": 5}'

The proposals are given: what the region proposal network says is learnt from, and nothing is decoded or suppressed.
"""

import json
import resource
import sys
import time
from functools import partial

import torch
from torch import nn
from torchvision.models import resnet50
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.ops import FrozenBatchNorm2d

asked = json.loads(sys.argv[1])
norm, setting = asked["norm"], asked["setting"]
with open(asked["inputs"]) as file:
    given = json.load(file)
side, classes = given["side"], given["classes"]
torch.set_num_threads(asked.get("threads", 2))
torch.manual_seed(1)

if norm == "group":
    layer = partial(nn.GroupNorm, 32)
    backbone = _resnet_fpn_extractor(resnet50(norm_layer=layer), 3, norm_layer=layer)
    heads = {
        "box_head": FastRCNNConvFCHead((256, 7, 7), [256] * 4, [1024], norm_layer=layer),
        "mask_head": MaskRCNNHeads(256, [256] * 4, 1, norm_layer=layer),
    }
else:
    backbone = _resnet_fpn_extractor(resnet50(norm_layer=FrozenBatchNorm2d), 3)
    heads = {}
model = MaskRCNN(backbone, classes + 1, min_size=side, max_size=side, rpn_pre_nms_top_n_train=2000, **heads).train()
proposals = torch.tensor(given["proposals"])
model.rpn.filter_proposals = lambda *_: ([proposals], None)
model.rpn.box_coder.decode = lambda deltas, anchors: deltas.detach().view(deltas.shape[0], 1, 4)
layout = torch.channels_last if setting.endswith("channels-last") else torch.contiguous_format
model = model.to(memory_format=layout)
if setting.startswith("compile"):
    model.backbone = torch.compile(model.backbone, dynamic=False)

pixel = torch.arange(side) + 0.5
boxes = torch.tensor(given["boxes"])
left, top, right, bottom = (edge[:, None, None] for edge in boxes.unbind(1))
u = (2 * pixel[None, None, :] - left - right) / (right - left)
v = (2 * pixel[None, :, None] - top - bottom) / (bottom - top)
target = {"boxes": boxes, "labels": torch.tensor(given["labels"]), "masks": ((u * u + v * v) < 1).to(torch.uint8)}
image = ((torch.arange(side * side * 3) * 31) % 256).view(3, side, side).float() / 255
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.SGD(trained, 0.001, 0.9, weight_decay=1e-4, fused=True)


def step():
    optimizer.zero_grad(set_to_none=True)
    losses = model([image], [target])
    loss = sum(losses.values())
    loss.backward()
    optimizer.step()
    return {name: value.item() for name, value in losses.items()}


times = []
for number in range(asked["steps"] + 2):
    started = time.perf_counter()
    losses = step()
    if number >= 2:
        times.append((time.perf_counter() - started) * 1000)
times.sort()
print(
    json.dumps(
        {
            "medianMs": times[len(times) // 2],
            "fastestMs": times[0],
            "peakMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "losses": losses,
        }
    )
)
