"""Jobs, and what they leave as transformers and compressed-tensors load it, for the tests here."""
import json
import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
QUICKSTART = SOURCE / "configs" / "quickstart"
SHARED = SOURCE.parent / "shared"
COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
# Nodes that are no linear's input.
LINEARS_ALONE = {f"attention.{node}": {"bits": 16}
                 for node in ("query", "key", "value", "probabilities")}


def why_not():
    """What is missing for these tests, or nothing."""
    try:
        import compressed_tensors  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as missing:
        return ("needs the PyPI packages torch, transformers and compressed-tensors, too large for "
                f"tests/requirements.txt ({missing})")
    if not os.access(COMMAND, os.X_OK):
        return "needs EVENKEEL_CALIBRATE to name the built command"
    return None


def calibrate(*arguments):
    """The command's document. Raises AssertionError with what it says when it fails."""
    done = subprocess.run([COMMAND, *map(str, arguments), "--json"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def run_job(folder, scheme, model=QUICKSTART / "opt-3m-outlier", ids=None, transform="none",
            samples=2, length=32, **options):
    """Runs a job on the quickstart's text, or on a file of token ids; its output folder."""
    job = {
        "model": str(model),
        "calibration": {"corpus": str(ids or QUICKSTART / "calibration.txt"), "samples": samples,
                        "sequence_length": length},
        "transform": {"method": transform, **options},
        "scheme": scheme,
        "output": str(folder / "out"),
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps(job, indent=1))
    calibrate("run", path)
    return folder / "out"


def tensors_of(folder):
    from safetensors.torch import load_file

    tensors = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(shard))
    return tensors


def load(folder, dequantize=False):
    """The checkpoint as transformers runs it, in float32, every tensor in its place."""
    import transformers

    transformers.logging.set_verbosity_error()
    settings = {}
    if dequantize:
        settings["quantization_config"] = transformers.CompressedTensorsConfig(dequantize=True)
    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    model, report = getattr(transformers, kind).from_pretrained(
        folder, dtype="float32", attn_implementation="eager", output_loading_info=True, **settings)
    astray = {what: sorted(names) for what, names in report.items() if names}
    if astray:
        raise AssertionError(astray)
    return model.eval()


def difference(folder, model, inputs):
    """How far the logits of `model`, which transformers runs, lie from ours of the checkpoint in
    `folder`: {"largest", "scale", "relative", ...}."""
    import torch
    from safetensors.torch import save_file

    with torch.no_grad():
        logits = model(**inputs).logits
    theirs = folder.parent / "theirs.safetensors"
    save_file({**inputs, "logits": logits.contiguous()}, theirs)
    result = calibrate("verify", folder, "--against", theirs, "--tolerance", "1e30")
    return result["tensors"][0]
