// OPT (Zhang et al. 2022), pre-LayerNorm.
#pragma once

#include "model/architecture.h"

namespace evenkeel {

const Family& opt_family();

}  // namespace evenkeel
