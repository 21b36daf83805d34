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
  ByteInput& source;
  const std::filesystem::path& path;
  std::string_view input;  // not yet inflated
  std::string joined;      // what `input` is a view of where it began in an earlier piece
  std::string out;
  z_stream stream{};
  bool done = false;

  Inflater(ByteInput& from, const std::filesystem::path& name) : source(from), path(name) {
    fill(1);
    if (input.empty()) fail(path, ": is empty");
    fill(kGzip.size());
    if (!input.starts_with(kGzip)) fail(path, ": is not gzip data, as its name says");
    constexpr int kGzipWindow = 15 + 16;
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) fail(path, ": zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // As many bytes in `input`, fewer only at the end.
  void fill(size_t wanted) {
    while (input.size() < wanted) {
      std::string front(input);
      const std::string_view more = source.next();
      if (more.empty()) {
        joined = std::move(front);
        input = joined;
        return;
      }
      if (!front.empty()) joined = front.append(more);
      input = front.empty() ? more : std::string_view(joined);
    }
  }

  // Up to kChunk bytes; none after the last.
  std::string_view next() {
    out.resize(kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = kChunk;
    while (stream.avail_out > 0 && !done) step();
    return std::string_view(out).substr(0, kChunk - stream.avail_out);
  }

  void step() {
    fill(1);
    if (input.empty()) fail(path, ": the gzip data is cut off: it ends in the middle");
    const size_t given = std::min<size_t>(input.size(), std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(given);
    const int code = inflate(&stream, Z_NO_FLUSH);
    input.remove_prefix(given - stream.avail_in);
    if (code == Z_STREAM_END) {
      next_member();
    } else if (code != Z_OK) {
      fail(path, ": the gzip data is damaged: ", stream.msg != nullptr ? stream.msg : "unknown error");
    }
  }

  void next_member() {
    fill(kGzip.size());
    if (input.starts_with(kGzip)) {
      inflateReset(&stream);
      return;
    }
    uint64_t rest = 0;
    bool zeros = true;  // padding of tapes
    for (; !input.empty(); input = source.next()) {
      rest += input.size();
      zeros = zeros && input.find_first_not_of('\0') == std::string_view::npos;
    }
    if (!zeros) fail(path, ": the gzip data is followed by ", rest, " bytes of something else");
    done = true;
  }
};

LineReader::LineReader(ByteInput& input, const std::filesystem::path& path, bool gzip)
    : input_(input), path_(path) {
  if (gzip) inflater_ = std::make_unique<Inflater>(input, path);
  piece_ = next_piece();
  if (!gzip) {
    if (piece_.empty()) fail(path, ": is empty");
    if (piece_.starts_with(kGzip)) fail(path, ": is gzip data, which its name must say (.gz)");
  }
  if (piece_.starts_with("\xFF\xFE") || piece_.starts_with("\xFE\xFF"))
    fail(path_, ": is UTF-16, expected UTF-8");
  if (piece_.starts_with(kByteOrderMark)) piece_.remove_prefix(kByteOrderMark.size());
}

LineReader::~LineReader() = default;

std::string_view LineReader::next_piece() {
  return inflater_ ? inflater_->next() : input_.next();
}

bool LineReader::next(std::string_view& line) {
  joined_.clear();
  size_t end = piece_.find('\n');
  while (end == std::string_view::npos && joined_.size() <= kLongestLine) {
    joined_.append(piece_.substr(0, kLongestLine + 1));
    piece_ = next_piece();
    if (piece_.empty()) break;
    end = piece_.find('\n');
  }
  if (piece_.empty() && joined_.empty()) return false;
  line = piece_.substr(0, end);
  piece_.remove_prefix(end == std::string_view::npos ? piece_.size() : end + 1);
  if (!joined_.empty()) line = joined_.append(line.substr(0, kLongestLine + 1));
  ++number_;
  if (line.size() > kLongestLine)
    fail(path_, ":", number_, ": the line is longer than ", kLongestLine >> 20, " MiB");
  return true;
}

}  // namespace hone::data
