#include "model/architecture.h"

#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "model/families/opt.h"

namespace evenkeel {
namespace {

struct NamedActivation {
  std::string_view name;
  Activation value;
};
constexpr std::array activations{NamedActivation{"relu", Activation::relu},
                                 NamedActivation{"gelu", Activation::gelu}};

const Family& family_named(const JsonReader& config) {
  const std::string model_type = config.text("model_type");
  std::vector<std::string_view> known;
  for (const Family* family : families()) {
    if (family->model_type == model_type) return *family;
    known.push_back(family->model_type);
  }
  throw InputError(fmt::format("{}: 'model_type': '{}' is not supported; supported: {}",
                               config.path().string(), model_type, fmt::join(known, ", ")));
}

Activation activation_of(const JsonReader& config, std::string_view key) {
  const std::string name = config.text(key, activations.front().name);
  std::vector<std::string_view> known;
  for (const auto& [spelling, value] : activations) {
    if (spelling == name) return value;
    known.push_back(spelling);
  }
  throw InputError(fmt::format("{}: '{}': '{}' is not supported; supported: {}",
                               config.path().string(), key, name, fmt::join(known, ", ")));
}

void check_choices(const JsonReader& config, const Family& family, Index channels) {
  for (const RequiredChoice& choice : family.required) {
    if (config.boolean(choice.key, choice.otherwise) != choice.supported) {
      throw InputError(
          fmt::format("{}: '{}': {} is not supported for model_type '{}'; supported: {}",
                      config.path().string(), choice.key, !choice.supported, family.model_type,
                      choice.supported));
    }
  }
  for (const std::string_view key : family.equal_to_channels) {
    if (const Index size = config.positive(key, channels); size != channels) {
      throw InputError(fmt::format(
          "{}: '{}': {} differs from '{}' ({}), which is not supported for model_type '{}'",
          config.path().string(), key, size, family.config_channels, channels, family.model_type));
    }
  }
}

std::string fitting_prefix(const Checkpoint& checkpoint, const Family& family) {
  for (const std::string_view prefix : family.prefixes) {
    if (checkpoint.find(fmt::format("{}{}.weight", prefix, family.token_embedding)) != nullptr) {
      return std::string(prefix);
    }
  }
  throw InputError(fmt::format("{}: tensor '{}{}.weight' is missing; is it a model of type '{}'?",
                               checkpoint.folder().string(), family.prefixes.front(),
                               family.token_embedding, family.model_type));
}

// Says at once what the config promises and the tensors do not hold.
class ShapeCheck {
 public:
  explicit ShapeCheck(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  void operator()(const std::string& name, const std::vector<std::int64_t>& expected,
                  std::string_view keys) const {
    const StoredTensor& tensor = checkpoint_.at(name);
    if (tensor.shape != expected) {
      throw InputError(
          fmt::format("{}: tensor '{}': shape {} contradicts config.json, whose {} give [{}]",
                      checkpoint_.folder().string(), name, tensor.shape_text(), keys,
                      fmt::join(expected, ", ")));
    }
    if (!is_weight(tensor.dtype)) {
      throw InputError(
          fmt::format("{}: tensor '{}': dtype {} is not supported for weights; "
                      "supported: F32, F16, BF16",
                      checkpoint_.folder().string(), name, name_of(tensor.dtype)));
    }
  }

 private:
  const Checkpoint& checkpoint_;
};

void check_shapes(const Checkpoint& checkpoint, const Architecture& architecture,
                  LinearStorage storage) {
  const Family& family = *architecture.family;
  const ShapeCheck check(checkpoint);
  const Index channels = architecture.channels;
  check(architecture.token_embedding_name(), {architecture.vocabulary, channels},
        fmt::format("'{}' and '{}'", family.config_vocabulary, family.config_channels));
  check(architecture.position_embedding_name(),
        {architecture.positions + family.position_offset, channels},
        fmt::format("'{}' and '{}'", family.config_positions, family.config_channels));
  check(architecture.head_name(), {architecture.vocabulary, channels},
        fmt::format("'{}' and '{}'", family.config_vocabulary, family.config_channels));
  const auto norm_keys = fmt::format("'{}'", family.config_channels);
  const auto check_norm = [&](const std::string& name) {
    check(name + ".weight", {channels}, norm_keys);
    check(name + ".bias", {channels}, norm_keys);
  };
  check_norm(architecture.final_norm_name());
  const auto linear_keys =
      fmt::format("'{}' and '{}'", family.config_channels, family.config_ffn_channels);
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const NormRole role : all_norms) check_norm(architecture.norm_name(block, role));
    for (const LinearRole role : all_linears) {
      const std::string name = architecture.linear_name(block, role);
      if (storage == LinearStorage::plain) {
        check(name + ".weight", {architecture.rows(role), architecture.columns(role)}, linear_keys);
      }
      if (architecture.bias) check(name + ".bias", {architecture.rows(role)}, linear_keys);
    }
  }
}

}  // namespace

