#include "io/checkpoint_writer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/content_hash.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/floats.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

void make_folder(const std::filesystem::path& folder, Leftovers leftovers) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const bool empty =
      !error && (leftovers == Leftovers::keep || std::filesystem::is_empty(folder, error));
  if (error) {
    throw MachineError(fmt::format("{}: cannot be made: {}; choose another output folder",
                                   folder.string(), error.message()));
  }
  if (!empty) {
    throw MachineError(fmt::format("{}: is not empty; remove it or choose another output folder",
                                   folder.string()));
  }
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& document) {
  // As Python's json.dump(..., indent=2) writes it, so that an unchanged file stays the same.
  write_text(path,
             document.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

// What a writer has written so far.
class UnfinishedStore final : public CheckpointStore {
 public:
  UnfinishedStore(const JsonReader& config, std::vector<std::filesystem::path> files)
      : config_(config), files_(std::move(files)) {}

  JsonReader config() const override { return config_; }
  std::vector<TensorFile> shards() const override {
    std::vector<TensorFile> shards;
    for (const auto& file : files_) shards.push_back(SafetensorsFile(file));
    return shards;
  }
  std::optional<JsonReader> index() const override { return std::nullopt; }
  Tokenizer tokenizer() const override {
    throw InputError(fmt::format("{}: has no tokenizer yet", config_.path().string()));
  }
  void write_companions(const std::filesystem::path& /*folder*/) const override {}
  std::vector<std::filesystem::path> files() const override { return files_; }

 private:
  JsonReader config_;
  std::vector<std::filesystem::path> files_;
};

std::string_view meaning_of_dtype_fault(DType dtype) {
  return dtype == DType::F16 ? "beyond the largest F16, 65504; convert the model to BF16 or F32"
                             : "beyond the largest BF16; convert the model to F32";
}

}  // namespace

CheckpointWriter::CheckpointWriter(const Checkpoint& source, std::filesystem::path folder)
    : CheckpointWriter(source, std::move(folder), [](const StoredTensor& tensor) {
        return std::vector{TensorPlan{tensor.name, tensor.dtype, tensor.shape}};
      }) {}

CheckpointWriter::CheckpointWriter(const Checkpoint& source, std::filesystem::path folder,
                                   const Layout& layout, Leftovers leftovers)
    : source_(source), folder_(std::move(folder)) {
  make_folder(folder_, leftovers);
  source.store().write_companions(folder_);
  std::set<std::string, std::less<>> names;
  for (const TensorFile& shard : source.shards()) {
    std::vector<TensorPlan> plan;
    for (const StoredTensor& tensor : shard.tensors()) {
      for (TensorPlan& planned : layout(tensor)) {
        if (!names.insert(planned.name).second) {
          throw InputError(
              fmt::format("{}: tensor {} would be written twice, the second time for "
                          "{}; rename one of them in the source",
                          shard.path().string(), in_quotes(planned.name), in_quotes(tensor.name)));
        }
        if (is_weight(planned.dtype)) planned.dtype = written_dtype(planned.dtype);
        plan.push_back(std::move(planned));
      }
    }
    if (plan.empty() && source.shards().size() > 1) continue;
    const std::string& file = shard.name();
    shards_.push_back({file, std::make_unique<SafetensorsWriter>(folder_ / file, std::move(plan),
                                                                 shard.metadata(), leftovers)});
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    for (const TensorPlan& planned : shards_[i].writer->plan()) {
      plan_.emplace(planned.name, std::pair(i, &planned));
    }
  }
}

const TensorPlan* CheckpointWriter::find(std::string_view name) const {
  const auto found = plan_.find(name);
  return found == plan_.end() ? nullptr : found->second.second;
}

void CheckpointWriter::write(std::string_view name, const ConstMatrixView& values) {
  const auto size = static_cast<std::size_t>(values.size());
  if (values.outerStride() == values.cols() || values.rows() == 1) {
    write(name, std::span(values.data(), size));
  } else {
    const Matrix contiguous = values;
    write(name, std::span(contiguous.data(), size));
  }
}

void CheckpointWriter::check(const TensorPlan& planned, std::size_t first,
                             std::span<const float> values) const {
  const auto fail = [&](std::size_t element, std::string_view what) {
    throw MachineError(
        fmt::format("{}: tensor {}: {} is {}, {}", folder_.string(), in_quotes(planned.name),
                    element_text(planned.shape, first + element), values[element], what));
  };
  if (const auto bad = first_not_finite(values)) {
    fail(*bad, "which no checkpoint may hold; try another transform or more calibration samples");
  }
  if (const auto bad = first_not_representable(planned.dtype, values)) {
    fail(*bad, meaning_of_dtype_fault(planned.dtype));
  }
}

// A part at a time: an embedding has as many floats as a block, and no need for them at once.
void CheckpointWriter::copy_decoded(const StoredTensor& stored, const TensorPlan& planned) {
  constexpr std::size_t most = std::size_t{1} << 16U;
  const std::size_t size = size_of(planned.dtype);
  const auto elements = static_cast<std::size_t>(stored.elements());
  std::vector<std::byte> bytes(elements * size);
  std::vector<float> values(std::min(elements, most));
  for (std::size_t first = 0; first < elements; first += values.size()) {
    const std::span part = std::span(values).first(std::min(values.size(), elements - first));
    decode(stored, static_cast<Index>(first), part);
    check(planned, first, part);
    encode_floats(planned.dtype, part, std::span(bytes).subspan(first * size, part.size() * size));
  }
  write_bytes(planned.name, bytes);
}

void CheckpointWriter::write(std::string_view name, std::span<const float> values) {
  const TensorPlan* const planned = find(name);
  assert(planned != nullptr && is_float(planned->dtype));
  check(*planned, 0, values);
  if (planned->dtype == DType::F32) {
    write_bytes(name, std::as_bytes(values));
    return;
  }
  std::vector<std::byte> bytes(values.size() * size_of(planned->dtype));
  encode_floats(planned->dtype, values, bytes);
  write_bytes(name, bytes);
}

void CheckpointWriter::write_bytes(std::string_view name, std::span<const std::byte> bytes) {
  const auto found = plan_.find(name);
  assert(found != plan_.end());
  shards_[found->second.first].writer->write(name, bytes);
  written_.emplace(name);
  unsynced_.emplace(name, content_hash(bytes));
}

TensorHashes CheckpointWriter::sync() {
  for (const Shard& shard : shards_) shard.writer->sync();
  return std::exchange(unsynced_, {});
}

bool CheckpointWriter::holds(const TensorHashes& hashes) const {
  return std::ranges::all_of(hashes, [&](const auto& tensor) {
    const auto found = plan_.find(tensor.first);
    return found != plan_.end() && !written_.contains(tensor.first) &&
           shards_[found->second.first].writer->holds(tensor.first, tensor.second);
  });
}

void CheckpointWriter::adopt(const TensorHashes& hashes) {
  for (const auto& [name, hash] : hashes) {
    shards_[plan_.at(name).first].writer->adopt(name);
    written_.insert(name);
  }
}

Checkpoint CheckpointWriter::so_far() const {
  std::vector<std::filesystem::path> files;
  for (const Shard& shard : shards_) files.push_back(shard.writer->temporary());
  return {folder_, std::make_unique<const UnfinishedStore>(source_.config(), std::move(files))};
}

void CheckpointWriter::finish(const nlohmann::ordered_json& config) {
  copy_unwritten();
  for (const Shard& shard : shards_) shard.writer->commit();
  write_index();
  write_json(folder_ / config_name, config);
}

void CheckpointWriter::copy_unwritten() {
  for (const auto& [name, place] : plan_) {
    if (written_.contains(name)) continue;
    const StoredTensor* const stored = source_.find(name);
    const TensorPlan& planned = *place.second;
    // What cannot be copied, the shard's commit reports.
    if (stored == nullptr || stored->shape != planned.shape) continue;
    if (stored->is_plain() && stored->dtype == planned.dtype) {
      write_bytes(name, stored->bytes);
    } else if (is_weight(stored->dtype) && written_dtype(stored->dtype) == planned.dtype) {
      copy_decoded(*stored, planned);
    }
    source_.release(name);
  }
}

void CheckpointWriter::write_index() const {
  const std::optional<JsonReader> source_index = source_.store().index();
  if (!source_index) return;
  using Json = nlohmann::ordered_json;
  std::uint64_t total = 0;
  Json::object_t weight_map;
  for (const auto& [name, place] : plan_) {
    total += bytes_of(place.second->dtype, place.second->shape).value_or(0);
    weight_map.emplace_back(name, shards_[place.first].file);
  }
  Json index = source_index->document();
  if (!index["metadata"].is_object()) index["metadata"] = Json::object();
  index["metadata"]["total_size"] = total;
  index["weight_map"] = std::move(weight_map);
  write_json(folder_ / weights_index_name, index);
}

}  // namespace evenkeel
