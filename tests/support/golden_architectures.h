// The tiny random checkpoints of every family, with what transformers makes of them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/shared_files.h"

namespace evenkeel::support {

inline const std::vector<std::string>& golden_architectures() {
  static const std::vector<std::string> names{"bert-classification",
                                              "bert-masked",
                                              "bloom",
                                              "cohere",
                                              "cohere-qknorm",
                                              "falcon-40b",
                                              "falcon-7b",
                                              "gemma2",
                                              "gpt2",
                                              "gpt_neox",
                                              "gpt_neox-sequential",
                                              "gptj",
                                              "llama",
                                              "mistral",
                                              "llama3-rope",
                                              "mixtral",
                                              "opt",
                                              "opt-350m",
                                              "phi",
                                              "qwen2",
                                              "qwen3",
                                              "roberta-classification"};
  return names;
}

inline std::filesystem::path golden_architecture(const std::string& name) {
  return std::filesystem::path("golden/architectures") / name;
}

/// A test's name of the architecture.
inline std::string architecture_test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace evenkeel::support
