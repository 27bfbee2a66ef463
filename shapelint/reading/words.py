"""Names that methods, functions and models of training code go by."""

GIVES_ITSELF = {
    *(
        "to",
        "cuda",
        "cpu",
        "half",
        "float",
        "double",
        "bfloat16",
        "requires_grad_",
        "apply",
        "type",
        "share_memory",
    ),
    *("to_empty", "compile", "xpu", "mps", "ipu"),
}
NO_FORWARD = {
    *(
        "parameters",
        "named_parameters",
        "state_dict",
        "children",
        "named_children",
        "modules",
        "named_modules",
    ),
    *(
        "buffers",
        "named_buffers",
        "add_module",
        "register_buffer",
        "register_forward_hook",
        "save_pretrained",
    ),
    *(
        "get_submodule",
        "extra_repr",
        "register_full_backward_hook",
        "gradient_checkpointing_enable",
        "no_sync",
    ),
}
MEASURES = {
    "argmax",
    "max",
    "topk",
    "item",
    "tolist",
    "numpy",
    "eq",
    "argsort",
    "round",
    "detach",
    "data",
}
COMPUTES = {
    *(
        "forward",
        "call",
        "predict",
        "prediction",
        "predictions",
        "proba",
        "logits",
        "score",
        "scores",
        "generate",
    ),
    *(
        "sample",
        "encode",
        "decode",
        "embed",
        "extract",
        "infer",
        "inference",
        "transform",
        "reconstruct",
        "classify",
    ),
    *(
        "translate",
        "transcribe",
        "caption",
        "detect",
        "segment",
        "beam",
        "search",
        "run",
        "evaluate",
        "act",
        "compute",
    ),
    *("likelihood", "posterior", "loss", "elbo", "energy", "prob", "nll", "similarity"),
}
"""Words in the names of methods of a model that compute with it."""

PARTS = {
    *(
        "encoder",
        "decoder",
        "embedding",
        "embeddings",
        "extractor",
        "feature",
        "features",
        "classifier",
        "head",
    ),
    *(
        "backbone",
        "layer",
        "layers",
        "net",
        "network",
        "model",
        "attention",
        "fc",
        "mlp",
        "conv",
        "generator",
        "stem",
    ),
}
"""Words in the names of parts of a model."""

PROVES = {
    *(
        "eval",
        "train",
        "parameters",
        "named_parameters",
        "state_dict",
        "load_state_dict",
        "to",
        "cuda",
        "half",
    ),
    *("modules", "named_modules", "children", "zero_grad", "requires_grad_", "buffers"),
}
"""Methods that modules have, and few things else."""

DATA = {
    "loader",
    "dataloader",
    "dataset",
    "data",
    "datasets",
    "loaders",
    "batch",
    "batches",
    "epochs",
    "corpus",
}
"""Words in the names of what a framework's own `train` is given."""

TRAINING_WORDS = {
    "backward",
    "optimize",
    "update",
    "backprop",
    "step",
    "adapt",
    "minimize",
}
OPTIMIZER_WORDS = {"optimizer", "optim", "opt", "optimiser", "optimizers"}
MODEL_WORDS = {
    *(
        "model",
        "net",
        "network",
        "classifier",
        "encoder",
        "decoder",
        "generator",
        "discriminator",
        "backbone",
        "unet",
    ),
    *(
        "resnet",
        "cnn",
        "mlp",
        "gan",
        "vae",
        "transformer",
        "detector",
        "critic",
        "actor",
        "policy",
        "student",
        "teacher",
    ),
}
"""Words in the names that models go by."""

WRAPPERS = {
    *(
        "DataParallel",
        "DistributedDataParallel",
        "DDP",
        "FullyShardedDataParallel",
        "FSDP",
        "compile",
        "script",
    ),
    *("convert_sync_batchnorm", "prepare", "initialize", "setup", "setup_module"),
}
LOOKS_ONLY = {
    *(
        "print",
        "len",
        "isinstance",
        "type",
        "id",
        "hasattr",
        "getattr",
        "setattr",
        "next",
        "iter",
        "sum",
        "list",
        "tuple",
    ),
    *(
        "save",
        "summary",
        "watch",
        "add_graph",
        "count_parameters",
        "info",
        "debug",
        "repr",
        "str",
        "named_children",
    ),
    *(
        "enumerate",
        "zip",
        "tqdm",
        "sorted",
        "set",
        "dict",
        "format",
        "range",
        "append",
        "log",
        "deepcopy",
        "copy",
    ),
}
ENDS_THE_PROCESS = {"sys.exit", "os._exit", "os.abort", "exit", "quit"}
"""Functions that do not come back."""
