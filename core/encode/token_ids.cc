#include "encode/token_ids.h"

#include <string_view>

namespace hone::encode {

namespace {

constexpr size_t kWritten = size_t{1} << 18;  // ids that go to the file at once

}  // namespace

void TokenIds::add(std::span<const int32_t> ids) {
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  ends_.push_back((ends_.empty() ? 0 : ends_.back()) + ids.size());
  if (file_ != nullptr ? ids_.size() >= kWritten : ids_.size() * sizeof ids_[0] > most_bytes_) to_file();
}

void TokenIds::to_file() {
  if (file_ == nullptr) file_ = std::make_unique<TemporaryFile>();
  file_->append({reinterpret_cast<const char*>(ids_.data()), ids_.size() * sizeof ids_[0]});
  if (ids_.capacity() > 2 * kWritten) {
    ids_ = std::vector<int32_t>();  // {} would keep its memory
    ids_.reserve(2 * kWritten);
  }
  ids_.clear();
}

size_t TokenIds::length(size_t text) const {
  const size_t at = place(text);
  return ends_[at] - begin_of(at);
}

std::span<const int32_t> TokenIds::read(size_t text, std::vector<int32_t>& scratch) const {
  const size_t at = place(text);
  const uint64_t begin = begin_of(at);
  const size_t count = ends_[at] - begin;
  const uint64_t written = file_ == nullptr ? 0 : file_->size() / sizeof(int32_t);
  if (begin >= written) return std::span(ids_).subspan(begin - written, count);
  scratch.resize(count);  // a text lies in one of the two as a whole
  file_->read(begin * sizeof(int32_t), scratch.data(), count * sizeof(int32_t));
  return scratch;
}

size_t TokenIds::bytes() const {
  return ends_.size() * sizeof(uint64_t) + ids_.capacity() * sizeof(int32_t) +
         places_.capacity() * sizeof(uint32_t);
}

}  // namespace hone::encode
