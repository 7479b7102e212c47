#include "io/hdf5_handle.h"

#include "io/one_line.h"

namespace evenkeel {
namespace {

herr_t keep_first(unsigned depth, const H5E_error2_t* error, void* reason) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

}  // namespace

void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::string hdf5_reason() {
  std::string reason;
  // Upward: from the innermost function, which knows what happened, to the one that was called.
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  return reason.empty() ? "the HDF5 library gives no reason" : one_line(reason);
}

}  // namespace evenkeel