Node input_of(LinearRole role) {
  switch (role) {
    case LinearRole::query:
    case LinearRole::key:
    case LinearRole::value:
      return Node::attention_input;
    case LinearRole::output:
      return Node::attention_output;
    case LinearRole::up:
      return Node::mlp_input;
    case LinearRole::down:
      return Node::mlp_hidden;
  }
  return Node::attention_input;
}

const std::vector<const Family*>& families() {
  static const std::vector<const Family*> all{&opt_family()};
  return all;
}

Index Architecture::rows(LinearRole role) const {
  return role == LinearRole::up ? ffn_channels : channels;
}

Index Architecture::columns(LinearRole role) const {
  return role == LinearRole::down ? ffn_channels : channels;
}

std::string Architecture::linear_name(Index block, LinearRole role) const {
  return fmt::format("{}{}{}.{}", prefix, family->block, block, family->linears[index_of(role)]);
}

std::string Architecture::norm_name(Index block, NormRole role) const {
  return fmt::format("{}{}{}.{}", prefix, family->block, block, family->norms[index_of(role)]);
}

std::string Architecture::token_embedding_name() const {
  return fmt::format("{}{}.weight", prefix, family->token_embedding);
}

std::string Architecture::position_embedding_name() const {
  return fmt::format("{}{}.weight", prefix, family->position_embedding);
}

std::string Architecture::final_norm_name() const {
  return fmt::format("{}{}", prefix, family->final_norm);
}

std::string Architecture::head_name() const {
  return tied_head ? token_embedding_name() : fmt::format("{}.weight", family->head);
}

Architecture resolve_architecture(const Checkpoint& checkpoint, LinearStorage storage) {
  const JsonReader& config = checkpoint.config();
  const Family& family = family_named(config);
  Architecture architecture;
  architecture.family = &family;
  architecture.channels = config.positive(family.config_channels);
  architecture.ffn_channels = config.positive(family.config_ffn_channels);
  architecture.heads = config.positive(family.config_heads);
  architecture.blocks = config.positive(family.config_blocks);
  architecture.vocabulary = config.positive(family.config_vocabulary);
  architecture.positions = config.positive(family.config_positions);
  architecture.bias = config.boolean(family.config_bias, true);
  architecture.tied_head = config.boolean("tie_word_embeddings", family.tied_head);
  architecture.activation = activation_of(config, family.config_activation);
  if (architecture.channels % architecture.heads != 0) {
    throw InputError(fmt::format("{}: '{}': {} heads do not divide {} channels",
                                 config.path().string(), family.config_heads, architecture.heads,
                                 architecture.channels));
  }
  check_choices(config, family, architecture.channels);
  architecture.prefix = fitting_prefix(checkpoint, family);
  check_shapes(checkpoint, architecture, storage);
  return architecture;
}

}  // namespace evenkeel
