#include "support/stored_values.h"

#include <cstring>
#include <stdexcept>

#include "io/floats.h"

namespace evenkeel::support {
namespace {

template <typename Element>
void append(const StoredTensor& tensor, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Element element{};
    std::memcpy(&element, tensor.bytes.data() + i * sizeof(Element), sizeof(Element));
    values[i] = static_cast<double>(element);
  }
}

}  // namespace

std::vector<double> doubles_of(const StoredTensor& tensor) {
  std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
  switch (tensor.dtype) {
    case DType::F32:
    case DType::F16:
    case DType::BF16:
    case DType::Q4_0:
    case DType::Q4_1:
    case DType::Q5_0:
    case DType::Q5_1:
    case DType::Q8_0:
    case DType::Q4_K:
    case DType::Q5_K:
    case DType::Q6_K: {
      std::vector<float> floats(values.size());
      decode(tensor, 0, floats);
      values.assign(floats.begin(), floats.end());
      break;
    }
    case DType::F64:
      append<double>(tensor, values);
      break;
    case DType::I64:
      append<std::int64_t>(tensor, values);
      break;
    case DType::I32:
      append<std::int32_t>(tensor, values);
      break;
    case DType::I16:
      append<std::int16_t>(tensor, values);
      break;
    case DType::I8:
      append<std::int8_t>(tensor, values);
      break;
    case DType::U8:
      append<std::uint8_t>(tensor, values);
      break;
    case DType::BOOL:
      throw std::invalid_argument("no numbers in a BOOL tensor");
  }
  return values;
}

Matrix matrix_of(const StoredTensor& tensor) {
  const Index columns = tensor.shape.empty() ? 1 : tensor.shape.back();
  Matrix matrix(tensor.elements() / columns, columns);
  decode_floats(tensor.dtype, tensor.bytes,
                {matrix.data(), static_cast<std::size_t>(matrix.size())});
  return matrix;
}

std::vector<Tokens> token_rows_of(const StoredTensor& tensor) {
  const auto values = doubles_of(tensor);
  const auto length = static_cast<std::size_t>(tensor.shape.back());
  std::vector<Tokens> rows(values.size() / length);
  for (std::size_t i = 0; i < values.size(); ++i) {
    rows[i / length].push_back(static_cast<TokenId>(values[i]));
  }
  return rows;
}

}  // namespace evenkeel::support
