#include "model/json.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"

namespace hone::model {

namespace {

// Builds the value itself, so that depth and repeated keys are seen as they come: nlohmann's own parser keeps
// the last of equal keys in silence.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::filesystem::path& file,
          std::initializer_list<std::string_view> only, std::initializer_list<std::string_view> without)
      : text_(text), file_(file), only_(only), without_(without) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }

  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (skipping_ > 0) return true;
    key_ = std::move(name);
    if (open_.back()->contains(key_))
      fail(file_, ": the key \"", excerpt(key_), "\" appears twice in one object");
    auto named = [&](std::initializer_list<std::string_view> keys) {
      return std::find(keys.begin(), keys.end(), key_) != keys.end();
    };
    unwanted_ = open_.size() == 1 ? only_.size() > 0 && !named(only_) : named(without_);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception& error) override {
    std::string_view before = text_.substr(0, position > 0 ? position - 1 : 0);
    auto line = std::count(before.begin(), before.end(), '\n') + 1;
    size_t start = before.rfind('\n');
    size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    // The library's reason quotes the offending bytes after "; last read", which may be anything.
    std::string_view reason = error.what();
    size_t from = reason.find(" - ");
    if (from != std::string_view::npos) reason.remove_prefix(from + 3);
    reason = reason.substr(0, reason.find("; last read"));
    if (text_.empty()) reason = "the file is empty";
    fail(file_, ": not valid JSON at line ", line, ", column ", column, ": ", excerpt(reason, 100));
  }

 private:
  std::string_view text_;
  const std::filesystem::path& file_;
  std::initializer_list<std::string_view> only_, without_;
  Json root_;
  std::vector<Json*> open_;  // objects and arrays not yet closed
  std::string key_;
  bool unwanted_ = false;  // the value to come belongs to a key that is not kept
  int skipping_ = 0;       // levels open inside such a value

  template <class Value>
  Json* place(Value&& value) {
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::forward<Value>(value));
      return &parent.back();
    }
    return &(parent[key_] = std::forward<Value>(value));
  }

  template <class Value>
  bool add(Value&& value) {
    if (skipping_ > 0) return true;
    if (std::exchange(unwanted_, false)) return true;
    place(std::forward<Value>(value));
    return true;
  }

  bool open(Json&& empty) {
    if (open_.size() + static_cast<size_t>(skipping_) >= kJsonDepth)
      fail(file_, ": nested deeper than ", kJsonDepth, " levels");
    if (skipping_ > 0 || std::exchange(unwanted_, false)) {
      skipping_ += 1;
      return true;
    }
    open_.push_back(place(std::move(empty)));
    return true;
  }

  bool close() {
    if (skipping_ > 0) {
      skipping_ -= 1;
    } else {
      open_.pop_back();
    }
    return true;
  }
};

std::string range(int64_t low, int64_t high) {
  if (high == std::numeric_limits<int64_t>::max()) return cat("an integer of at least ", low);
  return cat("an integer between ", low, " and ", high);
}

}  // namespace

Json parse_json(std::string_view text, const std::filesystem::path& file,
                std::initializer_list<std::string_view> only,
                std::initializer_list<std::string_view> without) {
  Builder builder(text, file, only, without);
  // The library takes a zero byte for the end of the text.
  if (size_t zero = text.find('\0'); zero != std::string_view::npos)
    fail(file, ": not valid JSON: byte ", zero, " is zero");
  if (!Json::sax_parse(text, &builder)) fail(file, ": not valid JSON");
  return builder.take();
}

std::string shown(const Json& value) {
  return excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

JsonObject::JsonObject(const Json& value, std::filesystem::path file, std::string where)
    : value_(value), file_(std::move(file)), where_(std::move(where)) {
  if (!value_.is_object())
    fail(file_, ": ", where_.empty() ? "" : where_ + " is ", shown(value_), where_.empty() ? " found" : "",
         ", expected a JSON object");
}

std::string JsonObject::name(std::string_view key) const {
  std::string safe = excerpt(key);
  return where_.empty() ? safe : cat(where_, ".", safe);
}

const Json* JsonObject::find(std::string_view key) const {
  auto found = value_.find(std::string(key));
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

void JsonObject::wrong(std::string_view key, std::string_view expected) const {
  const Json* found = find(key);
  fail(file_, ": ", name(key), " is ", found == nullptr ? "null" : shown(*found), ", expected ", expected);
}

void JsonObject::missing(std::string_view key, std::string_view expected) const {
  fail(file_, ": ", name(key), " is missing, expected ", expected);
}

std::optional<int64_t> JsonObject::integer(std::string_view key, int64_t low, int64_t high) const {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  bool fits = found->is_number_unsigned()
                  ? found->get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
                  : found->is_number_integer();
  if (!fits || found->get<int64_t>() < low || found->get<int64_t>() > high) wrong(key, range(low, high));
  return found->get<int64_t>();
}

std::optional<double> JsonObject::number(std::string_view key) const {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) wrong(key, "a number");
  return found->get<double>();
}

std::optional<bool> JsonObject::boolean(std::string_view key) const {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) wrong(key, "true or false");
  return found->get<bool>();
}

std::optional<std::string> JsonObject::text(std::string_view key) const {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) wrong(key, "a string");
  return found->get<std::string>();
}

int64_t JsonObject::required_integer(std::string_view key, int64_t low, int64_t high) const {
  auto found = integer(key, low, high);
  if (!found) missing(key, range(low, high));
  return *found;
}

void JsonObject::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : value_.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(file_, ": ", name(key), " is not a setting that hone knows");
  }
}

}  // namespace hone::model
