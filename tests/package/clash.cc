// A C++ program whose own classes have the names of hone's but other layouts, and which uses what hone uses
// of the standard library. Each side must keep its own: classes, exceptions, statics of inline functions, TBB
// and JSON.
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "use.h"

namespace hone {

// hone's own is a std::runtime_error.
class Error {
 public:
  explicit Error(const std::string& message) : words_{message, message} {}
  virtual ~Error() = default;
  virtual const char* what() const noexcept { return words_[1].c_str(); }

 private:
  std::vector<std::string> words_;
};

template <class... Parts>
std::string cat(const Parts&...) {
  return "the program's";
}

inline int& counter() {
  static int value = 7;
  return value;
}

namespace train {
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual double label_scale() const { return 42; }
  std::map<std::string, std::string> notes{{"whose", "the program's"}};
};
}  // namespace train

namespace data {
struct Table {
  virtual ~Table() { ++counter(); }
  std::unique_ptr<std::string> text = std::make_unique<std::string>("the program's");
};
}  // namespace data

}  // namespace hone

namespace tbb::detail::r1 {
// Where hone's TBB would start its threads.
void initialize(void*) {
  std::abort();
}
}  // namespace tbb::detail::r1

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int round = 0; round < 2; ++round) {
    try {
      throw hone::Error("thrown by the program");
    } catch (const hone::Error& error) {
      if (error.what() != std::string("thrown by the program")) return 3;
    }
    try {
      throw std::runtime_error("standard");
    } catch (const std::exception& error) {
      if (error.what() != std::string("standard")) return 4;
    }
    { hone::data::Table table; }
    const std::unique_ptr<hone::train::Trainer> trainer = std::make_unique<hone::train::Trainer>();
    if (trainer->label_scale() != 42 || trainer->notes.at("whose") != hone::cat(1, "x")) return 5;
    if (const char* problem = use_hone(argv[1])) {
      std::cerr << problem << "\n";
      return 1;
    }
  }
  return hone::counter() == 9 ? 0 : 6;
}
