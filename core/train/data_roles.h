// Which columns a loss trains on, and which loss suits the columns that are there.
//
// Rules: columns are known by name, never by order. A loss on anchors and positives also takes sentence1 and
// sentence2 for them. A column that the loss does not need is not read.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "loss/loss_table.h"

namespace hone::train {

// Every role that training knows, for --columns.
std::vector<data::RoleRequest> all_roles();

// The loss for columns of these names where none is asked for. Throws Error that lists what there could be,
// or says why it takes more than names to choose. `source` is how a message calls the data.
const loss::LossInfo& loss_for(std::span<const std::string> names,
                               const std::map<std::string, std::string>& columns, const std::string& source);

// What `loss` reads of such columns.
data::ReadOptions roles_of(const loss::LossInfo& loss, std::span<const std::string> names,
                           std::map<std::string, std::string> columns);

// The roles of the loss and of the task that are asked for ("": none is), of which one may lack its columns;
// of the loss that suits what is there where neither is.
data::ReadOptions roles_wanted(std::span<const std::string> names, const std::string& source,
                               const std::map<std::string, std::string>& columns, const std::string& loss,
                               const std::string& task);

// The table's roles that are the loss's texts, in its order. Throws Error naming what is missing.
std::vector<std::string> text_roles(const loss::LossInfo& loss, const data::Table& table);

}  // namespace hone::train
