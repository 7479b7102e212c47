// BERT and RoBERTa (Devlin et al. 2019, Liu et al. 2019): post-LayerNorm encoders with
// classification and masked-language heads.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "io/errors.h"
#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {
namespace {

Architecture encoder(const JsonReader& config, const std::string& model_type) {
  Architecture model = usual_sizes(config, model_type);
  model.positions = config.positive("max_position_embeddings");
  model.ffn_channels = config.positive("intermediate_size");
  model.prefixes = {model_type + ".", ""};
  model.causal = false;
  model.embedding.tokens = "embeddings.word_embeddings";
  model.embedding.positions = "embeddings.position_embeddings";
  model.embedding.token_types = "embeddings.token_type_embeddings";
  model.embedding.token_type_count = config.positive("type_vocab_size", 2);
  model.position_kind = PositionKind::learned;
  model.block = "encoder.layer.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_eps", 1e-12));
  model.residual_after_norm = true;
  model.first_norm = "embeddings.LayerNorm";
  model.norms[index_of(NormRole::attention_input)] = {"output.LayerNorm"};
  model.norms[index_of(NormRole::mlp_input)] = {"attention.output.LayerNorm"};
  model.head.final_norm = fmt::format("encoder.layer.{}.output.LayerNorm", model.blocks - 1);
  model.linears[index_of(LinearRole::query)] = {.name = "attention.self.query", .bias = true};
  model.linears[index_of(LinearRole::key)] = {.name = "attention.self.key", .bias = true};
  model.linears[index_of(LinearRole::value)] = {.name = "attention.self.value", .bias = true};
  model.linears[index_of(LinearRole::output)] = {.name = "attention.output.dense", .bias = true};
  model.linears[index_of(LinearRole::up)] = {.name = "intermediate.dense", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "output.dense", .bias = true};
  model.activation = activation_choice(config, "hidden_act", "gelu");
  if (const std::string kind = config.text("position_embedding_type", "absolute");
      kind != "absolute") {
    throw InputError(
        fmt::format("{}: 'position_embedding_type': '{}' is not supported; "
                    "supported: absolute",
                    config.path().string(), kind));
  }
  return model;
}

// Of the names in "architectures", the head that is one of ours.
HeadKind head_kind(const JsonReader& config, std::string_view classification,
                   std::string_view masked) {
  const auto& document = config.document();
  const auto names = document.find("architectures");
  const std::string name =
      names != document.end() && names->is_array() && !names->empty() && names->front().is_string()
          ? names->front().get<std::string>()
          : std::string();
  if (name == classification) return HeadKind::classification;
  if (name == masked) return HeadKind::masked_language;
  throw InputError(fmt::format("{}: 'architectures': '{}' is not supported; supported: {}, {}",
                               config.path().string(), name, classification, masked));
}

Index label_count(const JsonReader& config) {
  const auto& document = config.document();
  const auto labels = document.find("id2label");
  if (labels != document.end() && labels->is_object()) return static_cast<Index>(labels->size());
  return config.positive("num_labels", 2);
}

// The modules of an encoder's two heads.
struct EncoderHeads {
  std::string classifier, classification_dense, classification_logits;
  std::string masked, masked_dense, masked_norm, masked_logits, masked_bias;
  Activation masked_activation;
};

void take_head(const JsonReader& config, const EncoderHeads& heads, HeadModules& head) {
  head.kind = head_kind(config, heads.classifier, heads.masked);
  if (head.kind == HeadKind::classification) {
    head.dense = heads.classification_dense;
    head.logits = heads.classification_logits;
    head.bias = heads.classification_logits + ".bias";
    head.tied = false;
    head.labels = label_count(config);
    return;
  }
  head.dense = heads.masked_dense;
  head.norm = heads.masked_norm;
  head.activation = heads.masked_activation;
  head.logits = heads.masked_logits;
  head.bias = heads.masked_bias;
  head.tied = config.boolean("tie_word_embeddings", true);
}

}  // namespace

Architecture describe_bert(const JsonReader& config) {
  Architecture model = encoder(config, "bert");
  take_head(config,
            {.classifier = "BertForSequenceClassification",
             .classification_dense = "bert.pooler.dense",
             .classification_logits = "classifier",
             .masked = "BertForMaskedLM",
             .masked_dense = "cls.predictions.transform.dense",
             .masked_norm = "cls.predictions.transform.LayerNorm",
             .masked_logits = "cls.predictions.decoder",
             .masked_bias = "cls.predictions.bias",
             .masked_activation = model.activation},
            model.head);
  return model;
}

Architecture describe_roberta(const JsonReader& config) {
  Architecture model = encoder(config, "roberta");
  // The first position's row follows that of the padding token.
  const Index padding = config.integer("pad_token_id", 1);
  if (padding < 0 || padding >= model.vocabulary) {
    throw InputError(fmt::format("{}: 'pad_token_id': {} is outside the vocabulary of {}",
                                 config.path().string(), padding, model.vocabulary));
  }
  model.embedding.position_offset = padding + 1;
  model.embedding.positions_skip_padding = true;
  model.embedding.padding_id = static_cast<TokenId>(padding);
  model.positions = std::max<Index>(1, model.positions - model.embedding.position_offset);
  take_head(config,
            {.classifier = "RobertaForSequenceClassification",
             .classification_dense = "classifier.dense",
             .classification_logits = "classifier.out_proj",
             .masked = "RobertaForMaskedLM",
             .masked_dense = "lm_head.dense",
             .masked_norm = "lm_head.layer_norm",
             .masked_logits = "lm_head.decoder",
             .masked_bias = "lm_head.bias",
             .masked_activation = Activation::gelu},  // whatever the blocks have
            model.head);
  return model;
}

}  // namespace evenkeel
