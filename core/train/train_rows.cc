#include "train/train_rows.h"

#include <iterator>

#include "eval/task_columns.h"
#include "train/data_roles.h"

namespace hone::train {

namespace {

constexpr size_t kBlockRows = size_t{1} << 15, kBlockTextBytes = size_t{16} << 20;

}  // namespace

data::Table whole_table(TrainRows& rows) {
  if (rows.owned() == nullptr) return rows.block();
  data::Table all;
  do {
    data::Table& block = *rows.owned();
    all.append_block(block, rows.another_file());
    for (auto& [role, texts] : block.texts) {
      std::vector<std::string>& behind = all.texts[role];
      behind.insert(behind.end(), std::make_move_iterator(texts.begin()),
                    std::make_move_iterator(texts.end()));
    }
  } while (rows.next());
  return all;
}

FileRows::FileRows(std::vector<std::filesystem::path> files, const std::string& loss,
                   std::map<std::string, std::string> columns, std::string task)
    : files_(std::move(files)), loss_(loss), task_(std::move(task)), columns_(std::move(columns)) {
  if (loss_.empty()) loss_ = loss_for(data::column_names(files_[0]), columns_, files_[0].string()).name;
  open();
}

void FileRows::open() {
  const std::filesystem::path& file = files_[file_];
  const std::vector<std::string> names = data::column_names(file);
  data::ReadOptions read = roles_of(loss::find_loss(loss_), names, columns_);
  if (!task_.empty()) read = data::read_both(std::move(read), eval::task_reading(task_, names, columns_));
  reader_ = std::make_unique<data::TableReader>(file, read);
  reader_->next(kBlockRows, kBlockTextBytes);
}

bool FileRows::next() {
  another_file_ = !reader_->next(kBlockRows, kBlockTextBytes);
  if (!another_file_) return true;
  if (++file_ == files_.size()) return false;
  open();
  return true;
}

}  // namespace hone::train
