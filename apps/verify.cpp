// calibrate verify: a forward pass against tensors that somebody else computed.
#include "calib/verify.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/table.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate verify path/to/checkpoint --against expected.safetensors
  calibrate verify path/to/checkpoint --against expected.safetensors --tolerance 2e-5
The file holds input_ids [samples, tokens], logits, and optionally attention_mask and hidden.0 ..
hidden.N (hidden.0 enters the first block, the last is after the final norm). Exit status 0 only
when every tensor's largest difference, relative to the tensor's largest magnitude, is within the
tolerance.
For --json and --threads see calibrate --help.)";

struct VerifyArguments {
  std::string checkpoint;
  std::string against;
  double tolerance = 1e-3;
};

/// Also false for a difference that is not a number.
bool within(const TensorDifference& tensor, double tolerance) {
  return tensor.relative() <= tolerance;
}

nlohmann::ordered_json to_json(const VerifyResult& result, double tolerance, bool passed) {
  auto tensors = nlohmann::ordered_json::array();
  for (const TensorDifference& tensor : result.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"largest", tensor.largest},
                       {"mean", tensor.mean},
                       {"scale", tensor.scale},
                       {"relative", tensor.relative()}});
  }
  return {{"within_tolerance", passed},
          {"tolerance", tolerance},
          {"worst", result.worst},
          {"tensors", tensors}};
}

std::string to_text(const VerifyResult& result, double tolerance, bool emphasis) {
  Table table({{"tensor", Table::Align::left},
               {"largest difference"},
               {"mean difference"},
               {"largest value"},
               {"relative"},
               {"", Table::Align::left}});
  for (const TensorDifference& tensor : result.tensors) {
    table.add({tensor.name, fmt::format("{:.3e}", tensor.largest),
               fmt::format("{:.3e}", tensor.mean), digits_text(tensor.scale),
               fmt::format("{:.3e}", tensor.relative()),
               within(tensor, tolerance) ? "" : "beyond tolerance"});
  }
  return table.text(emphasis);
}

Outcome verify(const VerifyArguments& arguments, const ProgramOptions& options) {
  if (!std::isfinite(arguments.tolerance) || arguments.tolerance < 0.0) {
    throw UsageError(fmt::format("--tolerance: {} is not a number of at least 0, such as 1e-3",
                                 arguments.tolerance));
  }
  const double tolerance = arguments.tolerance;
  const VerifyResult result = verify_checkpoint(arguments.checkpoint, arguments.against);
  const auto beyond = std::ranges::find_if_not(
      result.tensors, [tolerance](const auto& tensor) { return within(tensor, tolerance); });
  const bool passed = beyond == result.tensors.end();
  Outcome outcome;
  outcome.results = options.json ? document(to_json(result, tolerance, passed))
                                 : to_text(result, tolerance, options.emphasis);
  if (!passed) {
    outcome.complaint = fmt::format(
        "{}: {} differs from {} by {:.3e} of its largest value; the tolerance is {:.3e}",
        arguments.checkpoint, beyond->name, arguments.against, beyond->relative(), tolerance);
  }
  return outcome;
}

}  // namespace

void add_verify(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "verify", "Compares a checkpoint's forward pass with tensors from elsewhere");
  command->footer(footer);
  const auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("CHECKPOINT", arguments->checkpoint, "A checkpoint folder or a GGUF file")
      ->required();
  command->add_option("--against", arguments->against, "The expected tensors (.safetensors)")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--tolerance", arguments->tolerance,
                   "Largest difference relative to a tensor's largest magnitude")
      ->type_name("X")
      ->capture_default_str();
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return verify(*arguments, options); };
  });
}

}  // namespace evenkeel
