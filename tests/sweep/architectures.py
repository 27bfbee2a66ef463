"""Public architectures, each in a configuration that eager PyTorch runs in a moment."""

from __future__ import annotations

from dataclasses import dataclass

SIZES = (
    "hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64"
)
TEXT = f"vocab_size=100, {SIZES}"
IDS = "((torch.ones(1, 12, dtype=torch.long),), {})"
IMAGE = "((torch.rand(1, 3, 64, 64),), {})"
IMAGES = "((torch.rand(2, 3, 64, 64),), {})"

TORCHVISION_OPS = """
for op in ("nms", "qnms", "roi_align", "qroi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d",
           "_roi_align_backward", "_roi_pool_backward", "_ps_roi_align_backward", "_ps_roi_pool_backward",
           "_deform_conv2d_backward"):
    with __import__("contextlib").suppress(RuntimeError):
        torch.library.define("torchvision::" + op, "(Tensor x) -> Tensor")
"""
"""torchvision's wheel imports without its compiled ops once they have a name; none of
the models calls them."""


@dataclass(frozen=True)
class Architecture:
    """A model of a package: expressions that make it and its inputs. `core`: walked by
    `make test` too."""

    package: str
    name: str
    imports: str
    model: str
    inputs: str
    core: bool = False

    @property
    def source(self) -> str:
        """A file with a factory `model` and a factory `inputs`."""
        return (
            f"import torch\nfrom torch import nn\n{TORCHVISION_OPS}{self.imports}\n\n\n"
            f"def model():\n    return {self.model}\n\n\ndef inputs():\n    return {self.inputs}\n"
        )

    @property
    def module(self) -> str:
        """What is imported to have the package."""
        return {"segmentation-models-pytorch": "segmentation_models_pytorch"}.get(
            self.package, self.package.replace("-", "_")
        )


def _transformer(
    name: str, config: str, arguments: str, inputs: str, core: bool = False
) -> Architecture:
    return Architecture(
        "transformers",
        name,
        f"from transformers import {config}, {name}",
        f"{name}({config}({arguments}))",
        inputs,
        core,
    )


_DECODER_IDS = "((), {'input_ids': torch.ones(1, 8, dtype=torch.long), 'decoder_input_ids': torch.ones(1, 5, dtype=torch.long)})"
_SEQ2SEQ = (
    "vocab_size=100, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, "
    "decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64"
)
_VISION = f"{SIZES}, image_size=64, patch_size=16"
_AUDIO = f"{SIZES}, vocab_size=32, conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4"

