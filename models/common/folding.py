"""Making a trained network storable: normalisations folded into convolutions, weights rounded to what a file holds."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.common.graph import BYTE_LIMIT

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


def storable_in_bytes(network: Module) -> Module:
    """As ``storable``, but every convolution's and linear layer's weights rounded to a byte each, with a scale for each
    output channel: what ``graph.store_as_bytes`` writes. Biases stay float32.
    """
    _fold(network)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                flat = layer.weight.flatten(1)
                scale = flat.abs().amax(1, keepdim=True).clamp(min=1e-12) / BYTE_LIMIT
                layer.weight.copy_(((flat / scale).round() * scale).reshape(layer.weight.shape))
    return network.requires_grad_(False)


def _fold(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, child), (after, follower) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(follower, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, follower))
            setattr(module, after, nn.Identity())
    for _, child in children:
        _fold(child)
