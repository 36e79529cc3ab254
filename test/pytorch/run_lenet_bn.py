"""Loads the state dict of the file named first, strictly, and prints the logits as JSON.

    python3 test/pytorch/run_lenet_bn.py model.safetensors
"""

import json
import sys

import torch

from lenet_bn import images, load, network, package

net = network()
net.load_state_dict(load(sys.argv[1]), strict=True)
net.eval()
with torch.no_grad():
    logits = net(images(8))
how = "safetensors" if package is not None else "struct and json"
print(json.dumps({"torch": torch.__version__, "reader": how, "logits": logits.tolist()}))
