"""Writes the K types of GGUF, which PyPI's `gguf` only reads. Layouts: ggml-common.h, block_q4_K,
block_q5_K and block_q6_K. Steps come from the extremes of each sub-block, not from a search: any
encoding serves a test of what is decoded, as long as the model stays near the original."""
import numpy as np

BLOCK = 256


def codes(values, steps):
    """values / steps, rounded; 0 where the step is."""
    return np.rint(np.divide(values, steps, out=np.zeros_like(values), where=steps != 0))


def halves(values):
    """[blocks, 1] as stored, and the float32 that this is read as."""
    stored = values.astype(np.float16)
    return stored.view(np.uint8), stored.astype(np.float32)


def packed_scales(steps, shifts):
    """Eight steps and eight shifts of 6 bits each in 12 bytes: the high bits of the last four of
    each are kept above the first four."""
    def first(six):
        return six[:, :4] | (six[:, 4:] >> 4) << 6

    return np.hstack([first(steps), first(shifts), steps[:, 4:] & 15 | (shifts[:, 4:] & 15) << 4])


def with_shifts(rows, bits):
    """Q4_K and Q5_K: value = d * step * code - dmin * shift, by sub-blocks of 32."""
    values = rows.reshape(-1, 8, 32)
    lowest = np.maximum(-values.min(axis=2), 0)
    steps = (np.maximum(values.max(axis=2), 0) + lowest) / (2**bits - 1)
    stored_d, d = halves(steps.max(axis=1, keepdims=True) / 63)
    stored_dmin, dmin = halves(lowest.max(axis=1, keepdims=True) / 63)
    step_codes = np.clip(codes(steps, d), 0, 63)
    shift_codes = np.clip(codes(lowest, dmin), 0, 63)
    shifted = values + (dmin * shift_codes)[..., None]
    code = np.clip(codes(shifted, (d * step_codes)[..., None]), 0, 2**bits - 1).astype(np.uint8)
    scales = packed_scales(step_codes.astype(np.uint8), shift_codes.astype(np.uint8))
    low = code.reshape(-1, 4, 2, 32) & 15
    parts = [stored_d, stored_dmin, scales, (low[:, :, 0] | low[:, :, 1] << 4).reshape(-1, 128)]
    if bits == 5:
        sub_block = np.arange(8, dtype=np.uint8)[:, None]
        parts.insert(3, np.bitwise_or.reduce((code >> 4) << sub_block, axis=1))
    return np.hstack(parts)


def signed_extreme(values):
    """The value of the largest magnitude along the last axis, which stays."""
    at = np.abs(values).argmax(axis=-1, keepdims=True)
    return np.take_along_axis(values, at, axis=-1)


def signed(rows):
    """Q6_K: value = d * step * code, by sub-blocks of 16. The extreme gets the lowest code, as in
    ggml, so that steps of either sign occur."""
    values = rows.reshape(-1, 16, 16)
    steps = signed_extreme(values)[..., 0] / -32
    stored_d, d = halves(signed_extreme(steps) / -128)
    step_codes = np.clip(codes(steps, d), -128, 127)
    code = np.clip(codes(values, (d * step_codes)[..., None]), -32, 31)
    code = (code + 32).astype(np.uint8)
    low = code.reshape(-1, 2, 2, 64) & 15
    pair = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    high = np.bitwise_or.reduce((code.reshape(-1, 2, 4, 32) >> 4) << pair, axis=2)
    return np.hstack([(low[:, :, 0] | low[:, :, 1] << 4).reshape(-1, 128), high.reshape(-1, 64),
                      step_codes.astype(np.int8).view(np.uint8), stored_d])


ENCODERS = {
    "Q4_K": lambda rows: with_shifts(rows, 4),
    "Q5_K": lambda rows: with_shifts(rows, 5),
    "Q6_K": signed,
}


def encoded(values, name):
    """The bytes of float32 `values`, whose rows are multiples of BLOCK, in the type `name`."""
    return ENCODERS[name](values).reshape(*values.shape[:-1], -1)
