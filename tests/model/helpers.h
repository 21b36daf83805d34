// What the tests of this stage share: errors checked by their words, files made wrong on purpose.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/sentence_model.h"
#include "tests/base/temp_folder.h"
#include "tests/places.h"

namespace hone::testing {

namespace fs = std::filesystem;

inline fs::path fixture_model(const std::string& name) {
  return fs::path(testing::kFixtures) / "models" / name;
}

// The name of a test that runs with the fixture of this name.
inline std::string fixture_name(const ::testing::TestParamInfo<const char*>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// `call` must throw one line that holds every one of `words`.
inline void expect_error(const std::function<void()>& call, std::initializer_list<std::string_view> words) {
  try {
    call();
  } catch (const Error& error) {
    std::string_view what = error.what();
    EXPECT_EQ(what.find('\n'), what.npos) << what;
    for (std::string_view word : words)
      EXPECT_NE(what.find(word), what.npos) << "no \"" << word << "\" in: " << what;
    return;
  }
  ADD_FAILURE() << "no error" << (words.size() > 0 ? " about " : "") << *words.begin();
}

// The bytes of a safetensors file with this header and as many bytes of data, counting up.
inline std::string tensor_file(std::string_view header, size_t data) {
  uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  file += header;
  for (size_t i = 0; i < data; ++i) file += static_cast<char>(i);
  return file;
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A copy of a fixture that a test may spoil.
class ModelFolder {
 public:
  explicit ModelFolder(const std::string& fixture) {
    fs::copy(fixture_model(fixture), path(), fs::copy_options::recursive);
  }
  fs::path path() const { return folder_ / "model"; }
  fs::path operator/(const std::string& name) const { return path() / name; }
  void write(const std::string& name, const std::string& content) const {
    folder_.write("model/" + name, content);
  }
  std::string read(const std::string& name) const { return folder_.read("model/" + name); }
  void remove(const std::string& name) const { fs::remove_all(path() / name); }

  // Changes one JSON file.
  void edit(const std::string& name, const std::function<void(nlohmann::json&)>& change) const {
    auto json = nlohmann::json::parse(read(name));
    change(json);
    write(name, json.dump());
  }
  // Changes one key of one JSON file; null removes it.
  void set(const std::string& name, const std::string& key, const nlohmann::json& value) const {
    edit(name, [&](nlohmann::json& json) {
      if (value.is_null()) {
        json.erase(key);
      } else {
        json[key] = value;
      }
    });
  }
  // Rewrites the tensors of a safetensors file.
  void edit_tensors(const std::function<void(std::vector<model::RawTensor>&)>& change,
                    const std::string& name = "model.safetensors") const {
    auto file = model::SafetensorsFile::open(path() / name);
    std::vector<model::RawTensor> tensors;
    for (const auto& entry : file->entries())
      tensors.push_back({entry.name, entry.dtype_name, entry.shape, file->raw(entry)});
    change(tensors);
    model::write_safetensors(path() / name, tensors, {});
  }

  std::shared_ptr<const model::SentenceModel> load() const { return model::load_model(path()); }
  void expect_refused(std::initializer_list<std::string_view> words) const {
    expect_error([&] { load(); }, words);
  }

 private:
  TempFolder folder_;
};

}  // namespace hone::testing
