// Prints the row order of each epoch, one index a line: lets the reference train on the same rows in the same
// order. Usage: epoch_order SEED EPOCHS ROWS
#include <cstdlib>
#include <iostream>

#include "train/sampler.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: epoch_order SEED EPOCHS ROWS\n";
    return 2;
  }
  const auto seed = std::strtoull(argv[1], nullptr, 10), epochs = std::strtoull(argv[2], nullptr, 10);
  const auto rows = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
    for (uint32_t row : hone::train::epoch_order(seed, epoch, rows, true)) std::cout << row << '\n';
  }
}