TRANSFORMERS = [
    _transformer("BertModel", "BertConfig", TEXT, IDS, True),
    _transformer("BertForSequenceClassification", "BertConfig", TEXT, IDS),
    _transformer("RobertaModel", "RobertaConfig", TEXT, IDS),
    _transformer(
        "DistilBertModel",
        "DistilBertConfig",
        "vocab_size=100, dim=32, n_layers=2, n_heads=4, hidden_dim=64",
        IDS,
    ),
    _transformer("AlbertModel", "AlbertConfig", f"{TEXT}, embedding_size=16", IDS),
    _transformer("ElectraModel", "ElectraConfig", f"{TEXT}, embedding_size=16", IDS),
    _transformer("DebertaV2Model", "DebertaV2Config", TEXT, IDS),
    _transformer(
        "GPT2LMHeadModel",
        "GPT2Config",
        "vocab_size=100, n_embd=32, n_layer=2, n_head=4",
        IDS,
        True,
    ),
    _transformer("GPTNeoXForCausalLM", "GPTNeoXConfig", TEXT, IDS),
    _transformer(
        "OPTForCausalLM",
        "OPTConfig",
        "vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64, word_embed_proj_dim=32",
        IDS,
    ),
    _transformer(
        "BloomForCausalLM",
        "BloomConfig",
        "vocab_size=100, hidden_size=32, n_layer=2, n_head=4",
        IDS,
    ),
    _transformer("FalconForCausalLM", "FalconConfig", TEXT, IDS),
    _transformer("LlamaForCausalLM", "LlamaConfig", TEXT, IDS, True),
    _transformer(
        "MistralForCausalLM", "MistralConfig", f"{TEXT}, num_key_value_heads=2", IDS
    ),
    _transformer(
        "MixtralForCausalLM",
        "MixtralConfig",
        f"{TEXT}, num_key_value_heads=2, num_local_experts=4",
        IDS,
    ),
    _transformer(
        "Qwen2ForCausalLM", "Qwen2Config", f"{TEXT}, num_key_value_heads=2", IDS
    ),
    _transformer(
        "GemmaForCausalLM",
        "GemmaConfig",
        f"{TEXT}, num_key_value_heads=2, head_dim=8",
        IDS,
    ),
    _transformer("PhiForCausalLM", "PhiConfig", TEXT, IDS),
    _transformer(
        "MambaForCausalLM",
        "MambaConfig",
        "vocab_size=100, hidden_size=32, num_hidden_layers=2, state_size=4",
        IDS,
    ),
    _transformer(
        "T5ForConditionalGeneration",
        "T5Config",
        "vocab_size=100, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4",
        _DECODER_IDS,
        True,
    ),
    _transformer("BartForConditionalGeneration", "BartConfig", _SEQ2SEQ, _DECODER_IDS),
    _transformer(
        "MarianMTModel",
        "MarianConfig",
        f"{_SEQ2SEQ}, pad_token_id=1, decoder_start_token_id=1",
        _DECODER_IDS,
    ),
    _transformer(
        "WhisperModel",
        "WhisperConfig",
        f"{_SEQ2SEQ}, max_source_positions=20, pad_token_id=0, decoder_start_token_id=1",
        "((torch.rand(1, 80, 40),), {'decoder_input_ids': torch.ones(1, 5, dtype=torch.long)})",
    ),
    _transformer(
        "XLNetModel",
        "XLNetConfig",
        "vocab_size=100, d_model=32, n_layer=2, n_head=4, d_inner=64",
        IDS,
    ),
    _transformer(
        "LongformerModel", "LongformerConfig", f"{TEXT}, attention_window=4", IDS
    ),
    _transformer("BigBirdModel", "BigBirdConfig", TEXT, IDS),
    _transformer("FNetModel", "FNetConfig", TEXT, IDS),
    _transformer(
        "FunnelModel",
        "FunnelConfig",
        "vocab_size=100, d_model=32, n_head=4, d_head=8, d_inner=64, block_sizes=[1, 1]",
        IDS,
    ),
    _transformer("ViTModel", "ViTConfig", _VISION, IMAGE, True),
    _transformer("DeiTModel", "DeiTConfig", _VISION, IMAGE),
    _transformer("BeitModel", "BeitConfig", _VISION, IMAGE),
    _transformer("Dinov2Model", "Dinov2Config", _VISION, IMAGE),
    _transformer("SiglipVisionModel", "SiglipVisionConfig", _VISION, IMAGE),
    _transformer(
        "SwinModel",
        "SwinConfig",
        "image_size=64, embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=4",
        IMAGE,
    ),
    _transformer(
        "ConvNextModel",
        "ConvNextConfig",
        "hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1]",
        IMAGE,
    ),
    _transformer(
        "SegformerForSemanticSegmentation",
        "SegformerConfig",
        "hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16",
        IMAGE,
    ),
    _transformer(
        "MobileViTModel",
        "MobileViTConfig",
        "image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[4, 4, 8, 8, 12, 12, 16], num_attention_heads=2",
        IMAGES,
    ),
    _transformer(
        "PvtModel",
        "PvtConfig",
        "image_size=64, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2]",
        IMAGE,
    ),
    _transformer(
        "CLIPModel",
        "CLIPConfig",
        f"text_config=dict({TEXT}), vision_config=dict({_VISION}), projection_dim=16",
        "((), {'input_ids': torch.ones(1, 8, dtype=torch.long), 'pixel_values': torch.rand(1, 3, 64, 64)})",
    ),
    _transformer(
        "Wav2Vec2Model", "Wav2Vec2Config", _AUDIO, "((torch.rand(1, 1600),), {})"
    ),
    _transformer("HubertModel", "HubertConfig", _AUDIO, "((torch.rand(1, 1600),), {})"),
    _transformer(
        "TimeSeriesTransformerModel",
        "TimeSeriesTransformerConfig",
        "prediction_length=4, context_length=8, d_model=16, lags_sequence=[1, 2], num_time_features=1, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16",
        "((), dict(past_values=torch.rand(2, 10), past_time_features=torch.rand(2, 10, 1), past_observed_mask=torch.ones(2, 10), future_values=torch.rand(2, 4), future_time_features=torch.rand(2, 4, 1)))",
    ),
]

