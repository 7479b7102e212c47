// What a job says of its quantized/ to those who read it elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/architecture.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Why OUTPUT/quantized cannot hold the weights of some linear that the scheme quantizes, which it
/// names; nothing when it can.
std::optional<std::string> packing_fault(const Architecture& architecture, const Scheme& scheme);

/// One line for each thing that the layout has no place for, or that transformers does not read
/// (release 5.23, as tests/golden/loading_test.py finds it). Empty when there is none.
/// REQUIRES: no packing_fault.
std::vector<std::string> layout_notes(const Architecture& architecture, const Scheme& scheme);

}  // namespace evenkeel
