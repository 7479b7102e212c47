// decode_checkpoint CHECKPOINT FOLDER: the checkpoint as a new folder with every weight in F32, for
// tests that compare what is decoded with other people's software.
#include <exception>
#include <iostream>
#include <vector>

#include "io/checkpoint.h"
#include "io/checkpoint_writer.h"

namespace {

void decode_into(const evenkeel::Checkpoint& checkpoint, const std::filesystem::path& folder) {
  using namespace evenkeel;
  CheckpointWriter writer(checkpoint, folder, [](const StoredTensor& tensor) {
    return std::vector{TensorPlan{tensor.name, DType::F32, tensor.shape}};
  });
  for (const TensorFile& shard : checkpoint.shards()) {
    for (const StoredTensor& tensor : shard.tensors()) {
      std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
      decode(tensor, 0, values);
      writer.write(tensor.name, values);
    }
  }
  writer.finish(checkpoint.config().document());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: decode_checkpoint CHECKPOINT FOLDER\n";
    return 2;
  }
  try {
    decode_into(evenkeel::Checkpoint(arguments[1]), arguments[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
