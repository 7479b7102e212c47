#include "quantizers/integer_product.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "io/errors.h"
#include "quantizers/one_openmp_thread.h"

namespace evenkeel {
namespace {

using Descriptor = dnnl::memory::desc;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

Descriptor plain(Index rows, Index columns, dnnl::memory::data_type type) {
  return {{rows, columns}, type, dnnl::memory::format_tag::ab};
}

// Weights as they come: [depth, columns] to oneDNN, each column without gaps.
Descriptor weights_as_given(Index columns, Index depth) {
  return {{depth, columns}, dnnl::memory::data_type::s8, dnnl::memory::format_tag::ba};
}

dnnl::matmul::primitive_desc described(Index rows, Index depth, const Descriptor& weights,
                                       Index columns) {
  return {{plain(rows, depth, dnnl::memory::data_type::u8), weights,
           plain(rows, columns, dnnl::memory::data_type::s32)},
          engine()};
}

// What the library makes for one shape takes longer to make than a small product runs. Kept by each
// thread for as many shapes as a search works on: the weights of a site by a few numbers of rows.
template <class Key, class Value, class Make>
const Value& kept(const Key& key, const Make& make) {
  thread_local std::map<Key, Value> known;
  constexpr std::size_t most = 64;
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  if (known.size() >= most) known.clear();
  return known.emplace(key, make()).first->second;
}

// The layout that the library likes best, which does not depend on the rows it is multiplied with,
// and the way there.
struct Packing {
  Descriptor layout;
  dnnl::reorder reorder;
};

const Packing& packing_of(Index columns, Index depth) {
  return kept<std::pair<Index, Index>, Packing>({columns, depth}, [&] {
    constexpr Index usual_rows = 128;
    const Descriptor any({depth, columns}, dnnl::memory::data_type::s8,
                         dnnl::memory::format_tag::any);
    const Descriptor layout = described(usual_rows, depth, any, columns).weights_desc();
    const dnnl::reorder::primitive_desc way(engine(), weights_as_given(columns, depth), engine(),
                                            layout);
    return Packing{layout, dnnl::reorder(way)};
  });
}

const dnnl::matmul& product_of(Index rows, Index columns, Index depth) {
  return kept<std::tuple<Index, Index, Index>, dnnl::matmul>({rows, columns, depth}, [&] {
    return dnnl::matmul(described(rows, depth, packing_of(columns, depth).layout, columns));
  });
}

// The library takes pointers to what it reads without const.
template <class T>
dnnl::memory memory_at(const Descriptor& descriptor, const T* values) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  return {descriptor, engine(), const_cast<T*>(values)};
}

template <class Call>
void without_refusal(Index columns, Index depth, const Call& call) {
  try {
    const OneOpenMpThread one_thread;
    call();
  } catch (const dnnl::error& error) {
    throw MachineError(
        fmt::format("oneDNN refused the integer product with a weight [{}, {}]: {}; check that "
                    "the machine has memory left",
                    columns, depth, error.what()));
  }
}

// Pairs of products beyond 16 bits, of both signs; one row and several, as libraries have a
// kernel of its own for each, and a depth that no vector width divides.
bool probe() {
  constexpr Index depth = 197;
  constexpr Index columns = 17;
  for (const Index rows : {Index{1}, Index{19}}) {
    for (const int weight : {127, -128}) {
      const std::vector<std::uint8_t> x(static_cast<std::size_t>(rows * depth), 255);
      const std::vector<std::int8_t> w(static_cast<std::size_t>(columns * depth),
                                       static_cast<std::int8_t>(weight));
      std::vector<std::int32_t> out(static_cast<std::size_t>(rows * columns));
      PackedCodes(w, columns, depth, true).multiply(x, rows, out);
      const auto expected = static_cast<std::int32_t>(Index{255} * weight * depth);
      if (std::ranges::any_of(out, [=](std::int32_t sum) { return sum != expected; })) return false;
    }
  }
  return true;
}

}  // namespace

bool integer_product_is_exact() {
  static const bool exact = probe();
  return exact;
}

/// The codes as the fast product reads them, or as they came for the scalar one.
struct PackedCodes::Layout {
  dnnl::memory packed;
  std::vector<std::int8_t> plain;
};

PackedCodes::PackedCodes(std::span<const std::int8_t> codes, Index columns, Index depth, bool fast)
    : columns_(columns), depth_(depth), layout_(std::make_unique<Layout>()) {
  assert(depth <= longest_code_rows && std::cmp_equal(codes.size(), columns * depth));
  if (codes.empty()) return;
  if (!fast) {
    layout_->plain.assign(codes.begin(), codes.end());
    return;
  }
  without_refusal(columns, depth, [&] {
    dnnl::stream stream(engine());
    const Packing& packing = packing_of(columns, depth);
    layout_->packed = dnnl::memory(packing.layout, engine());
    dnnl::memory given = memory_at(weights_as_given(columns, depth), codes.data());
    packing.reorder.execute(stream, given, layout_->packed);
    stream.wait();
  });
}

PackedCodes::PackedCodes(PackedCodes&& other) noexcept = default;
PackedCodes& PackedCodes::operator=(PackedCodes&& other) noexcept = default;
PackedCodes::~PackedCodes() = default;

void PackedCodes::multiply(std::span<const std::uint8_t> x, Index rows,
                           std::span<std::int32_t> out) const {
  assert(std::cmp_equal(x.size(), rows * depth_) && std::cmp_equal(out.size(), rows * columns_));
  if (out.empty()) return;
  if (depth_ == 0) {
    std::ranges::fill(out, 0);
    return;
  }
  if (!layout_->plain.empty()) {
    reference::integer_product(x, layout_->plain, rows, columns_, depth_, out);
    return;
  }
  without_refusal(columns_, depth_, [&] {
    dnnl::stream stream(engine());
    product_of(rows, columns_, depth_)
        .execute(
            stream,
            {{DNNL_ARG_SRC, memory_at(plain(rows, depth_, dnnl::memory::data_type::u8), x.data())},
             {DNNL_ARG_WEIGHTS, layout_->packed},
             {DNNL_ARG_DST,
              memory_at(plain(rows, columns_, dnnl::memory::data_type::s32), out.data())}});
    stream.wait();
  });
}

namespace reference {

void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out) {
  const auto length = static_cast<std::size_t>(depth);
  std::size_t place = 0;
  for (Index i = 0; i < rows; ++i) {
    const auto row = x.subspan(static_cast<std::size_t>(i) * length, length);
    for (Index j = 0; j < columns; ++j) {
      const auto column = w.subspan(static_cast<std::size_t>(j) * length, length);
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < length; ++k) {
        sum += static_cast<std::int32_t>(row[k]) * static_cast<std::int32_t>(column[k]);
      }
      out[place++] = sum;
    }
  }
}

}  // namespace reference
}  // namespace evenkeel
