#include "calib/hidden_store.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "calib/ordered_parallel.h"

namespace evenkeel {
namespace {

std::uint64_t bytes_of(Index rows, Index columns) {
  return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * sizeof(float);
}

}  // namespace

HiddenStore::HiddenStore(std::vector<Index> rows, Index columns, HiddenMemory* memory)
    : rows_(std::move(rows)), columns_(columns), memory_(memory) {
  std::size_t resident = 0;
  for (; resident < rows_.size(); ++resident) {
    const std::uint64_t bytes = bytes_of(rows_[resident], columns_);
    if (memory_ != nullptr && !memory_->take(bytes)) break;
    memory_bytes_ += bytes;
  }
  states_.resize(resident);
  for (std::size_t window = resident; window < rows_.size(); ++window) {
    offsets_.push_back(spilled_bytes_);
    spilled_bytes_ += bytes_of(rows_[window], columns_);
  }
  if (spilled_bytes_ == 0) return;
  std::uint64_t begin = 0;
  try {
    begin = memory_->spill(spilled_bytes_);
  } catch (...) {
    memory_->give_back(memory_bytes_, 0);
    throw;
  }
  for (std::uint64_t& offset : offsets_) offset += begin;
}

HiddenStore::~HiddenStore() {
  if (memory_ != nullptr) memory_->give_back(memory_bytes_, spilled_bytes_);
}

HiddenStore HiddenStore::beside(std::size_t count, Index columns) const {
  return {{rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(count)}, columns, memory_};
}

void HiddenStore::swap(HiddenStore& other) noexcept {
  std::swap(rows_, other.rows_);
  std::swap(columns_, other.columns_);
  std::swap(states_, other.states_);
  std::swap(offsets_, other.offsets_);
  std::swap(memory_, other.memory_);
  std::swap(memory_bytes_, other.memory_bytes_);
  std::swap(spilled_bytes_, other.spilled_bytes_);
}

Matrix HiddenStore::load(std::size_t window) const {
  expect_after(window);
  return spilled(window) ? read(window) : states_[window];
}

void HiddenStore::store(std::size_t window, Matrix state) {
  assert(state.rows() == rows_[window] && state.cols() == columns_);
  if (spilled(window)) {
    write(window, state);
  } else {
    states_[window] = std::move(state);
  }
}

void HiddenStore::change(std::size_t window, const std::function<void(Matrix&)>& change) {
  expect_after(window);
  if (!spilled(window)) {
    change(states_[window]);
    return;
  }
  Matrix state = read(window);
  change(state);
  write(window, state);
}

Matrix HiddenStore::read(std::size_t window) const {
  Matrix state(rows_[window], columns_);
  memory_->file().read_at(
      offsets_[window - states_.size()],
      std::as_writable_bytes(std::span(state.data(), static_cast<std::size_t>(state.size()))));
  return state;
}

void HiddenStore::write(std::size_t window, const Matrix& state) {
  assert(state.rows() == rows_[window] && state.cols() == columns_);
  memory_->file().write_at(
      offsets_[window - states_.size()],
      std::as_bytes(std::span(state.data(), static_cast<std::size_t>(state.size()))));
}

// The window that will be asked for when those that wait before it are done; after the last one, of
// the next pass.
void HiddenStore::expect_after(std::size_t window) const {
  if (offsets_.empty()) return;
  const std::size_t next = (window + windows_in_flight()) % size();
  if (!spilled(next)) return;
  memory_->file().will_read(offsets_[next - states_.size()], bytes_of(rows_[next], columns_));
}

}  // namespace evenkeel
