// A loss from its name and options, and what these must be to go together.
#include <algorithm>

#include "base/error.h"
#include "loss/loss_table.h"
#include "loss/losses.h"

namespace hone::loss {

namespace {

Score score_of(const std::string& name) {
  if (name == "dot") return Score::dot;
  if (name == "euclidean") return Score::euclidean;
  if (name == "manhattan") return Score::manhattan;
  return Score::cosine;
}

Hardness hardness_of(const std::string& name) {
  if (name == "in_batch_negatives") return Hardness::in_batch_negatives;
  if (name == "hard_negatives") return Hardness::hard_negatives;
  return name == "all_negatives" ? Hardness::all_negatives : Hardness::none;
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
  m.hardness = hardness_of(o.word("hardness"));
  m.hardness_strength = o.real("hardness_strength");
  if (m.hardness != Hardness::none && m.hardness_strength == 0) {
    fail_usage("loss-options: hardness: ", o.word("hardness"),
               " found with a hardness_strength of 0, one above 0 expected");
  }
  if (m.hardness == Hardness::none && m.hardness_strength != 0)
    fail_usage("loss-options: hardness_strength: ", m.hardness_strength, " found without hardness");
  return m;
}

std::unique_ptr<Loss> kl_of(const LossOptions& o) {
  const bool student = o.given("student_temperature"), teacher = o.given("teacher_temperature");
  if (o.given("temperature") && student && teacher) {
    fail_usage("loss-options: temperature: ", o.real("temperature"),
               " found with student_temperature and teacher_temperature, two of the three at most expected");
  }
  return kl_loss(score_of(o.word("similarity")), o.real(student ? "student_temperature" : "temperature"),
                 o.real(teacher ? "teacher_temperature" : "temperature"));
}

std::unique_ptr<Loss> plain_loss(const LossInfo& info, const LossOptions& o, const Setup& setup) {
  const std::string_view name = info.name;
  if (name == "cosine") return cosine_loss();
  if (name == "cosent") return cosent_loss(o.real("scale"));
  if (name == "angle") return angle_loss(o.real("scale"));
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
  return kl_of(o);
}

}  // namespace

std::unique_ptr<Loss> make_loss(const LossInfo& info, const LossOptions& options, const Setup& setup) {
  std::unique_ptr<Loss> loss = plain_loss(info, options, setup);
  const std::vector<double> dims = options.list("matryoshka");
  std::vector<double> weights = options.list("matryoshka_weights");
  if (dims.empty()) {
    for (const char* name : {"matryoshka_weights", "matryoshka_per_batch"}) {
      if (options.given(name)) fail_usage("loss-options: ", name, " found without matryoshka");
    }
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
    if (static_cast<double>(widths.back()) != d || d < 1 || widths.back() > setup.dim) {
      fail_usage("loss-options: matryoshka: ", d, " found, whole numbers from 1 to ", setup.dim, " expected");
    }
    if (std::count(dims.begin(), dims.end(), d) > 1)
      fail_usage("loss-options: matryoshka: ", d, " found twice, each width once expected");
  }
  const int64_t per_batch = options.integer("matryoshka_per_batch");
  if (per_batch > static_cast<int64_t>(dims.size())) {
    fail_usage("loss-options: matryoshka_per_batch: ", per_batch, " found, 0 to ", dims.size(),
               " expected, the count of matryoshka");
  }
  MatryoshkaOptions m{std::move(widths), std::move(weights)};
  m.vector_labels = info.labels == Labels::teacher_vector;
  m.per_batch = per_batch == 0 ? dims.size() : static_cast<size_t>(per_batch);
  m.seed = setup.seed;
  return matryoshka_loss(std::move(loss), std::move(m));
}

}  // namespace hone::loss
