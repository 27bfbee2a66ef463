"""Questions about a tensor: its shape and other facts, or its values."""

from __future__ import annotations

from shapelint.ops.record import Asks, Family, Op


def _fact(name: str, mixes_devices: bool = False) -> Op:
    return Op(name, family=Family.QUESTION, asks=Asks.FACT, mixes_devices=mixes_devices)


def _value(name: str, mixes_devices: bool = False) -> Op:
    return Op(
        name, family=Family.QUESTION, asks=Asks.VALUE, mixes_devices=mixes_devices
    )


def _comparison(name: str) -> Op:
    return Op(name, family=Family.QUESTION, asks=Asks.COMPARISON)


OPS = (
    # values, which a walk without data must answer by stand-ins
    _value("item", mixes_devices=True),
    _value("tolist", mixes_devices=True),
    _value("numpy", mixes_devices=True),
    _value("array"),
    _value("index", mixes_devices=True),
    _comparison("contains"),
    _comparison("equal"),
    _comparison("allclose"),
    _value("is_nonzero"),
    # sizes
    _fact("shape"),
    _fact("size"),
    _fact("dim"),
    _fact("ndim"),
    _fact("numel"),
    _fact("nelement"),
    _fact("len"),
    # how and where it is kept
    _fact("dtype"),
    _fact("device"),
    _fact("get_device"),
    _fact("layout"),
    _fact("stride"),
    _fact("storage_offset"),
    _fact("untyped_storage"),
    _fact("data_ptr"),
    _fact("element_size"),
    _fact("itemsize"),
    # what kind of tensor it is
    _fact("names"),
    _fact("is_tensor"),
    _fact("is_contiguous"),
    _fact("is_floating_point"),
    _fact("is_complex"),
    _fact("is_cuda"),
    _fact("is_sparse"),
    _fact("is_quantized"),
    _fact("is_meta"),
    _fact("is_nested"),
    _fact("is_mkldnn"),
    _fact("is_leaf"),
    _fact("is_inference"),
    # gradients; the setter of `requires_grad` comes by the same name
    _fact("requires_grad", mixes_devices=True),
    _fact("retain_grad"),
    _fact("register_hook"),
    _fact("grad"),
    _fact("grad_fn"),
    _fact("_set_grad_enabled"),
    _fact("_version"),
    _fact("_is_view"),
    _fact("_backward_hooks"),
    # Python's own protocols
    _fact("hash"),
    _fact("repr"),
    _fact("format"),
    _fact("iter"),
    _fact("set", mixes_devices=True),
    Op("isinstance", family=Family.QUESTION, mixes_devices=True),
    Op("getattr", family=Family.QUESTION, is_layout=True),
    Op("data", family=Family.CASTING, is_layout=True, mixes_devices=True),
    # lengths stay on the CPU on purpose
    Op("pack_padded_sequence", family=Family.QUESTION, mixes_devices=True),
    Op("_pack_padded_sequence", family=Family.QUESTION, mixes_devices=True),
    Op("_pad_packed_sequence", family=Family.QUESTION, mixes_devices=True),
    Op("_pad_packed", family=Family.QUESTION, mixes_devices=True),
)
