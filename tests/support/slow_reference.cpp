#include "support/slow_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace evenkeel::support {
namespace {

constexpr double epsilon = std::numeric_limits<float>::epsilon();
constexpr double smallest = std::numeric_limits<float>::min();

struct Score {
  double value = 0.0;
  double bound = 0.0;
};

Score score(const ConstMatrixView& q, const ConstMatrixView& k, Index query, Index key, Index first,
            Index width) {
  Score result;
  double magnitude = 0.0;
  for (Index c = first; c < first + width; ++c) {
    const double term = static_cast<double>(q(query, c)) * static_cast<double>(k(key, c));
    result.value += term;
    magnitude += std::abs(term);
  }
  result.bound = epsilon * static_cast<double>(width + 1) * magnitude;
  return result;
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
    out.bound(query, keys[i]) = probability * relative + smallest;
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

std::vector<Bounded> slow_probabilities(const ConstMatrixView& q, const ConstMatrixView& k,
                                        const TokenMask& mask, const AttentionOptions& options) {
  const Index tokens = q.rows();
  const Index width = q.cols() / options.heads;
  std::vector<Bounded> heads;
  for (Index head = 0; head < options.heads; ++head) {
    Bounded out{Doubles::Zero(tokens, tokens), Doubles::Zero(tokens, tokens)};
    for (Index query = 0; query < tokens; ++query) {
      std::vector<Index> keys;
      std::vector<Score> scores;
      for (Index key = 0; key < tokens; ++key) {
        if (options.causal && key > query) continue;
        if (!mask.empty() && mask[static_cast<std::size_t>(key)] == 0) continue;
        keys.push_back(key);
        scores.push_back(score(q, k, query, key, head * width, width));
      }
      if (!keys.empty()) fill_row(scores, keys, query, out);
    }
    heads.push_back(std::move(out));
  }
  return heads;
}

Bounded slow_weighted(const std::vector<Bounded>& probabilities, const ConstMatrixView& v) {
  const Index tokens = v.rows();
  const Index width = v.cols() / static_cast<Index>(probabilities.size());
  Bounded out{Doubles(tokens, v.cols()), Doubles(tokens, v.cols())};
  for (Index c = 0; c < v.cols(); ++c) {
    const Bounded& weights = probabilities[static_cast<std::size_t>(c / width)];
    for (Index query = 0; query < tokens; ++query) {
      double sum = 0.0;
      double magnitude = 0.0;
      double carried = 0.0;
      for (Index key = 0; key < tokens; ++key) {
        const auto value = static_cast<double>(v(key, c));
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
