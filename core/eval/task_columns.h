// Which columns a task reads, and which task suits the columns that are there.
//
// Rules: columns are known by name, never by order. Only pairs also takes sentence1 and sentence2 for anchor
// and positive, as training does, and an id, where --columns names one. What suits is decided by names alone.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace hone::eval {

// Every role that the task may read, for --columns; of all tasks of rows where `task` is empty.
std::vector<data::RoleRequest> known_roles(std::string_view task);

// What `task` reads of columns of these names. Throws UsageError where it is no task of rows.
data::ReadOptions task_reading(std::string_view task, std::span<const std::string> names,
                               std::map<std::string, std::string> columns);

// The task for columns of these names where none is asked for. Throws Error that lists what there could be.
// `source` is how a message calls the data.
std::string task_for(std::span<const std::string> names, const std::map<std::string, std::string>& columns,
                     const std::string& source);
// The same of a table as it was read.
std::string task_for(const data::Table& table);
// The same of a file; retrieval of a folder.
std::string task_for(const std::filesystem::path& path, const std::map<std::string, std::string>& columns);

}  // namespace hone::eval
