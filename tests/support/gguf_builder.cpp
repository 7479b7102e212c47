#include "tests/support/gguf_builder.h"

#include <utility>

namespace evenkeel::support {

std::string gguf_text(std::string_view text) {
  return number_bytes<std::uint64_t>(text.size()).append(text);
}

std::string gguf_array(std::uint32_t type, std::uint64_t count, std::string_view elements) {
  return (number_bytes(type) + number_bytes(count)).append(elements);
}

std::string gguf_texts(const std::vector<std::string>& texts) {
  std::string elements;
  for (const std::string& text : texts) elements += gguf_text(text);
  return gguf_array(gguf_type::text, texts.size(), elements);
}

void GgufBuilder::add(std::string key, std::uint32_t type, std::string value) {
  entries.push_back({std::move(key), type, std::move(value)});
}

void GgufBuilder::add_text(std::string key, std::string_view text) {
  add(std::move(key), gguf_type::text, gguf_text(text));
}

void GgufBuilder::add_count(std::string key, std::uint32_t count) {
  add(std::move(key), gguf_type::u32, number_bytes(count));
}

void GgufBuilder::add_number(std::string key, float number) {
  add(std::move(key), gguf_type::f32, number_bytes(number));
}

void GgufBuilder::add_tensor(std::string name, std::vector<std::uint64_t> sizes, std::uint32_t type,
                             std::string_view bytes) {
  data.resize((data.size() + alignment - 1) / alignment * alignment);
  tensors.push_back({std::move(name), std::move(sizes), type, data.size()});
  data += bytes;
}

void GgufBuilder::add_floats(std::string name, std::vector<std::uint64_t> sizes, float first) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : sizes) count *= size;
  std::vector<float> values(count);
  for (std::uint64_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i);
  add_tensor(std::move(name), std::move(sizes), 0, bytes_of_numbers(values));
}

std::string GgufBuilder::bytes() const {
  std::string file = magic + number_bytes(version) +
                     number_bytes(static_cast<std::int64_t>(tensors.size()) + more_tensors) +
                     number_bytes(static_cast<std::int64_t>(entries.size()) + more_entries);
  for (const Entry& entry : entries)
    file += gguf_text(entry.key) + number_bytes(entry.type) + entry.value;
  for (const Tensor& tensor : tensors) {
    file += gguf_text(tensor.name) + number_bytes(static_cast<std::uint32_t>(tensor.sizes.size()));
    for (auto size = tensor.sizes.rbegin(); size != tensor.sizes.rend(); ++size) {
      file += number_bytes(*size);
    }
    file += number_bytes(tensor.type) + number_bytes(tensor.offset);
  }
  file.resize((file.size() + alignment - 1) / alignment * alignment);
  return file + data;
}

GgufBuilder tiny_llama_gguf() {
  GgufBuilder file;
  file.add_text("general.architecture", "llama");
  file.add_count("llama.context_length", 16);
  file.add_count("llama.embedding_length", 8);
  file.add_count("llama.block_count", 2);
  file.add_count("llama.feed_forward_length", 12);
  file.add_count("llama.attention.head_count", 2);
  file.add_count("llama.attention.head_count_kv", 1);
  file.add_number("llama.attention.layer_norm_rms_epsilon", 1e-6F);
  file.add_floats("token_embd.weight", {5, 8});
  for (const std::string block : {"blk.0.", "blk.1."}) {
    file.add_floats(block + "attn_norm.weight", {8});
    file.add_floats(block + "attn_q.weight", {8, 8});
    file.add_floats(block + "attn_k.weight", {4, 8});
    file.add_floats(block + "attn_v.weight", {4, 8});
    file.add_floats(block + "attn_output.weight", {8, 8});
    file.add_floats(block + "ffn_norm.weight", {8});
    file.add_floats(block + "ffn_gate.weight", {12, 8});
    file.add_floats(block + "ffn_up.weight", {12, 8});
    file.add_floats(block + "ffn_down.weight", {8, 12});
  }
  file.add_floats("output_norm.weight", {8});
  return file;
}

}  // namespace evenkeel::support
