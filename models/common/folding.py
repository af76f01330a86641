"""Making a trained network storable: normalisations folded into convolutions, filters rounded to float16."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


def storable(network: Module) -> Module:
    """The network, in evaluation mode, with what the file will hold; changed in place.

    Rounding before anything is calibrated or trained on top means that both see exactly what the file will compute.
    """
    _fold(network)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(value.half().float())
    return network.requires_grad_(False)


def _fold(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, child), (after, follower) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(follower, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, follower))
            setattr(module, after, nn.Identity())
    for _, child in children:
        _fold(child)
