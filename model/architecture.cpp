#include "model/architecture.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "model/families.h"
#include "model/stored_linears.h"

namespace evenkeel {
namespace {

const Family& family_named(const JsonReader& config) {
  const std::string model_type = config.text("model_type");
  std::vector<std::string_view> known;
  for (const Family& family : families()) {
    if (family.model_type == model_type) return family;
    known.push_back(family.model_type);
  }
  throw InputError(fmt::format("{}: 'model_type': '{}' is not supported; supported: {}",
                               config.path().string(), model_type, fmt::join(known, ", ")));
}

// Sizes of the linears follow from those of the model.
void fill_sizes(Architecture& model) {
  for (const LinearRole role : all_linears) {
    LinearModule& linear = model.linears[index_of(role)];
    linear.columns = model.channels;
    switch (role) {
      case LinearRole::query:
        linear.rows = model.query_channels();
        break;
      case LinearRole::key:
      case LinearRole::value:
        linear.rows = model.key_value_channels();
        break;
      case LinearRole::output:
        linear.rows = model.channels;
        linear.columns = model.query_channels();
        break;
      case LinearRole::gate:
      case LinearRole::up:
        linear.rows = model.ffn_channels;
        break;
      case LinearRole::down:
        linear.rows = model.channels;
        linear.columns = model.ffn_channels;
        break;
      case LinearRole::router:
        linear.rows = model.expert_count;
        break;
    }
  }
}

// Beyond what any model has. Lists of a block's rows and experts are made before its tensors are
// looked up, so that a config that lies must not make them large.
constexpr Index most_query_channels = 1 << 20;
constexpr Index most_experts = 1 << 14;

void check_sizes(const JsonReader& config, const Architecture& model) {
  const auto fault = [&](const std::string& message) {
    throw InputError(fmt::format("{}: {}", config.path().string(), message));
  };
  if (!config.has("head_dim") && model.channels % model.heads != 0) {
    fault(fmt::format("{} heads do not divide {} channels", model.heads, model.channels));
  }
  if (model.heads % model.key_value_heads != 0) {
    fault(fmt::format("{} key-value heads do not divide {} heads", model.key_value_heads,
                      model.heads));
  }
  if (model.query_channels() > most_query_channels) {
    fault(fmt::format("{} heads of {} channels are more than the {} channels supported",
                      model.heads, model.head_channels, most_query_channels));
  }
  if (model.expert_count > most_experts) {
    fault(
        fmt::format("{} experts are more than the {} supported", model.expert_count, most_experts));
  }
  if (model.position_kind == PositionKind::rotary &&
      (model.rotary.channels < 2 || model.rotary.channels % 2 != 0 ||
       model.rotary.channels > model.head_channels)) {
    fault(fmt::format("{} rotary channels do not fit heads of {}", model.rotary.channels,
                      model.head_channels));
  }
  if (model.experts_per_token > model.expert_count) {
    fault(fmt::format("{} experts for each token, but there are {}", model.experts_per_token,
                      model.expert_count));
  }
}

std::string fitting_prefix(const Checkpoint& checkpoint, const Architecture& model) {
  for (const std::string& prefix : model.prefixes) {
    if (checkpoint.find(fmt::format("{}{}.weight", prefix, model.embedding.tokens)) != nullptr) {
      return prefix;
    }
  }
  throw InputError(fmt::format("{}: tensor '{}{}.weight' is missing; is it a model of type '{}'?",
                               checkpoint.folder().string(), model.prefixes.front(),
                               model.embedding.tokens, model.model_type));
}

// Checkpoints of BERT's first days call a norm's parameters gamma and beta.
void take_old_norm_names(const Checkpoint& checkpoint, Architecture& model) {
  const std::string first = model.norm_name(0, NormRole::attention_input);
  if (first.empty() || checkpoint.find(first + ".gamma") == nullptr) return;
  model.norm_gain = ".gamma";
  model.norm_bias = ".beta";
}

// Looks up every tensor that the forward will read, and says what contradicts the config.
class TensorCheck {
 public:
  TensorCheck(const Checkpoint& checkpoint, const Architecture& model, LinearStorage storage)
      : checkpoint_(checkpoint), model_(model), storage_(storage) {}

