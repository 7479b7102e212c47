#include "model/experts.h"

#include <algorithm>
#include <numeric>

#include "model/ops.h"

namespace evenkeel {

std::vector<Routing> route(const ConstMatrixView& scores, Index count) {
  std::vector<Routing> routing(static_cast<std::size_t>(scores.cols()));
  std::vector<Index> order(static_cast<std::size_t>(scores.cols()));
  std::vector<float> weights(static_cast<std::size_t>(count));
  for (Index token = 0; token < scores.rows(); ++token) {
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](Index a, Index b) { return scores(token, a) > scores(token, b); });
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = scores(token, order[i]);
    softmax(weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      Routing& expert = routing[static_cast<std::size_t>(order[i])];
      expert.tokens.push_back(token);
      expert.weights.push_back(weights[i]);
    }
  }
  return routing;
}

}  // namespace evenkeel
