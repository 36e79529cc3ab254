"""Makes lenet-bn.safetensors and lenet-bn-cases.json: a trained state dict, and its logits in evaluation.

    python3 test/pytorch/make_lenet_bn.py
"""

import json
import pathlib

import torch
from torch import nn

from lenet_bn import images, network, package, save

here = pathlib.Path(__file__).parent
torch.manual_seed(0)
net = network()
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(40):
    labels = torch.randint(0, 10, (64,))
    x = images(10)[labels] + 0.2 * torch.randn(64, 1, 28, 28)
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x), labels).backward()
    optimizer.step()
net.eval()
save(net.state_dict(), here / "lenet-bn.safetensors")
with torch.no_grad():
    logits = net.double()(images(8).double())
writer = "the package safetensors" if package is not None else "struct and json"
result = {"script": "make_lenet_bn.py", "torch": torch.__version__, "writer": writer, "logits": logits.tolist()}
(here / "lenet-bn-cases.json").write_text(json.dumps(result) + "\n")
