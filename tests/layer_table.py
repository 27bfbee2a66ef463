"""A valid construction and inputs of every layer of `torch.nn`, and of the functions
that do the same by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A layer or function as a person writes it, and `--input` words it runs with.

    `written` of a layer is its constructor's call, of a function an expression over
    `x`, `y` and `z`."""

    name: str
    written: str
    inputs: tuple[str, ...]


def _layer(name: str, arguments: str, *inputs: str) -> Form:
    return Form(name, f"nn.{name}({arguments})", inputs)


SIZES = {1: "8", 2: "8,8", 3: "8,8,8"}
SHORT = {1: "4", 2: "4,4", 3: "4,4,4"}


def _with_windows() -> list[Form]:
    """Convolutions and poolings, each number of their windows written."""
    found = []
    for dims, sizes in SIZES.items():
        image, pair = (
            f"2,4,{sizes}",
            "({0},)" if dims == 1 else "(" + ", ".join(["{0}"] * dims) + ")",
        )
        window = "kernel_size=3, stride=2, padding=1, dilation=1"
        spread = ", ".join(
            f"{name}={pair.format(value)}"
            for name, value in (("kernel_size", 3), ("stride", 2), ("padding", 1))
        )
        for prefix, first in (("", "in_channels=4, "), ("Lazy", "")):
            found += [
                _layer(
                    f"{prefix}Conv{dims}d",
                    f"{first}out_channels=6, {window}, groups=2",
                    image,
                ),
                _layer(
                    f"{prefix}ConvTranspose{dims}d",
                    f"{first}out_channels=6, {window}, output_padding=1, groups=2",
                    image,
                ),
            ]
        found += [
            _layer(f"Conv{dims}d", f"4, 6, {spread}", image),
            _layer(f"Conv{dims}d", "4, 6, 3, padding='same', dilation=2", image),
            _layer(
                f"Conv{dims}d", "4, 6, 3, padding=1, padding_mode='circular'", image
            ),
            _layer(f"ConvTranspose{dims}d", f"4, 6, {spread}, output_padding=1", image),
            _layer(f"MaxPool{dims}d", window, image),
            _layer(f"MaxPool{dims}d", f"{spread}, ceil_mode=True", image),
            _layer(f"MaxPool{dims}d", "2", image),
            _layer(f"MaxPool{dims}d", "2, return_indices=True", image),
            _layer(f"AvgPool{dims}d", "kernel_size=3, stride=2, padding=1", image),
            _layer(f"AvgPool{dims}d", f"{spread}, ceil_mode=True", image),
            _layer(f"LPPool{dims}d", "norm_type=2, kernel_size=3, stride=2", image),
            _layer(
                f"MaxUnpool{dims}d",
                "kernel_size=2, stride=2, padding=0",
                f"2,4,{SHORT[dims]}",
                _index(dims),
            ),
            _layer(f"AdaptiveAvgPool{dims}d", "output_size=2", image),
            _layer(f"AdaptiveAvgPool{dims}d", f"output_size={pair.format(2)}", image),
            _layer(f"AdaptiveMaxPool{dims}d", "output_size=2", image),
        ]
    found += [
        _layer("AvgPool2d", "kernel_size=2, divisor_override=3", "2,4,8,8"),
        _layer("AvgPool3d", "kernel_size=2, divisor_override=3", "2,4,8,8,8"),
        _layer("FractionalMaxPool2d", "kernel_size=2, output_size=3", "2,4,8,8"),
        _layer(
            "FractionalMaxPool2d", "kernel_size=2, output_ratio=(0.5, 0.5)", "2,4,8,8"
        ),
        _layer("FractionalMaxPool3d", "kernel_size=2, output_size=3", "2,4,8,8,8"),
        _layer(
            "FractionalMaxPool3d",
            "kernel_size=2, output_ratio=(0.5, 0.5, 0.5)",
            "2,4,8,8,8",
        ),
        _layer("Unfold", "kernel_size=3, dilation=1, padding=1, stride=2", "2,4,8,8"),
        _layer("Unfold", "kernel_size=(3, 3), stride=(2, 2)", "2,4,8,8"),
        _layer(
            "Fold",
            "output_size=8, kernel_size=2, dilation=1, padding=0, stride=2",
            "2,16,16",
        ),
        _layer(
            "Fold", "output_size=(8, 8), kernel_size=(2, 2), stride=(2, 2)", "2,16,16"
        ),
    ]
    return found


def _index(dims: int) -> str:
    return f"2,4,{SHORT[dims]}:int64"


