// JSON of config files: parsed strictly, read with errors that name file and key.
//
// Rules: a document is one value, at most 64 levels deep, with no key twice in an object; a file is at most
// 16 MiB. A key that is null counts as absent, as the reference treats it. A value of the wrong type, or a
// number out of range, is an Error that names the file, the key, what was found and what was expected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace hone::model {

using Json = nlohmann::json;

inline constexpr int kJsonDepth = 64;
inline constexpr size_t kJsonFileSize = size_t{16} << 20;

// `only`: of a top-level object keep these keys alone; empty keeps all. `without`: of the objects inside
// leave these out. What is not kept is checked, not stored.
Json parse_json(std::string_view text, const std::filesystem::path& file,
                std::initializer_list<std::string_view> only = {},
                std::initializer_list<std::string_view> without = {});

// A value as it stands in a message: short, one line.
std::string shown(const Json& value);

// One object of a config file, with the place its messages name. Refers to the Json it was made from.
class JsonObject {
 public:
  // Throws Error unless `value` is an object. `where` is its key path within the file, empty for the whole
  // document.
  JsonObject(const Json& value, std::filesystem::path file, std::string where = "");

  const Json* find(std::string_view key) const;  // null when absent or JSON null
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // Null when absent; Error when of another type or out of range.
  std::optional<int64_t> integer(std::string_view key, int64_t low, int64_t high) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;

  // Error when absent.
  int64_t required_integer(std::string_view key, int64_t low, int64_t high) const;

  // Error naming the first key that is not in `known`.
  void only(std::initializer_list<std::string_view> known) const;

  [[noreturn]] void wrong(std::string_view key,
                          std::string_view expected) const;  // "FILE: KEY is X, expected Y"
  [[noreturn]] void missing(std::string_view key, std::string_view expected) const;

  const Json& value() const { return value_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  const Json& value_;
  std::filesystem::path file_;
  std::string where_;
  std::string name(std::string_view key) const;
};

}  // namespace hone::model