  void run() const {
    embeddings();
    for (Index number = 0; number < model_.blocks; ++number) block(number);
    head();
  }

 private:
  // `keys`: those of config.json that the expected shape is from.
  void tensor(const std::string& name, const std::vector<std::int64_t>& expected,
              const std::string& keys = "sizes") const {
    const StoredTensor& stored = checkpoint_.at(name);
    if (stored.shape != expected) {
      throw InputError(
          fmt::format("{}: tensor '{}': shape {} contradicts config.json, whose {} give [{}]",
                      checkpoint_.folder().string(), name, stored.shape_text(), keys,
                      fmt::join(expected, ", ")));
    }
    if (!is_weight(stored.dtype)) {
      throw InputError(
          fmt::format("{}: tensor '{}': dtype {} is not supported for weights; "
                      "supported: F32, F16, BF16",
                      checkpoint_.folder().string(), name, name_of(stored.dtype)));
    }
  }

  void norm(const std::string& name, bool bias, Index channels) const {
    tensor(name + model_.norm_gain, {channels});
    if (bias) tensor(name + model_.norm_bias, {channels});
  }

  void embeddings() const {
    const EmbeddingModules& embedding = model_.embedding;
    tensor(model_.token_embedding_name(), {model_.vocabulary, embedding.channels},
           fmt::format("sizes, '{}' among them,", model_.vocabulary_key));
    if (!embedding.positions.empty()) {
      tensor(model_.module(embedding.positions) + ".weight",
             {model_.positions + embedding.position_offset, model_.channels},
             fmt::format("sizes, '{}' among them,", model_.positions_key));
    }
    if (!embedding.token_types.empty()) {
      tensor(model_.module(embedding.token_types) + ".weight",
             {embedding.token_type_count, model_.channels});
    }
    if (!embedding.norm.empty()) norm(model_.module(embedding.norm), true, model_.channels);
    if (!embedding.project_in.empty()) {
      tensor(model_.module(embedding.project_in) + ".weight",
             {model_.channels, embedding.channels});
    }
  }

  void block(Index number) const {
    for (const NormRole role : model_.norm_roles()) {
      const std::string name = model_.norm_name(number, role);
      if (name.empty()) continue;
      if (role != NormRole::query && role != NormRole::key) {
        norm(name, model_.norm(role).bias, model_.channels);
        residual_transform(name);
      } else if (model_.norm_by_head) {
        const Index heads = role == NormRole::query ? model_.heads : model_.key_value_heads;
        tensor(name + ".weight", {heads, model_.head_channels});
      } else {
        tensor(name + ".weight", {model_.head_channels});
      }
    }
    for (const StoredLinear& stored : stored_linears(model_, number)) {
      linear(stored);
    }
  }

  // Both tensors or neither, and none that config.json does not announce.
  void residual_transform(const std::string& name) const {
    const std::string scale = name + std::string(residual_scale_name);
    const std::string shift = name + std::string(residual_shift_name);
    const bool present = checkpoint_.find(scale) != nullptr || checkpoint_.find(shift) != nullptr;
    if (!present) return;
    if (!model_.residual_after_norm || !model_.residual_transforms) {
      throw InputError(
          fmt::format("{}: tensor '{}' is there, but config.json does not have "
                      "'{}': true, or the family's residual does not read the norm",
                      checkpoint_.folder().string(), scale, residual_transforms_key));
    }
    tensor(scale, {model_.channels});
    tensor(shift, {model_.channels});
  }

