// Numbers of the reference from tests/fixtures, where null means: not defined.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/places.h"

namespace hone::eval {

inline nlohmann::json fixture_file(const std::string& name) {
  std::ifstream file(std::string(testing::kFixtures) + "/" + name);
  return nlohmann::json::parse(file);
}

inline std::vector<double> list(const nlohmann::json& numbers) {
  return numbers.get<std::vector<double>>();
}

inline std::vector<float> floats(const nlohmann::json& numbers) {
  std::vector<float> out;
  for (double v : list(numbers)) out.push_back(static_cast<float>(v));
  return out;
}

inline void expect_near(double found, const nlohmann::json& expected, double tolerance) {
  if (expected.is_null()) {
    EXPECT_TRUE(std::isnan(found)) << found;
  } else {
    EXPECT_NEAR(found, expected.get<double>(), tolerance);
  }
}

}  // namespace hone::eval
