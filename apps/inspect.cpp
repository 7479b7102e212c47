// calibrate inspect: what is in a checkpoint, or in the record of a calibration.
#include "calib/inspect.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/job_arguments.h"
#include "apps/sensitivity.h"
#include "apps/table.h"
#include "calib/report/scheme_fields.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr const char* footer = R"(Examples:
  calibrate inspect path/to/checkpoint
  calibrate inspect out/my-model/quantized
  calibrate inspect out/my-model/calibration.h5 --json
  calibrate inspect job.yaml --sensitivity --set evaluate.windows=8
For --json see calibrate --help.)";

/// Text of a value that may be text, a number, or null where there is none.
std::string shown(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return one_line(value.get<std::string>());
  if (value.is_number_float()) return digits_text(value.get<double>());
  return value.dump();
}

std::string joined(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : ", ") + shown(value);
  return text;
}

std::string shown_list(const Json& values) { return values.empty() ? "-" : joined(values); }

void append(Fields& fields, Fields more) {
  for (auto& field : more) fields.push_back(std::move(field));
}

std::string checkpoint_fields(const Json& checkpoint) {
  Fields fields{{"architecture", shown(checkpoint.at("architecture"))},
                {"parameters", count_text(checkpoint.at("parameters").get<std::int64_t>())}};
  for (const char* key :
       {"blocks", "channels", "heads", "ffn_channels", "vocabulary", "positions"}) {
    fields.emplace_back(key, shown(checkpoint.at(key)));
  }
  std::string dtypes;
  for (const auto& [dtype, elements] : checkpoint.at("dtypes").items()) {
    dtypes += fmt::format("{}{} of {}", dtypes.empty() ? "" : ", ",
                          count_text(elements.get<std::int64_t>()), dtype);
  }
  fields.emplace_back("elements", dtypes);
  fields.emplace_back("nodes", joined(checkpoint.at("nodes")));
  const Json& quantized = checkpoint.at("quantized");
  fields.emplace_back("quantized", quantized.is_null() ? "no" : "yes");
  append(fields, scheme_fields(quantized));
  return field_list(fields);
}

std::string checkpoint_text(const Json& checkpoint, bool emphasis) {
  Table sites({{"site of each block", Table::Align::left},
               {"producer", Table::Align::left},
               {"readers", Table::Align::left},
               {"objective", Table::Align::left},
               {"default of", Table::Align::left},
               {"shift", Table::Align::left},
               {"residual", Table::Align::left}});
  for (const Json& site : checkpoint.at("sites")) {
    sites.add({shown(site.at("name")), shown(site.at("producer")), joined(site.at("readers")),
               shown(site.at("objective")), shown_list(site.at("default_of")),
               site.at("shift").get<bool>() ? "yes" : "no: " + shown(site.at("why_no_shift")),
               site.at("residual").get<bool>() ? "undone there" : "-"});
  }
  return checkpoint_fields(checkpoint) + "\n" + sites.text(emphasis);
}

Table site_table(const Json& sites) {
  Table table({{"site", Table::Align::left},
               {"method", Table::Align::left},
               {"threshold"},
               {"loss before"},
               {"loss after"},
               {"largest shift"},
               {"largest scale"}});
  for (const Json& site : sites) {
    std::vector<std::string> cells;
    for (const char* key : {"name", "method", "threshold", "loss_before", "loss_after",
                            "largest_shift", "largest_scale"}) {
      cells.push_back(shown(site.at(key)));
    }
    table.add(std::move(cells));
  }
  return table;
}

std::string outliers_text(const Json& outliers) {
  std::string text;
  for (const Json& outlier : outliers) {
    text += fmt::format("{}{} ({:.0f}x)", text.empty() ? "" : ", ", shown(outlier.at("channel")),
                        outlier.at("ratio").get<double>());
  }
  return text;
}

Table node_table(const Json& nodes) {
  Table table({{"node", Table::Align::left},
               {"channels"},
               {"low"},
               {"high"},
               {"step"},
               {"zero point"},
               {"outlier channels", Table::Align::left}});
  for (const Json& node : nodes) {
    std::vector<std::string> cells;
    for (const char* key : {"name", "channels", "low", "high", "step", "zero_point"}) {
      cells.push_back(shown(node.at(key)));
    }
    cells.push_back(outliers_text(node.at("outlier_channels")));
    table.add(std::move(cells));
  }
  return table;
}

std::string record_text(const Json& record, bool emphasis) {
  Fields fields{{"record", shown(record.at("id"))}, {"blocks", shown(record.at("blocks"))}};
  append(fields, scheme_fields(record.at("scheme")));
  std::string text = field_list(fields);
  if (!record.at("sites").empty()) text += "\n" + site_table(record.at("sites")).text(emphasis);
  if (record.at("nodes").empty()) return text;
  return text + "\n" + node_table(record.at("nodes")).text(emphasis) +
         fmt::format(
             "\nOutlier channels have at least {:g} times the median absmax of their "
             "node's channels; the largest ten.\n",
             outlier_ratio);
}

Outcome inspect_path(const std::string& path, const ProgramOptions& options) {
  const Json content = inspect(path);
  if (options.json) return {document(content), ""};
  const bool record = content.at("kind") == "record";
  return {
      record ? record_text(content, options.emphasis) : checkpoint_text(content, options.emphasis),
      ""};
}

}  // namespace

void add_inspect(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "inspect", "What is in a checkpoint or a calibration.h5: sites, nodes, outlier channels");
  command->footer(footer);
  const auto arguments = std::make_shared<JobArguments>();
  const auto sensitivity = std::make_shared<bool>(false);
  command
      ->add_option("PATH", arguments->file,
                   "A checkpoint folder, a GGUF file or a calibration.h5; a job file with "
                   "--sensitivity")
      ->required();
  CLI::Option* flag = command->add_flag(
      "--sensitivity", *sensitivity,
      "Runs a job's calibration and measures each part of the model quantized alone and left out "
      "alone");
  arguments->add_options_to(*command, flag);
  command->callback([arguments, sensitivity, &action] {
    action = [arguments, sensitivity](const ProgramOptions& options) {
      return *sensitivity ? show_sensitivity(*arguments, options)
                          : inspect_path(arguments->file, options);
    };
  });
}

}  // namespace evenkeel
