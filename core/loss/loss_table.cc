#include "loss/loss_table.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "loss/losses.h"

namespace hone::loss {

namespace {

using config::OptionInfo;
using config::Type;

constexpr double kMost = std::numeric_limits<double>::max();

OptionInfo positive(const char* key, const char* usual, const char* help) {
  return {key, Type::real, usual, "a number above 0", help, "X", 0, kMost, true};
}
OptionInfo margin(const char* key, const char* usual) {
  return {key, Type::real, usual, "0 or more", "Distance beyond which a negative is far enough",
          "X", 0,          kMost};
}
OptionInfo choice(const char* key, const char* usual, const char* choices, const char* range,
                  const char* help) {
  return {key, Type::text, usual, range, help, "NAME", 0, 0, false, false, choices};
}
OptionInfo similarity(const char* key, const char* usual) {
  return choice(key, usual, "cosine|dot", "cosine or dot", "Similarity of two vectors");
}
OptionInfo distance(const char* key, const char* usual) {
  return choice(key, usual, "cosine|euclidean|manhattan", "cosine, euclidean or manhattan",
                "Distance of two vectors; cosine: 1 - cosine");
}
OptionInfo list(const char* key, const char* help) {
  return {key, Type::text, "", "numbers joined by +, as 384+128", help, "LIST"};
}

std::vector<OptionInfo> with_matryoshka(std::vector<OptionInfo> options, const char* dims,
                                        const char* weights) {
  options.push_back(
      list(dims, "Matryoshka: also train the first so many numbers of the vectors, as 384+128"));
  options.push_back(list(weights, "Weight of each of them (default: 1)"));
  return options;
}

std::vector<LossInfo> make_table() {
  std::vector<LossInfo> t;
  t.push_back({"cosine",
               {"sentence1", "sentence2"},
               Labels::similarity,
               false,
               "pairs with a similarity score: the usual choice",
               "mean of (cos(u, v) - label)^2",
               "Reimers & Gurevych 2019, Sentence-BERT",
               with_matryoshka({}, "cosine.matryoshka", "cosine.matryoshka_weights")});
  t.push_back({"cosent",
               {"sentence1", "sentence2"},
               Labels::order,
               false,
               "pairs with scores of which only the order is to be trusted",
               "log(1 + sum of exp(scale (cos_i - cos_j)) over label_i < label_j)",
               "Su 2022, CoSENT",
               with_matryoshka({positive("cosent.scale", "20", "Factor of the similarities")},
                               "cosent.matryoshka", "cosent.matryoshka_weights")});
  t.push_back({"angle",
               {"sentence1", "sentence2"},
               Labels::order,
               false,
               "as cosent, where cosines saturate near 1",
               "cosent with the angle difference in complex space as similarity",
               "Li & Li 2023, AnglE",
               with_matryoshka({positive("angle.scale", "20", "Factor of the similarities")},
                               "angle.matryoshka", "angle.matryoshka_weights")});
  t.push_back(
      {"mnr",
       {"anchor", "positive", "negative*"},
       Labels::none,
       true,
       "(question, answer) or other pairs that belong together, with or without hard negatives",
       "mean of log(sum over documents of exp(scale s(q, d))) - scale s(q, positive)",
       "Henderson et al. 2017; directions: Li et al. 2023 (GTE)",
       with_matryoshka(
           {positive("mnr.scale", "20", "Factor of the similarities (1 / temperature)"),
            similarity("mnr.similarity", "cosine"),
            {"mnr.directions", Type::text, "qd", "qd, with any of qq, dq, dd joined by +",
             "What is compared: queries (q) and documents (d)", "LIST"},
            {"mnr.symmetric", Type::boolean, "false", "true or false",
             "qd and dq, a softmax each: the same as directions=qd+dq,partition=per_direction", nullptr},
            choice("mnr.partition", "joint", "joint|per_direction", "joint or per_direction",
                   "One softmax over all directions, or the mean of one for each"),
            choice("mnr.mask", "duplicates", "duplicates|none", "duplicates or none",
                   "Keep known positives, equal texts and equal ids from counting as negatives")},
           "mnr.matryoshka", "mnr.matryoshka_weights")});
  t.push_back(
      {"contrastive",
       {"sentence1", "sentence2"},
       Labels::binary,
       false,
       "pairs marked as alike (1) or not (0)",
       "mean of label d^2 / 2 + (1 - label) max(0, margin - d)^2 / 2",
       "Hadsell et al. 2006",
       with_matryoshka({distance("contrastive.distance", "cosine"), margin("contrastive.margin", "0.5")},
                       "contrastive.matryoshka", "contrastive.matryoshka_weights")});
  t.push_back({"online-contrastive",
               {"sentence1", "sentence2"},
               Labels::binary,
               false,
               "the same, learning from the hard pairs of each batch alone: usually better",
               "sum of d^2 over hard positives + max(0, margin - d)^2 over hard negatives",
               "sentence-transformers, OnlineContrastiveLoss",
               with_matryoshka({distance("online-contrastive.distance", "cosine"),
                                margin("online-contrastive.margin", "0.5")},
                               "online-contrastive.matryoshka", "online-contrastive.matryoshka_weights")});
  t.push_back({"triplet",
               {"anchor", "positive", "negative"},
               Labels::none,
               false,
               "triplets whose negatives of other rows mean nothing; else mnr learns more from them",
               "mean of max(0, d(a, p) - d(a, n) + margin)",
               "Schroff et al. 2015",
               with_matryoshka({distance("triplet.distance", "euclidean"), margin("triplet.margin", "5")},
                               "triplet.matryoshka", "triplet.matryoshka_weights")});
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
                               "mse.matryoshka", "mse.matryoshka_weights")});
  t.push_back({"margin-mse",
               {"anchor", "positive", "negative+"},
               Labels::teacher_scores,
               false,
               "queries with documents that a cross-encoder has scored",
               "mean of ((s(q, p) - s(q, n)) - teacher's margin)^2",
               "Hofstätter et al. 2020",
               with_matryoshka({similarity("margin-mse.similarity", "dot")}, "margin-mse.matryoshka",
                               "margin-mse.matryoshka_weights")});
  t.push_back({"kl",
               {"anchor", "positive", "negative+"},
               Labels::teacher_scores,
               false,
               "the same, with several documents a query whose order counts more than their scores",
               "KL(softmax(teacher / t) || softmax(s / t)) t^2, mean over rows",
               "sentence-transformers, DistillKLDivLoss; Lin et al. 2020",
               with_matryoshka({similarity("kl.similarity", "dot"),
                                positive("kl.temperature", "1", "Divides the scores of both")},
                               "kl.matryoshka", "kl.matryoshka_weights")});
  return t;
}

