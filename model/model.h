// model: the meaning of a layer. A declarative description of each family, the forward of one
// block over one sample with a tap at every node, and what stands before and after the blocks.
// Knows quantizers/ (products, fake quantization) and io/; nothing of calibration.
#pragma once

#include "model/architecture.h"
#include "model/attention.h"
#include "model/block.h"
#include "model/forward.h"
#include "model/language_model.h"
#include "model/likelihood.h"
#include "model/node.h"
#include "model/ops.h"
#include "model/quantizing_tap.h"
#include "model/tap.h"
