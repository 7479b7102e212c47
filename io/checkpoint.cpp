#include "io/checkpoint.h"

#include <cassert>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/floats.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

// One tensor being decoded: where it is, for messages.
struct Source {
  const TensorFile& file;
  const StoredTensor& tensor;

  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(
        fmt::format("{}: tensor {}: {}", file.path().string(), in_quotes(tensor.name), what));
  }

  void require(const std::vector<std::int64_t>& shape) const {
    if (tensor.shape != shape) {
      fail(
          fmt::format("expected shape {} (from config.json), got {}; config.json and weights do "
                      "not belong together",
                      shape_text(shape), tensor.shape_text()));
    }
    if (!is_weight(tensor.dtype)) {
      fail(fmt::format("expected dtype F32, F16 or BF16, got {}; export the model in one of these",
                       name_of(tensor.dtype)));
    }
  }

  // Elements [first, first + out.size()).
  void decode(Index first, std::span<float> out) const {
    evenkeel::decode(tensor, first, out);
    if (const auto bad = first_not_finite(out)) {
      refuse(first + static_cast<Index>(*bad), out[*bad]);
    }
  }

  [[noreturn]] void refuse(Index element, float value) const {
    const auto position = static_cast<std::uint64_t>(element);
    fail(
        fmt::format("{} (byte {} of the file) is {}; no range can be found with such a weight, "
                    "download or export it again",
                    element_text(tensor.shape, position), file_position(tensor, element),
                    std::isnan(value) ? "NaN" : "infinite"));
  }
};

std::span<float> elements_of(Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& path)
    : Checkpoint(path, open_checkpoint_store(path)) {}

Checkpoint::Checkpoint(std::filesystem::path path, std::unique_ptr<const CheckpointStore> store)
    : folder_(std::move(path)),
      store_(std::move(store)),
      config_(store_->config()),
      shards_(store_->shards()) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    for (const StoredTensor& tensor : shards_[i].tensors()) {
      tensors_.emplace(tensor.name, std::pair(i, &tensor));
    }
  }
}

std::int64_t Checkpoint::parameters() const {
  std::int64_t count = 0;
  for (const auto& [name, place] : tensors_) {
    if (is_weight(place.second->dtype)) count += place.second->elements();
  }
  return count;
}

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : found->second.second;
}

const StoredTensor& Checkpoint::at(std::string_view name) const { return *place(name).second; }

const Checkpoint::Place& Checkpoint::place(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw InputError(fmt::format("{}: tensor {} is missing", folder_.string(), in_quotes(name)));
}

Matrix Checkpoint::matrix(std::string_view name, Index rows, Index columns) const {
  return row_range(name, rows, columns, 0, rows);
}

Vector Checkpoint::vector(std::string_view name, Index size) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({size});
  Vector values(size);
  source.decode(0, {values.data(), static_cast<std::size_t>(size)});
  return values;
}

Matrix Checkpoint::gather(std::string_view name, Index rows, Index columns,
                          std::span<const TokenId> ids) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({rows, columns});
  Matrix values(static_cast<Index>(ids.size()), columns);
  std::span<float> rest = elements_of(values);
  for (const TokenId id : ids) {
    assert(id >= 0 && id < rows);
    const auto width = static_cast<std::size_t>(columns);
    source.decode(id * columns, rest.first(width));
    rest = rest.subspan(width);
  }
  return values;
}

Matrix Checkpoint::row_range(std::string_view name, Index rows, Index columns, Index first,
                             Index count) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({rows, columns});
  assert(first >= 0 && count >= 0 && first <= rows && count <= rows - first);
  Matrix values(count, columns);
  source.decode(first * columns, elements_of(values));
  return values;
}

void Checkpoint::release(std::string_view name) const {
  const auto& [shard, tensor] = place(name);
  shards_[shard].release(*tensor);
}

}  // namespace evenkeel