Score score_of(const std::string& name) {
  if (name == "dot") return Score::dot;
  if (name == "euclidean") return Score::euclidean;
  if (name == "manhattan") return Score::manhattan;
  return Score::cosine;
}

MnrOptions mnr_options(const LossOptions& o) {
  MnrOptions m;
  m.scale = o.real("scale");
  m.similarity = score_of(o.word("similarity"));
  m.per_direction = o.word("partition") == "per_direction";
  bool query_doc = false;
  std::string rest = o.word("directions");
  for (bool more = !rest.empty(); more;) {
    const std::string one = rest.substr(0, rest.find('+'));
    more = one.size() < rest.size();  // also after a + at the end
    rest.erase(0, one.size() + (more ? 1 : 0));
    bool* known = one == "qd"   ? &query_doc
                  : one == "qq" ? &m.query_query
                  : one == "dq" ? &m.doc_query
                  : one == "dd" ? &m.doc_doc
                                : nullptr;
    if (known == nullptr || *known) {
      fail_usage("loss-options: directions: \"", excerpt(o.word("directions")),
                 "\" found, qd and any of qq, dq and dd, each once and joined by +, expected");
    }
    *known = true;
  }
  if (!query_doc) fail_usage("loss-options: directions: qd must be among them: it holds the positives");
  if (o.flag("symmetric")) {
    if (o.given("directions") || o.given("partition"))
      fail_usage("loss-options: symmetric is a choice of directions and partition: give one or the other");
    m.doc_query = m.per_direction = true;
  }
  if (m.per_direction && (m.query_query || m.doc_doc)) {
    fail_usage(
        "loss-options: partition: per_direction found with qq or dd, which hold no positive; joint expected");
  }
  return m;
}

std::unique_ptr<Loss> plain_loss(const LossInfo& info, const LossOptions& o, const Setup& setup) {
  const std::string_view name = info.name;
  if (name == "cosine") return cosine_loss();
  if (name == "cosent") return cosent_loss(Score::cosine, o.real("scale"));
  if (name == "angle") return cosent_loss(Score::angle, o.real("scale"));
  if (name == "mnr") return mnr_loss(mnr_options(o));
  if (name == "contrastive") return contrastive_loss(score_of(o.word("distance")), o.real("margin"));
  if (name == "online-contrastive")
    return online_contrastive_loss(score_of(o.word("distance")), o.real("margin"));
  if (name == "triplet") return triplet_loss(score_of(o.word("distance")), o.real("margin"));
  if (name == "softmax") return softmax_loss(setup.dim, setup.classes, setup.seed);
  if (name == "mse") {
    const bool projection = o.flag("projection");
    if (!projection && setup.teacher_width != setup.dim) {
      throw config::OptionError(
          "train.loss_options",
          cat("loss mse: the teacher's vectors have ", setup.teacher_width, " numbers, the model's ",
              setup.dim, "; --loss-options projection=true trains a layer between them"));
    }
    return mse_loss(setup.dim, projection ? setup.teacher_width : 0, setup.seed);
  }
  if (name == "margin-mse") return margin_mse_loss(score_of(o.word("similarity")));
  return kl_loss(score_of(o.word("similarity")), o.real("temperature"));
}

}  // namespace