def _norms() -> list[Form]:
    found = []
    for dims, sizes in SIZES.items():
        image = f"2,4,{sizes}"
        found += [
            _layer(f"BatchNorm{dims}d", "num_features=4", image),
            _layer(f"InstanceNorm{dims}d", "num_features=4", image),
            _layer(
                f"InstanceNorm{dims}d",
                "num_features=4, affine=True, track_running_stats=True",
                image,
            ),
            _layer(f"LazyBatchNorm{dims}d", "", image),
            _layer(f"LazyInstanceNorm{dims}d", "affine=True", image),
        ]
    return [
        *found,
        _layer("SyncBatchNorm", "num_features=4", "2,4,8,8"),
        _layer("GroupNorm", "num_groups=2, num_channels=4", "2,4,8,8"),
        _layer("LayerNorm", "normalized_shape=8", "2,4,8"),
        _layer("LayerNorm", "normalized_shape=(4, 8)", "2,4,8"),
        _layer("RMSNorm", "normalized_shape=8, eps=0.1", "2,4,8"),
        _layer("RMSNorm", "normalized_shape=(4, 8)", "2,4,8"),
        _layer("LocalResponseNorm", "size=2", "2,4,8,8"),
        _layer("CrossMapLRN2d", "size=3", "2,4,8,8"),
    ]


def _pads() -> list[Form]:
    found = []
    for dims, sizes in SIZES.items():
        each = "(" + ", ".join(["1"] * 2 * dims) + ")"
        found += [
            _layer(f"{kind}Pad{dims}d", f"padding={padding}{value}", f"2,4,{sizes}")
            for kind, value in (
                *(("Circular", ""), ("Constant", ", value=2.0"), ("Reflection", "")),
                *(("Replication", ""), ("Zero", "")),
            )
            for padding in ("1", each)
        ]
    return found


def _activations() -> list[Form]:
    plain = (
        *(
            "CELU",
            "ELU",
            "GELU",
            "Hardshrink",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "LogSigmoid",
        ),
        *(
            "Mish",
            "PReLU",
            "RReLU",
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Sigmoid",
            "Softplus",
            "Softshrink",
            "Softsign",
        ),
        *(
            "Tanh",
            "Tanhshrink",
            "Identity",
            "AlphaDropout",
            "Dropout",
            "FeatureAlphaDropout",
            "Flatten",
            "GLU",
        ),
    )
    return [
        *(_layer(name, "", "2,4,8") for name in plain),
        *(
            _layer(name, "dim=1", "2,4,8")
            for name in ("LogSoftmax", "Softmax", "Softmin")
        ),
        *(
            _layer(f"Dropout{dims}d", "", f"2,4,{sizes}")
            for dims, sizes in SIZES.items()
        ),
        _layer("Threshold", "threshold=0.5, value=0.1", "2,4,8"),
        _layer("Softmax2d", "", "2,4,8,8"),
        _layer("PReLU", "num_parameters=4", "2,4,8"),
        _layer("ChannelShuffle", "groups=2", "2,4,8,8"),
        _layer("PixelShuffle", "upscale_factor=2", "2,4,8,8"),
        _layer("PixelUnshuffle", "downscale_factor=2", "2,4,8,8"),
        _layer("Unflatten", "dim=1, unflattened_size=(2, 2)", "2,4,8"),
        _layer("Unflatten", "dim=1, unflattened_size=(-1, 2)", "2,4,8"),
        _layer("Upsample", "size=4", "2,4,8,8"),
        _layer("Upsample", "size=(4, 4), mode='bilinear'", "2,4,8,8"),
        _layer("Upsample", "scale_factor=2", "2,4,8,8"),
        _layer("Upsample", "scale_factor=(2.0, 2.0), mode='bicubic'", "2,4,8,8"),
        _layer("UpsamplingBilinear2d", "size=4", "2,4,8,8"),
        _layer("UpsamplingBilinear2d", "scale_factor=2", "2,4,8,8"),
        _layer("UpsamplingNearest2d", "size=4", "2,4,8,8"),
        _layer("UpsamplingNearest2d", "scale_factor=2", "2,4,8,8"),
    ]


