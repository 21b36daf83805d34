// What the fuzz targets of the table readers share: any bytes give a sound Table or an Error of one line.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

namespace hone::fuzz {

inline void require(bool holds) {
  if (!holds) abort();
}

inline void require_one_line(const Error& error) {
  std::string_view message = error.what();
  require(!message.empty() && message.find('\n') == std::string_view::npos);
}

inline void check_vectors(const data::Vectors& vectors, size_t rows) {
  require(vectors.width > 0 && vectors.values.size() == rows * vectors.width);
  for (float value : vectors.values) require(std::isfinite(value));
}

// The first byte picks gzip or not, so that one target sees both.
inline void read_any(const uint8_t* bytes, size_t size, const char* plain_name, const char* gzip_name) {
  if (size == 0) return;
  std::string_view content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const data::ReadOptions options{{{"text"},
                                   {"score", data::ColumnKind::number, true, {"label", "n"}},
                                   {"other", data::ColumnKind::text, false, {"another"}, true},
                                   {"i", data::ColumnKind::id, false, {}},
                                   {"v", data::ColumnKind::vector, false, {}, true}},
                                  {}};
  const char* name = bytes[0] == 'z' ? gzip_name : plain_name;
  std::vector<std::string> names;
  bool named = true;
  try {
    names = data::parse_column_names(content, name);
  } catch (const Error& error) {
    require_one_line(error);
    named = false;
  }
  try {
    data::Table table = data::parse_table(content, name, options);
    require(named);  // what can be read whole has names
    for (const auto& [role, column] : table.columns) {
      require(table.has(role) && std::find(names.begin(), names.end(), column) != names.end());
    }
    require(table.rows > 0 && table.lines.size() == table.rows);
    require(table.text("text").size() == table.rows && table.number("score").size() == table.rows);
    for (const std::string& role : table.numbered("other")) require(table.text(role).size() == table.rows);
    for (const std::string& role : table.numbered("v")) check_vectors(table.vector(role), table.rows);
    for (const auto& [role, texts] : table.texts) {
      for (const std::string& text : texts) require(text::valid_utf8(text));
    }
    for (double number : table.number("score")) require(std::isfinite(number));
    for (size_t i = 1; i < table.rows; ++i) require(table.lines[i] > table.lines[i - 1]);
    const size_t rows = table.rows;
    table.append(table);
    require(table.rows == 2 * rows && table.where(0) == table.where(rows));
    for (const std::string& role : table.numbered("v")) check_vectors(table.vector(role), table.rows);
  } catch (const Error& error) {
    require_one_line(error);
  }
}

}  // namespace hone::fuzz
