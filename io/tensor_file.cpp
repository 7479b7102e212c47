#include "io/tensor_file.h"

#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {

TensorFile::TensorFile(std::filesystem::path path, std::string name,
                       std::shared_ptr<const MappedFile> file, std::vector<StoredTensor> tensors,
                       std::map<std::string, std::string> metadata)
    : path_(std::move(path)),
      name_(std::move(name)),
      file_(std::move(file)),
      tensors_(std::move(tensors)),
      metadata_(std::move(metadata)) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
}

const StoredTensor* TensorFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

const StoredTensor& TensorFile::at(std::string_view name) const {
  const StoredTensor* const tensor = find(name);
  if (tensor != nullptr) return *tensor;
  throw InputError(fmt::format("{}: tensor {} is missing", path_.string(), in_quotes(name)));
}

void TensorFile::release(const StoredTensor& tensor) const {
  file_->release(tensor.file_offset, tensor.bytes.size());
}

}  // namespace evenkeel
