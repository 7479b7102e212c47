#include "model/families.h"

namespace evenkeel {

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"bert", describe_bert},         {"bloom", describe_bloom},     {"cohere", describe_cohere},
      {"falcon", describe_falcon},     {"gemma2", describe_gemma2},   {"gpt2", describe_gpt2},
      {"gpt_neox", describe_gpt_neox}, {"gptj", describe_gptj},       {"llama", describe_llama},
      {"mistral", describe_mistral},   {"mixtral", describe_mixtral}, {"opt", describe_opt},
      {"phi", describe_phi},           {"qwen2", describe_qwen2},     {"qwen3", describe_qwen3},
      {"roberta", describe_roberta}};
  return all;
}

}  // namespace evenkeel
