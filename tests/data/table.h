// What the tests of the readers share.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "data/dataset.h"

namespace hone::testing {

// Two texts and a number, as pairs with scores are read.
inline data::ReadOptions pair_options() {
  return {{{"sentence1"}, {"sentence2"}, {"score", data::ColumnKind::number, true, {"label", "similarity"}}},
          {}};
}

inline data::ReadOptions text_options(const std::string& role = "text") {
  return {{{role}}, {}};
}

inline data::ReadOptions number_options() {
  return {{{"score", data::ColumnKind::number}}, {}};
}

// The message of the Error that reading gives: one line that begins with the file's name.
inline std::string error_of(std::string_view content, const std::string& name,
                            const data::ReadOptions& options) {
  try {
    data::parse_table(content, name, options);
  } catch (const Error& error) {
    std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with(name + ":")) << message;
    return message;
  }
  ADD_FAILURE() << "no error for " << content.substr(0, 200);
  return "";
}

inline std::string gzip(std::string_view content) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, content.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace hone::testing
