#include "calib/verify.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/quantized_model.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "io/floats.h"
#include "io/one_line.h"
#include "io/safetensors.h"
#include "model/forward.h"
#include "model/language_model.h"
#include "model/quantizing_tap.h"

namespace evenkeel {
namespace {

struct Sample {
  Tokens tokens;
  TokenMask mask;
  Tokens token_types;
};

// A tensor [samples, tokens] of integers.
std::vector<std::vector<std::int64_t>> integer_rows(const SafetensorsFile& file,
                                                    const std::string& name) {
  const StoredTensor& tensor = file.at(name);
  const std::size_t width = tensor.dtype == DType::I64 ? 8 : tensor.dtype == DType::I32 ? 4 : 0;
  if (width == 0 || tensor.shape.size() != 2 || tensor.elements() == 0) {
    throw InputError(
        fmt::format("{}: tensor '{}': expected I32 or I64 [samples, tokens], got {} {}",
                    file.path().string(), name, name_of(tensor.dtype), tensor.shape_text()));
  }
  const auto length = static_cast<std::size_t>(tensor.shape[1]);
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(tensor.shape[0]),
                                              std::vector<std::int64_t>(length));
  const std::byte* next = tensor.bytes.data();
  for (auto& row : rows) {
    for (std::int64_t& value : row) {
      std::int32_t narrow = 0;
      if (width == 8) {
        std::memcpy(&value, next, width);
      } else {
        std::memcpy(&narrow, next, width);
        value = narrow;
      }
      next += width;
    }
  }
  return rows;
}

// A tensor of ids, of the shape of input_ids.
std::vector<Tokens> id_rows(const SafetensorsFile& file, const std::string& name) {
  const auto rows = integer_rows(file, name);
  if (file.at(name).shape != file.at("input_ids").shape) {
    throw InputError(fmt::format("{}: tensor '{}': shape {} differs from input_ids {}",
                                 file.path().string(), name, file.at(name).shape_text(),
                                 file.at("input_ids").shape_text()));
  }
  std::vector<Tokens> ids(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::int64_t id : rows[i]) {
      if (id < 0 || id > std::numeric_limits<TokenId>::max()) {
        throw InputError(
            fmt::format("{}: tensor '{}': {} is not a token id", file.path().string(), name, id));
      }
      ids[i].push_back(static_cast<TokenId>(id));
    }
  }
  return ids;
}

std::vector<Sample> read_samples(const SafetensorsFile& file) {
  const auto ids = id_rows(file, "input_ids");
  std::vector<Sample> samples(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) samples[i].tokens = ids[i];
  if (file.find("token_type_ids") != nullptr) {
    const auto types = id_rows(file, "token_type_ids");
    for (std::size_t i = 0; i < ids.size(); ++i) samples[i].token_types = types[i];
  }
  if (file.find("attention_mask") == nullptr) return samples;
  const auto mask = id_rows(file, "attention_mask");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (const TokenId value : mask[i]) samples[i].mask.push_back(value != 0 ? 1 : 0);
  }
  const auto is_real = [](const Sample& sample) {
    return std::count(sample.mask.begin(), sample.mask.end(), 1) > 0;
  };
  if (std::none_of(samples.begin(), samples.end(), is_real)) {
    throw InputError(
        fmt::format("{}: tensor 'attention_mask': every token is padding, so that "
                    "there is nothing to compare",
                    file.path().string()));
  }
  return samples;
}

// Collects the differences of one expected tensor: [samples, tokens, columns], or, of a
// classifier's logits, [samples, labels].
class TensorComparison {
 public:
  TensorComparison(const SafetensorsFile& file, std::string name,
                   const std::vector<Sample>& samples, bool by_token)
      : file_(file), tensor_(file.at(name)), samples_(samples), by_token_(by_token) {
    result_.name = std::move(name);
    std::vector<std::int64_t> expected{static_cast<std::int64_t>(samples.size())};
    if (by_token) expected.push_back(static_cast<std::int64_t>(samples.front().tokens.size()));
    const std::vector<std::int64_t>& shape = tensor_.shape;
    if (!is_float(tensor_.dtype) || shape.size() != expected.size() + 1 || shape.back() == 0 ||
        !std::equal(expected.begin(), expected.end(), shape.begin())) {
      throw InputError(fmt::format("{}: tensor '{}': expected floats [{}, columns], got {} {}",
                                   file.path().string(), result_.name, fmt::join(expected, ", "),
                                   name_of(tensor_.dtype), tensor_.shape_text()));
    }
  }

