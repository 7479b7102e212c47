#include "support/slow_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace evenkeel::support {
namespace {

constexpr double epsilon = std::numeric_limits<float>::epsilon();
constexpr double taken_for_none = 0x1p-92;  // exp(-64): weights below count as zero (attention.h)

struct Score {
  double value = 0.0;
  double bound = 0.0;
};

// q row and k row of one head, each from its own first channel.
Score score(const ConstVectorView& q, const ConstVectorView& k) {
  Score result;
  double magnitude = 0.0;
  for (Index c = 0; c < q.size(); ++c) {
    const double term = static_cast<double>(q(c)) * static_cast<double>(k(c));
    result.value += term;
    magnitude += std::abs(term);
  }
  result.bound = epsilon * static_cast<double>(q.size() + 1) * magnitude;
  return result;
}

// cap tanh(x / cap): the slope is at most 1, the quotient, tanh (some 5 epsilon) and the product
// are rounded.
void cap_score(Score& score, double cap) {
  score.bound += 8.0 * epsilon * std::abs(score.value);
  score.value = cap * std::tanh(score.value / cap);
}

void add_to_score(Score& score, double addend) {
  score.value += addend;
  score.bound += epsilon * (std::abs(addend) + std::abs(score.value));
}

// Real tokens before each one.
std::vector<double> counted_positions(const TokenMask& mask, Index tokens) {
  std::vector<double> positions;
  double next = 0.0;
  for (Index i = 0; i < tokens; ++i) {
    positions.push_back(next);
    if (mask.empty() || mask[static_cast<std::size_t>(i)] != 0) next += 1.0;
  }
  return positions;
}

bool sees(const AttentionOptions& options, const TokenMask& mask, Index query, Index key) {
  if (options.causal && key > query) return false;
  if (options.window > 0 && query - key >= options.window) return false;
  return mask.empty() || mask[static_cast<std::size_t>(key)] != 0;
}

// One query's softmax over the keys that it sees. With scores off by at most e, each exponential
// is off by the factor exp(2 e); rounding the difference to the maximum, the exponential, the sum
// and the division adds the rest.
void fill_row(const std::vector<Score>& scores, const std::vector<Index>& keys, Index query,
              Bounded& out) {
  double most = -std::numeric_limits<double>::infinity();
  double worst = 0.0;
  for (const Score& s : scores) {
    most = std::max(most, s.value);
    worst = std::max(worst, s.bound);
  }
  double sum = 0.0;
  for (const Score& s : scores) sum += std::exp(s.value - most);
  const double rounding = epsilon * static_cast<double>(keys.size() + 6);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const double probability = std::exp(scores[i].value - most) / sum;
    const double relative =
        std::expm1(4.0 * worst) + rounding + epsilon * (most - scores[i].value + worst);
    out.value(query, keys[i]) = probability;
    out.bound(query, keys[i]) = probability * relative + taken_for_none;
  }
}

}  // namespace

Bounded exactly(const ConstMatrixView& values) {
  return {values.cast<double>(), Doubles::Zero(values.rows(), values.cols())};
}

Bounded sum_of(const Bounded& a, const Bounded& b) {
  Bounded sum{a.value + b.value, a.bound + b.bound};
  sum.bound += epsilon * sum.value.cwiseAbs();
  return sum;
}

Bounded product_of(const Bounded& a, double factor) {
  Bounded product{a.value * factor, a.bound * std::abs(factor)};
  product.bound += epsilon * product.value.cwiseAbs();
  return product;
}

Bounded slow_linear(const Bounded& x, const ConstMatrixView& weight, const Vector& bias) {
  const Index rows = x.value.rows();
  Bounded out{Doubles::Zero(rows, weight.rows()), Doubles::Zero(rows, weight.rows())};
  for (Index i = 0; i < rows; ++i) {
    for (Index o = 0; o < weight.rows(); ++o) {
      double sum = bias.size() == 0 ? 0.0 : static_cast<double>(bias(o));
      double magnitude = std::abs(sum);
      double carried = 0.0;
      for (Index c = 0; c < weight.cols(); ++c) {
        const auto w = static_cast<double>(weight(o, c));
        sum += x.value(i, c) * w;
        magnitude += std::abs(x.value(i, c) * w);
        carried += x.bound(i, c) * std::abs(w);
      }
      out.value(i, o) = sum;
      out.bound(i, o) = carried + epsilon * static_cast<double>(weight.cols() + 2) * magnitude;
    }
  }
  return out;
}

// A float mean is off by at most epsilon * n * |mean| (to first order), so a difference to it is of
// size `reach` at most; the rest of the mean, itself a sum of n such differences, and the centred
// value are off by epsilon * n * reach. The variance is off relatively by epsilon * n, and an
// error of x passes through centring and the norm's own scale.
Bounded slow_layer_norm(const Bounded& x, const Vector& gain, const Vector& bias,
                        double norm_epsilon) {
  const Index columns = x.value.cols();
  const double n = static_cast<double>(columns) + 6.0;
  Bounded out{Doubles(x.value.rows(), columns), Doubles(x.value.rows(), columns)};
  for (Index i = 0; i < x.value.rows(); ++i) {
    const double mean = x.value.row(i).mean();
    const Eigen::RowVectorXd centred = x.value.row(i).array() - mean;
    const double deviation =
        std::sqrt(centred.squaredNorm() / static_cast<double>(columns) + norm_epsilon);
    const double reach = centred.cwiseAbs().maxCoeff() + epsilon * n * std::abs(mean);
    const double off = (epsilon * n * reach + 2.0 * x.bound.row(i).maxCoeff()) / deviation;
    for (Index j = 0; j < columns; ++j) {
      const double normed = centred(j) / deviation;
      const auto g = static_cast<double>(gain(j));
      const double b = bias.size() == 0 ? 0.0 : static_cast<double>(bias(j));
      out.value(i, j) = normed * g + b;
      out.bound(i, j) = std::abs(g) * (off + std::abs(normed) * (epsilon * n + off)) +
                        epsilon * (std::abs(b) + std::abs(out.value(i, j)));
    }
  }
  return out;
}

