// Quantizers: all that is about bits. A scheme says how numbers are quantized; ranges become steps
// and zero points; kernels turn floats into codes and back; weights and activations are quantized
// by their scheme, and codes are packed as another program reads them. Knows io only.
//
//   Scheme scheme = *scheme_named("w8a8");
//   QuantizedWeight codes = quantize_weight(weight, scheme.weights);     // weight [out, in]
//   ActivationQuantizer(scheme.activations, observer.finish()).apply(x); // x [tokens, channels]
#pragma once

#include "quantizers/activation_quantizer.h"
#include "quantizers/affine.h"
#include "quantizers/codebook.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/data_types/code_book.h"
#include "quantizers/data_types/data_type.h"
#include "quantizers/data_types/quantile_values.h"
#include "quantizers/embedding_groups.h"
#include "quantizers/gemm.h"
#include "quantizers/gptq.h"
#include "quantizers/packing.h"
#include "quantizers/range_method.h"
#include "quantizers/range_observer.h"
#include "quantizers/range_quantizer.h"
#include "quantizers/scheme.h"
#include "quantizers/scheme_options.h"
#include "quantizers/weight_quantizer.h"
