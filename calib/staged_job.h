// A job's staging folder as something to continue: whose it is, and what it has beside the blocks.
#pragma once

#include <optional>
#include <vector>

#include "calib/fingerprint.h"
#include "calib/output_folder.h"
#include "calib/text_score.h"

namespace evenkeel {

/// What an earlier attempt at a job left in its staging folder.
enum class Earlier {
  nothing,
  parts,  // finished ones, and perhaps more
  all     // only moving it into place was left to do, which is done now
};

/// Makes sure that what is staged is of this very job, and says so in job.json when nothing is
/// staged yet. What an earlier job left without a finished part, a block or a row (`has_finished`
/// says whether there is one), is discarded; with `restart` whatever it left (but the moving into
/// place that it began is ended, so that outputs belong together). REQUIRES: `folder` keeps its
/// staging folder. Throws: as require_same; InputError when job.json is damaged; MachineError.
Earlier continue_job(OutputFolder& folder, const Fingerprint& fingerprint, bool restart,
                     bool has_finished);

/// Keeps the figures of the model as it is stored. Throws: MachineError.
void keep_scores(const OutputFolder& folder, const std::vector<TextScore>& scores);
/// Those kept for these texts; nothing when there are none, or they are damaged.
std::optional<std::vector<TextScore>> kept_scores(const OutputFolder& folder,
                                                  const std::vector<EvaluationText>& texts);

}  // namespace evenkeel
