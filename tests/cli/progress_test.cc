// Progress: a bar on a terminal, plain lines elsewhere.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <regex>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

// A terminal that the standard error of a program is connected with, and all that was written to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0)
      throw std::runtime_error("no terminal");
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    fcntl(master_, F_SETFL, O_NONBLOCK);
    const winsize size{24, columns, 0, 0};
    ioctl(slave_, TIOCSWINSZ, &size);
  }
  ~Terminal() {
    close(master_);
    close(slave_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  void connect() const { dup2(slave_, STDERR_FILENO); }
  const std::string& text() {
    char buffer[4096];
    for (ssize_t n = 0; (n = read(master_, buffer, sizeof buffer)) > 0;)
      text_.append(buffer, static_cast<size_t>(n));
    return text_;
  }

 private:
  int master_, slave_;
  std::string text_;
};

const std::string kClear = "\r\x1b[K";
const Strings kEndless{"--steps", "1000000", "--checkpoint-steps", "0"};

// The states of the bar, without what clears it.
Strings bars(const std::string& text) {
  Strings all;
  for (size_t at = text.find(kClear); at != text.npos;) {
    const size_t begin = at + kClear.size();
    at = text.find(kClear, begin);
    const std::string bar = text.substr(begin, at == text.npos ? at : at - begin);
    if (bar.starts_with("[")) all.push_back(bar);
  }
  return all;
}

TEST(OnATerminal, training_shows_a_bar_with_rate_and_time_left) {
  TempFolder folder;
  Terminal terminal(120);
  Program program(train(folder / "out", kEndless), [&] { terminal.connect(); });
  ASSERT_TRUE(wait_until([&] { return bars(terminal.text()).size() >= 3; })) << terminal.text();
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().code, 130);
  const Strings all = bars(terminal.text());
  EXPECT_TRUE(std::regex_match(all[0], std::regex(R"(\[\.{24}\] 1/1000000 steps  loss \d\.\d{4})")))
      << all[0];
  EXPECT_TRUE(std::regex_match(
      all[1],
      std::regex(
          R"(\[\.{24}\] \d+/1000000 steps  [\d.]+/s  (\d+ h )?\d+ min( \d+ s)? left  loss \d\.\d{4})")))
      << all[1];
  EXPECT_NE(terminal.text().find(kClear + "hone: interrupted after step "), std::string::npos)
      << "the bar is gone";
}

TEST(OnATerminal, the_bar_fills_and_leaves) {
  TempFolder folder;
  Terminal terminal(120);
  ASSERT_EQ(Program(train(folder / "out", {"--steps", "4"}), [&] { terminal.connect(); }).wait().code, 0);
  const Strings all = bars(terminal.text());
  ASSERT_GE(all.size(), 2U) << terminal.text();
  EXPECT_TRUE(all.front().starts_with("[######..................] 1/4 steps  loss ")) << all.front();
  EXPECT_TRUE(std::regex_match(all.back(), std::regex(R"(\[#{24}\] 4/4 steps  [\d.]+/s  loss \d\.\d{4})")))
      << all.back();
  EXPECT_NE(terminal.text().find(kClear + "trained 4 steps in "), std::string::npos) << terminal.text();
}

TEST(OnATerminal, the_bar_never_wraps) {
  TempFolder folder;
  Terminal terminal(30);
  ASSERT_EQ(Program(train(folder / "out", {"--steps", "4"}), [&] { terminal.connect(); }).wait().code, 0);
  for (const std::string& bar : bars(terminal.text())) EXPECT_EQ(bar.size(), 29U) << bar;
}

TEST(OnATerminal, encode_eval_and_nearest_show_a_bar) {
  TempFolder folder;
  const Strings encode{"encode",    "--model", kModel,
                       "--input",   kPairs,    "--column",
                       "sentence1", "--out",   (folder / "v.npy").string()};
  const Strings eval{"eval", "--model", kModel, "--data", kPairs};
  const Strings compare{"eval", "--model", kModel, "--data", kPairs, "--compare", kModel};
  const Strings nearest{"nearest",  "--model",   kModel,    "--corpus", kPairs,
                        "--column", "sentence1", "--query", "x"};
  const std::pair<Strings, std::string> cases[] = {{encode, "] 120/120 texts"},
                                                   {eval, "] 138/138 texts"},
                                                   {compare, "] 276/276 texts"},
                                                   {nearest, " texts"}};
  for (const auto& [command, last] : cases) {
    Terminal terminal(120);
    Program program(command, [&, terminal = &terminal] { terminal->connect(); });
    EXPECT_EQ(program.wait().code, 0);
    const Strings all = bars(terminal.text());
    ASSERT_FALSE(all.empty()) << terminal.text();
    EXPECT_NE(all.back().find(last), std::string::npos) << all.back();
    EXPECT_TRUE(terminal.text().find(kClear, terminal.text().rfind(all.back())) != std::string::npos)
        << "cleared";
    Terminal silent(120);
    Strings quiet = command;
    quiet.push_back("--quiet");
    Program(quiet, [&] { silent.connect(); }).wait();
    EXPECT_TRUE(silent.text().empty()) << silent.text();
  }
}

TEST(OnATerminal, texts_of_unknown_number_have_no_bar) {
  TempFolder folder;
  folder.write("t.txt", "one\ntwo\nthree\n");
  Terminal terminal(120);
  Program program({"encode", "--model", kModel, "--input", "-", "--input-format", "txt", "--out",
                   (folder / "v.npy").string()},
                  [&] {
                    terminal.connect();
                    dup2(open((folder / "t.txt").c_str(), O_RDONLY), STDIN_FILENO);
                  });
  EXPECT_EQ(program.wait().code, 0);
  EXPECT_TRUE(bars(terminal.text()).empty()) << terminal.text();
  EXPECT_NE(terminal.text().find(kClear + "3 texts"), std::string::npos) << terminal.text();
}

TEST(Elsewhere, training_shows_plain_lines) {
  TempFolder folder;
  Program program(train(folder / "out", kEndless));
  ASSERT_TRUE(wait_until([&] { return program.err().find(" left  loss ") != std::string::npos; }))
      << program.err();
  program.send(SIGTERM);
  const Result r = program.wait();
  EXPECT_EQ(r.code, 130);
  EXPECT_EQ(r.err.find_first_of("\r\x1b["), std::string::npos) << r.err;
  EXPECT_TRUE(
      std::regex_search(r.err, std::regex(R"(\n\d+/1000000 steps  [\d.]+/s  .* left  loss \d\.\d{4}\n)")))
      << r.err;
}

}  // namespace
}  // namespace hone::cli
