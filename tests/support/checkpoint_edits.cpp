#include "support/checkpoint_edits.h"

#include <stdexcept>

#include "io/safetensors.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel::support {

void change_config(const std::filesystem::path& folder, const std::string& key,
                   const nlohmann::json& value) {
  auto config = nlohmann::json::parse(read_bytes(folder / "config.json"));
  if (value.is_null()) {
    config.erase(key);
  } else {
    config[key] = value;
  }
  write_json(folder / "config.json", config);
}

void change_tensors(const std::filesystem::path& folder,
                    const std::function<void(std::vector<BuiltTensor>&)>& change) {
  const std::filesystem::path path = folder / "model.safetensors";
  std::vector<BuiltTensor> tensors;
  {
    const SafetensorsFile file(path);
    for (const StoredTensor& tensor : file.tensors()) {
      tensors.push_back(
          {tensor.name,
           std::string(name_of(tensor.dtype)),
           tensor.shape,
           {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()}});
    }
  }
  change(tensors);
  write_bytes(path, safetensors_bytes(tensors));
}

BuiltTensor& tensor_named(std::vector<BuiltTensor>& tensors, const std::string& name) {
  for (BuiltTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::out_of_range("no tensor " + name);
}

}  // namespace evenkeel::support
