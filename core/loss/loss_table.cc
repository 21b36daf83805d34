#include "loss/loss_table.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/spelling.h"

namespace hone::loss {

namespace {

using config::OptionInfo;
using config::Type;

constexpr double kMost = std::numeric_limits<double>::max(), kMostWidths = 1e6;

OptionInfo positive(const char* key, const char* default_value, const char* help) {
  return {key, Type::real, default_value, "a number above 0", help, "X", 0, kMost, true};
}
OptionInfo margin(const char* key, const char* default_value) {
  return {key, Type::real, default_value, "0 or more", "Distance beyond which a negative is far enough",
          "X", 0,          kMost};
}
OptionInfo choice(const char* key, const char* default_value, const char* choices, const char* range,
                  const char* help) {
  return {key, Type::text, default_value, range, help, "NAME", 0, 0, false, false, choices};
}
OptionInfo similarity(const char* key, const char* default_value) {
  return choice(key, default_value, "cosine|dot", "cosine or dot", "Similarity of two vectors");
}
OptionInfo distance(const char* key, const char* default_value) {
  return choice(key, default_value, "cosine|euclidean|manhattan", "cosine, euclidean or manhattan",
                "Distance of two vectors; cosine: 1 - cosine");
}
OptionInfo list(const char* key, const char* help) {
  return {key, Type::text, "", "numbers joined by +, as 384+128", help, "LIST"};
}

std::vector<OptionInfo> with_matryoshka(std::vector<OptionInfo> options, const char* dims,
                                        const char* weights, const char* per_batch) {
  options.push_back(
      list(dims, "Matryoshka: also train the first so many numbers of the vectors, as 384+128"));
  options.push_back(list(weights, "Weight of each of them (default: 1)"));
  options.push_back({per_batch, Type::integer, "0", "0 to their count",
                     "How many of them a batch trains, drawn anew for each; 0: all", "N", 0, kMostWidths});
  return options;
}

std::vector<LossInfo> make_table() {
  std::vector<LossInfo> t;
  t.push_back(
      {"cosine",
       {"sentence1", "sentence2"},
       Labels::similarity,
       false,
       "pairs with a similarity score: the default choice",
       "mean of (cos(u, v) - label)^2",
       "Reimers & Gurevych 2019, Sentence-BERT",
       with_matryoshka({}, "cosine.matryoshka", "cosine.matryoshka_weights", "cosine.matryoshka_per_batch")});
  t.push_back(
      {"cosent",
       {"sentence1", "sentence2"},
       Labels::order,
       false,
       "pairs with scores of which only the order is to be trusted",
       "log(1 + sum of exp(scale (cos_i - cos_j)) over label_i < label_j)",
       "Su 2022, CoSENT",
       with_matryoshka({positive("cosent.scale", "20", "Factor of the similarities")}, "cosent.matryoshka",
                       "cosent.matryoshka_weights", "cosent.matryoshka_per_batch")});
  t.push_back(
      {"angle",
       {"sentence1", "sentence2"},
       Labels::order,
       false,
       "as cosent, where cosines saturate near 1",
       "cosent with the angle difference in complex space as similarity",
       "Li & Li 2023, AnglE",
       with_matryoshka({positive("angle.scale", "20", "Factor of the similarities")}, "angle.matryoshka",
                       "angle.matryoshka_weights", "angle.matryoshka_per_batch")});
  t.push_back(
      {"mnr",
       {"anchor", "positive", "negative*"},
       Labels::none,
       true,
       "(question, answer) or other pairs that belong together, with or without hard negatives",
       "mean of log(sum over documents of exp(scale s(q, d))) - scale s(q, positive)",
       "Henderson et al. 2017; directions: Li et al. 2023 (GTE); hardness: Lan et al. 2025",
       with_matryoshka(
           {positive("mnr.scale", "20", "Factor of the similarities (1 / temperature)"),
            similarity("mnr.similarity", "cosine"),
            {"mnr.directions", Type::text, "qd", "qd, with any of qq, dq, dd joined by +",
             "What is compared: queries (q) and documents (d)", "LIST"},
            {"mnr.symmetric", Type::boolean, "false", "true or false",
             "qd and dq, a softmax each: the same as directions=qd+dq,partition=per_direction", nullptr},
            choice("mnr.partition", "joint", "joint|per_direction", "joint or per_direction",
                   "One softmax over all directions, or the mean of one for each"),
            choice("mnr.hardness", "none", "none|in_batch_negatives|hard_negatives|all_negatives",
                   "none, in_batch_negatives, hard_negatives or all_negatives",
                   "Negatives of a query that weigh more the more alike they are"),
            {"mnr.hardness_strength", Type::real, "0", "0 or more",
             "How much more: added to the scale of their similarities, not to that of the gradient", "X", 0,
             kMost},
            choice("mnr.mask", "duplicates", "duplicates|none", "duplicates or none",
                   "Keep known positives, equal texts and equal ids from counting as negatives")},
           "mnr.matryoshka", "mnr.matryoshka_weights", "mnr.matryoshka_per_batch")});
  t.push_back(
      {"contrastive",
       {"sentence1", "sentence2"},
       Labels::binary,
       false,
       "pairs marked as alike (1) or not (0)",
       "mean of label d^2 / 2 + (1 - label) max(0, margin - d)^2 / 2",
       "Hadsell et al. 2006",
       with_matryoshka({distance("contrastive.distance", "cosine"), margin("contrastive.margin", "0.5")},
                       "contrastive.matryoshka", "contrastive.matryoshka_weights",
                       "contrastive.matryoshka_per_batch")});
  t.push_back({"online-contrastive",
               {"sentence1", "sentence2"},
               Labels::binary,
               false,
               "the same, learning from the hard pairs of each batch alone: usually better",
               "sum of d^2 over hard positives + max(0, margin - d)^2 over hard negatives",
               "sentence-transformers, OnlineContrastiveLoss",
               with_matryoshka({distance("online-contrastive.distance", "cosine"),
                                margin("online-contrastive.margin", "0.5")},
                               "online-contrastive.matryoshka", "online-contrastive.matryoshka_weights",
                               "online-contrastive.matryoshka_per_batch")});
  t.push_back(
      {"triplet",
       {"anchor", "positive", "negative"},
       Labels::none,
       false,
       "triplets whose negatives of other rows mean nothing; else mnr learns more from them",
       "mean of max(0, d(a, p) - d(a, n) + margin)",
       "Schroff et al. 2015",
       with_matryoshka({distance("triplet.distance", "euclidean"), margin("triplet.margin", "5")},
                       "triplet.matryoshka", "triplet.matryoshka_weights", "triplet.matryoshka_per_batch")});
  t.push_back(
      {"softmax",
       {"sentence1", "sentence2"},
       Labels::classes,
       false,
       "pairs with a class (entailment 0, neutral 1, contradiction 2); mnr usually gives better vectors",
       "cross-entropy of a linear layer on (u, v, |u - v|)",
       "Reimers & Gurevych 2019, Sentence-BERT",
       {{"softmax.classes", Type::integer, "0", "0 to 100000",
         "Number of classes; 0: one more than the largest label", "N", 0, 100000}}});
  t.push_back({"mse",
               {"text+"},
               Labels::teacher_vector,
               false,
               "texts with the vectors of a better model (or their translations with those of the original)",
               "mean of (x - teacher)^2",
               "Reimers & Gurevych 2020, multilingual distillation",
               with_matryoshka({{"mse.projection", Type::boolean, "false", "true or false",
                                 "Train a linear layer to the width of the teacher's vectors", nullptr}},
                               "mse.matryoshka", "mse.matryoshka_weights", "mse.matryoshka_per_batch")});
  t.push_back({"margin-mse",
               {"anchor", "positive", "negative+"},
               Labels::teacher_scores,
               false,
               "queries with documents that a cross-encoder has scored",
               "mean of ((s(q, p) - s(q, n)) - teacher's margin)^2",
               "Hofstätter et al. 2020",
               with_matryoshka({similarity("margin-mse.similarity", "dot")}, "margin-mse.matryoshka",
                               "margin-mse.matryoshka_weights", "margin-mse.matryoshka_per_batch")});
  t.push_back(
      {"kl",
       {"anchor", "positive", "negative+"},
       Labels::teacher_scores,
       false,
       "the same, with several documents a query whose order counts more than their scores",
       "KL(softmax(teacher / u) || softmax(s / t)) t^2, mean over rows; t, u: temperatures",
       "sentence-transformers, DistillKLDivLoss; Lin et al. 2020",
       with_matryoshka(
           {similarity("kl.similarity", "dot"),
            positive("kl.temperature", "1", "Divides the scores of both: the model's and the teacher's"),
            positive("kl.student_temperature", "", "Divides the model's scores (default: temperature)"),
            positive("kl.teacher_temperature", "", "Divides the teacher's scores (default: temperature)")},
           "kl.matryoshka", "kl.matryoshka_weights", "kl.matryoshka_per_batch")});
  return t;
}

}  // namespace

std::string LossInfo::columns() const {
  std::string out;
  for (std::string_view role : texts) {
    const bool optional = role.ends_with('*'), many = optional || role.ends_with('+');
    if (many) role.remove_suffix(1);
    out += cat(out.empty() ? "" : ", ", optional ? "[" : "", role, many ? "..." : "", optional ? "]" : "");
  }
  switch (labels) {
    case Labels::none:
      return out;
    case Labels::teacher_scores:
      return out + ", scores";
    case Labels::teacher_vector:
      return out + ", vector";
    default:
      return out + ", score";
  }
}

std::span<const LossInfo> loss_table() {
  static const std::vector<LossInfo> table = make_table();
  return table;
}

std::string loss_table_json() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const LossInfo& loss : loss_table()) {
    nlohmann::ordered_json options = nlohmann::ordered_json::array();
    for (const OptionInfo& o : loss.options)
      options.push_back(
          {{"name", o.name()}, {"default", o.default_value}, {"range", o.range}, {"help", o.help}});
    all.push_back({{"name", loss.name},
                   {"columns", loss.columns()},
                   {"use", loss.use},
                   {"formula", loss.formula},
                   {"source", loss.source},
                   {"in_batch_negatives", loss.in_batch},
                   {"options", options}});
  }
  return all.dump(2);
}

const LossInfo& find_loss(std::string_view name) {
  std::string names;
  for (const LossInfo& info : loss_table()) {
    if (name == info.name) return info;
    names += cat(names.empty() ? "" : ", ", info.name);
  }
  fail_usage("loss: \"", excerpt(name), "\" found, one of ", names, " expected",
             did_you_mean_of(name, loss_table(), [](const LossInfo& info) { return info.name; }));
}

}  // namespace hone::loss
