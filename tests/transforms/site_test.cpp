#include "transforms/site.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/golden_architectures.h"

namespace evenkeel {
namespace {

const TransformOptions os_plus_options{.method = Method::os_plus};

// A pre-LayerNorm block with biases and a plain MLP.
Architecture plain() {
  Architecture architecture;
  architecture.model_type = "plain";
  architecture.activation = Activation::gelu;
  architecture.blocks = 2;
  architecture.norms[index_of(NormRole::attention_input)] = {"ln_1", true};
  architecture.norms[index_of(NormRole::mlp_input)] = {"ln_2", true};
  for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value,
                                LinearRole::output, LinearRole::up, LinearRole::down}) {
    architecture.linears[index_of(role)] = {"linear", 8, 8, true};
  }
  return architecture;
}

// s ReLU(y) is ReLU(s y) for s > 0.
Architecture with_relu() {
  Architecture architecture = plain();
  architecture.activation = Activation::relu;
  return architecture;
}

Architecture gated() {
  Architecture architecture = plain();
  architecture.linears[index_of(LinearRole::gate)] = {"gate", 8, 8, true};
  return architecture;
}

std::vector<std::string> names_of(const std::vector<Site>& sites) {
  std::vector<std::string> names;
  for (const Site& site : sites) names.push_back(site.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(Sites, OfANormAreEveryLinearThatReadsIt) {
  const Architecture architecture = gated();
  for (const Site& site : all_sites(architecture)) {
    if (!site.norm) continue;
    for (const LinearPlace place : architecture.linear_places()) {
      const bool reads =
          std::find(site.readers.begin(), site.readers.end(), place) != site.readers.end();
      EXPECT_EQ(reads, input_of(place.role) == site.input) << site.name;
    }
  }
}

TEST(Sites, AreByDefaultWhatTheMethodsAuthorsDid) {
  EXPECT_EQ(names_of(sites_of(plain(), 0, os_plus_options)), (Names{"attention", "mlp"}));
  EXPECT_EQ(names_of(sites_of(gated(), 0, os_plus_options)), (Names{"attention", "mlp", "down"}));
  EXPECT_EQ(names_of(sites_of(gated(), 0, {.method = Method::smoothquant})),
            (Names{"attention", "mlp"}));
  EXPECT_TRUE(sites_of(gated(), 0, {.method = Method::none}).empty());
  EXPECT_EQ(names_of(sites_of(with_relu(), 0, os_plus_options)), (Names{"attention", "mlp"}));
  EXPECT_EQ(names_of(sites_of(with_relu(), 0, {.method = Method::awq})),
            (Names{"attention", "output", "mlp", "down"}));
  EXPECT_EQ(all_sites(with_relu())[3].unshifted, "ReLU lies between");
}

TEST(Sites, MayBeChosen) {
  TransformOptions options{.method = Method::smoothquant,
                           .sites = std::vector{SiteKind::down, SiteKind::output}};
  EXPECT_EQ(names_of(sites_of(gated(), 1, options)), (Names{"output", "down"}));
  support::expect_error<InputError>([&] { sites_of(plain(), 1, options); }, "transform.sites",
                                    {"model_type 'plain' has no site 'down'", "leave it out"});
  EXPECT_EQ(names_of(sites_of(with_relu(), 1, options)), (Names{"output", "down"}));
}

TEST(Sites, ObjectivesFollowTheReaders) {
  const auto objective = [](const Architecture& architecture, std::size_t i) {
    return all_sites(architecture)[i].objectives;
  };
  EXPECT_EQ(objective(plain(), 0), std::vector{Objective::attention});
  EXPECT_EQ(objective(plain(), 1), std::vector{Objective::linear});
  EXPECT_EQ(objective(plain(), 2), std::vector{Objective::linear});
  EXPECT_EQ(objective(gated(), 2), std::vector{Objective::gated});
  EXPECT_EQ(objective(gated(), 3), std::vector{Objective::linear});
}

TEST(Sites, AreScoredByEveryProductWhereAskedFor) {
  TransformOptions options = os_plus_options;
  options.objective = SearchObjective::linear;
  for (const Site& site : sites_of(gated(), 0, options)) {
    EXPECT_EQ(site.objectives, std::vector{Objective::linear}) << site.name;
  }
  Architecture mixture = gated();
  mixture.experts = "experts.";
  mixture.expert_count = 2;
  mixture.experts_per_token = 1;
  mixture.linears[index_of(LinearRole::router)] = {"router", 2, 8, false};
  support::expect_error<InputError>([&] { sites_of(mixture, 0, options); }, "transform.objective",
                                    {"model_type 'plain' is a mixture of experts", "leave it out"});
}

TEST(Sites, OfAParallelResidualWithOneNormHaveEveryReader) {
  Architecture architecture = gated();
  architecture.parallel_residual = true;
  EXPECT_EQ(names_of(sites_of(architecture, 0, os_plus_options)),
            (Names{"attention", "mlp", "down"}));  // each with its own norm
  architecture.norms[index_of(NormRole::mlp_input)].name.clear();
  const auto sites = sites_of(architecture, 0, os_plus_options);
  EXPECT_EQ(names_of(sites), (Names{"attention", "down"}));
  EXPECT_EQ(sites[0].readers,
            (std::vector<LinearPlace>{LinearRole::query, LinearRole::key, LinearRole::value,
                                      LinearRole::gate, LinearRole::up}));
  EXPECT_EQ(sites[0].objectives, (std::vector{Objective::attention, Objective::gated}));
}

TEST(Sites, OfAMixtureAreTheRoutersAndEachExperts) {
  Architecture architecture = gated();
  architecture.experts = "experts.";
  architecture.expert_count = 3;
  architecture.experts_per_token = 2;
  architecture.linears[index_of(LinearRole::router)] = {"router", 3, 8, false};
  const auto sites = all_sites(architecture);
  EXPECT_EQ(names_of(sites), (Names{"attention", "output", "mlp", "experts.0.down",
                                    "experts.1.down", "experts.2.down"}));
  EXPECT_EQ(sites[2].readers.size(), 7U);
  EXPECT_EQ(sites[2].objectives, std::vector{Objective::mixture});
  EXPECT_EQ(sites[5].linear, (LinearPlace{LinearRole::up, 2}));
  EXPECT_EQ(producer_name(architecture, sites[5]), "experts.2.linear");
}

TEST(Sites, ShiftOnlyWhereProducerAndEveryReaderHaveABias) {
  for (const Site& site : all_sites(plain())) EXPECT_TRUE(site.can_shift()) << site.name;
  Architecture architecture = plain();
  architecture.linears[index_of(LinearRole::key)] = {"key", 8, 8, false};
  EXPECT_EQ(all_sites(architecture)[0].unshifted, "key has no bias");
  EXPECT_TRUE(all_sites(architecture)[2].can_shift());
  architecture.linears[index_of(LinearRole::value)] = {"value", 8, 8, false};
  EXPECT_EQ(all_sites(architecture)[1].unshifted, "value has no bias");
  architecture.norms[index_of(NormRole::mlp_input)].bias = false;
  EXPECT_EQ(all_sites(architecture)[2].unshifted, "the norm has no bias");
  architecture.norm_kind = NormKind::rms;
  EXPECT_EQ(all_sites(architecture)[2].unshifted, "RMSNorm has no bias");
  EXPECT_EQ(all_sites(gated())[3].unshifted, "the gate multiplies what up gives");
}

TEST(Sites, OfAPostLayerNormModelMoveTheResidualToo) {
  Architecture architecture = plain();
  architecture.residual_after_norm = true;
  EXPECT_EQ(names_of(sites_of(architecture, 0, os_plus_options)), (Names{"mlp"}));  // no first norm
  EXPECT_EQ(names_of(sites_of(architecture, 1, os_plus_options)), (Names{"attention", "mlp"}));
  architecture.block = "layer.";
  EXPECT_EQ(residual_norms(architecture, os_plus_options),
            (Names{"layer.0.ln_2", "layer.0.ln_1", "layer.1.ln_2"}));
  architecture.first_norm = "embeddings.norm";
  EXPECT_EQ(residual_norms(architecture, os_plus_options).front(), "embeddings.norm");
  TransformOptions options = os_plus_options;
  options.plain_layout = true;
  support::expect_error<InputError>([&] { sites_of(architecture, 1, options); },
                                    "transform.plain_layout", {"without a site"});
  support::expect_error<InputError>([&] { sites_of(plain(), 1, options); },
                                    "transform.plain_layout", {"leave it out"});
  options.sites = std::vector{SiteKind::attention, SiteKind::output};
  EXPECT_TRUE(residual_norms(architecture, options).empty());
  EXPECT_EQ(names_of(sites_of(architecture, 1, options)), (Names{"output"}));
}

TEST(SiteNotes, SayWhatIsNotShiftedOrLeftAlone) {
  EXPECT_TRUE(site_notes(plain(), os_plus_options).empty());
  EXPECT_TRUE(site_notes(plain(), {.method = Method::none}).empty());
  Architecture rms = gated();
  rms.norm_kind = NormKind::rms;
  EXPECT_EQ(site_notes(rms, os_plus_options),
            (Names{"attention, mlp: scale only, since RMSNorm has no bias",
                   "down: scale only, since the gate multiplies what up gives"}));
  EXPECT_TRUE(site_notes(rms, {.method = Method::smoothquant}).empty());
  Architecture post = plain();
  post.residual_after_norm = true;
  TransformOptions options = os_plus_options;
  options.plain_layout = true;
  EXPECT_EQ(site_notes(post, options),
            (Names{"attention, mlp: left alone, since plain_layout leaves no place to undo it in "
                   "the residual"}));
}

// By hand from the published models' layers: which sites shift.
struct Expected {
  std::string name;
  Names sites;
  Names shifting;
};

class FamilySites : public testing::TestWithParam<Expected> {};

TEST_P(FamilySites, AreThoseOfItsLayers) {
  const auto folder = support::golden_architecture(GetParam().name);
  EVENKEEL_NEEDS_SHARED(folder);
  const Checkpoint checkpoint(support::shared_file(folder));
  const auto sites = all_sites(resolve_architecture(checkpoint));
  EXPECT_EQ(names_of(sites), GetParam().sites);
  Names shifting;
  for (const Site& site : sites) {
    if (site.can_shift()) shifting.push_back(site.name);
  }
  EXPECT_EQ(shifting, GetParam().shifting);
}

const Names three{"attention", "output", "mlp"};
const Names four{"attention", "output", "mlp", "down"};

INSTANTIATE_TEST_SUITE_P(
    Families, FamilySites,
    testing::Values(
        Expected{"opt", four, three}, Expected{"opt-350m", four, three},  // ReLU
        Expected{"bloom", three, three}, Expected{"bert-masked", three, three},
        Expected{"roberta-classification", three, three}, Expected{"gpt2", three, three},
        Expected{"gpt_neox", three, three}, Expected{"gpt_neox-sequential", three, three},
        // One norm; query, key and value have no bias.
        Expected{"gptj", {"attention", "output"}, {}},
        Expected{"phi", {"attention", "output"}, {"attention", "output"}},
        Expected{"falcon-7b", {"attention", "output"}, {}}, Expected{"falcon-40b", three, {}},
        Expected{"cohere", {"attention", "output", "down"}, {}}, Expected{"llama", four, {}},
        Expected{"mistral", four, {}}, Expected{"gemma2", four, {}}, Expected{"qwen3", four, {}},
        // Query, key and value have a bias, the output projection has none.
        Expected{"qwen2", four, {}},
        Expected{"mixtral",
                 {"attention", "output", "mlp", "experts.0.down", "experts.1.down",
                  "experts.2.down", "experts.3.down"},
                 {}}),
    [](const auto& parameter) {
      std::string name = parameter.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace evenkeel
