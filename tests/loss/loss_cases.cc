#include "tests/loss/loss_cases.h"

#include <algorithm>
#include <cctype>

#include "base/philox.h"

namespace hone::loss {

namespace {

constexpr int64_t kClasses = 4;

class Cases {
 public:
  LossCase& add(std::string loss, std::string options, naive::Value value, int64_t roles = 2) {
    all.push_back({std::move(loss), std::move(options), std::move(value)});
    all.back().roles = roles;
    return all.back();
  }
  // Besides the plain case those of its first numbers, weighted or not; `more` goes on with the options.
  void with_matryoshka(const LossCase& plain, bool cut_labels = false) {
    const std::string before = plain.options.empty() ? "" : plain.options + ",";
    all.push_back(plain);
    LossCase c = plain;
    c.options = before + "matryoshka=6+3";
    c.value = naive::matryoshka(plain.value, {6, 3}, {1, 1}, cut_labels);
    all.push_back(c);
    c.options = before + "matryoshka=5+2+4,matryoshka_weights=0.5+2+0,matryoshka_per_batch=3";
    c.value = naive::matryoshka(plain.value, {5, 2, 4}, {0.5, 2, 0}, cut_labels);
    all.push_back(c);
  }
  std::vector<LossCase> all;
};

LossCase plain(std::string loss, std::string options, naive::Value value, int64_t roles = 2,
               int64_t label_width = 0) {
  LossCase c{std::move(loss), std::move(options), std::move(value)};
  c.roles = roles;
  c.label_width = label_width;
  return c;
}

const std::pair<const char*, Score> kSimilarities[] = {{"cosine", Score::cosine}, {"dot", Score::dot}};
const std::pair<const char*, Score> kDistances[] = {
    {"cosine", Score::cosine}, {"euclidean", Score::euclidean}, {"manhattan", Score::manhattan}};

void add_pairs(Cases& cases) {
  cases.with_matryoshka(plain("cosine", "", naive::cosine()));
  for (const auto& [name, score] : {std::pair("cosent", Score::cosine), std::pair("angle", Score::angle)}) {
    cases.with_matryoshka(plain(name, "", naive::cosent(score, 20)));
    cases.add(name, "scale=3", naive::cosent(score, 3)).rows = 9;
    cases.add(name, "", naive::cosent(score, 20)).labels = {2, 2, 2, 2, 2};
    cases.add(name, "", naive::cosent(score, 20)).labels = {0.5F, -1, 7, 3, 1e6F};
    cases.add(name, "", naive::cosent(score, 20)).dim = 7;
  }
  for (const auto& [name, score] : kDistances) {
    const std::string distance = std::string("distance=") + name;
    cases.with_matryoshka(plain("contrastive", distance, naive::contrastive(score, 0.5)));
    cases.add("contrastive", distance + ",margin=3", naive::contrastive(score, 3)).rows = 8;
    cases.with_matryoshka(plain("online-contrastive", distance, naive::online_contrastive(score, 0.5)));
    const std::string far = distance + ",margin=3";
    cases.add("online-contrastive", far, naive::online_contrastive(score, 3)).rows = 12;
    cases.add("online-contrastive", far, naive::online_contrastive(score, 3)).labels = {1, 1, 1, 1, 1};
    cases.add("online-contrastive", far, naive::online_contrastive(score, 3)).labels = {0, 0, 0, 0, 0};
    cases.add("online-contrastive", far, naive::online_contrastive(score, 3)).labels = {0, 0, 1, 0, 0};
    cases.with_matryoshka(plain("triplet", distance + ",margin=1", naive::triplet(score, 1), 3));
    cases.add("triplet", distance + ",margin=0", naive::triplet(score, 0), 3).rows = 8;
  }
  cases.add("softmax", "", naive::softmax());
  cases.add("softmax", "classes=4", naive::softmax()).rows = 9;
}

void add_mnr(Cases& cases) {
  const auto add = [&](std::string options, naive::Mnr o, int64_t negatives) {
    for (const auto& [name, score] : kSimilarities) {
      o.similarity = score;
      o.scale = score == Score::dot ? 1.5 : 20;
      const std::string end = score == Score::dot ? std::string(",similarity=dot,scale=1.5") : "";
      for (bool left_out : {false, true})
        cases.add("mnr", options + end, naive::mnr(o), 2 + negatives).left_out = left_out;
    }
  };
  for (int64_t negatives : {0, 1, 3}) {
    for (const char* directions :
         {"qd", "qd+qq", "qd+dq", "qd+dd", "qd+qq+dq", "qd+qq+dd", "qd+dq+dd", "dd+dq+qq+qd"}) {
      naive::Mnr o;
      o.directions = directions;
      add(std::string("directions=") + directions, o, negatives);
    }
    naive::Mnr o;
    o.per_direction = true;
    add("partition=per_direction", o, negatives);
    o.directions = "qd+dq";
    add("directions=qd+dq,partition=per_direction", o, negatives);
    add("symmetric=true", o, negatives);
    for (const char* hardness : {"in_batch_negatives", "hard_negatives", "all_negatives"}) {
      const std::string given = std::string("hardness=") + hardness + ",hardness_strength=";
      naive::Mnr harder;
      harder.hardness = hardness;
      harder.strength = 5;
      add(given + "5", harder, negatives);
      harder.directions = "qd+qq+dq+dd";
      add(given + "5,directions=qd+qq+dq+dd", harder, negatives);
      harder.directions = "qd+dq";
      harder.per_direction = true;
      harder.strength = 30;
      add(given + "30,symmetric=true", harder, negatives);
    }
  }
  naive::Mnr all;
  all.directions = "qd+qq+dq+dd";
  naive::Mnr harder;
  harder.hardness = "all_negatives";
  harder.strength = 2;
  cases.with_matryoshka(plain("mnr", "hardness=all_negatives,hardness_strength=2", naive::mnr(harder), 4));
  for (int64_t negatives : {0, 2}) {
    LossCase c = plain("mnr", "", naive::mnr({}), 2 + negatives);
    cases.with_matryoshka(c);
    c = plain("mnr", "directions=qd+qq+dq+dd", naive::mnr(all), 2 + negatives);
    c.left_out = true;
    cases.with_matryoshka(c);
  }
}

void add_teachers(Cases& cases) {
  cases.with_matryoshka(plain("mse", "", naive::mse(), 1, 6), true);
  cases.with_matryoshka(plain("mse", "", naive::mse(), 3, 6), true);
  for (int64_t width : {1, 4, 6, 9}) {
    for (int64_t roles : {1, 2})
      cases.all.push_back(plain("mse", "projection=true", naive::mse(), roles, width));
  }
  for (const auto& [name, score] : kSimilarities) {
    const std::string similarity = std::string("similarity=") + name;
    for (int64_t negatives : {1, 3}) {
      for (int64_t width : {negatives, negatives + 1})
        cases.with_matryoshka(
            plain("margin-mse", similarity, naive::margin_mse(score), 2 + negatives, width));
      cases.with_matryoshka(plain("kl", similarity, naive::kl(score, 1, 1), 2 + negatives, negatives + 1));
      struct Temperatures {
        const char* given;
        double student, teacher;
      };
      for (const Temperatures& t : {Temperatures{",temperature=0.25", 0.25, 0.25},
                                    {",student_temperature=0.25", 0.25, 1},
                                    {",teacher_temperature=3", 1, 3},
                                    {",temperature=2,student_temperature=0.5", 0.5, 2},
                                    {",temperature=2,teacher_temperature=0.5", 2, 0.5}})
        cases.all.push_back(plain("kl", similarity + t.given, naive::kl(score, t.student, t.teacher),
                                  2 + negatives, negatives + 1));
      cases.with_matryoshka(plain("kl", similarity + ",student_temperature=0.25,teacher_temperature=3",
                                  naive::kl(score, 0.25, 3), 2 + negatives, negatives + 1));
    }
    // As many scores as a vector has numbers: they are scores still.
    cases.with_matryoshka(plain("margin-mse", similarity, naive::margin_mse(score), 7, 6));
    cases.with_matryoshka(plain("kl", similarity, naive::kl(score, 1, 1), 7, 6));
  }
}

std::vector<float> drawn_labels(const LossCase& c, Labels kind, int64_t width) {
  std::vector<float> labels = drawn(c.rows * width, 2);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (kind == Labels::order) labels[i] = static_cast<float>(i * 7 % 4);  // some are the same
    if (kind == Labels::binary) labels[i] = i % 2 == 0 ? 1 : 0;
    if (kind == Labels::classes) labels[i] = static_cast<float>(static_cast<int64_t>(i) * 3 % kClasses);
  }
  return labels;
}

// About a third of the columns of each row, never column i of row i; of row 1 all others.
compute::LeftOut some_columns(int64_t rows, int64_t columns, uint32_t stream) {
  compute::LeftOut out;
  const std::vector<float> draws = drawn(rows * columns, stream);
  out.offsets.assign(1, 0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < columns; ++c) {
      const bool picked = draws[static_cast<size_t>(i * columns + c)] < -0.3F || i == 1;
      if (picked && c != i) out.index.push_back(static_cast<int32_t>(c));
    }
    out.offsets.push_back(static_cast<int64_t>(out.index.size()));
  }
  return out;
}

}  // namespace

