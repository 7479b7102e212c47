#include "transforms/site_output.h"

#include <algorithm>
#include <utility>

#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

// out := x weight^T + bias.
void project(const ConstMatrixView& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             Matrix& out) {
  out.resize(x.rows(), weight.rows());
  product_transposed(x, weight, out);
  out.rowwise() += bias;
}

class LinearOutput final : public SiteOutput {
 public:
  explicit LinearOutput(Index rows) : rows_(rows) {}
  Index weight_rows() const override { return rows_; }
  Index columns() const override { return rows_; }
  void piece(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& /*bias*/,
             std::size_t /*sample*/, Index first, OutputBuffers& /*buffers*/,
             MatrixView out) const override {
    product_transposed(x.middleRows(first, out.rows()), weight, out);
  }

 private:
  Index rows_;
};

class GatedOutput final : public SiteOutput {
 public:
  GatedOutput(Index rows, Activation activation) : rows_(rows), activation_(activation) {}
  Index weight_rows() const override { return 2 * rows_; }
  Index columns() const override { return rows_; }
  void piece(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             std::size_t /*sample*/, Index first, OutputBuffers& buffers,
             MatrixView out) const override {
    project(x.middleRows(first, out.rows()), weight, bias, buffers.products);
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
  Index weight_rows() const override {
    return shape_.query_channels + 2 * shape_.key_value_channels;
  }
  Index columns() const override { return shape_.query_channels; }
  void begin(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             OutputBuffers& buffers) const override {
    project(x, weight, bias, buffers.products);
    shape_.prepare(query(buffers), key(buffers));
  }
  void piece(const Matrix& /*x*/, const ConstMatrixView& /*weight*/,
             const ConstVectorView& /*bias*/, std::size_t sample, Index first,
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
  Index weight_rows() const override { return 2 * experts_ * rows_; }
  Index columns() const override { return experts_per_token_ * rows_; }
  void piece(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             std::size_t sample, Index first, OutputBuffers& buffers,
             MatrixView out) const override {
    std::vector<Index> filled(static_cast<std::size_t>(out.rows()), 0);  // experts of each token
    for (Index e = 0; e < experts_; ++e) {
      const Routing& routing = routing_[sample][static_cast<std::size_t>(e)];
      const auto begin = std::lower_bound(routing.tokens.begin(), routing.tokens.end(), first);
      const auto end = std::lower_bound(begin, routing.tokens.end(), first + out.rows());
      if (begin == end) continue;
      const Matrix sent = x(std::vector<Index>(begin, end), Eigen::all);
      project(sent, weight.middleRows(e * rows_, rows_), bias.segment(e * rows_, rows_),
              buffers.gate);
      activate(activation_, buffers.gate);
      const Index up = (experts_ + e) * rows_;
      project(sent, weight.middleRows(up, rows_), bias.segment(up, rows_), buffers.products);
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
  Index weight_rows() const override { return inner_->weight_rows(); }
  Index columns() const override { return behind_.rows(); }
  void begin(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             OutputBuffers& buffers) const override {
    inner_->begin(x, weight, bias, buffers);
  }
  void piece(const Matrix& x, const ConstMatrixView& weight, const ConstVectorView& bias,
             std::size_t sample, Index first, OutputBuffers& buffers,
             MatrixView out) const override {
    buffers.inner.resize(out.rows(), inner_->columns());
    inner_->piece(x, weight, bias, sample, first, buffers, buffers.inner);
    product_transposed(buffers.inner, behind_, out);
  }

 private:
  std::shared_ptr<const SiteOutput> inner_;
  Matrix behind_;
};

}  // namespace

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
