#include "transforms/site_output.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

class LinearOutput final : public SiteOutput {
 public:
  explicit LinearOutput(Index rows) : rows_(rows) {}
  std::vector<Index> part_rows() const override { return {rows_}; }
  Index columns() const override { return rows_; }
  bool takes_bias() const override { return false; }
  void piece(const OutputReaders& readers, std::size_t /*sample*/, Index first,
             OutputBuffers& buffers, MatrixView out) const override {
    readers.multiply(0, first, Vector(), buffers, out);
  }

 private:
  Index rows_;
};

class GatedOutput final : public SiteOutput {
 public:
  GatedOutput(Index rows, Activation activation) : rows_(rows), activation_(activation) {}
  std::vector<Index> part_rows() const override { return {2 * rows_}; }
  Index columns() const override { return rows_; }
  void piece(const OutputReaders& readers, std::size_t /*sample*/, Index first,
             OutputBuffers& buffers, MatrixView out) const override {
    buffers.products.resize(out.rows(), 2 * rows_);
    readers.multiply(0, first, readers.bias, buffers, buffers.products);
    buffers.gate = buffers.products.leftCols(rows_);
    activate(activation_, buffers.gate);
    out = buffers.gate.cwiseProduct(buffers.products.rightCols(rows_));
  }

 private:
  Index rows_;
  Activation activation_;
};

class AttentionOutput final : public SiteOutput {
 public:
  AttentionOutput(AttentionShape shape, std::vector<TokenMask> masks)
      : shape_(std::move(shape)), masks_(std::move(masks)) {}
  std::vector<Index> part_rows() const override {
    return {shape_.query_channels + 2 * shape_.key_value_channels};
  }
  Index columns() const override { return shape_.query_channels; }
  void begin(const OutputReaders& readers, Index tokens, OutputBuffers& buffers) const override {
    buffers.products.resize(tokens, weight_rows());
    readers.multiply(0, Index{0}, readers.bias, buffers, buffers.products);
    shape_.prepare(query(buffers), key(buffers));
  }
  void piece(const OutputReaders& /*readers*/, std::size_t sample, Index first,
             OutputBuffers& buffers, MatrixView out) const override {
    static const TokenMask none;
    attend_piece(query(buffers), key(buffers),
                 buffers.products.rightCols(shape_.key_value_channels),
                 masks_.empty() ? none : masks_[sample], shape_.options, first, nullptr,
                 buffers.attention, out);
  }

 private:
  MatrixView query(OutputBuffers& buffers) const {
    return buffers.products.leftCols(shape_.query_channels);
  }
  MatrixView key(OutputBuffers& buffers) const {
    return buffers.products.middleCols(shape_.query_channels, shape_.key_value_channels);
  }

  AttentionShape shape_;
  std::vector<TokenMask> masks_;
};

class MixtureOutput final : public SiteOutput {
 public:
  MixtureOutput(Index rows, Activation activation, std::vector<std::vector<Routing>> routing,
                Index experts_per_token)
      : rows_(rows),
        activation_(activation),
        routing_(std::move(routing)),
        experts_(static_cast<Index>(routing_.front().size())),
        experts_per_token_(experts_per_token) {}
  // Every gate, then every up.
  std::vector<Index> part_rows() const override {
    return std::vector<Index>(static_cast<std::size_t>(2 * experts_), rows_);
  }
  Index columns() const override { return experts_per_token_ * rows_; }
  void piece(const OutputReaders& readers, std::size_t sample, Index first, OutputBuffers& buffers,
             MatrixView out) const override {
    std::vector<Index> filled(static_cast<std::size_t>(out.rows()), 0);  // experts of each token
    for (Index e = 0; e < experts_; ++e) {
      const Routing& routing = routing_[sample][static_cast<std::size_t>(e)];
      const auto begin = std::lower_bound(routing.tokens.begin(), routing.tokens.end(), first);
      const auto end = std::lower_bound(begin, routing.tokens.end(), first + out.rows());
      if (begin == end) continue;
      const std::span<const Index> sent(begin, end);
      project(readers, e, sent, buffers, buffers.gate);
      activate(activation_, buffers.gate);
      project(readers, experts_ + e, sent, buffers, buffers.products);
      buffers.products.array() *= buffers.gate.array();
      for (auto token = begin; token != end; ++token) {
        const Index row = *token - first;
        const Index place = filled[static_cast<std::size_t>(row)]++;
        const float share =
            routing.weights[static_cast<std::size_t>(token - routing.tokens.begin())];
        out.row(row).segment(place * rows_, rows_) =
            share * buffers.products.row(static_cast<Index>(token - begin));
      }
    }
  }

 private:
  void project(const OutputReaders& readers, Index part, std::span<const Index> tokens,
               OutputBuffers& buffers, Matrix& out) const {
    out.resize(static_cast<Index>(tokens.size()), rows_);
    readers.multiply(static_cast<std::size_t>(part), tokens,
                     readers.bias.segment(part * rows_, rows_), buffers, out);
  }

  Index rows_;
  Activation activation_;
  std::vector<std::vector<Routing>> routing_;
  Index experts_;
  Index experts_per_token_;
};

class ProjectedOutput final : public SiteOutput {
 public:
  ProjectedOutput(std::shared_ptr<const SiteOutput> inner, Matrix behind)
      : inner_(std::move(inner)), behind_(std::move(behind)) {}
  std::vector<Index> part_rows() const override { return inner_->part_rows(); }
  Index columns() const override { return behind_.rows(); }
  bool takes_bias() const override { return inner_->takes_bias(); }
  void begin(const OutputReaders& readers, Index tokens, OutputBuffers& buffers) const override {
    inner_->begin(readers, tokens, buffers);
  }
  void piece(const OutputReaders& readers, std::size_t sample, Index first, OutputBuffers& buffers,
             MatrixView out) const override {
    buffers.inner.resize(out.rows(), inner_->columns());
    inner_->piece(readers, sample, first, buffers, buffers.inner);
    product_transposed(buffers.inner, behind_, out);
  }

 private:
  std::shared_ptr<const SiteOutput> inner_;
  Matrix behind_;
};

}  // namespace

Index SiteOutput::weight_rows() const {
  const std::vector<Index> parts = part_rows();
  return std::accumulate(parts.begin(), parts.end(), Index{0});
}

std::shared_ptr<const SiteOutput> projected_output(std::shared_ptr<const SiteOutput> inner,
                                                   Matrix behind) {
  return std::make_shared<ProjectedOutput>(std::move(inner), std::move(behind));
}

std::shared_ptr<const SiteOutput> linear_output(Index rows) {
  return std::make_shared<LinearOutput>(rows);
}

std::shared_ptr<const SiteOutput> gated_output(Index rows, Activation activation) {
  return std::make_shared<GatedOutput>(rows, activation);
}

std::shared_ptr<const SiteOutput> attention_output(AttentionShape shape,
                                                   std::vector<TokenMask> masks) {
  return std::make_shared<AttentionOutput>(std::move(shape), std::move(masks));
}

std::shared_ptr<const SiteOutput> mixture_output(Index rows, Activation activation,
                                                 std::vector<std::vector<Routing>> routing,
                                                 Index experts_per_token) {
  return std::make_shared<MixtureOutput>(rows, activation, std::move(routing), experts_per_token);
}

}  // namespace evenkeel
