// Rows that a host adds one by one, for every kind of column.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/capi/host.h"

namespace hone::testing {

// Texts and vectors must outlive the value.
inline hone_value text_value(const std::string& text) {
  return {{text.data(), text.size()}, 0, {}};
}
inline hone_value text_value(const char* text) {
  return {{text, std::char_traits<char>::length(text)}, 0, {}};
}
inline hone_value number_value(double number) {
  return {{}, number, {}};
}
inline hone_value vector_value(const std::vector<float>& values) {
  return {{}, 0, {values.data(), values.size()}};
}

using Row = std::vector<hone_value>;

inline hone_status add(hone_dataset* dataset, const Row& row, hone_error** error = nullptr) {
  return hone_dataset_add(dataset, row.data(), row.size(), error);
}

inline Dataset create_dataset(hone_runtime* runtime, const std::vector<const char*>& columns,
                              const Settings& settings = {}) {
  Dataset dataset;
  Failure failure;
  require(hone_dataset_create(runtime, columns.data(), columns.size(), make_config(settings), dataset.place(),
                              failure.place()),
          failure);
  return dataset;
}

inline Dataset dataset_of(hone_runtime* runtime, const std::vector<const char*>& columns,
                          const std::vector<Row>& rows, const Settings& settings = {}) {
  Dataset dataset = create_dataset(runtime, columns, settings);
  for (const Row& row : rows) {
    Failure failure;
    require(add(dataset, row, failure.place()), failure);
  }
  return dataset;
}

inline nlohmann::json info_of(const hone_dataset* dataset, size_t head = SIZE_MAX) {
  Buffer buffer;
  Failure failure;
  require(hone_dataset_info(dataset, head, buffer.place(), failure.place()), failure);
  return nlohmann::json::parse(text_of(buffer));
}

}  // namespace hone::testing
