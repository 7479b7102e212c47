#include "calib/kept_columns.h"

#include <fmt/format.h>

#include "calib/scheme_places.h"
#include "io/errors.h"
#include "model/proxy_columns.h"
#include "quantizers/data_types/book_weight.h"

namespace evenkeel {

KeptColumns proxies_of(const Checkpoint& checkpoint, const Architecture& architecture) {
  return [&](Index number, const StoredLinear& stored, Index count) {
    return proxy_columns(checkpoint, architecture, number, stored, count);
  };
}

QuantizedWeight quantize_linear(const Matrix& weight, const Scheme& scheme, Index number,
                                const StoredLinear& stored, const KeptColumns& kept) {
  const TensorScheme own = scheme_of_linear(scheme, number, stored).weights;
  const Index count = kept_columns(own, stored.columns);
  try {
    return quantize_weight(weight, own,
                           count == 0 ? std::vector<Index>{} : kept(number, stored, count));
  } catch (const InputError& error) {
    throw InputError(fmt::format("'{}.weight': {}", stored.module, error.what()));
  }
}

}  // namespace evenkeel