std::string LossCase::name() const {
  std::string out = loss + (options.empty() ? "" : " " + options) + " texts " + std::to_string(roles) +
                    " rows " + std::to_string(rows) + " dim " + std::to_string(dim);
  if (label_width > 0) out += " labels " + std::to_string(label_width);
  for (float label : labels) out += " " + std::to_string(static_cast<int64_t>(label));
  if (left_out) out += " left out";
  for (char& ch : out) ch = std::isalnum(static_cast<unsigned char>(ch)) != 0 ? ch : '_';
  return out;
}

const std::vector<LossCase>& loss_cases() {
  static const std::vector<LossCase> all = [] {
    Cases cases;
    add_pairs(cases);
    add_mnr(cases);
    add_teachers(cases);
    return std::move(cases.all);
  }();
  return all;
}

std::vector<float> drawn(int64_t n, uint32_t stream) {
  std::vector<float> out;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t word = philox4x32({static_cast<uint32_t>(i), stream, 0, 0}, {3, 4})[0];
    out.push_back(static_cast<float>(static_cast<double>(word) / 2147483648.0 - 1));
  }
  return out;
}

LossRun::LossRun(const LossCase& c) : vectors(drawn(c.roles * c.rows * c.dim, 1)), labels(c.labels) {
  const LossInfo& info = find_loss(c.loss);
  batch.rows = c.rows;
  batch.roles = c.roles;
  batch.dim = c.dim;
  batch.label_width = info.labels == Labels::none ? 0 : std::max(c.label_width, int64_t{1});
  if (labels.empty()) labels = drawn_labels(c, info.labels, batch.label_width);
  const int64_t documents = (c.roles - 1) * c.rows;
  if (c.left_out) {
    false_negatives.documents = some_columns(c.rows, documents, 10);
    false_negatives.queries = some_columns(c.rows, c.rows, 12);
    batch.false_negatives = &false_negatives;
  }
  Setup setup;
  setup.dim = c.dim;
  setup.classes = kClasses;
  setup.teacher_width = batch.label_width;
  setup.seed = 5;
  loss = make_loss(info, LossOptions(info, c.options), setup);
}

double LossRun::evaluate(compute::Engine& engine, std::vector<float>& gradient) {
  batch.vectors = vectors;
  batch.labels = labels;
  gradient.resize(vectors.size(), 0);
  return loss->evaluate(batch, engine, gradient);
}

naive::Numbers LossRun::numbers() const {
  naive::Numbers n;
  n.rows = batch.rows;
  n.roles = batch.roles;
  n.dim = batch.dim;
  n.label_width = batch.label_width;
  n.vectors.assign(vectors.begin(), vectors.end());
  n.held = n.vectors;
  n.labels.assign(labels.begin(), labels.end());
  for (const Head& head : loss->heads()) n.heads.emplace_back(head.values.begin(), head.values.end());
  n.false_negatives = batch.false_negatives;
  return n;
}

}  // namespace hone::loss
