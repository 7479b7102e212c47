#include "calib/model_parts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "calib/scheme_places.h"
#include "model/node.h"
#include "model/stored_linears.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

// "model.layers.3.mlp.experts.0.w1" as "*.w1": what follows the last number.
std::string in_every_block(std::string_view module) {
  std::size_t first = 0;
  for (std::size_t word = 0; word < module.size();) {
    const std::size_t dot = std::min(module.find('.', word), module.size());
    const bool number =
        module.substr(word, dot - word).find_first_not_of("0123456789") == std::string_view::npos;
    word = dot + 1;
    if (number) first = word;
  }
  return fmt::format("*.{}", module.substr(std::min(first, module.size())));
}

void add_new(std::vector<std::string>& patterns, std::string pattern) {
  if (std::ranges::find(patterns, pattern) == patterns.end()) {
    patterns.push_back(std::move(pattern));
  }
}

bool quantizes(const Scheme& scheme, const Architecture& architecture, const ModelPart& part) {
  const Scheme kept = keeping(part);
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const Node node : all_nodes) {
      if (is_quantized(scheme_of_node(scheme, block, node)) &&
          !is_quantized(scheme_of_node(kept, block, node))) {
        return true;
      }
    }
    for (const StoredLinear& linear : quantized_linears(architecture, scheme, block)) {
      if (!is_quantized(kept, block, linear)) return true;
    }
  }
  return false;
}

// Every linear of the model whose name in its block this is.
std::vector<std::string> modules_named(const Architecture& architecture, const std::string& name) {
  std::vector<std::string> modules;
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const StoredLinear& linear : stored_linears(architecture, block)) {
      if (in_every_block(linear.module) == name) modules.push_back(linear.module);
    }
  }
  return modules;
}

bool names_others(const Architecture& architecture, const std::string& pattern) {
  Scheme kept;
  kept.keep = {pattern};
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const StoredLinear& linear : stored_linears(architecture, block)) {
      if (is_quantized(linear.role()) && !is_quantized(kept, block, linear) &&
          in_every_block(linear.module) != pattern) {
        return true;
      }
    }
  }
  return false;
}

// "*.output.dense" of BERT also names its attention.output.dense.
void add_linear(const Architecture& architecture, const std::string& name,
                std::vector<std::string>& patterns) {
  if (!names_others(architecture, name)) return add_new(patterns, name);
  for (std::string& module : modules_named(architecture, name)) {
    add_new(patterns, std::move(module));
  }
}

std::vector<ModelPart> linears_of(const Architecture& architecture) {
  std::vector<ModelPart> parts;
  for (const StoredLinear& linear : stored_linears(architecture, 0)) {
    const std::string name = in_every_block(linear.module);
    if (!is_quantized(linear.role()) ||
        std::ranges::find(parts, name, &ModelPart::name) != parts.end()) {
      continue;
    }
    parts.push_back({PartKind::linear, name, {}});
    add_linear(architecture, name, parts.back().patterns);
  }
  return parts;
}

// Sites of the same kind (a mixture has one for each expert) are one part.
std::vector<ModelPart> sites_of_every_block(const Architecture& architecture) {
  std::vector<ModelPart> parts;
  for (const Site& site : all_sites(architecture)) {
    const std::string name(name_of(site.kind));
    auto part = std::ranges::find(parts, name, &ModelPart::name);
    if (part == parts.end()) {
      parts.push_back({PartKind::site, name, {std::string(name_of(site.input))}});
      part = parts.end() - 1;
    }
    for (const StoredLinear& linear : stored_linears(architecture, 0)) {
      if (linear.holds_any(site.readers) && is_quantized(linear.role())) {
        add_linear(architecture, in_every_block(linear.module), part->patterns);
      }
    }
  }
  return parts;
}

}  // namespace

std::string_view name_of(PartKind kind) {
  switch (kind) {
    case PartKind::node:
      return "node";
    case PartKind::linear:
      return "linear";
    case PartKind::site:
      return "site";
    case PartKind::block:
      return "block";
  }
  return {};
}

std::vector<ModelPart> parts_of(const Architecture& architecture, const Scheme& scheme) {
  std::vector<ModelPart> parts;
  for (const Node node : all_nodes) {
    const std::string name(name_of(node));
    parts.push_back({PartKind::node, name, {name}});
  }
  for (auto& part : linears_of(architecture)) parts.push_back(std::move(part));
  for (auto& part : sites_of_every_block(architecture)) parts.push_back(std::move(part));
  for (Index block = 0; block < architecture.blocks; ++block) {
    const std::string name = fmt::format("blocks.{}", block);
    parts.push_back({PartKind::block, name, {name}});
  }
  std::erase_if(parts,
                [&](const ModelPart& part) { return !quantizes(scheme, architecture, part); });
  return parts;
}

Scheme keeping(const ModelPart& part) {
  Scheme scheme;
  scheme.keep = part.patterns;
  return scheme;
}

}  // namespace evenkeel
