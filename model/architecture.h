// The declarative description of a model family, and what it becomes for one config.json.
//
// A family is data: names of tensors, keys of the config, and a dozen choices. One forward reads
// the description; nothing falls back to a default mapping.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/node.h"
#include "model/ops.h"

namespace evenkeel {

/// The linear layers of a block, by what they do.
enum class LinearRole { query, key, value, output, up, down };
inline constexpr std::size_t linear_count = 6;
inline constexpr std::array<LinearRole, linear_count> all_linears{
    LinearRole::query,  LinearRole::key, LinearRole::value,
    LinearRole::output, LinearRole::up,  LinearRole::down};

/// The norms of a block, by what reads them.
enum class NormRole { attention, mlp };
inline constexpr std::size_t norm_count = 2;
inline constexpr std::array<NormRole, norm_count> all_norms{NormRole::attention, NormRole::mlp};

constexpr std::size_t index_of(LinearRole role) { return static_cast<std::size_t>(role); }
constexpr std::size_t index_of(NormRole role) { return static_cast<std::size_t>(role); }

/// The node whose activation the linear reads.
Node input_of(LinearRole role);

/// A key of config.json whose value must be one that the forward knows.
struct RequiredChoice {
  std::string_view key;
  bool otherwise;  // the family's value when the key is absent
  bool supported;  // the only value supported
};

/// One family, as a constant. Module names are relative to the block or the prefix.
struct Family {
  std::string_view model_type;             // of config.json, compared whole
  std::vector<std::string_view> prefixes;  // before every name; the first that fits is taken
  std::string_view token_embedding;
  std::string_view position_embedding;
  Index position_offset;                               // first position's row in its table
  std::string_view block;                              // "layers.": then the number and a dot
  std::array<std::string_view, norm_count> norms;      // by NormRole
  std::array<std::string_view, linear_count> linears;  // by LinearRole
  std::string_view final_norm;
  std::string_view head;  // full name; read only when not tied
  std::string_view config_channels, config_ffn_channels, config_heads, config_blocks,
      config_vocabulary, config_positions, config_activation, config_bias;
  float norm_epsilon;
  bool tied_head;  // when tie_word_embeddings is absent
  std::vector<RequiredChoice> required;
  std::vector<std::string_view> equal_to_channels;  // sizes that must equal the channels
};

/// Every family that is supported.
const std::vector<const Family*>& families();

/// A family's description filled in by one config.json and checked against the tensors.
struct Architecture {
  const Family* family = nullptr;
  std::string prefix;
  Index channels = 0;
  Index ffn_channels = 0;
  Index heads = 0;
  Index blocks = 0;
  Index vocabulary = 0;
  Index positions = 0;  // longest sequence
  bool bias = true;     // at every linear of a block
  bool tied_head = true;
  Activation activation = Activation::relu;

  Index head_channels() const { return channels / heads; }
  Index rows(LinearRole role) const;     // output channels
  Index columns(LinearRole role) const;  // input channels
  /// "model.decoder.layers.3.self_attn.q_proj"
  std::string linear_name(Index block, LinearRole role) const;
  std::string norm_name(Index block, NormRole role) const;
  std::string token_embedding_name() const;
  std::string position_embedding_name() const;
  std::string final_norm_name() const;
  /// The tensor that the head multiplies by, [vocabulary, channels].
  std::string head_name() const;
};

/// How a checkpoint holds the weights of its blocks' linears.
enum class LinearStorage {
  plain,   // NAME.weight in a float dtype
  packed,  // as codes; whoever unpacks them checks them
};

/// Throws: InputError when model_type is not supported (names those that are), a choice of the
/// config is not, or a tensor is absent or contradicts the config: every tensor that the forward
/// will read is looked up and its shape compared before any work.
Architecture resolve_architecture(const Checkpoint& checkpoint,
                                  LinearStorage storage = LinearStorage::plain);

}  // namespace evenkeel
