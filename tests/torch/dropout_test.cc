// Dropout from a device's own random numbers: what a graph draws follows from seed, step and the batch's
// first text, whatever else is computed in between.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "tests/compute/operation_cases.h"
#include "tests/torch/torch_engines.h"

namespace hone::compute {
namespace {

constexpr int64_t kWidth = 16;

std::vector<std::shared_ptr<Engine>> engines() {
  std::vector<std::shared_ptr<Engine>> all;
  for (const std::string& device : torch_devices()) all.push_back(torch_engine(device, 2, false));
  return all;
}

// A graph and the steps of a small network that drops at three places.
class Network {
 public:
  explicit Network(Engine& engine) : parameters_(engine.parameters()), graph_(engine.graph(*parameters_)) {
    gamma_ = parameters_->add("gamma", {1, kWidth}, std::vector<float>(kWidth, 1), nullptr, {});
    beta_ = parameters_->add("beta", {1, kWidth}, std::vector<float>(kWidth, 0), nullptr, {});
  }

  // `between` is called after each operation.
  std::vector<float> forward(const Segments& s, uint64_t step, const std::function<void()>& between = {}) {
    graph_->begin(Mode::train, 5, step);
    auto done = [&](Tensor x) {
      if (between) between();
      return x;
    };
    const Shape shape{s.tokens(), kWidth};
    const Tensor x = done(graph_->input(random_values(shape.rows * shape.cols, 1), shape));
    const Tensor a = done(graph_->attention(x, x, x, s, {2, 0.5F, {0.4F, 1}}));
    const Tensor d = done(graph_->dropout(a, s, {0.4F, 2}));
    const Tensor y = graph_->add_norm(d, x, s, {0.4F, 3}, {gamma_, beta_, 1e-6F});
    std::vector<float> out(static_cast<size_t>(shape.rows * shape.cols));
    graph_->read(y, out);
    return out;
  }

 private:
  std::unique_ptr<Parameters> parameters_;
  std::unique_ptr<Graph> graph_;
  Parameter gamma_, beta_;
};

// As a micro-batch is, once the loss of the whole batch is known.
TEST(TorchDropout, is_the_same_when_a_batch_is_computed_again) {
  for (const auto& engine : engines()) {
    Network one(*engine), other(*engine);
    const Segments s = segments_of({7, 5}), of_other = segments_of({3, 9, 2});
    const auto alone = one.forward(s, 3);
    EXPECT_EQ(one.forward(s, 3, [&] { other.forward(of_other, 8); }), alone) << "with another run in between";
    EXPECT_EQ(one.forward(s, 3, [&] { other.forward(s, 3); }), alone) << "with the same run in between";
    EXPECT_NE(one.forward(s, 4), alone);
  }
}

TEST(TorchDropout, of_two_runs_in_one_process_is_that_of_each_alone) {
  for (const auto& engine : engines()) {
    const Segments s = segments_of({7, 5, 6});
    std::vector<std::vector<float>> alone;
    for (uint64_t step = 0; step < 30; ++step) alone.push_back(Network(*engine).forward(s, step));
    int different[2] = {};
    auto job = [&](int& count) {
      Network network(*engine);
      for (uint64_t step = 0; step < alone.size(); ++step) count += network.forward(s, step) != alone[step];
    };
    std::thread first([&] { job(different[0]); }), second([&] { job(different[1]); });
    first.join();
    second.join();
    EXPECT_EQ(different[0] + different[1], 0) << engine->name();
  }
}

// Batches of one shape and step: one that begins with another row, or with the other text of its row.
TEST(TorchDropout, differs_between_the_micro_batches_of_a_step) {
  for (const auto& engine : engines()) {
    Network network(*engine);
    const Segments s = segments_of({7, 5});
    Segments of_next_row = s, of_other_role = s;
    of_next_row.row = {101, 101};
    of_other_role.role = {1, 0};
    const auto first = network.forward(s, 3);
    EXPECT_NE(network.forward(of_next_row, 3), first);
    EXPECT_NE(network.forward(of_other_role, 3), first);
  }
}

}  // namespace
}  // namespace hone::compute
