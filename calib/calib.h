// calib: the order in which things happen. A job file becomes a Job; the runner streams the
// calibration text through the model block by block, observes, transforms, folds, quantizes and
// writes; compare runs rows of settings, scaling sets what they lose against the bits that they
// take; evaluate, verify and inspect look at what there is. Knows every room below; the command in
// apps/ is a thin layer over it.
#pragma once

#include "calib/calibration.h"
#include "calib/compare/compare.h"
#include "calib/evaluate.h"
#include "calib/inspect.h"
#include "calib/job.h"
#include "calib/progress.h"
#include "calib/progress_log.h"
#include "calib/record.h"
#include "calib/runner.h"
#include "calib/scaling/scaling.h"
#include "calib/text_score.h"
#include "calib/verify.h"