  void linear(const StoredLinear& stored) const {
    const bool plain = storage_ == LinearStorage::plain || !is_quantized(stored.role());
    if (plain) {
      tensor(stored.module + ".weight",
             model_.weight_order == WeightOrder::out_in
                 ? std::vector<std::int64_t>{stored.rows, stored.columns}
                 : std::vector<std::int64_t>{stored.columns, stored.rows});
    }
    if (stored.bias) tensor(stored.module + ".bias", {stored.rows});
  }

  void head() const {
    const HeadModules& head = model_.head;
    if (!head.final_norm.empty()) {
      norm(model_.module(head.final_norm), model_.norm(NormRole::attention_input).bias,
           model_.channels);
    }
    if (!head.project_out.empty()) {
      tensor(model_.module(head.project_out) + ".weight",
             {model_.embedding.channels, model_.channels});
    }
    if (!head.dense.empty()) {
      tensor(head.dense + ".weight", {model_.channels, model_.channels});
      tensor(head.dense + ".bias", {model_.channels});
    }
    if (!head.norm.empty()) norm(head.norm, true, model_.channels);
    const Index outputs = head.kind == HeadKind::classification ? head.labels : model_.vocabulary;
    tensor(model_.logits_name(), {outputs, model_.embedding.channels});
    if (!head.bias.empty()) tensor(head.bias, {outputs});
  }

  const Checkpoint& checkpoint_;
  const Architecture& model_;
  LinearStorage storage_;
};

}  // namespace

Node input_of(LinearRole role) {
  switch (role) {
    case LinearRole::query:
    case LinearRole::key:
    case LinearRole::value:
      return Node::attention_input;
    case LinearRole::output:
      return Node::attention_output;
    case LinearRole::gate:
    case LinearRole::up:
    case LinearRole::router:
      return Node::mlp_input;
    case LinearRole::down:
      return Node::mlp_hidden;
  }
  return Node::attention_input;
}

Index Architecture::copies(LinearRole role) const {
  if (!has(role)) return 0;
  return by_expert(role) ? expert_count : 1;
}

std::vector<LinearPlace> Architecture::linear_places() const {
  std::vector<LinearPlace> places;
  for (const LinearRole role : all_linears) {
    for (Index expert = 0; expert < copies(role); ++expert) places.emplace_back(role, expert);
  }
  return places;
}

std::vector<NormRole> Architecture::norm_roles() const {
  std::vector<NormRole> roles;
  for (const NormRole role : all_norms) {
    if (has(role)) roles.push_back(role);
  }
  return roles;
}

std::string Architecture::block_module(Index number, std::string_view name) const {
  return fmt::format("{}{}{}.{}", prefix, block, number, name);
}

std::string Architecture::linear_name(Index number, LinearPlace place) const {
  return block_module(number, module_name(place));
}

std::string Architecture::module_name(LinearPlace place) const {
  const std::string& name = linear(place.role).name;
  return by_expert(place.role) ? fmt::format("{}{}.{}", experts, place.expert, name) : name;
}

std::string Architecture::norm_name(Index number, NormRole role) const {
  if (!has(role)) return "";
  if (!residual_after_norm || role != NormRole::attention_input) {
    return block_module(number, norm(role).name);
  }
  if (number > 0) return block_module(number - 1, norm(role).name);
  return first_norm.empty() ? "" : module(first_norm);
}

std::string Architecture::logits_name() const {
  return head.tied ? token_embedding_name() : head.logits + ".weight";
}

Architecture resolve_architecture(const Checkpoint& checkpoint, LinearStorage storage) {
  const JsonReader& config = checkpoint.config();
  Architecture model = family_named(config).describe(config);
  fill_sizes(model);
  check_sizes(config, model);
  model.prefix = fitting_prefix(checkpoint, model);
  take_old_norm_names(checkpoint, model);
  model.residual_transforms = config.boolean(residual_transforms_key, false);
  TensorCheck(checkpoint, model, storage).run();
  return model;
}

}  // namespace evenkeel