_UNET_BLOCKS = "block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4"


def _diffuser(
    name: str, arguments: str, inputs: str, core: bool = False
) -> Architecture:
    return Architecture(
        "diffusers",
        name,
        f"from diffusers import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


DIFFUSERS = [
    _diffuser(
        "UNet2DModel",
        f"sample_size=16, {_UNET_BLOCKS}, down_block_types=('DownBlock2D', 'AttnDownBlock2D'), up_block_types=('AttnUpBlock2D', 'UpBlock2D'), attention_head_dim=8",
        "((torch.rand(1, 3, 16, 16), torch.ones(1, dtype=torch.long)), {})",
        True,
    ),
    _diffuser(
        "UNet2DConditionModel",
        f"sample_size=16, {_UNET_BLOCKS}, down_block_types=('DownBlock2D', 'CrossAttnDownBlock2D'), up_block_types=('CrossAttnUpBlock2D', 'UpBlock2D'), cross_attention_dim=16, attention_head_dim=8",
        "((torch.rand(1, 4, 16, 16), torch.ones(1, dtype=torch.long), torch.rand(1, 5, 16)), {})",
    ),
    _diffuser(
        "AutoencoderKL",
        "block_out_channels=(16, 32), norm_num_groups=4, down_block_types=('DownEncoderBlock2D', 'DownEncoderBlock2D'), up_block_types=('UpDecoderBlock2D', 'UpDecoderBlock2D')",
        "((torch.rand(1, 3, 32, 32),), {})",
        True,
    ),
    _diffuser(
        "VQModel",
        "block_out_channels=(16, 32), norm_num_groups=4, down_block_types=('DownEncoderBlock2D', 'DownEncoderBlock2D'), up_block_types=('UpDecoderBlock2D', 'UpDecoderBlock2D')",
        "((torch.rand(1, 3, 32, 32),), {})",
    ),
    _diffuser(
        "DiTTransformer2DModel",
        "num_attention_heads=2, attention_head_dim=8, num_layers=2, sample_size=16, num_embeds_ada_norm=10, norm_num_groups=4",
        "((torch.rand(1, 4, 16, 16),), dict(timestep=torch.ones(1, dtype=torch.long), class_labels=torch.ones(1, dtype=torch.long)))",
    ),
    _diffuser(
        "PriorTransformer",
        "num_attention_heads=2, attention_head_dim=8, num_layers=2, embedding_dim=16, num_embeddings=5",
        "((torch.rand(1, 16), torch.ones(1, dtype=torch.long), torch.rand(1, 16), torch.rand(1, 5, 16)), {})",
    ),
    _diffuser(
        "ControlNetModel",
        "block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, down_block_types=('DownBlock2D', 'CrossAttnDownBlock2D'), cross_attention_dim=16, attention_head_dim=8, conditioning_embedding_out_channels=(8, 16)",
        "((torch.rand(1, 4, 16, 16), torch.ones(1, dtype=torch.long), torch.rand(1, 5, 16), torch.rand(1, 3, 32, 32)), {})",
    ),
]


def _lucid(
    name: str, module: str, arguments: str, inputs: str = IMAGE, core: bool = False
) -> Architecture:
    return Architecture(
        "vit-pytorch",
        name,
        f"from vit_pytorch.{module} import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


_VIT = (
    "image_size=64, patch_size=16, num_classes=5, dim=32, depth=2, heads=2, mlp_dim=64"
)
VIT_PYTORCH = [
    _lucid("ViT", "vit", _VIT),
    _lucid("SimpleViT", "simple_vit", _VIT),
    _lucid("DeepViT", "deepvit", _VIT),
    _lucid("CaiT", "cait", f"{_VIT}, cls_depth=1"),
    _lucid(
        "CvT",
        "cvt",
        "num_classes=5, s1_emb_dim=16, s1_heads=1, s2_emb_dim=16, s2_heads=1, s2_depth=1, s3_emb_dim=16, s3_heads=1, s3_depth=1",
    ),
    _lucid(
        "LeViT",
        "levit",
        "image_size=64, num_classes=5, stages=2, dim=(16, 32), depth=1, heads=(2, 2), mlp_mult=2",
        IMAGES,
    ),
    _lucid(
        "NesT",
        "nest",
        "image_size=64, patch_size=4, num_classes=5, dim=16, heads=2, num_hierarchies=2, block_repeats=(1, 1)",
    ),
    _lucid(
        "T2TViT",
        "t2t",
        "image_size=64, num_classes=5, dim=32, depth=1, heads=2, mlp_dim=32, t2t_layers=((7, 4), (3, 2))",
    ),
    _lucid(
        "TwinsSVT",
        "twins_svt",
        "num_classes=5, s1_emb_dim=16, s1_patch_size=4, s1_local_patch_size=4, s2_emb_dim=16, s2_local_patch_size=4, s3_emb_dim=16, s3_local_patch_size=2, s3_depth=1, s4_emb_dim=16, s4_local_patch_size=2",
        "((torch.rand(1, 3, 256, 256),), {})",
    ),
    _lucid(
        "CrossFormer",
        "crossformer",
        "num_classes=5, dim=(32, 32, 64, 64), depth=(1, 1, 1, 1), global_window_size=(4, 4, 4, 2), local_window_size=(4, 4, 2, 1)",
        "((torch.rand(1, 3, 256, 256),), {})",
    ),
    _lucid(
        "MaxViT",
        "max_vit",
        "num_classes=5, dim=16, dim_conv_stem=16, depth=(1, 1), window_size=4, dim_head=8",
    ),
    _lucid(
        "MobileViT",
        "mobile_vit",
        "image_size=(64, 64), dims=[16, 24, 32], channels=[8, 8, 12, 12, 16, 16, 24, 24, 32, 32, 48], num_classes=5",
        IMAGES,
    ),
    _lucid(
        "RegionViT",
        "regionvit",
        "dim=(16, 16, 32, 32), depth=(1, 1, 1, 1), window_size=2, num_classes=5",
    ),
    _lucid(
        "ViT",
        "vit_3d",
        "image_size=32, image_patch_size=16, frames=4, frame_patch_size=2, num_classes=5, dim=32, depth=1, heads=2, mlp_dim=32",
        "((torch.rand(1, 3, 4, 32, 32),), {})",
    ),
    _lucid(
        "CCT",
        "cct",
        "img_size=64, embedding_dim=32, n_conv_layers=1, num_layers=1, num_heads=2, num_classes=5",
    ),
    _lucid(
        "ScalableViT",
        "scalable_vit",
        "num_classes=5, dim=16, heads=(1, 1), depth=(1, 1), ssa_dim_key=8, reduction_factor=(2, 1), window_size=(8, 4)",
    ),
]

_TOKENS = "num_tokens=100, max_seq_len=32"
X_TRANSFORMERS = [
    Architecture(
        "x-transformers",
        "Decoder",
        "from x_transformers import TransformerWrapper, Decoder",
        f"TransformerWrapper({_TOKENS}, attn_layers=Decoder(dim=32, depth=2, heads=2))",
        IDS,
        True,
    ),
    Architecture(
        "x-transformers",
        "Decoder rotary",
        "from x_transformers import TransformerWrapper, Decoder",
        f"TransformerWrapper({_TOKENS}, attn_layers=Decoder(dim=32, depth=2, heads=2, rotary_pos_emb=True, ff_glu=True))",
        IDS,
    ),
    Architecture(
        "x-transformers",
        "Encoder alibi",
        "from x_transformers import TransformerWrapper, Encoder",
        f"TransformerWrapper({_TOKENS}, attn_layers=Encoder(dim=32, depth=2, heads=2, alibi_pos_bias=True))",
        IDS,
    ),
    Architecture(
        "x-transformers",
        "Continuous",
        "from x_transformers import ContinuousTransformerWrapper, Encoder",
        "ContinuousTransformerWrapper(dim_in=8, dim_out=4, max_seq_len=32, attn_layers=Encoder(dim=32, depth=2, heads=2))",
        "((torch.rand(1, 10, 8),), {})",
    ),
    Architecture(
        "x-transformers",
        "ViTransformerWrapper",
        "from x_transformers import ViTransformerWrapper, Encoder",
        "ViTransformerWrapper(image_size=64, patch_size=16, num_classes=5, attn_layers=Encoder(dim=32, depth=2, heads=2))",
        IMAGE,
    ),
    Architecture(
        "x-transformers",
        "XTransformer",
        "from x_transformers import XTransformer",
        "XTransformer(dim=32, enc_num_tokens=50, enc_depth=1, enc_heads=2, enc_max_seq_len=16, dec_num_tokens=50, dec_depth=1, dec_heads=2, dec_max_seq_len=16)",
        "((torch.ones(1, 16, dtype=torch.long), torch.ones(1, 16, dtype=torch.long)), {})",
    ),
]


def _monai(name: str, arguments: str, inputs: str, core: bool = False) -> Architecture:
    return Architecture(
        "monai",
        name,
        f"from monai.networks.nets import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


_VOLUME = "((torch.rand(1, 1, 32, 32, 32),), {})"
_GREY = "((torch.rand(1, 1, 64, 64),), {})"
_GREYS = "((torch.rand(2, 1, 64, 64),), {})"
MONAI = [
    _monai(
        "UNet",
        "spatial_dims=2, in_channels=1, out_channels=2, channels=(4, 8, 16), strides=(2, 2)",
        _GREY,
        True,
    ),
    _monai(
        "BasicUNet",
        "spatial_dims=2, in_channels=1, out_channels=2, features=(4, 4, 8, 8, 16, 4)",
        _GREY,
    ),
    _monai(
        "DynUNet",
        "spatial_dims=2, in_channels=1, out_channels=2, kernel_size=[3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2]",
        _GREY,
    ),
    _monai(
        "SegResNet",
        "spatial_dims=3, init_filters=8, in_channels=1, out_channels=2",
        _VOLUME,
    ),
    _monai("VNet", "spatial_dims=2, in_channels=1, out_channels=2", _GREYS),
    _monai(
        "DenseNet",
        "spatial_dims=2, in_channels=1, out_channels=2, block_config=(2, 2), init_features=8, growth_rate=4",
        _GREYS,
    ),
    _monai("SEResNet50", "spatial_dims=2, in_channels=1, num_classes=2", _GREYS),
    _monai(
        "AutoEncoder",
        "spatial_dims=2, in_channels=1, out_channels=1, channels=(4, 8), strides=(2, 2)",
        _GREY,
    ),
    _monai(
        "VarAutoEncoder",
        "spatial_dims=2, in_shape=(1, 32, 32), out_channels=1, latent_size=4, channels=(4, 8), strides=(2, 2)",
        "((torch.rand(1, 1, 32, 32),), {})",
    ),
    _monai(
        "UNETR",
        "in_channels=1, out_channels=2, img_size=(32, 32, 32), feature_size=4, hidden_size=48, mlp_dim=64, num_heads=4",
        _VOLUME,
    ),
    _monai(
        "SwinUNETR",
        "in_channels=1, out_channels=2, feature_size=12, spatial_dims=2",
        _GREYS,
    ),
    _monai("HighResNet", "spatial_dims=2, in_channels=1, out_channels=2", _GREY),
    _monai(
        "AttentionUnet",
        "spatial_dims=2, in_channels=1, out_channels=2, channels=(4, 8, 16), strides=(2, 2)",
        _GREY,
    ),
    _monai(
        "ViT",
        "in_channels=1, img_size=(32, 32), patch_size=(16, 16), hidden_size=32, mlp_dim=32, num_layers=2, num_heads=2, spatial_dims=2, classification=True",
        "((torch.rand(1, 1, 32, 32),), {})",
    ),
    _monai(
        "FlexibleUNet",
        "in_channels=3, out_channels=2, backbone='efficientnet-b0'",
        IMAGES,
    ),
]


def _graph(
    name: str,
    arguments: str,
    inputs: str = "((torch.rand(5, 8), torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])), {})",
    core: bool = False,
) -> Architecture:
    return Architecture(
        "torch-geometric",
        name,
        f"from torch_geometric.nn import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


GEOMETRIC = [
    _graph("GCN", "8, 16, 2, 3", core=True),
    _graph("GAT", "8, 16, 2, 3", core=True),
    _graph("GIN", "8, 16, 2, 3"),
    _graph("GraphSAGE", "8, 16, 2, 3"),
    _graph("EdgeCNN", "8, 16, 2, 3"),
    _graph(
        "PNAConv",
        "8, 4, aggregators=['mean', 'max'], scalers=['identity'], deg=torch.tensor([1, 2, 1])",
    ),
    _graph("TransformerConv", "8, 4, heads=2"),
]


def _kornia(
    name: str, module: str, arguments: str, inputs: str, core: bool = False
) -> Architecture:
    return Architecture(
        "kornia",
        name,
        f"from {module} import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


KORNIA = [
    _kornia(
        "HardNet",
        "kornia.feature",
        "pretrained=False",
        "((torch.rand(2, 1, 32, 32),), {})",
        True,
    ),
    _kornia(
        "SOSNet",
        "kornia.feature",
        "pretrained=False",
        "((torch.rand(2, 1, 32, 32),), {})",
    ),
    _kornia(
        "TFeat",
        "kornia.feature",
        "pretrained=False",
        "((torch.rand(2, 1, 32, 32),), {})",
    ),
    _kornia(
        "HyNet",
        "kornia.feature",
        "pretrained=False",
        "((torch.rand(2, 1, 32, 32),), {})",
    ),
    _kornia("GaussianBlur2d", "kornia.filters", "(3, 3), (1.0, 1.0)", IMAGE),
    _kornia(
        "SSIMLoss",
        "kornia.losses",
        "5",
        "((torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)), {})",
        True,
    ),
]


def _torchvision(
    name: str,
    inputs: str = IMAGES,
    arguments: str = "weights=None",
    module: str = "torchvision.models",
    core: bool = False,
) -> Architecture:
    return Architecture(
        "torchvision",
        name,
        f"from {module} import {name}",
        f"{name}({arguments})",
        inputs,
        core,
    )


_SEG = "torchvision.models.segmentation"
TORCHVISION = [
    *(
        _torchvision(name)
        for name in (
            "resnet18",
            "mobilenet_v2",
            "mobilenet_v3_small",
            "shufflenet_v2_x0_5",
            "mnasnet0_5",
        )
    ),
    *(
        _torchvision(name)
        for name in (
            "efficientnet_b0",
            "regnet_y_400mf",
            "squeezenet1_1",
            "swin_t",
            "convnext_tiny",
        )
    ),
    _torchvision("googlenet", arguments="weights=None, init_weights=False"),
    _torchvision("densenet121"),
    _torchvision("alexnet", "((torch.rand(2, 3, 224, 224),), {})"),
    _torchvision("vit_b_16", "((torch.rand(1, 3, 224, 224),), {})"),
    _torchvision(
        "inception_v3",
        "((torch.rand(2, 3, 299, 299),), {})",
        "weights=None, init_weights=False",
    ),
    _torchvision(
        "lraspp_mobilenet_v3_large", IMAGES, "weights=None, weights_backbone=None", _SEG
    ),
    _torchvision(
        "deeplabv3_mobilenet_v3_large",
        IMAGES,
        "weights=None, weights_backbone=None",
        _SEG,
    ),
    _torchvision(
        "raft_small",
        "((torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128)), {})",
        "weights=None",
        "torchvision.models.optical_flow",
    ),
    _torchvision(
        "r3d_18",
        "((torch.rand(1, 3, 4, 32, 32),), {})",
        "weights=None",
        "torchvision.models.video",
    ),
]


def _timm(name: str, inputs: str = IMAGES, arguments: str = "") -> Architecture:
    return Architecture(
        "timm",
        name,
        "import timm",
        f"timm.create_model('{name}', pretrained=False{arguments})",
        inputs,
    )


TIMM = [
    *(
        _timm(name)
        for name in (
            "resnet10t",
            "mobilenetv3_small_050",
            "efficientnet_lite0",
            "ghostnet_050",
            "lcnet_035",
        )
    ),
    *(
        _timm(name)
        for name in (
            "convnext_atto",
            "regnetx_002",
            "hrnet_w18_small",
            "dla34",
            "repvgg_a0",
            "edgenext_xx_small",
        )
    ),
    *(
        _timm(name, arguments=", img_size=64")
        for name in ("vit_tiny_patch16_224", "deit_tiny_patch16_224", "mixer_s32_224")
    ),
    *(
        _timm(name)
        for name in (
            "poolformer_s12",
            "fastvit_t8",
            "tiny_vit_5m_224",
            "mobilevit_xxs",
            "xcit_nano_12_p16_224",
        )
    ),
]


def _pytorchcv(
    name: str, inputs: str = "((torch.rand(2, 3, 224, 224),), {})"
) -> Architecture:
    return Architecture(
        "pytorchcv",
        name,
        "from pytorchcv.model_provider import get_model",
        f"get_model('{name}', pretrained=False)",
        inputs,
    )


PYTORCHCV = [
    *(
        _pytorchcv(name)
        for name in (
            "resnet10",
            "preresnet10",
            "seresnet10",
            "shufflenet_g1_wd4",
            "menet108_8x1_g3",
        )
    ),
    *(
        _pytorchcv(name)
        for name in (
            "mobilenet_wd4",
            "fdmobilenet_wd4",
            "squeezenet_v1_0",
            "proxylessnas_cpu",
            "hardnet39ds",
        )
    ),
    *(_pytorchcv(name) for name in ("fishnet99", "dpn68", "darknet_ref", "vovnet27s")),
]

_SMP = "encoder_name='resnet18', encoder_weights=None, classes=2"
SMP = [
    Architecture(
        "segmentation-models-pytorch",
        name,
        "import segmentation_models_pytorch as smp",
        f"smp.{name}({_SMP})",
        IMAGES,
    )
    for name in (
        "Unet",
        "UnetPlusPlus",
        "FPN",
        "Linknet",
        "DeepLabV3Plus",
        "MAnet",
        "PSPNet",
    )
]

ARCHITECTURES: list[Architecture] = [
    *TRANSFORMERS,
    *DIFFUSERS,
    *VIT_PYTORCH,
    *X_TRANSFORMERS,
    *MONAI,
    *GEOMETRIC,
    *KORNIA,
    *TORCHVISION,
    *TIMM,
    *PYTORCHCV,
    *SMP,
]