// As above without the centring.
Bounded slow_rms_norm(const Bounded& x, const Vector& gain, double extra, double norm_epsilon) {
  const Index columns = x.value.cols();
  const double n = static_cast<double>(columns) + 6.0;
  Bounded out{Doubles(x.value.rows(), columns), Doubles(x.value.rows(), columns)};
  for (Index i = 0; i < x.value.rows(); ++i) {
    const double deviation =
        std::sqrt(x.value.row(i).squaredNorm() / static_cast<double>(columns) + norm_epsilon);
    const double off = 2.0 * x.bound.row(i).maxCoeff() / deviation;
    for (Index j = 0; j < columns; ++j) {
      const double normed = x.value(i, j) / deviation;
      const double factor = static_cast<double>(gain(j)) + extra;
      out.value(i, j) = normed * factor;
      out.bound(i, j) = std::abs(factor) * (off + std::abs(normed) * (epsilon * n + off)) +
                        epsilon * std::abs(normed) * (std::abs(factor) + extra);
    }
  }
  return out;
}

// The angle is rounded once, sine and cosine to about an epsilon, two products and a sum follow.
Bounded slow_rotation(RotaryPairs pairs, const std::vector<float>& frequencies, Index head_channels,
                      const Bounded& x) {
  Bounded out = x;
  const auto count = static_cast<Index>(frequencies.size());
  const bool halves = pairs == RotaryPairs::halves;
  for (Index row = 0; row < x.value.rows(); ++row) {
    for (Index head = 0; head < x.value.cols(); head += head_channels) {
      for (Index i = 0; i < count; ++i) {
        const Index a = head + (halves ? i : 2 * i);
        const Index b = head + (halves ? i + count : 2 * i + 1);
        const double angle = static_cast<double>(row) *
                             static_cast<double>(frequencies[static_cast<std::size_t>(i)]);
        const double first = x.value(row, a);
        const double second = x.value(row, b);
        out.value(row, a) = first * std::cos(angle) - second * std::sin(angle);
        out.value(row, b) = first * std::sin(angle) + second * std::cos(angle);
        out.bound(row, a) = out.bound(row, b) =
            x.bound(row, a) + x.bound(row, b) +
            epsilon * (3.0 + angle) * (std::abs(first) + std::abs(second));
      }
    }
  }
  return out;
}

std::vector<Bounded> slow_probabilities(const ConstMatrixView& q, const ConstMatrixView& k,
                                        const TokenMask& mask, const AttentionOptions& options) {
  const Index tokens = q.rows();
  const Index width = q.cols() / options.heads;
  const Index sharing = options.key_value_heads == 0 ? 1 : options.heads / options.key_value_heads;
  const std::vector<double> positions = counted_positions(mask, tokens);
  std::vector<Bounded> heads;
  for (Index head = 0; head < options.heads; ++head) {
    Bounded out{Doubles::Zero(tokens, tokens), Doubles::Zero(tokens, tokens)};
    for (Index query = 0; query < tokens; ++query) {
      std::vector<Index> keys;
      std::vector<Score> scores;
      for (Index key = 0; key < tokens; ++key) {
        if (!sees(options, mask, query, key)) continue;
        Score one = score(q.row(query).segment(head * width, width),
                          k.row(key).segment(head / sharing * width, width));
        if (options.score_cap > 0.0F) cap_score(one, static_cast<double>(options.score_cap));
        if (!options.slopes.empty()) {
          add_to_score(one, static_cast<double>(options.slopes[static_cast<std::size_t>(head)]) *
                                positions[static_cast<std::size_t>(key)]);
        }
        keys.push_back(key);
        scores.push_back(one);
      }
      if (!keys.empty()) fill_row(scores, keys, query, out);
    }
    heads.push_back(std::move(out));
  }
  return heads;
}

Bounded slow_weighted(const std::vector<Bounded>& probabilities, const ConstMatrixView& v,
                      Index key_value_heads) {
  const Index tokens = v.rows();
  const auto heads = static_cast<Index>(probabilities.size());
  const Index sharing = key_value_heads == 0 ? 1 : heads / key_value_heads;
  const Index width = v.cols() * sharing / heads;
  Bounded out{Doubles(tokens, heads * width), Doubles(tokens, heads * width)};
  for (Index c = 0; c < out.value.cols(); ++c) {
    const Index head = c / width;
    const Bounded& weights = probabilities[static_cast<std::size_t>(head)];
    for (Index query = 0; query < tokens; ++query) {
      double sum = 0.0;
      double magnitude = 0.0;
      double carried = 0.0;
      for (Index key = 0; key < tokens; ++key) {
        const auto value = static_cast<double>(v(key, head / sharing * width + c % width));
        sum += weights.value(query, key) * value;
        magnitude += std::abs(weights.value(query, key) * value);
        carried += weights.bound(query, key) * std::abs(value);
      }
      out.value(query, c) = sum;
      out.bound(query, c) = carried + epsilon * static_cast<double>(tokens + 1) * magnitude;
    }
  }
  return out;
}

}  // namespace evenkeel::support
