// Every family that is supported: one file of data each in model/families/.
#pragma once

#include <string_view>
#include <vector>

#include "io/json_reader.h"
#include "model/architecture.h"

namespace evenkeel {

/// A family's description of one config.json: names, sizes and choices; no tensor is looked at.
/// Throws: InputError when a choice of the config is not supported.
struct Family {
  std::string_view model_type;  // of config.json, compared whole
  Architecture (*describe)(const JsonReader& config);
};

const std::vector<Family>& families();

Architecture describe_bert(const JsonReader& config);
Architecture describe_bloom(const JsonReader& config);
Architecture describe_cohere(const JsonReader& config);
Architecture describe_falcon(const JsonReader& config);
Architecture describe_gemma2(const JsonReader& config);
Architecture describe_gpt2(const JsonReader& config);
Architecture describe_gpt_neox(const JsonReader& config);
Architecture describe_gptj(const JsonReader& config);
Architecture describe_llama(const JsonReader& config);
Architecture describe_mistral(const JsonReader& config);
Architecture describe_mixtral(const JsonReader& config);
Architecture describe_opt(const JsonReader& config);
Architecture describe_phi(const JsonReader& config);
Architecture describe_qwen2(const JsonReader& config);
Architecture describe_qwen3(const JsonReader& config);
Architecture describe_roberta(const JsonReader& config);

}  // namespace evenkeel
