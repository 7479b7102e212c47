#include "io/checkpoint_writer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/floats.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const bool empty = !error && std::filesystem::is_empty(folder, error);
  if (error) {
    throw MachineError(fmt::format("{}: cannot be made: {}; choose another output folder",
                                   folder.string(), error.message()));
  }
  if (!empty) {
    throw MachineError(fmt::format("{}: is not empty; remove it or choose another output folder",
                                   folder.string()));
  }
}

// Tokenizer, generation settings and terms: what a reader of the checkpoint needs beside weights.
bool is_companion(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  const std::string extension = file.extension().string();
  if (name == config_name || name.ends_with(".index.json")) return false;
  return name.starts_with("LICENSE") || extension == ".json" || extension == ".txt" ||
         extension == ".model" || extension == ".jinja";
}

void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;  // such as a link to nothing
    if (!entry->is_regular_file(unreadable) || !is_companion(entry->path())) continue;
    write_text(to / entry->path().filename(), MappedFile(entry->path()).text());
  }
  if (error) {
    throw InputError(fmt::format("{}: cannot be listed: {}", from.string(), error.message()));
  }
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& document) {
  // As Python's json.dump(..., indent=2) writes it, so that an unchanged file stays the same.
  write_text(path,
             document.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

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
                                   const Layout& layout)
    : source_(source), folder_(std::move(folder)) {
  make_folder(folder_);
  std::set<std::string, std::less<>> names;
  for (const SafetensorsFile& shard : source.shards()) {
    std::vector<TensorPlan> plan;
    for (const StoredTensor& tensor : shard.tensors()) {
      for (TensorPlan& planned : layout(tensor)) {
        if (!names.insert(planned.name).second) {
          throw InputError(
              fmt::format("{}: tensor {} would be written twice, the second time for "
                          "{}; rename one of them in the source",
                          shard.path().string(), in_quotes(planned.name), in_quotes(tensor.name)));
        }
        plan.push_back(std::move(planned));
      }
    }
    if (plan.empty() && source.shards().size() > 1) continue;
    const std::string file = shard.path().filename().string();
    shards_.push_back({file, std::make_unique<SafetensorsWriter>(folder_ / file, std::move(plan),
                                                                 shard.metadata())});
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

void CheckpointWriter::write(std::string_view name, std::span<const float> values) {
  const TensorPlan* const planned = find(name);
  assert(planned != nullptr && is_float(planned->dtype));
  const auto fail = [&](std::size_t element, std::string_view what) {
    throw MachineError(fmt::format("{}: tensor {}: {} is {}, {}", folder_.string(), in_quotes(name),
                                   element_text(planned->shape, element), values[element], what));
  };
  if (const auto bad = first_not_finite(values)) {
    fail(*bad, "which no checkpoint may hold; try another transform or more calibration samples");
  }
  if (const auto bad = first_not_representable(planned->dtype, values)) {
    fail(*bad, meaning_of_dtype_fault(planned->dtype));
  }
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
}

void CheckpointWriter::finish(const nlohmann::ordered_json& config) {
  copy_unwritten();
  for (const Shard& shard : shards_) shard.writer->commit();
  copy_companions(source_.folder(), folder_);
  write_index();
  write_json(folder_ / config_name, config);
}

void CheckpointWriter::copy_unwritten() {
  for (const auto& [name, place] : plan_) {
    if (written_.contains(name)) continue;
    const StoredTensor* const stored = source_.find(name);
    const TensorPlan& planned = *place.second;
    // What cannot be copied, the shard's commit reports.
    if (stored == nullptr || stored->dtype != planned.dtype || stored->shape != planned.shape) {
      continue;
    }
    write_bytes(name, stored->bytes);
    source_.release(name);
  }
}

void CheckpointWriter::write_index() const {
  const std::filesystem::path source_index = source_.folder() / weights_index_name;
  std::error_code error;
  if (!std::filesystem::exists(source_index, error)) return;
  using Json = nlohmann::ordered_json;
  std::uint64_t total = 0;
  Json::object_t weight_map;
  for (const auto& [name, place] : plan_) {
    total += bytes_of(place.second->dtype, place.second->shape).value_or(0);
    weight_map.emplace_back(name, shards_[place.first].file);
  }
  Json index = JsonReader(source_index).document();
  if (!index["metadata"].is_object()) index["metadata"] = Json::object();
  index["metadata"]["total_size"] = total;
  index["weight_map"] = std::move(weight_map);
  write_json(folder_ / weights_index_name, index);
}

}  // namespace evenkeel
