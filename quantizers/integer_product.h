// Exact products of codes of eight bits (oneDNN's u8 x s8 -> s32 on the instructions that the
// machine has: AMX, VNNI). Like gemm.h, each call runs on the calling thread alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/matrix.h"

namespace evenkeel {

/// Longest rows that codes may have: 255 * 128 * depth < 2^31, so that no sum overflows.
inline constexpr Index longest_code_rows = 65536;

/// Whether the machine's u8 x s8 product is exact: probed once with pairs of 255 x 127. Where it
/// is not, products of codes are slower than those of floats.
bool integer_product_is_exact();

/// A weight's codes [columns, depth], laid out once for products with many activations.
/// Thread-safe after construction.
class PackedCodes {
 public:
  /// `codes` row-major without gaps. `fast`: products by the machine's instructions, and by a
  /// scalar loop otherwise, so that products are exact everywhere.
  /// REQUIRES: depth <= longest_code_rows, sizes agree. Throws: MachineError when oneDNN refuses.
  PackedCodes(std::span<const std::int8_t> codes, Index columns, Index depth,
              bool fast = integer_product_is_exact());
  PackedCodes(PackedCodes&& other) noexcept;
  PackedCodes& operator=(PackedCodes&& other) noexcept;
  ~PackedCodes();

  Index columns() const { return columns_; }
  Index depth() const { return depth_; }

  /// out[i, j] = sum over k of x[i, k] * codes[j, k], exactly: x [rows, depth], out
  /// [rows, columns], both row-major without gaps.
  /// REQUIRES: sizes agree. Throws: MachineError when oneDNN refuses.
  void multiply(std::span<const std::uint8_t> x, Index rows, std::span<std::int32_t> out) const;

 private:
  struct Layout;
  Index columns_;
  Index depth_;
  std::unique_ptr<Layout> layout_;
};

// The scalar path, and what tests compare with.
namespace reference {
/// x [rows, depth], w [columns, depth], out [rows, columns].
void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out);
}  // namespace reference

}  // namespace evenkeel
