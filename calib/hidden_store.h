// Hidden states by window: the first ones in memory, those beyond the limit in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "calib/hidden_memory.h"
#include "io/matrix.h"

namespace evenkeel {

/// One matrix [rows, columns] a window; windows may differ in rows. What a window holds does not
/// depend on where it is. Calls for different windows may run in parallel; ask for windows in
/// ascending order, as the next ones are read from the file while those in hand are worked on.
class HiddenStore {
 public:
  HiddenStore() = default;
  /// The windows up to the first that `memory` has no room for stay there; all of them when it is
  /// null. It must outlive this. Throws: MachineError as SpillFile.
  HiddenStore(std::vector<Index> rows, Index columns, HiddenMemory* memory);
  HiddenStore(HiddenStore&& other) noexcept { swap(other); }
  HiddenStore& operator=(HiddenStore&& other) noexcept {
    swap(other);
    return *this;
  }
  ~HiddenStore();

  std::size_t size() const { return rows_.size(); }
  /// For the first `count` windows, with as many rows, under the same limit.
  HiddenStore beside(std::size_t count, Index columns) const;
  /// How many windows are in memory.
  std::size_t resident() const { return states_.size(); }

  // Each throws MachineError as SpillFile.
  /// A copy. REQUIRES: the window was stored.
  Matrix load(std::size_t window) const;
  /// REQUIRES: the window's shape.
  void store(std::size_t window, Matrix state);
  /// `change` must keep the shape; when it throws, a window in the file stays as it was.
  void change(std::size_t window, const std::function<void(Matrix&)>& change);

 private:
  bool spilled(std::size_t window) const { return window >= states_.size(); }
  Matrix read(std::size_t window) const;
  void write(std::size_t window, const Matrix& state);
  void expect_after(std::size_t window) const;
  void swap(HiddenStore& other) noexcept;

  std::vector<Index> rows_;  // of each window
  Index columns_ = 0;
  std::vector<Matrix> states_;          // of those in memory
  std::vector<std::uint64_t> offsets_;  // in the file, of the others
  HiddenMemory* memory_ = nullptr;
  std::uint64_t memory_bytes_ = 0;   // taken of it
  std::uint64_t spilled_bytes_ = 0;  // of its file
};

}  // namespace evenkeel
