// How the bytes of a model's file are held: a copy stays what it was, whatever becomes of the file.
#include <algorithm>
#include <fstream>

#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::fixture_model;
using hone::testing::ModelFolder;
namespace fs = std::filesystem;

TEST(Held, a_copy_outlives_what_is_done_to_the_file) {
  for (const char* fixture : {"mean-gelu", "dense-tanh", "float16"}) {
    const auto whole = load_model(fixture_model(fixture));
    ModelFolder folder(fixture);
    const auto read = load_model(folder.path(), Held::read);
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      if (entry.path().extension() == ".safetensors") std::ofstream(entry.path(), std::ios::trunc);
    ASSERT_EQ(fs::file_size(folder / "model.safetensors"), 0U);
    ASSERT_EQ(read->tensors.size(), whole->tensors.size());
    for (size_t i = 0; i < whole->tensors.size(); ++i) {
      const HostTensor &a = read->tensors[i], &b = whole->tensors[i];
      ASSERT_EQ(a.size, b.size);
      EXPECT_TRUE(std::equal(a.data, a.data + a.size, b.data)) << a.name;
    }
  }
}

TEST(Held, as_a_copy_broken_files_are_the_same_errors) {
  ModelFolder folder("mean-gelu");
  const auto message = [&](Held held) {
    try {
      load_model(folder.path(), held);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  const std::string bytes = folder.read("model.safetensors");
  for (const size_t kept : {size_t{0}, size_t{7}, bytes.size() / 2, bytes.size() - 1}) {
    folder.write("model.safetensors", bytes.substr(0, kept));
    EXPECT_NE(message(Held::read), "none") << kept;
    EXPECT_EQ(message(Held::read), message(Held::mapped)) << kept;
  }
  folder.remove("model.safetensors");
  fs::create_directory(folder / "model.safetensors");
  EXPECT_EQ(message(Held::read), message(Held::mapped));
}

}  // namespace
}  // namespace hone::model
