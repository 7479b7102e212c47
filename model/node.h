// Nodes: the named activations that a quantized operator reads.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace evenkeel {

/// In the order in which a block computes them.
enum class Node {
  attention_input,          // what query, key and value projections read  [tokens, channels]
  attention_query,          // after scaling by head_dim^-0.5              [tokens, channels]
  attention_key,            //                                             [tokens, channels]
  attention_value,          //                                             [tokens, channels]
  attention_probabilities,  // softmax output, by head                     [queries, keys]
  attention_output,         // what the output projection reads            [tokens, channels]
  mlp_input,                // what the first MLP projection reads         [tokens, channels]
  mlp_hidden,               // what the last MLP projection reads          [tokens, ffn channels]
};

inline constexpr std::size_t node_count = 8;
inline constexpr std::array<Node, node_count> all_nodes{Node::attention_input,
                                                        Node::attention_query,
                                                        Node::attention_key,
                                                        Node::attention_value,
                                                        Node::attention_probabilities,
                                                        Node::attention_output,
                                                        Node::mlp_input,
                                                        Node::mlp_hidden};

/// Position in `all_nodes`.
constexpr std::size_t index_of(Node node) { return static_cast<std::size_t>(node); }

/// "attention.input", "mlp.hidden", ...
std::string_view name_of(Node node);
std::optional<Node> node_named(std::string_view name);

}  // namespace evenkeel
