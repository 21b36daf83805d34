#include "data/lines.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace hone::data {

namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kGzip = "\x1F\x8B";

}  // namespace

// gzip data, one member after the other, as `cat a.gz b.gz` makes it.
struct LineReader::Inflater {
  std::string_view input;
  const std::filesystem::path& path;
  z_stream stream{};
  bool done = false;

  Inflater(std::string_view content, const std::filesystem::path& name) : input(content), path(name) {
    if (!input.starts_with(kGzip)) fail(path, ": is not gzip data, as its name says");
    constexpr int kGzipWindow = 15 + 16;
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) fail(path, ": zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends up to kChunk bytes to `out`; sets done after the last.
  void more(std::string& out) {
    size_t before = out.size();
    out.resize(before + kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kChunk;
    while (stream.avail_out > 0 && !done) step();
    out.resize(out.size() - stream.avail_out);
  }

  void step() {
    size_t given = std::min<size_t>(input.size(), std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(given);
    int code = inflate(&stream, Z_NO_FLUSH);
    input.remove_prefix(given - stream.avail_in);
    if (code == Z_STREAM_END) {
      if (input.empty() ||
          input.find_first_not_of('\0') == std::string_view::npos) {  // zeros: padding of tapes
        done = true;
      } else if (!input.starts_with(kGzip)) {
        fail(path, ": the gzip data is followed by ", input.size(), " bytes of something else");
      } else {
        inflateReset(&stream);
      }
    } else if (code == Z_BUF_ERROR || (code == Z_OK && input.empty() && stream.avail_out > 0)) {
      fail(path, ": the gzip data is cut off: it ends in the middle");
    } else if (code != Z_OK) {
      fail(path, ": the gzip data is damaged: ", stream.msg != nullptr ? stream.msg : "unknown error");
    }
  }
};

LineReader::LineReader(std::string_view content, const std::filesystem::path& path, bool gzip)
    : path_(path), rest_(content) {
  if (gzip) {
    inflater_ = std::make_unique<Inflater>(content, path);
  } else {
    if (content.starts_with(kGzip)) fail(path, ": is gzip data, which its name must say (.gz)");
    check_encoding(content);
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }
}

LineReader::~LineReader() = default;

void LineReader::check_encoding(std::string_view front) const {
  if (front.starts_with("\xFF\xFE") || front.starts_with("\xFE\xFF"))
    fail(path_, ": is UTF-16, expected UTF-8");
}

bool LineReader::next(std::string_view& line) {
  if (!(inflater_ ? next_inflated(line) : next_plain(line))) return false;
  ++number_;
  if (line.size() > kLongestLine) {
    fail(path_, ":", number_, ": the line is longer than ", kLongestLine >> 20, " MiB");
  }
  return true;
}

bool LineReader::next_plain(std::string_view& line) {
  if (rest_.empty()) return false;
  size_t end = rest_.find('\n');
  line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return true;
}

bool LineReader::next_inflated(std::string_view& line) {
  size_t seen = start_;
  for (;;) {
    size_t end = buffer_.find('\n', seen);
    bool last = end == std::string::npos;
    if (!last || buffer_.size() - start_ > kLongestLine || inflater_->done) {
      if (last && start_ == buffer_.size()) return false;
      line = std::string_view(buffer_).substr(start_, last ? std::string::npos : end - start_);
      start_ = last ? buffer_.size() : end + 1;
      return true;
    }
    buffer_.erase(0, start_);
    seen = buffer_.size();
    start_ = 0;
    bool first = number_ == 0 && buffer_.empty();
    inflater_->more(buffer_);
    if (first) {
      check_encoding(buffer_);
      if (buffer_.starts_with(kByteOrderMark)) start_ = seen = kByteOrderMark.size();
    }
  }
}

}  // namespace hone::data
