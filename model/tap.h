// A tap is called at every node of a block's forward: it looks (an observer) or replaces values
// in place (a fake quantizer).
#pragma once

#include "io/matrix.h"
#include "model/node.h"
#include "quantizers/activation_quantizer.h"

namespace evenkeel {

enum class Visit { none, looks, may_change };

/// One tap serves one sample on one thread at a time.
class Tap {
 public:
  Tap() = default;
  Tap(const Tap&) = default;
  Tap& operator=(const Tap&) = default;
  virtual ~Tap() = default;

  /// `values` [tokens, channels] of `node`. Probabilities come in pieces: [queries, keys] of one
  /// `head`, where `first_row` is the query of row 0; keys beyond the last query of the piece,
  /// whose probability is zero under a causal mask, are left out. For other nodes `head` is 0 and
  /// `first_row` is 0.
  virtual void at(Node node, MatrixView values, Index head, Index first_row) = 0;

  /// What `at` does there, so that a forward need not make values that only a tap wants to see, nor
  /// read them back where it has what they were made of.
  virtual Visit visit(Node /*node*/) const { return Visit::may_change; }

  /// Where `at` does no more than `look` and then apply this quantizer, a forward may do the latter
  /// itself, to multiply codes and not the values that they mean; nullptr elsewhere.
  virtual const ActivationQuantizer* quantizer(Node /*node*/) const { return nullptr; }
  virtual void look(Node /*node*/, const ConstMatrixView& /*values*/, Index /*head*/) {}
};

/// Does nothing: the full-precision forward.
class NoTap final : public Tap {
 public:
  void at(Node /*node*/, MatrixView /*values*/, Index /*head*/, Index /*first_row*/) override {}
  Visit visit(Node /*node*/) const override { return Visit::none; }
};

}  // namespace evenkeel
