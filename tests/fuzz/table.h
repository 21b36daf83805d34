// What the fuzz targets of the table readers share: any bytes give a sound Table or an Error of one line.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

namespace hone::fuzz {

inline void require(bool holds) {
  if (!holds) abort();
}

// The first byte picks gzip or not, so that one target sees both.
inline void read_any(const uint8_t* bytes, size_t size, const char* plain_name, const char* gzip_name) {
  if (size == 0) return;
  std::string_view content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const data::ReadOptions options{{{"text"},
                                   {"score", data::ColumnKind::number, true, {"label", "n"}},
                                   {"other", data::ColumnKind::text, false, {"another"}}},
                                  {}};
  try {
    data::Table table = data::parse_table(content, bytes[0] == 'z' ? gzip_name : plain_name, options);
    require(table.rows > 0 && table.lines.size() == table.rows);
    require(table.text("text").size() == table.rows && table.number("score").size() == table.rows);
    require(!table.has("other") || table.text("other").size() == table.rows);
    for (const auto& [role, texts] : table.texts) {
      for (const std::string& text : texts) require(text::valid_utf8(text));
    }
    for (double number : table.number("score")) require(std::isfinite(number));
    for (size_t i = 1; i < table.rows; ++i) require(table.lines[i] > table.lines[i - 1]);
  } catch (const Error& error) {
    std::string_view message = error.what();
    require(!message.empty() && message.find('\n') == std::string_view::npos);
  }
}

}  // namespace hone::fuzz
