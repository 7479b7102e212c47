// A linear's packed tensors in memory, to be read back or damaged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "quantizers/packing.h"

namespace evenkeel::support {

class StoredParts : public PackedSource {
 public:
  StoredParts(const std::vector<TensorPlan>& plan, std::vector<PackedTensor> packed)
      : packed_(std::move(packed)) {
    for (std::size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(packed_[i].name, plan[i].name);
      EXPECT_EQ(packed_[i].bytes.size(), bytes_of(plan[i].dtype, plan[i].shape));
      tensors_.push_back({.name = plan[i].name,
                          .dtype = plan[i].dtype,
                          .shape = plan[i].shape,
                          .bytes = packed_[i].bytes,
                          .file_offset = 1000});
    }
    EXPECT_EQ(packed_.size(), plan.size());
  }
  // Tensors point into the bytes, which moving keeps where they are.
  StoredParts(const StoredParts&) = delete;
  StoredParts& operator=(const StoredParts&) = delete;
  StoredParts(StoredParts&&) = default;
  StoredParts& operator=(StoredParts&&) = default;
  ~StoredParts() override = default;

  const StoredTensor& at(std::string_view name) const override { return tensors_[position(name)]; }
  StoredTensor& tensor(std::string_view name) { return tensors_[position(name)]; }
  std::vector<std::byte>& bytes(std::string_view name) { return packed_[position(name)].bytes; }

 private:
  std::size_t position(std::string_view name) const {
    const auto found =
        std::ranges::find_if(tensors_, [&](const auto& tensor) { return tensor.name == name; });
    if (found == tensors_.end()) throw InputError("tensor '" + std::string(name) + "' is missing");
    return static_cast<std::size_t>(found - tensors_.begin());
  }

  std::vector<PackedTensor> packed_;
  std::vector<StoredTensor> tensors_;
};

/// `module` is "m".
inline StoredParts stored_parts(const QuantizedWeight& weight, const Scheme& scheme,
                                const ActivationQuantizer* input = nullptr) {
  return {packed_plan("m", weight.rows, weight.columns, scheme), pack("m", weight, scheme, input)};
}

}  // namespace evenkeel::support