std::string LossInfo::columns() const {
  std::string out;
  for (std::string_view role : texts) {
    const bool many = role.ends_with('*') || role.ends_with('+');
    if (many) role.remove_suffix(1);
    out += cat(out.empty() ? "" : ", ", role, many ? "..." : "");
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
      options.push_back({{"name", o.name()}, {"usual", o.usual}, {"range", o.range}, {"help", o.help}});
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
  fail_usage("loss: \"", excerpt(name), "\" found, one of ", names, " expected");
}

std::string LossOptions::key(std::string_view name) const {
  return cat(info_->name, ".", name);
}

LossOptions::LossOptions(const LossInfo& info, std::string_view text) : info_(&info) {
  for (const OptionInfo& option : info.options) {
    if (*option.usual != '\0') options_.parse(option, option.usual, option.name());
  }
  for (bool more = !text.empty(); more;) {
    const std::string_view piece = text.substr(0, text.find(','));
    more = piece.size() < text.size();  // also after a comma at the end
    text.remove_prefix(piece.size() + (more ? 1 : 0));
    const size_t equals = piece.find('=');
    const std::string_view name = piece.substr(0, equals);
    const auto option = std::find_if(info.options.begin(), info.options.end(),
                                     [&](const OptionInfo& o) { return o.name() == name; });
    if (equals == std::string_view::npos)
      fail_usage("loss-options: \"", excerpt(piece), "\" found, name=value expected");
    if (option == info.options.end()) {
      std::string names;
      for (const OptionInfo& o : info.options) names += cat(names.empty() ? "" : ", ", o.name());
      fail_usage("loss-options: \"", excerpt(name), "\" is no option of the loss ", info.name, ", which has ",
                 names);
    }
    const std::string value(piece.substr(equals + 1));
    if (!given_.emplace(std::string(name), value).second)
      fail_usage("loss-options: ", name, " is there twice");
    options_.parse(*option, value, cat("loss-options: ", name));
  }
  for (const OptionInfo& option : info.options) {
    if (std::string_view(option.value == nullptr ? "" : option.value) == "LIST" && *option.usual == '\0')
      list(option.name());
  }
}

bool LossOptions::given(std::string_view name) const {
  return given_.contains(name);
}

std::string LossOptions::text() const {
  std::string out;
  for (const OptionInfo& option : info_->options) {
    const auto found = given_.find(option.name());
    if (found != given_.end() && found->second != option.usual)
      out += cat(out.empty() ? "" : ",", found->first, "=", found->second);
  }
  return out;
}

std::vector<double> LossOptions::list(std::string_view name) const {
  std::vector<double> numbers;
  const auto found = given_.find(name);
  if (found == given_.end()) return numbers;
  std::string_view rest = found->second;
  while (true) {
    const std::string_view piece = rest.substr(0, rest.find('+'));
    double number = 0;
    const auto [end, code] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
    if (code != std::errc() || end != piece.data() + piece.size() || !(number >= 0) || number > 1e9) {
      fail_usage("loss-options: ", name, ": \"", excerpt(found->second),
                 "\" found, numbers joined by + expected, as 384+128");
    }
    numbers.push_back(number);
    if (piece.size() == rest.size()) return numbers;
    rest.remove_prefix(piece.size() + 1);
  }
}

std::unique_ptr<Loss> make_loss(const LossInfo& info, const LossOptions& options, const Setup& setup) {
  std::unique_ptr<Loss> loss = plain_loss(info, options, setup);
  const std::vector<double> dims = options.list("matryoshka");
  std::vector<double> weights = options.list("matryoshka_weights");
  if (dims.empty()) {
    if (!weights.empty()) fail_usage("loss-options: matryoshka_weights found without matryoshka");
    return loss;
  }
  if (!loss->heads().empty())
    fail_usage("loss-options: matryoshka: the loss has a layer of one width (projection); one or the other");
  if (weights.empty()) weights.assign(dims.size(), 1);
  if (weights.size() != dims.size()) {
    fail_usage("loss-options: matryoshka_weights: ", weights.size(), " numbers found, ", dims.size(),
               " expected, one for each of matryoshka");
  }
  std::vector<int64_t> widths;
  for (double d : dims) {
    widths.push_back(static_cast<int64_t>(d));
    if (static_cast<double>(widths.back()) != d || d < 1 || widths.back() > setup.dim)
      fail_usage("loss-options: matryoshka: ", d, " found, whole numbers from 1 to ", setup.dim, " expected");
  }
  return matryoshka_loss(std::move(loss), std::move(widths), std::move(weights),
                         info.labels == Labels::teacher_vector);
}

}  // namespace hone::loss