def _with_weights() -> list[Form]:
    sequence, ids = "3,2,8", "2,3:int64"
    step = "input_size=8, hidden_size=6"
    block = "d_model=8, nhead=2, dim_feedforward=16"
    return [
        _layer("Linear", "in_features=8, out_features=6", "2,4,8"),
        _layer("LazyLinear", "out_features=6", "2,4,8"),
        _layer(
            "Bilinear", "in1_features=8, in2_features=4, out_features=6", "2,8", "2,4"
        ),
        _layer("Embedding", "num_embeddings=5, embedding_dim=6", ids),
        _layer(
            "Embedding",
            "num_embeddings=5, embedding_dim=6, padding_idx=1, max_norm=2.0",
            ids,
        ),
        _layer("EmbeddingBag", "num_embeddings=5, embedding_dim=6", ids),
        _layer(
            "EmbeddingBag",
            "num_embeddings=5, embedding_dim=6, padding_idx=1, max_norm=2.0",
            ids,
        ),
        *(
            _layer(kind, f"{step}, num_layers=2, dropout=0.1{more}", sequence)
            for kind, more in (
                ("RNN", ""),
                ("GRU", ", batch_first=True"),
                ("LSTM", ", proj_size=3"),
            )
        ),
        *(_layer(f"{kind}Cell", step, "2,8") for kind in ("RNN", "GRU", "LSTM")),
        _layer(
            "MultiheadAttention",
            "embed_dim=8, num_heads=2, kdim=8, vdim=8",
            *[sequence] * 3,
        ),
        _layer("TransformerEncoderLayer", block, sequence),
        _layer("TransformerDecoderLayer", block, sequence, sequence),
        _layer(
            "TransformerEncoder",
            f"nn.TransformerEncoderLayer({block}), num_layers=2",
            sequence,
        ),
        _layer(
            "TransformerDecoder",
            f"nn.TransformerDecoderLayer({block}), num_layers=2",
            sequence,
            sequence,
        ),
        _layer(
            "Transformer",
            f"{block}, num_encoder_layers=1, num_decoder_layers=1",
            sequence,
            sequence,
        ),
    ]


def _losses() -> list[Form]:
    same, truth = ("2,5", "2,5"), ("2,5", "2:int64")
    alike = (
        *(
            "BCELoss",
            "BCEWithLogitsLoss",
            "HingeEmbeddingLoss",
            "HuberLoss",
            "KLDivLoss",
            "L1Loss",
            "MSELoss",
        ),
        *(
            "MultiLabelSoftMarginLoss",
            "PairwiseDistance",
            "PoissonNLLLoss",
            "SmoothL1Loss",
            "SoftMarginLoss",
        ),
        "CosineSimilarity",
    )
    return [
        *(_layer(name, "", *same) for name in alike),
        *(
            _layer(name, "", *truth)
            for name in ("CrossEntropyLoss", "MultiMarginLoss", "NLLLoss")
        ),
        _layer("NLLLoss2d", "", "2,5,4,4", "2,4,4:int64"),
        _layer("MultiLabelMarginLoss", "", "2,5", "2,5:int64"),
        _layer("CTCLoss", "", "4,2,5", "2,1:int64", "2:int64", "2:int64"),
        _layer("CosineEmbeddingLoss", "", "2,5", "2,5", "2"),
        _layer("GaussianNLLLoss", "", "2,5", "2,5", "2,5"),
        _layer("MarginRankingLoss", "", "2", "2", "2"),
        _layer("TripletMarginLoss", "", "2,5", "2,5", "2,5"),
        _layer("TripletMarginWithDistanceLoss", "", "2,5", "2,5", "2,5"),
        _layer(
            "AdaptiveLogSoftmaxWithLoss",
            "in_features=8, n_classes=10, cutoffs=[2, 5]",
            "3,8",
            "3:int64",
        ),
        _layer("LinearCrossEntropyLoss", "in_features=5, num_classes=4", *truth),
    ]


LAYERS = [
    *_with_windows(),
    *_norms(),
    *_pads(),
    *_activations(),
    *_with_weights(),
    *_losses(),
]

EXCLUDED = {
    **dict.fromkeys(
        ("Module", "Container", "Sequential", "ModuleList", "ModuleDict"),
        "holds layers, takes no number",
    ),
    **dict.fromkeys(
        ("ParameterList", "ParameterDict"), "holds weights, takes no number"
    ),
    **dict.fromkeys(("RNNBase", "RNNCellBase"), "a base class without a forward"),
    "DataParallel": "asks for devices; on the CPU it is its module",
}
"""Classes of `torch.nn` that are in no form, and why."""


def _function(written: str, *inputs: str) -> Form:
    return Form(written.partition("(")[0], written, inputs or ("2,4,8,8",))


