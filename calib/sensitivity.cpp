#include "calib/sensitivity.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "calib/calibration.h"
#include "calib/evaluation_stream.h"
#include "calib/job_inputs.h"
#include "calib/output_folder.h"
#include "calib/report/report.h"
#include "calib/scheme_places.h"
#include "calib/score_json.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/file.h"
#include "model/stored_linears.h"

namespace evenkeel {
namespace {

// One model beside the others: of what the job quantizes, this much is.
struct Variant {
  enum class Quantized { all, nothing, part, all_but_part };
  Quantized quantized = Quantized::all;
  Scheme kept{};  // keeps the part

  bool takes(bool in_part) const {
    switch (quantized) {
      case Quantized::all:
        return true;
      case Quantized::nothing:
        return false;
      case Quantized::part:
        return in_part;
      case Quantized::all_but_part:
        return !in_part;
    }
    return false;
  }
};

std::vector<Variant> variants_of(const std::vector<ModelPart>& parts) {
  std::vector<Variant> variants{{Variant::Quantized::nothing}, {Variant::Quantized::all}};
  for (const ModelPart& part : parts) {
    variants.push_back({Variant::Quantized::part, keeping(part)});
    variants.push_back({Variant::Quantized::all_but_part, keeping(part)});
  }
  return variants;
}

class Models final : public BlockSink {
 public:
  Models(const LanguageModel& model, const std::vector<EvaluationText>& texts,
         const std::vector<ModelPart>& parts, HiddenMemory& memory)
      : model_(model),
        architecture_(model.architecture()),
        texts_(texts),
        memory_(memory),
        variants_(variants_of(parts)) {}

  void take(Index number, const BlockResult& result) override {
    // Not before the samples, which are read more often and are to have the memory.
    while (streams_.size() < variants_.size()) streams_.emplace_back(model_, texts_, &memory_);
    const auto linears = stored_linears(architecture_, number);
    for (std::size_t i = 0; i < variants_.size(); ++i) {
      const Variant& variant = variants_[i];
      Block block = result.folded;
      for (const StoredLinear& linear : linears) {
        if (!variant.takes(!is_quantized(variant.kept, number, linear))) continue;
        for (const StoredPart& part : linear.parts) {
          block.linear(part.place) = result.quantized.linear(part.place);
        }
      }
      NodeQuantizers quantizers;
      for (const Node node : all_nodes) {
        const bool in_part = !is_quantized(scheme_of_node(variant.kept, number, node));
        if (variant.takes(in_part)) quantizers[index_of(node)] = result.quantizers[index_of(node)];
      }
      streams_[i].states().advance(architecture_, block, quantizers);
    }
  }

  std::vector<Distance> finish() {
    std::vector<Distance> distances;
    const HiddenStream& exact = streams_.front().states();
    for (EvaluationStream& stream : streams_) {
      distances.push_back({{}, output_error(exact, stream.states())});
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) distances[i].scores = streams_[i].finish();
    return distances;
  }

 private:
  static double output_error(const HiddenStream& exact, const HiddenStream& other) {
    double error = 0.0;
    double energy = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const Matrix expected = exact.at(i);
      error += (other.at(i) - expected).cast<double>().squaredNorm();
      energy += expected.cast<double>().squaredNorm();
    }
    return energy > 0.0 ? error / energy : 0.0;
  }

  const LanguageModel& model_;
  const Architecture& architecture_;
  const std::vector<EvaluationText>& texts_;
  HiddenMemory& memory_;
  std::vector<Variant> variants_;
  std::vector<EvaluationStream> streams_;
};

double recovered(const Distance& exact, const Distance& quantized, const Distance& without) {
  const double lost = quantized.scores.front().value - exact.scores.front().value;
  const double back = quantized.scores.front().value - without.scores.front().value;
  return lost == 0.0 ? 0.0 : back / lost;
}

nlohmann::ordered_json to_json(const Distance& distance, Metric metric) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  put_scores(distance.scores, metric, json);
  json["output_error"] = distance.output_error;
  return json;
}

}  // namespace

SensitivityResult measure_sensitivity(const Job& job, Progress& progress) {
  require_texts(job, "sensitivity needs a text to measure on");
  const JobInputs inputs(job);
  inputs.check_choices(job);
  const auto parts = parts_of(inputs.model().architecture(), job.scheme);
  const std::vector<Encoding> samples = inputs.samples(job);
  OutputFolder output(job.output);
  HiddenMemory memory(job.memory_limit, job.output);
  Models models(inputs.model(), inputs.texts(), parts, memory);
  Stopwatch stopwatch;
  calibrate_model(inputs.model(), samples, block_options(job, false), {}, &models, progress,
                  stopwatch, &memory);

  std::vector<Distance> distances = models.finish();
  SensitivityResult result;
  result.metric = job.evaluate.metric();
  result.full_precision = distances[0];
  result.quantized = distances[1];
  for (std::size_t i = 0; i < parts.size(); ++i) {
    PartSensitivity part{parts[i], std::move(distances[2 + 2 * i]),
                         std::move(distances[3 + 2 * i])};
    part.recovered = recovered(result.full_precision, result.quantized, part.without);
    result.parts.push_back(std::move(part));
  }
  std::ranges::stable_sort(result.parts, [](const auto& a, const auto& b) {
    return a.part.kind != b.part.kind ? a.part.kind < b.part.kind : a.recovered > b.recovered;
  });
  write_text(output.stage("sensitivity.json"), to_json(result).dump(2) + "\n");
  stage_reports(output, progress);
  output.commit();
  return result;
}

nlohmann::ordered_json to_json(const SensitivityResult& result) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const PartSensitivity& part : result.parts) {
    parts.push_back({{"kind", name_of(part.part.kind)},
                     {"name", part.part.name},
                     {"keep", part.part.patterns},
                     {"alone", to_json(part.alone, result.metric)},
                     {"without", to_json(part.without, result.metric)},
                     {"recovered", part.recovered}});
  }
  return {{"full_precision", to_json(result.full_precision, result.metric)},
          {"quantized", to_json(result.quantized, result.metric)},
          {"parts", parts}};
}

}  // namespace evenkeel