  void compare(std::size_t sample, const Matrix& actual) {
    const auto columns = static_cast<Index>(tensor_.shape.back());
    if (actual.cols() != columns) {
      throw InputError(fmt::format("{}: tensor '{}': {} columns, but the model gives {}",
                                   file_.path().string(), result_.name, columns, actual.cols()));
    }
    Matrix expected(actual.rows(), columns);
    const auto size = static_cast<std::size_t>(expected.size());
    const std::size_t bytes = size * size_of(tensor_.dtype);
    decode_floats(tensor_.dtype, tensor_.bytes.subspan(sample * bytes, bytes),
                  {expected.data(), size});
    const TokenMask& mask = samples_[sample].mask;
    for (Index row = 0; row < actual.rows(); ++row) {
      if (by_token_ && !mask.empty() && mask[static_cast<std::size_t>(row)] == 0) continue;
      for (Index column = 0; column < columns; ++column) {
        add(actual(row, column), expected(row, column));
      }
    }
  }

  TensorDifference finish() {
    if (count_ > 0.0) result_.mean = sum_ / count_;
    return result_;
  }

 private:
  void add(float actual, float expected) {
    double difference = std::abs(static_cast<double>(actual) - expected);
    // A value that is not finite on either side is as wrong as can be.
    if (!std::isfinite(difference)) difference = std::numeric_limits<double>::infinity();
    result_.largest = std::max(result_.largest, difference);
    if (std::isfinite(expected)) {
      result_.scale = std::max(result_.scale, std::abs(static_cast<double>(expected)));
    }
    sum_ += difference;
    count_ += 1.0;
  }

  const SafetensorsFile& file_;
  const StoredTensor& tensor_;
  const std::vector<Sample>& samples_;
  bool by_token_;
  TensorDifference result_;
  double sum_ = 0.0;
  double count_ = 0.0;
};

class Verification {
 public:
  Verification(const LanguageModel& model, const SafetensorsFile& file)
      : model_(model), file_(file), samples_(read_samples(file)) {
    // Looked up before the work, which is long.
    static_cast<void>(file.at("logits"));
    for (const StoredTensor& tensor : file.tensors()) check_known(tensor.name);
  }

  VerifyResult run(const std::function<RunnableBlock(Index number)>& load) {
    std::vector<Matrix> hidden;
    for (const Sample& sample : samples_)
      hidden.push_back(model_.embed(sample.tokens, sample.mask, sample.token_types));
    const Architecture& architecture = model_.architecture();
    Workspace workspace;
    for (Index number = 0; number < architecture.blocks; ++number) {
      const auto [block, quantizers] = load(number);
      QuantizingTap tap(quantizers);
      if (file_.find(hidden_name(number)) != nullptr) {
        std::vector<Matrix> entering;
        entering.reserve(hidden.size());
        for (const Matrix& states : hidden) {
          entering.push_back(entering_state(architecture, block, states));
        }
        compare(hidden_name(number), entering);
      }
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        forward(architecture, block, hidden[i], samples_[i].mask, tap, workspace);
      }
    }
    for (Matrix& states : hidden) model_.finish(states);
    compare(hidden_name(architecture.blocks), hidden);
    for (Matrix& states : hidden) states = model_.logits(states);
    compare("logits", hidden);
    std::rotate(result_.tensors.begin(), result_.tensors.end() - 1, result_.tensors.end());
    for (const TensorDifference& tensor : result_.tensors) {
      result_.worst = std::max(result_.worst, tensor.relative());
    }
    return result_;
  }

 private:
  static constexpr std::string_view hidden_prefix = "hidden.";

  // A hidden state that is not compared must not look as if it had been.
  void check_known(const std::string& name) const {
    if (!name.starts_with(hidden_prefix)) return;
    for (Index number = 0; number <= model_.architecture().blocks; ++number) {
      if (name == hidden_name(number)) return;
    }
    throw InputError(fmt::format("{}: tensor {}: the model's hidden states are {} to {}",
                                 file_.path().string(), in_quotes(name), hidden_name(0),
                                 hidden_name(model_.architecture().blocks)));
  }

  static std::string hidden_name(Index number) {
    return fmt::format("{}{}", hidden_prefix, number);
  }

  void compare(const std::string& name, const std::vector<Matrix>& actual) {
    if (file_.find(name) == nullptr) return;
    const bool classifies = model_.architecture().head.kind == HeadKind::classification;
    TensorComparison comparison(file_, name, samples_, name != "logits" || !classifies);
    for (std::size_t i = 0; i < actual.size(); ++i) comparison.compare(i, actual[i]);
    result_.tensors.push_back(comparison.finish());
  }

  const LanguageModel& model_;
  const SafetensorsFile& file_;
  std::vector<Sample> samples_;
  VerifyResult result_;
};

}  // namespace

VerifyResult verify_checkpoint(const std::filesystem::path& path,
                               const std::filesystem::path& against) {
  const Checkpoint checkpoint(path);
  const SafetensorsFile file(against);
  if (is_quantized(checkpoint)) {
    const QuantizedModel model(checkpoint);
    return Verification(model.model(), file).run([&](Index number) { return model.load(number); });
  }
  const LanguageModel model(checkpoint);
  return Verification(model, file).run([&](Index number) {
    return RunnableBlock{model.load_block(number), {}};
  });
}

}  // namespace evenkeel
