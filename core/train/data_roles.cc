#include "train/data_roles.h"

#include <algorithm>

#include "base/error.h"
#include "data/columns.h"
#include "eval/task_columns.h"

namespace hone::train {

namespace {

using data::ColumnKind;
using data::RoleRequest;

RoleRequest text(std::string role, std::vector<std::string> also = {}, bool numbered = false) {
  return {std::move(role), ColumnKind::text, true, std::move(also), numbered};
}

RoleRequest request(std::string_view role) {
  const bool any = role.ends_with('*'), some = role.ends_with('+');
  if (any || some) role.remove_suffix(1);
  if (role == "anchor") return data::anchor_role();
  if (role == "positive") return data::positive_role();
  RoleRequest made = text(std::string(role), {}, any || some);
  made.required = !any;
  return made;
}

RoleRequest label(loss::Labels kind) {
  if (kind == loss::Labels::teacher_scores)
    return {"scores", ColumnKind::vector, true, {"score", "labels", "label"}};
  if (kind == loss::Labels::teacher_vector)
    return {"vector", ColumnKind::vector, true, {"embedding", "label"}};
  return {"score", ColumnKind::number, true, {"label"}};
}

struct Names : data::NamedColumns {
  using NamedColumns::serve;
  bool serve(std::initializer_list<std::string_view> roles) const {
    return std::all_of(roles.begin(), roles.end(), [&](auto role) { return serve(request(role)); });
  }
};

bool on_anchors(const loss::LossInfo& loss) {
  return loss.texts.size() >= 2 && loss.texts[0] == "anchor";
}

}  // namespace

std::vector<RoleRequest> all_roles() {
  std::vector<RoleRequest> all;
  for (const char* role : {"sentence1", "sentence2", "anchor", "positive", "negative*", "text*"})
    all.push_back(request(role));
  for (auto kind : {loss::Labels::similarity, loss::Labels::teacher_scores, loss::Labels::teacher_vector})
    all.push_back(label(kind));
  all.push_back(data::id_role());
  for (RoleRequest& role : all) role.required = false;
  return all;
}

const loss::LossInfo& loss_for(std::span<const std::string> names,
                               const std::map<std::string, std::string>& columns, const std::string& source) {
  const Names n{{names, columns}};
  const bool scored = n.serve(label(loss::Labels::similarity)), pair = n.serve({"anchor", "positive"});
  if (pair && n.serve({"negative+"}) && n.serve(label(loss::Labels::teacher_scores)))
    return loss::find_loss("margin-mse");
  if (pair && scored) {
    fail(source,
         ": anchor and positive with a score or label fit more than one loss: mnr takes every row as a ",
         "match and reads no score, others are for labels; name one (--loss NAME, hone losses lists all)");
  }
  if (pair) return loss::find_loss("mnr");
  if (n.serve({"sentence1", "sentence2"})) return loss::find_loss(scored ? "cosine" : "mnr");
  if (n.serve({"text+"}) && n.serve(label(loss::Labels::teacher_vector))) return loss::find_loss("mse");
  std::string found;
  for (size_t i = 0; i < names.size() && i < 20; ++i) found += cat(i == 0 ? "" : ", ", data::shown(names[i]));
  fail(source, ": the columns are ", found, "; to train on, expected sentence1, sentence2 and score; ",
       "anchor and positive; or text and vector (--columns ROLE=NAME names others, hone losses lists all)");
}

data::ReadOptions roles_of(const loss::LossInfo& loss, std::span<const std::string> names,
                           std::map<std::string, std::string> columns) {
  std::vector<RoleRequest> roles;
  const Names n{{names, columns}};
  const bool sentences =
      on_anchors(loss) && !n.serve({"anchor", "positive"}) && n.serve({"sentence1", "sentence2"});
  for (std::string_view role : loss.texts) {
    if (sentences && (role == "anchor" || role == "positive"))
      role = role == "anchor" ? "sentence1" : "sentence2";
    roles.push_back(request(role));
  }
  if (loss.labels != loss::Labels::none) roles.push_back(label(loss.labels));
  if (columns.contains("id")) roles.push_back(data::id_role());
  return data::read_roles(std::move(roles), std::move(columns));
}

data::ReadOptions roles_wanted(std::span<const std::string> names, const std::string& source,
                               const std::map<std::string, std::string>& columns, const std::string& loss,
                               const std::string& task) {
  const Names n{{names, columns}};
  std::vector<data::ReadOptions> wanted;
  if (!loss.empty()) wanted.push_back(roles_of(loss::find_loss(loss), names, columns));
  if (!task.empty()) wanted.push_back(eval::task_reading(task, names, columns));
  if (wanted.empty()) return roles_of(loss_for(names, columns, source), names, columns);
  if (wanted.size() == 1 || !n.serve_all(wanted[1].roles)) return wanted[0];
  if (!n.serve_all(wanted[0].roles)) return wanted[1];
  return data::read_both(std::move(wanted[0]), wanted[1]);
}

std::vector<std::string> text_roles(const loss::LossInfo& loss, const data::Table& table) {
  std::vector<std::string> roles;
  auto missing = [&](std::string_view role) {
    std::string found;
    for (const auto& [name, values] : table.texts) found += cat(found.empty() ? "" : ", ", name);
    fail(table.path, ": the loss ", loss.name, " needs ", loss.columns(), ", and no ", role,
         " was found; the texts here are ", found.empty() ? "none" : found,
         " (--columns ROLE=NAME names another column)");
  };
  const bool sentences =
      on_anchors(loss) && !table.texts.contains("anchor") && table.texts.contains("sentence1");
  for (std::string_view role : loss.texts) {
    if (role.ends_with('*') || role.ends_with('+')) {
      const std::string name(role.substr(0, role.size() - 1));
      const std::vector<std::string> family = table.numbered(name);
      if (family.empty() && role.ends_with('+')) missing(name);
      roles.insert(roles.end(), family.begin(), family.end());
      continue;
    }
    std::string name(role);
    if (sentences && (role == "anchor" || role == "positive"))
      name = role == "anchor" ? "sentence1" : "sentence2";
    if (!table.texts.contains(name)) missing(name);
    roles.push_back(std::move(name));
  }
  return roles;
}

}  // namespace hone::train
