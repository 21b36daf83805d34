#include "eval/task_columns.h"

#include <algorithm>

#include "base/error.h"
#include "data/columns.h"
#include "eval/evaluation.h"

namespace hone::eval {

namespace {

bool serves_task(const data::NamedColumns& n, std::string_view task) {
  return n.serve_all(task_roles(task));
}

std::vector<data::RoleRequest> sentences() {
  return {{.role = "sentence1", .also_named = {}}, {.role = "sentence2", .also_named = {}}};
}

const data::RoleRequest& score_role() {
  static const data::RoleRequest score = task_roles("sts").back();
  return score;
}

}  // namespace

std::vector<data::RoleRequest> known_roles(std::string_view task) {
  std::vector<data::RoleRequest> all;
  const auto add = [&](const std::vector<data::RoleRequest>& roles) {
    for (const data::RoleRequest& role : roles) {
      if (std::none_of(all.begin(), all.end(), [&](const auto& r) { return r.role == role.role; }))
        all.push_back(role);
    }
  };
  for (const std::string& name : table_tasks()) {
    if (task.empty() || name == task) add(task_roles(name));
    if (name == "pairs" && (task.empty() || name == task)) {
      add(sentences());
      add({data::id_role()});
    }
  }
  return all;
}

data::ReadOptions task_reading(std::string_view task, std::span<const std::string> names,
                               std::map<std::string, std::string> columns) {
  std::vector<data::RoleRequest> roles = task_roles(task);
  if (task == "pairs") {
    const data::NamedColumns n{names, columns};
    if (!n.serve_all(roles) && n.serve_all(sentences())) roles = sentences();
    if (columns.contains("id")) roles.push_back(data::id_role());
  }
  return data::read_roles(std::move(roles), std::move(columns));
}

std::string task_for(std::span<const std::string> names, const std::map<std::string, std::string>& columns,
                     const std::string& source) {
  const data::NamedColumns n{names, columns};
  for (const char* task : {"triplet", "mse", "sts"}) {
    if (serves_task(n, task)) return task;
  }
  const bool pair = serves_task(n, "pairs");
  if (pair && n.serve(score_role())) {
    fail(source, ": anchor and positive with a score or label fit more than one task: pairs takes every row ",
         "as a match and reads no score, others want sentence1 and sentence2; name one (--task NAME)");
  }
  if (pair || n.serve_all(sentences())) return "pairs";
  std::string found;
  for (size_t i = 0; i < names.size() && i < 20; ++i) found += cat(i == 0 ? "" : ", ", data::shown(names[i]));
  fail(source, ": the columns are ", found, "; to evaluate on, expected sentence1, sentence2 and score; ",
       "anchor and positive, maybe with negative; or text and vector (--columns ROLE=NAME names others, ",
       "--task NAME a task)");
}

std::string task_for(const data::Table& table) {
  std::vector<std::string> names;
  for (const auto& [role, column] : table.columns) names.push_back(role);
  return task_for(names, {}, table.source());
}

std::string task_for(const std::filesystem::path& path, const std::map<std::string, std::string>& columns) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return "retrieval";
  return task_for(data::column_names(path), columns, path.string());
}

}  // namespace hone::eval
