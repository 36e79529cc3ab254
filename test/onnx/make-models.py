"""Writes models/: a ResNet-18-shaped and a MobileNetV2-shaped network of few channels, exported by PyTorch's own
exporter for several operator sets, and cases.json: what PyTorch computes with them, in evaluation and in one step of
training, and the names of its state dict. Weights, scales, shifts and running statistics are random."""

import json
import math
import os

import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "models")
SHAPE = [4, 3, 64, 64]


class BasicBlock(nn.Module):
    """torchvision's, by its names."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """Four stages of two blocks, as torchvision's resnet18, with 6 to 24 channels instead of 64 to 512."""

    def __init__(self, widths=(6, 8, 12, 24), classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = widths[0]
        for i, width in enumerate(widths):
            stage = [BasicBlock(before, width, 1 if i == 0 else 2), BasicBlock(width, width, 1)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
            before = width
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def conv_bn_relu6(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """torchvision's, by its names: expand, depthwise, project."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        layers = [conv_bn_relu6(inputs, hidden, 1)] if expand != 1 else []
        layers += [
            conv_bn_relu6(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """As torchvision's mobilenet_v2, with 4 to 12 channels and one or two blocks a stage."""

    def __init__(self, classes=10):
        super().__init__()
        features = [conv_bn_relu6(3, 6, 3, 2)]
        before = 6
        # expand, channels, blocks, stride
        for expand, width, blocks, stride in [(1, 4, 1, 1), (6, 6, 2, 2), (6, 8, 2, 2), (4, 12, 2, 1)]:
            for i in range(blocks):
                features.append(InvertedResidual(before, width, stride if i == 0 else 1, expand))
                before = width
        features.append(conv_bn_relu6(before, 32, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(32, classes))

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


def randomize(net):
    """Scales, shifts and statistics that are neither 0 nor 1, and keep activations in range."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)


def images():
    """The same numbers in every language."""
    count = torch.arange(math.prod(SHAPE), dtype=torch.float64)
    return torch.sin(count).float().reshape(SHAPE)


def export(net, name, opset):
    path = os.path.join(FOLDER, f"{name}.onnx")
    torch.onnx.export(
        net,
        images(),
        path,
        opset_version=opset,
        # Keeps batch normalization as it is: in evaluation the exporter would fold it into convolutions.
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
    )
    with open(path, "rb") as file:
        found = file.read().count(b"BatchNormalization") // 2
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    assert found >= norms, f"{path}: {found} batch normalizations, expected {norms}"
    print(f"{path}: {os.path.getsize(path)} bytes, {norms} batch normalizations")
    return {"opset": opset, "norms": norms}


def describe(net):
    """Evaluation, then one step of stochastic gradient descent in training mode."""
    x, labels = images(), torch.tensor([3, 7, 1, 0])
    state = {name: list(value.shape) for name, value in net.state_dict().items()}
    with torch.no_grad():
        logits = net.eval()(x)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"state": state, "logits": logits.flatten().tolist(), "losses": losses}


os.makedirs(FOLDER, exist_ok=True)
described = {"script": "make-models.py", "torch": torch.__version__, "models": {}}
for kind, make, opsets in [("resnet", ResNet18, (7, 13, 17)), ("mobilenet", MobileNetV2, (9, 12, 16))]:
    torch.manual_seed(5)
    net = make().eval()
    with torch.no_grad():
        randomize(net)
    files = {f"{kind}-{opset}": export(net, f"{kind}-{opset}", opset) for opset in opsets}
    described["models"][kind] = {"files": files, **describe(net)}
with open(os.path.join(HERE, "cases.json"), "w", encoding="utf-8", newline="\n") as file:
    json.dump(described, file, separators=(",", ":"))
    file.write("\n")