FUNCTIONS = [
    _function(
        "F.conv1d(x, y, stride=1, padding=0, dilation=1, groups=1)", "2,4,8", "6,4,3"
    ),
    _function(
        "F.conv2d(x, y, stride=1, padding=0, dilation=1, groups=1)",
        "2,4,8,8",
        "6,4,3,3",
    ),
    _function("F.conv2d(x, y, stride=(1, 1), padding=(0, 0))", "2,4,8,8", "6,4,3,3"),
    _function(
        "F.conv_transpose2d(x, y, stride=1, padding=0, output_padding=0)",
        "2,4,8,8",
        "4,6,3,3",
    ),
    _function("F.max_pool1d(x, 2, 2, 0, 1)", "2,4,8"),
    _function("F.max_pool2d(x, 2)"),
    _function("F.max_pool2d(x, 2, 2, 0, 1)"),
    _function("F.avg_pool2d(x, 2, 2, 0)"),
    _function("F.lp_pool2d(x, 2, 2)"),
    _function("F.adaptive_avg_pool2d(x, 2)"),
    _function("F.adaptive_max_pool2d(x, (2, 2))"),
    _function("F.pixel_shuffle(x, 2)"),
    _function("F.pixel_unshuffle(x, 2)"),
    _function("F.channel_shuffle(x, 2)"),
    _function("F.interpolate(x, size=4)"),
    _function("F.interpolate(x, scale_factor=2)"),
    _function("F.interpolate(x, scale_factor=(2.0, 2.0), mode='bilinear')"),
    _function("F.unfold(x, 3, 1, 0, 1)"),
    _function("F.fold(x, (8, 8), 2, 1, 0, 2)", "2,16,16"),
    _function("F.pad(x, (1, 1, 1, 1))"),
    _function("F.pad(x, (1, 1), mode='reflect')", "2,4,8"),
    _function("F.pad(x, (1, 1), mode='circular')", "2,4,8"),
    _function("F.one_hot(x, 3)", "2,4:int64"),
    _function("F.embedding(x, y, 1)", "2,4:int64", "5,6"),
    _function("F.glu(x, 1)"),
    _function("F.softmax(x, 1)"),
    _function("F.normalize(x, 2.0, 1)"),
    _function("F.layer_norm(x, (8, 8))"),
    _function("F.group_norm(x, 2)"),
    _function("F.local_response_norm(x, 2)"),
    _function("F.dropout(x, 0.5)"),
    _function("F.cosine_similarity(x, y, 1)", "2,4", "2,4"),
    _function("F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)"),
    _function("x.view(2, -1)"),
    _function("x.view(2, 4, 64)"),
    _function("x.reshape(-1, 8)"),
    _function("x.reshape(8, -1)"),
    _function("x.expand(2, 4, 8, 8)"),
    _function("x.expand(3, -1, -1, -1, -1)"),
    _function("x.repeat(1, 1, 2, 1)"),
    _function("x.tile(1, 2)"),
    _function("x.repeat_interleave(2, 1)"),
    _function("x.unfold(1, 2, 1)"),
    _function("x.flatten(1, 2)"),
    _function("x.unflatten(1, (2, 2))"),
    _function("x.unsqueeze(1)"),
    _function("x.squeeze(1)"),
    _function("x.transpose(1, 2)"),
    _function("x.permute(0, 2, 3, 1)"),
    _function("x.narrow(1, 0, 2)"),
    _function("x.select(1, 0)"),
    _function("x.diagonal(0, 1, 2)"),
    _function("x.roll(1, 1)"),
    _function("x.sum(1)"),
    _function("x.mean((1, 2))"),
    _function("x.cumsum(1)"),
    _function("x.topk(2, 1)[0]"),
    _function("x.kthvalue(2, 1)[0]"),
    _function("x.new_zeros(2, 3)"),
    _function("x.tril(1)"),
    _function("x / 2"),
    _function("x // 2"),
    _function("x % 2"),
    _function("x ** 2"),
    _function("x[:, ::2]"),
    _function("x[:, 1:3]"),
    _function("x[:, 1]"),
    _function("torch.chunk(x, 2, 1)[0]"),
    _function("torch.split(x, 2, 1)[0]"),
    _function("torch.split(x, [2, 2], 1)[0]"),
    _function("torch.tensor_split(x, 2, 1)[0]"),
    _function("torch.cat([x, x], 1)"),
    _function("torch.stack([x, x], 1)"),
    _function("torch.arange(0, 8, 1) + x"),
    _function("torch.linspace(0, 1, 8) + x"),
    _function("torch.zeros(4, 8, 8) + x"),
    _function("torch.full((8, 8), 2.0) + x"),
    _function("torch.eye(8, 8) + x"),
    _function("torch.randint(0, 5, (8, 8)) + x"),
    _function("torch.empty_strided((8, 8), (8, 1)) * 0 + x"),
    _function("torch.as_strided(x, (8, 8), (8, 1), 0)"),
    _function("torch.bmm(x.view(8, 8, 8), x.view(8, 8, 8))"),
    _function(
        "torch.stft(y, n_fft=8, hop_length=2, win_length=8, return_complex=True)",
        "2,4",
        "2,32",
    ),
    _function("torch.bincount(x, minlength=3)", "4:int64"),
]
"""Functions and methods that take the same numbers by hand."""
