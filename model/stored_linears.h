// How a checkpoint stores the linears of a block: most as they are, query, key and value of some
// families fused in one tensor.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/matrix.h"
#include "model/architecture.h"
#include "model/block.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// A linear of a block within a stored one: row i of its weight is row `rows[i]` of the stored.
struct StoredPart {
  LinearPlace place;
  std::vector<Index> rows;  // empty: the whole, in order
};

/// What has one name in the checkpoint, [rows, columns] whatever the order of its dimensions there.
struct StoredLinear {
  std::string module;
  Index rows = 0;
  Index columns = 0;
  bool bias = false;
  bool produced = true;  // its inputs come from a linear of the blocks (model/proxy_columns.h)
  std::vector<StoredPart> parts;  // in the order of the roles; together they are all rows

  LinearRole role() const { return parts.front().place.role; }
  /// Whether the linear at one of these places is part of it.
  bool holds_any(std::span<const LinearPlace> places) const;
};

/// The stored linears of a block, in the order of `Architecture::linear_places`.
std::vector<StoredLinear> stored_linears(const Architecture& architecture, Index number);

/// The parts' weights (biases) put together as they are stored.
Matrix joined_weight(const StoredLinear& stored, const Block& block);
/// The same, without a copy of what is stored as the block has it: then the block's own weight,
/// else `room`.
const Matrix& joined_weight(const StoredLinear& stored, const Block& block, Matrix& room);
Vector joined_bias(const StoredLinear& stored, const Block& block);
/// The inverse: gives each part of `block` its rows, and no codes.
void split_weight(const StoredLinear& stored, Matrix weight, Block& block);
/// The codes of each part that the weight is split into; none where products of codes are not
/// possible.
struct PartCodes {
  LinearPlace place;
  std::shared_ptr<const IntegerLinear> codes;
};
std::vector<PartCodes> split_codes(const StoredLinear& stored, const QuantizedWeight& weight);
/// Gives them to the parts of `block`.
void give_codes(const std::vector<PartCodes>& parts, Block& block);
/// The inverse for a quantized weight: what its codes mean, and the codes.
void split_weight(const StoredLinear& stored, const QuantizedWeight& weight, Block& block);
void split_bias(const StoredLinear& stored, const Vector& bias, Block& block);

}  // namespace evenkeel
