#include "calib/job_sections.h"

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/job_file.h"

namespace evenkeel {
namespace {

using support::JobFile;
using support::least_job;
using Lines = JobFile::Lines;

/// The faults of a least job with more lines after it; the first of them is line 6.
Lines faults_of_more(const std::string& more) { return JobFile(least_job + more).faults(); }

struct OneFault {
  const char* more;   // lines after a least job: the first is line 6
  const char* fault;  // after "job.yaml:"

  friend std::ostream& operator<<(std::ostream& out, const OneFault& expected) {
    return out << expected.more;
  }
};

class JobFault : public testing::TestWithParam<OneFault> {};

TEST_P(JobFault, is_reported_once_with_its_line) {
  EXPECT_EQ(faults_of_more(GetParam().more), Lines{std::string("job.yaml:") + GetParam().fault});
}

INSTANTIATE_TEST_SUITE_P(
    Values, JobFault,
    testing::Values(
        OneFault{"transform: {method: gptq}",
                 "6: transform.method: 'gptq' is not supported; supported: none, "
                 "smoothquant, outlier_suppression, os_plus, awq"},
        OneFault{
            "transform: {search: quick}",
            "6: transform.search: 'quick' is not supported; supported: exact, exhaustive, fast"},
        OneFault{"transform:\n  quantile: true",
                 "7: transform.quantile: unknown key; known keys: method, search_samples, search, "
                 "shift, scale, objective, outlier_threshold, alpha, clip, sites, plain_layout"},
        OneFault{
            "scheme: {activations: {codes: logarithmic}}",
            "6: scheme.activations.codes: unknown key; did you mean 'scheme.nodes.PATTERN.codes'?"},
        OneFault{"scheme: {activations: {granularity: per_head}}",
                 "6: scheme.activations.granularity: 'per_head' is not supported; supported: "
                 "per_tensor, per_channel, per_embedding_group, per_token, per_group"},
        OneFault{"scheme:\n  nodes:\n    mlp.hidden: {bit: 4}",
                 "8: scheme.nodes.mlp.hidden.bit: unknown key; did you mean 'bits'?"},
        OneFault{"scheme: {nodes: [mlp.hidden]}",
                 "6: scheme.nodes: expected a section of nodes, such as {attention.probabilities: "
                 "{granularity: per_token}}; got a list"},
        OneFault{"scheme: {nodes: {mlp.hidden: {bits: 9}}}",
                 "6: scheme: nodes.mlp.hidden: bits must be 2 to 8, or 16 to leave them as they "
                 "are, not 9"},
        OneFault{"scheme: {nodes: {mlp.hidden: {bits: 16, codes: two_range}}}",
                 "6: scheme.nodes.mlp.hidden.codes: cannot take effect: activations of 16 bits are "
                 "left as they are"},
        OneFault{"scheme: {nodes: {mlp.hidden: {steps_per_octave: 2}}}",
                 "6: scheme.nodes.mlp.hidden.steps_per_octave: cannot take effect: only "
                 "logarithmic reads it; codes are uniform"},
        OneFault{"scheme: {nodes: {mlp.hidden: {codes: logarithmic, split: 0.5}}}",
                 "6: scheme.nodes.mlp.hidden.split: cannot take effect: only two_range reads it; "
                 "codes are logarithmic"},
        OneFault{"scheme: {nodes: {mlp.hidden: {codes: two_range, split: 1}}}",
                 "6: scheme: nodes.mlp.hidden: split must be at least 1e-06 and below 1, not 1"},
        OneFault{"scheme: {nodes: {mlp.hidden: {codes: two_range, symmetric: true}}}",
                 "6: scheme.nodes.mlp.hidden.symmetric: cannot take effect: two_range codes are "
                 "never negative"},
        OneFault{"scheme: {nodes: {mlp.hidden: {granularity: per_token, range: average_minmax}}}",
                 "6: scheme.nodes.mlp.hidden.range: cannot take effect: per_token ranges are found "
                 "anew for each input"},
        OneFault{"scheme: {keep: blocks.0}",
                 "6: scheme.keep: expected a list of at least one, such as [blocks.0]; got "
                 "'blocks.0'"},
        OneFault{"transform: {sites: [attention, mpl]}",
                 "6: transform.sites: 'mpl' is no kind of site; known: attention, mlp, output, "
                 "down"},
        OneFault{"transform: {plain_layout: maybe}",
                 "6: transform.plain_layout: expected true or false; got 'maybe'"},
        OneFault{"transform:",
                 "6: transform: expected a section with the keys method, "
                 "search_samples, search, shift, scale, objective, outlier_threshold, "
                 "alpha, clip, sites, plain_layout; got no value"},
        OneFault{"transform: [none]",
                 "6: transform: expected a section with the keys method, "
                 "search_samples, search, shift, scale, objective, outlier_threshold, "
                 "alpha, clip, sites, plain_layout; got a list"},
        OneFault{"transform: {method: [none]}",
                 "6: transform.method: expected one of none, smoothquant, "
                 "outlier_suppression, os_plus, awq; got a list"},
        OneFault{"transform: {search_samples: 17}",
                 "6: transform.search_samples: expected at most calibration.samples (16); got 17"},
        OneFault{"transform: {search_samples: \"3\"}",
                 "6: transform.search_samples: expected an integer from 1 to 1000000 in decimal "
                 "digits; got '3' in quotes; leave them out"},
        OneFault{"transform: {method: smoothquant, alpha: .nan}",
                 "6: transform.alpha: expected a number from 0 to 1 or search; got '.nan'"},
        OneFault{"transform: {method: smoothquant, alpha: nan}",
                 "6: transform.alpha: expected a number from 0 to 1 or search; got 'nan'"},
        OneFault{
            "scheme: {name: w2a2}",
            "6: scheme.name: 'w2a2' is not supported; supported: w8a8, w6a6, w4a4, w8a16, "
            "w4a16, w4_column_wise, nf4, fp4, naive_w8a8, vector_wise, zeroquant_w8a8, llm_int8, "
            "recommended_w8a8, recommended_w6a6, recommended_w4a4"},
        OneFault{"scheme: {weights: {bits: 9}}",
                 "6: scheme.weights.bits: expected an integer from 2 to 8 in decimal digits; got "
                 "'9'"},
        OneFault{"scheme: {weights: {bits: 010}}",
                 "6: scheme.weights.bits: expected an integer from 2 to 8 in decimal digits; got "
                 "'010'"},
        OneFault{"scheme: {weights: {bits: 0x4}}",
                 "6: scheme.weights.bits: expected an integer from 2 to 8 in decimal digits; got "
                 "'0x4'"},
        OneFault{"scheme: {weights: {granularity: per_token}}",
                 "6: scheme.weights.granularity: 'per_token' is not supported; supported: "
                 "per_tensor, per_channel, per_group, per_block"},
        OneFault{"scheme: {weights: {range: average_minmax}}",
                 "6: scheme.weights.range: 'average_minmax' is not supported; supported: minmax, "
                 "percentile, omse"},
        OneFault{
            "scheme: {weights: {groups: 3}}",
            "6: scheme.weights.groups: unknown key; did you mean 'scheme.activations.groups'?"},
        OneFault{"scheme: {activations: {range: percentile, percentile: 0.4}}",
                 "6: scheme.activations.percentile: expected a number from 0.5 to 1; got '0.4'"},
        OneFault{"scheme: {activations: {range: percentile, percentile: 0.5}}",
                 "6: scheme: activations: percentile must be above 0.5 and at most 1, not 0.5"},
        OneFault{"scheme: {activations: {range: percentile, granularity: per_embedding_group}}",
                 "6: scheme: activations: range percentile would have to count the values of each "
                 "channel, which takes more memory than the model; with per_embedding_group use "
                 "omse, minmax or average_minmax"},
        OneFault{"scheme: {activations: {range: token_wise_clipping, clip: 1}}",
                 "6: scheme: activations: clip must be at least 0 and below 1, not 1"},
        OneFault{"scheme: {activations: {range: token_wise_clipping, clip: much}}",
                 "6: scheme.activations.clip: expected a number from 0 to 1 or search; got 'much'"},
        OneFault{
            "scheme: {activations: {range: token_wise_clipping, granularity: per_channel}}",
            "6: scheme: activations: range token_wise_clipping cuts whole tokens, of which a "
            "tensor has one range; with per_channel use average_minmax or omse, or granularity "
            "per_tensor"},
        OneFault{"scheme: {weights: {rounding: stochastic}}",
                 "6: scheme.weights.rounding: 'stochastic' is not supported; supported: nearest, "
                 "gptq"},
        OneFault{"scheme: {activations: {rounding: gptq}}",
                 "6: scheme.activations.rounding: 'gptq' is not supported; supported: nearest"},
        OneFault{"scheme: {activations: {gptq: {damping: 1}}}",
                 "6: scheme.activations.gptq: unknown key; did you mean 'scheme.weights.gptq'?"},
        OneFault{"scheme: {weights: {rounding: gptq, gptq: {damping: 0}}}",
                 "6: scheme.weights.gptq.damping: expected a number from 1e-06 to 1; got '0'"},
        OneFault{"scheme:\n  weights: {granularity: per_group, rounding: gptq,\n    gptq: "
                 "{static_groups: false}}",
                 "6: scheme: weights: gptq.activation_order needs static_groups: groups of columns "
                 "in another order have no place in a checkpoint; set activation_order: false or "
                 "static_groups: true"},
        OneFault{"scheme: {weights: {symmetric: yes}}",
                 "6: scheme.weights.symmetric: expected true or false; got 'yes'"},
        OneFault{"scheme: {propagate: ~}",
                 "6: scheme.propagate: expected one of quantized, full_precision; got no value (to "
                 "take the default, leave the key out)"},
        OneFault{"evaluate: {perplexity: a.txt}",
                 "6: evaluate.perplexity: expected a list of at least one, such as [a.txt]; got "
                 "'a.txt'"},
        OneFault{"evaluate: {perplexity: []}",
                 "6: evaluate.perplexity: expected a list of at least one, such as [a.txt, b.txt]; "
                 "got an empty one"},
        OneFault{"evaluate: {perplexity: [a, \"\"]}",
                 "6: evaluate.perplexity: expected text in the list; got ''"},
        OneFault{"evaluate: {perplexity: [a,\n    a]}",
                 "7: evaluate.perplexity: 'a' is in the list twice"},
        OneFault{"evaluate: {perplexity: [a], windows: 99999999999999999999}",
                 "6: evaluate.windows: expected an integer from 1 to 2147483647 in decimal digits; "
                 "got '99999999999999999999'"},
        OneFault{"evaluate: {}",
                 "6: evaluate.perplexity: missing; list the text files to evaluate (labelled ones, "
                 "for a classifier, under accuracy, questions under tasks), or leave out evaluate"},
        OneFault{"evaluate: {perplexity: [a.txt], accuracy: [b.tsv]}",
                 "6: evaluate.accuracy: given beside perplexity; give accuracy for a classifier, "
                 "else perplexity"},
        OneFault{"evaluate: {accuracy: [b.tsv], windows: 3}",
                 "6: evaluate.windows: cannot take effect: only perplexity reads it; accuracy is "
                 "bounded by examples"},
        OneFault{"evaluate: {perplexity: [a.txt], examples: 3}",
                 "6: evaluate.examples: cannot take effect: only accuracy and tasks read it; "
                 "perplexity is "
                 "bounded by windows"},
        OneFault{"evaluate: {tasks: [{task: arc, file: a.jsonl}]}",
                 "6: evaluate.tasks.task: 'arc' is not supported; supported: arc_easy, "
                 "arc_challenge, piqa, hellaswag, winogrande, lambada, lambada_openai, copa, "
                 "storycloze, storycloze_2016, storycloze_2018, plain"},
        OneFault{"evaluate: {tasks: [{task: copa}]}",
                 "6: evaluate.tasks.file: missing; give the task's file"},
        OneFault{"evaluate: {tasks: [{file: a.jsonl}]}",
                 "6: evaluate.tasks.task: missing; give one of arc_easy, arc_challenge, piqa, "
                 "hellaswag, winogrande, lambada, lambada_openai, copa, storycloze, "
                 "storycloze_2016, storycloze_2018, plain"},
        OneFault{"evaluate: {tasks: [{task: copa, file: a.jsonl, lables: b}]}",
                 "6: evaluate.tasks.lables: unknown key; did you mean 'labels'?"},
        OneFault{"evaluate: {tasks: [{task: copa, file: a.jsonl, labels: b}]}",
                 "6: evaluate.tasks.labels: cannot take effect: copa has its labels in its own "
                 "file"},
        OneFault{"evaluate:\n  tasks:\n    - {task: copa, file: a.jsonl}\n"
                 "    - {task: copa, file: b.jsonl}",
                 "9: evaluate.tasks.label: two tasks are called 'copa' in the results; give one a "
                 "label"},
        OneFault{"evaluate: {tasks: copa}",
                 "6: evaluate.tasks: expected a list of sections with the keys task, file, labels, "
                 "label; got 'copa'"},
        OneFault{"evaluate: {tasks: [copa]}",
                 "6: evaluate.tasks: expected a section with the keys task, file, labels, label; "
                 "got 'copa'"},
        OneFault{"evaluate: {tasks: []}",
                 "6: evaluate.tasks: expected a list of sections with the keys task, file, labels, "
                 "label; got an empty one"},
        OneFault{"evaluate: {accuracy: [b.tsv], tasks: [{task: copa, file: a.jsonl}]}",
                 "6: evaluate.tasks: given beside accuracy; a classifier has accuracy, a language "
                 "model tasks"},
        OneFault{"evaluate: {tasks: [{task: copa, file: a.jsonl}], windows: 3}",
                 "6: evaluate.windows: cannot take effect: only perplexity reads it; tasks are "
                 "bounded by examples"},
        OneFault{
            "evaluate: {accuracy: [b.tsv], examples: 0}",
            "6: evaluate.examples: expected an integer from 1 to 2147483647 in decimal digits; "
            "got '0'"},
        OneFault{"  cut: lines",
                 "6: calibration.cut: 'lines' is not supported; supported: windows, texts"},
        OneFault{"memory_limit: 0",
                 "6: memory_limit: expected digits and a unit, such as 2GiB, "
                 "512 MiB, 500MB or 1000000; got '0'"},
        OneFault{"samples: 3", "6: samples: unknown key; did you mean 'calibration.samples'?"},
        OneFault{"<<: {a: 1}",
                 "6: <<: unknown key; known keys: model, calibration, transform, "
                 "scheme, evaluate, analyze, compare, output, memory_limit"},
        OneFault{"\"a\\nb\": 1",
                 "6: a\\x0ab: unknown key; known keys: model, calibration, "
                 "transform, scheme, evaluate, analyze, compare, output, memory_limit"}));

INSTANTIATE_TEST_SUITE_P(
    WithoutEffect, JobFault,
    testing::Values(
        OneFault{"scheme: {activations: {percentile: 0.99}}",
                 "6: scheme.activations.percentile: cannot take effect: only percentile reads it; "
                 "range is average_minmax"},
        OneFault{"scheme: {activations: {granularity: per_channel, groups: 3}}",
                 "6: scheme.activations.groups: cannot take effect: only per_embedding_group reads "
                 "it; granularity is per_channel"},
        OneFault{
            "scheme: {activations: {bits: 16, permute: false}}",
            "6: scheme.activations.permute: cannot take effect: activations of 16 bits are left "
            "as they are"},
        OneFault{
            "scheme: {weights: {gptq: {damping: 0.1}}}",
            "6: scheme.weights.gptq: cannot take effect: only rounding gptq reads it; rounding "
            "is nearest"},
        OneFault{"scheme: {weights: {rounding: gptq, gptq: {static_groups: true}}}",
                 "6: scheme.weights.gptq.static_groups: cannot take effect: only per_group reads "
                 "it; granularity is per_channel"},
        OneFault{"transform:\n  alpha: 0.5",
                 "7: transform.alpha: cannot take effect: only smoothquant reads it; method is "
                 "os_plus"},
        OneFault{"transform: {method: smoothquant, search: exact}",
                 "6: transform.search: cannot take effect: only os_plus reads it; method is "
                 "smoothquant"},
        OneFault{"transform: {method: smoothquant, search_samples: 4}",
                 "6: transform.search_samples: cannot take effect: smoothquant searches only with "
                 "alpha: search"},
        OneFault{"transform: {method: awq, outlier_threshold: false}",
                 "6: transform.outlier_threshold: cannot take effect: only os_plus reads it; "
                 "method is awq"},
        OneFault{"transform: {scale: false, objective: linear}",
                 "6: transform.objective: cannot take effect: without scale nothing is searched"},
        OneFault{"transform: {shift: false, scale: false}",
                 "6: transform.scale: off beside shift, which leaves os_plus nothing to do; use "
                 "method none"},
        OneFault{"transform: {clip: true}\nscheme: {weights: {granularity: per_tensor}}",
                 "6: transform.clip: needs weights per_channel or per_group; one step for a whole "
                 "matrix has no range of a channel to cut off"},
        OneFault{"transform: {method: none, sites: [mlp]}",
                 "6: transform.sites: cannot take effect: method none works on no site"},
        OneFault{"transform: {method: none, plain_layout: true}",
                 "6: transform.plain_layout: cannot take effect: method none folds nothing"},
        OneFault{"transform: {method: none, search_samples: 4}",
                 "6: transform.search_samples: cannot take effect: method none searches nothing"},
        OneFault{"scheme: {weights: {group_size: 64}}",
                 "6: scheme.weights.group_size: cannot take effect: only per_group reads it; "
                 "granularity is per_channel"},
        OneFault{"scheme: {activations: {granularity: per_token, range: average_minmax}}",
                 "6: scheme.activations.range: cannot take effect: per_token ranges are found anew "
                 "for each input"}));

TEST(JobFaults, of_calibration) {
  const auto faults = [](const std::string& calibration) {
    return JobFile("model: m\noutput: o\ncalibration: " + calibration).faults();
  };
  EXPECT_EQ(
      faults("{samples: 3}"),
      (Lines{"job.yaml:3: calibration: give corpus: FILE (.txt, .jsonl, .tsv, .h5, .safetensors) "
             "or random: ascii | vocabulary"}));
  EXPECT_EQ(faults("{random: letters}"),
            (Lines{"job.yaml:3: calibration.random: 'letters' is not supported; supported: ascii, "
                   "vocabulary"}));
  EXPECT_EQ(faults("{random: ascii, order: random}"),
            (Lines{"job.yaml:3: calibration.order: cannot take effect: random text has no order"}));
  EXPECT_EQ(faults("{corpus: t.txt, seed: 1}"),
            (Lines{"job.yaml:3: calibration.seed: cannot take effect: the first samples of a "
                   "corpus are not random; add order: random"}));
  EXPECT_EQ(faults("{corpus: t.txt, seed: 0}"), Lines{});
  EXPECT_EQ(faults("{corpus: t.txt, seed: 18446744073709551615, order: random}"), Lines{});
  EXPECT_EQ(faults("{corpus: t.txt, seed: -1}"),
            (Lines{"job.yaml:3: calibration.seed: expected an integer from 0 to "
                   "18446744073709551615 in decimal digits; got '-1'"}));
  EXPECT_EQ(faults("{corpus: \"\"}"), (Lines{"job.yaml:3: calibration.corpus: is empty"}));
  EXPECT_EQ(faults("{corpus: \"a\\0b\"}"),
            (Lines{"job.yaml:3: calibration.corpus: a path cannot hold a NUL character"}));
}

TEST(JobFaults, of_missing_sections_name_the_file) {
  EXPECT_EQ(
      JobFile("scheme: w8a8\n").faults(),
      (Lines{"job.yaml: model: missing; give the checkpoint's folder, such as model: "
             "path/to/model",
             "job.yaml: calibration: give corpus: FILE (.txt, .jsonl, .tsv, .h5, .safetensors) or "
             "random: ascii | vocabulary",
             "job.yaml: output: missing; give the folder for the results, such as output: "
             "out/name"}));
}

TEST(JobFaults, of_an_output_that_would_replace_the_model) {
  for (const char* output : {"a/b", "./a/../a/b/", "a"}) {
    const std::string model = std::string(output) == "a" ? "a/model" : "a/b";
    const Lines lines =
        JobFile("calibration: {random: ascii}\nmodel: " + model + "\noutput: " + output + "\n")
            .faults();
    ASSERT_EQ(lines.size(), 1U) << output;
    EXPECT_TRUE(lines[0].starts_with("job.yaml:3: output: would replace the model ")) << lines[0];
  }
}

TEST(JobScheme, NodesStartFromTheActivationsAndFollowThoseOfTheName) {
  const JobFile file(least_job +
                     "scheme:\n"
                     "  name: w6a6\n"
                     "  activations: {symmetric: true}\n"
                     "  nodes:\n"
                     "    mlp.*: {granularity: per_channel}\n"
                     "    attention.probabilities: {codes: logarithmic, steps_per_octave: 3}\n"
                     "    mlp.hidden: {bits: 16}\n"
                     "  keep: [blocks.0, '*.fc1']\n");
  const Scheme scheme = file.job().scheme;
  ASSERT_EQ(scheme.nodes.size(), 3U);
  TensorScheme expected = scheme.activations;
  expected.granularity = Granularity::per_channel;
  EXPECT_EQ(scheme.nodes[0], (NodeScheme{"mlp.*", expected}));
  expected = scheme.activations;
  expected.symmetric = false;
  expected.codes = Codes::logarithmic;
  expected.steps_per_octave = 3;
  EXPECT_EQ(scheme.nodes[1], (NodeScheme{"attention.probabilities", expected}));
  EXPECT_EQ(scheme.nodes[2], (NodeScheme{"mlp.hidden", {.bits = 16}}));
  EXPECT_EQ(scheme.keep, (std::vector<std::string>{"blocks.0", "*.fc1"}));
}

TEST(JobScheme, WhatANamedSchemeDoesIsNotDroppedInSilence) {
  const std::string lines = "scheme: {name: llm_int8, activations: {granularity: per_group";
  EXPECT_EQ(faults_of_more(lines + "}}"),
            Lines{"job.yaml:6: scheme.activations.outlier_threshold: 6 of the named scheme cannot "
                  "take effect: only per_token reads it; granularity is per_group; write "
                  "outlier_threshold: 0 to do without it"});
  EXPECT_EQ(faults_of_more(lines + ", outlier_threshold: 0}}"), Lines{});
  // Nodes that a named scheme names are their own.
  const std::string weights_alone =
      least_job + "scheme: {name: recommended_w4a4, activations: {bits: 16}";
  EXPECT_EQ(JobFile(weights_alone + "}\n").job().scheme.nodes,
            scheme_named("recommended_w4a4")->nodes);
  EXPECT_TRUE(JobFile(weights_alone + ", nodes: {attention.probabilities: {bits: 16}}}\n")
                  .job()
                  .scheme.nodes.empty());
}

TEST(JobScheme, AClipThatIsSearchedReadsTheSearchSamplesAndTheBatch) {
  const std::string clipping = "{range: token_wise_clipping, clip: ";
  for (const char* method : {"none", "outlier_suppression", "smoothquant"}) {
    const std::string lines =
        std::string("  batch: 4\ntransform: {method: ") + method + ", search_samples: 4}\nscheme: ";
    EXPECT_EQ(faults_of_more(lines + "{activations: " + clipping + "search}}"), Lines{});
    EXPECT_EQ(faults_of_more(lines + "{nodes: {mlp.input: " + clipping + "search}}}"), Lines{});
    const Lines fixed = faults_of_more(lines + "{activations: " + clipping + "0.1}}");
    ASSERT_EQ(fixed.size(), 1U) << method;
    EXPECT_TRUE(fixed[0].starts_with("job.yaml:7: transform.search_samples: cannot")) << fixed[0];
    EXPECT_EQ(faults_of_more(lines + "{activations: {granularity: per_token}}").size(), 2U);
  }
}

TEST(JobScheme, ANodeWithAMeanOverBatchesReadsTheBatch) {
  const std::string lines =
      "  batch: 4\nscheme: {activations: {granularity: per_token}, nodes: {mlp.hidden: ";
  EXPECT_TRUE(faults_of_more(lines + "{granularity: per_tensor, range: average_minmax}}}").empty());
  EXPECT_EQ(faults_of_more(lines + "{bits: 4}}}").size(), 1U);
}

}  // namespace
}  // namespace evenkeel
