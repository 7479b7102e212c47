#include "calib/job_sections.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/byte_size.h"
#include "calib/clip_search.h"
#include "calib/corpus_folders.h"
#include "calib/evaluation_section.h"
#include "calib/job_keys.h"
#include "calib/job_paths.h"
#include "calib/scheme_section.h"
#include "io/corpus_file.h"
#include "io/one_line.h"

namespace evenkeel {

static std::string_view name_of(CorpusOptions::Random value) {
  return value == CorpusOptions::Random::ascii ? "ascii" : "vocabulary";
}

static std::string_view name_of(CorpusOptions::Order value) {
  return value == CorpusOptions::Order::first ? "first" : "random";
}

namespace {

namespace fs = std::filesystem;

// Far beyond any use; what keeps the products of sizes from overflowing.
constexpr std::int64_t most_samples = 1'000'000;

// A file, or a task whose questions are the text.
void read_corpus_source(const SectionReader& section, const fs::path& folder,
                        CorpusOptions& corpus) {
  const YamlValue* value = section.find("corpus");
  if (value == nullptr || value->kind != YamlValue::Kind::map) {
    return read_path(section, "corpus", folder, corpus.file);
  }
  TaskFile task = read_task_file(section.section("corpus"), folder);
  corpus.file = std::move(task.file);
  corpus.task = std::move(task.kind);
  corpus.labels = std::move(task.labels);
}

void read_source(const SectionReader& section, const fs::path& folder, CorpusOptions& corpus) {
  const YamlValue* const given = section.find("corpus");
  if (given != nullptr && is_corpus_folder(*given)) {
    section.wrong("corpus",
                  "a folder holds several calibration sets; list it under compare: {calibration: "
                  "[{corpus: {folder: ..., pattern: ...}}]}, or name one file");
    return;
  }
  read_corpus_source(section, folder, corpus);
  take(corpus.random,
       section.choice("random", {CorpusOptions::Random::ascii, CorpusOptions::Random::vocabulary}));
  take(corpus.order,
       section.choice("order", {CorpusOptions::Order::first, CorpusOptions::Order::random}));
  const bool has_corpus = section.has("corpus");
  const bool has_random = section.has("random");
  if (has_corpus && has_random) {
    section.wrong("random", "given beside corpus; give one of them");
  } else if (has_random) {
    section.idle("order", "random text has no order");
  }
}

void require_source(const SectionReader& section) {
  if (section.has("corpus") || section.has("random")) return;
  section.missing("",
                  "give corpus: FILE (.txt, .jsonl, .tsv, .h5, .safetensors) or random: ascii | "
                  "vocabulary");
}

CalibrationOptions read_calibration(const SectionReader& section, const fs::path& folder) {
  CalibrationOptions options;
  read_source(section, folder, options.corpus);
  take(options.corpus.samples, section.integer("samples", 1, most_samples));
  take(options.corpus.sequence_length, section.integer("sequence_length", 2, longest_sequence));
  take(options.corpus.seed, section.unsigned_integer("seed"));
  take(options.seeds, section.unsigned_integers("seeds"));
  if (section.has("seed") && section.has("seeds")) {
    section.wrong("seeds", "given beside seed; give one of them");
  }
  take(options.batch, section.integer("batch", 1, most_samples));
  options.cut = section.choice("cut", {Cut::windows, Cut::texts});
  if (section.has("random")) {
    section.idle("cut", "random text is always cut into windows");
  } else if (holds_token_ids(options.corpus.file)) {
    section.idle("cut", "token ids are always cut into windows");
  }
  const bool nothing_random = !section.has("random") &&
                              options.corpus.order == CorpusOptions::Order::first &&
                              section.has("corpus");
  // Seed 0, the default, asks for nothing and may stand in any job.
  if (nothing_random && options.corpus.seed != 0) {
    section.idle("seed", "the first samples of a corpus are not random; add order: random");
  }
  if (nothing_random) {
    section.idle("seeds", "the first samples of a corpus are not random; add order: random");
    options.seeds.clear();
  } else if (!options.seeds.empty()) {
    options.corpus.seed = options.seeds.front();
  }
  return options;
}

void read_sites(const SectionReader& section, TransformOptions& options) {
  take(options.plain_layout, section.boolean("plain_layout"));
  const auto names = section.texts("sites");
  if (!names) return;
  options.sites.emplace();
  for (const std::string& name : *names) {
    if (const auto kind = site_kind_named(name)) {
      options.sites->push_back(*kind);
    } else {
      section.wrong("sites", fmt::format("{} is no kind of site; known: {}", in_quotes(name),
                                         fmt::join(site_kind_names(), ", ")));
    }
  }
}

void read_ablations(const SectionReader& section, TransformOptions& options) {
  take(options.shift, section.boolean("shift"));
  take(options.scale, section.boolean("scale"));
  take(options.objective,
       section.choice("objective", {SearchObjective::attention, SearchObjective::linear}));
  take(options.outlier_threshold, section.boolean("outlier_threshold"));
}

TransformOptions read_transform(const SectionReader& section, std::int64_t samples) {
  TransformOptions options;
  const auto method =
      section.choice("method", {Method::none, Method::smoothquant, Method::outlier_suppression,
                                Method::os_plus, Method::awq});
  take(options.method, method);
  take(options.search, section.choice("search", {Search::exact, Search::exhaustive, Search::fast}));
  const bool searches_alpha =
      section.find("alpha") != nullptr && section.find("alpha")->text == "search";
  if (searches_alpha) {
    options.alpha.reset();
  } else if (const auto alpha = section.number("alpha", 0.0, 1.0, " or search")) {
    options.alpha = alpha;
  }
  if (const auto search_samples = section.integer("search_samples", 1, most_samples)) {
    options.search_samples = static_cast<int>(*search_samples);
    if (*search_samples > samples) {
      section.wrong("search_samples",
                    fmt::format("expected at most calibration.samples ({}); got {}", samples,
                                *search_samples));
    }
  }
  options.clip = section.boolean("clip");
  read_ablations(section, options);
  read_sites(section, options);
  options.search_samples =
      static_cast<int>(std::min<std::int64_t>(options.search_samples, samples));

  if (section.has("method") && !method) return options;  // what is idle cannot be told
  const std::string_view name = name_of(options.method);
  if (options.method != Method::smoothquant) {
    section.idle("alpha", fmt::format("only smoothquant reads it; method is {}", name));
  }
  if (options.method != Method::os_plus) {
    for (const char* key : {"search", "shift", "scale", "objective", "outlier_threshold"}) {
      section.idle(key, fmt::format("only os_plus reads it; method is {}", name));
    }
  } else if (!options.shift && !options.scale) {
    section.wrong("scale", "off beside shift, which leaves os_plus nothing to do; use method none");
  } else if (!options.scale) {
    for (const char* key : {"search", "objective", "outlier_threshold"}) {
      section.idle(key, "without scale nothing is searched");
    }
  }
  if (options.method == Method::none) {
    section.idle("sites", "method none works on no site");
    section.idle("plain_layout", "method none folds nothing");
  }
  return options;
}

// Whose search token-wise clipping's `clip: search` joins.
std::optional<std::string_view> why_nothing_is_searched(const TransformOptions& options) {
  switch (options.method) {
    case Method::none:
      return "method none searches nothing";
    case Method::outlier_suppression:
      return "outlier_suppression searches nothing";
    case Method::smoothquant:
      if (options.alpha) return "smoothquant searches only with alpha: search";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// What the keys of a section read in other sections.
void check_across(const SectionReader& transform, const SectionReader& calibration,
                  const Job& job) {
  if (job.transform.clip == true && job.scheme.weights.granularity == Granularity::per_tensor) {
    transform.wrong("clip",
                    "needs weights per_channel or per_group; one step for a whole matrix has no "
                    "range of a channel to cut off");
  }
  if (job.transform.clip == true && is_signed_book(job.scheme.weights.codes)) {
    transform.wrong("clip", fmt::format("needs uniform codes; those of the weights are {}",
                                        name_of(job.scheme.weights.codes)));
  }
  const bool known_method =
      !transform.has("method") || method_named(transform.find("method")->text).has_value();
  const auto nothing = why_nothing_is_searched(job.transform);
  if (known_method && nothing && !searches_clip(job.scheme)) {
    transform.idle("search_samples", std::string(*nothing));
  }
  if (!averages_batches(job.scheme)) {
    calibration.idle("batch",
                     "only the ranges average_minmax and token_wise_clipping of static "
                     "activations read it");
  }
}

AnalysisOptions read_analysis(const SectionReader& section) {
  constexpr double most = 1e6;
  AnalysisOptions options;
  take(options.outlier_threshold, section.number("outlier_threshold", 0.0, most));
  take(options.outlier_blocks, section.number("outlier_blocks", 0.0, 1.0));
  take(options.outlier_tokens, section.number("outlier_tokens", 0.0, 1.0));
  take(options.pooling, section.integer("pooling", 1, most_samples));
  take(options.bits, section.integer("bits", 2, 8));
  take(options.histogram_bins, section.integer("histogram_bins", 1, 10001));
  if (options.histogram_bins % 2 == 0) {
    section.wrong("histogram_bins", fmt::format("expected an odd number, so that zero is the "
                                                "middle of a bin; got {}",
                                                options.histogram_bins));
  }
  options.histogram_range = section.number("histogram_range", 1e-6, most);
  return options;
}

void read_memory_limit(const SectionReader& root, std::uint64_t& limit) {
  const auto text = root.text("memory_limit");
  if (!text) return;
  const auto bytes = parse_byte_size(*text);
  if (bytes && *bytes > 0) {
    limit = *bytes;
    return;
  }
  root.wrong("memory_limit",
             fmt::format("expected {}; got {}", byte_size_spelling(), in_quotes(*text)));
}

bool same_place(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored);
}

void check_output(const SectionReader& root, const Job& job) {
  if (job.model.empty() || job.output.empty()) return;
  for (const fs::path& written : {job.output, job.output / "model", job.output / "quantized"}) {
    if (!same_place(written, job.model)) continue;
    root.wrong("output", fmt::format("would replace the model {}; choose another folder",
                                     in_quotes(job.model.string())));
    return;
  }
}

}  // namespace

JobReading read_job(const YamlValue& tree, const fs::path& file, CalibrationNeed need) {
  JobReading reading;
  Job& job = reading.job;
  const fs::path folder = file.parent_path();
  const SectionReader root(&tree, tree.place, "", reading.faults);
  if (tree.kind != YamlValue::Kind::map) return reading;

  job.file = file;
  read_path(root, "model", folder, job.model);
  if (!root.has("model")) {
    root.missing("model", "missing; give the checkpoint's folder, such as model: path/to/model");
  }
  const SectionReader calibration = root.section("calibration");
  job.calibration = read_calibration(calibration, folder);
  const SectionReader transform = root.section("transform");
  job.transform = read_transform(transform, job.calibration.corpus.samples);
  job.scheme = read_scheme(root, reading.faults);
  if (need == CalibrationNeed::always || root.has("calibration") || needs_calibration(job)) {
    require_source(calibration);
  }
  if (need == CalibrationNeed::where_used && !needs_calibration(job)) {
    for (const std::string& key : known_keys("calibration")) {
      calibration.idle(key, "weights are rounded as they are, so that nothing is calibrated");
    }
  }
  check_across(transform, calibration, job);
  job.evaluate = read_evaluation(root, folder);
  job.analyze = read_analysis(root.section("analyze"));
  read_path(root, "output", folder, job.output);
  if (!root.has("output")) {
    root.missing("output", "missing; give the folder for the results, such as output: out/name");
  }
  check_output(root, job);
  read_memory_limit(root, job.memory_limit);

  YamlValue as_run = tree;
  as_run.erase("compare");
  job.text = emit_yaml(as_run);
  return reading;
}

}  // namespace evenkeel
