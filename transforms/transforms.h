// transforms: the choice of shift and scale. Sites say where they can move, a method chooses them
// by the error of a quantized output, fold writes them into the parameters.
// Knows model/, quantizers/ and io/; nothing of jobs, files or the order in which blocks come.
//
// A pipeline that brings its own matrices needs os_plus.h (or smoothquant.h), fold.h and
// quantizers/weight_quantizer.h; see apps/examples/own_pipeline.cpp.
#pragma once

#include "transforms/awq.h"
#include "transforms/channel_extrema.h"
#include "transforms/channel_transform.h"
#include "transforms/fold.h"
#include "transforms/grid_search.h"
#include "transforms/options.h"
#include "transforms/os_plus.h"
#include "transforms/outlier_suppression.h"
#include "transforms/site.h"
#include "transforms/site_scorer.h"
#include "transforms/site_transform.h"
#include "transforms/smoothquant.h"
#include "transforms/threshold_grid.h"
