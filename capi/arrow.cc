#include "arrow.h"

#include <cerrno>

namespace hone::capi {

namespace {

std::string stream_error(OwnedStream& stream, int code) {
  const char* text = stream->get_last_error != nullptr ? stream->get_last_error(stream.get()) : nullptr;
  return text != nullptr && *text != '\0' ? excerpt(text, 300) : errno_text(code);
}

[[noreturn]] void fail_format(const OwnedStream& stream, const std::string& message) {
  throw StatusError(HONE_EFORMAT, stream.name(), cat(stream.name(), ": ", message));
}

}  // namespace

OwnedStream::OwnedStream(ArrowArrayStream* source, const char* name) : name_(name) {
  if (source == nullptr) fail_argument(name, "NULL", "an ArrowArrayStream");
  if (source->release == nullptr) fail_argument(name, "a stream that was released", "an ArrowArrayStream");
  stream_ = *source;
  source->release = nullptr;
  if (stream_.get_schema == nullptr || stream_.get_next == nullptr) {
    stream_.release(&stream_);
    stream_.release = nullptr;
    fail_argument(name, "a stream without get_schema or get_next", "an ArrowArrayStream");
  }
}

OwnedStream::OwnedStream(OwnedStream&& other) noexcept : name_(other.name_), stream_(other.stream_) {
  other.stream_.release = nullptr;
}

OwnedStream::~OwnedStream() {
  if (stream_.release != nullptr) stream_.release(&stream_);
}

void read_schema(OwnedStream& stream, OwnedSchema& into) {
  if (const int code = stream->get_schema(stream.get(), &into.schema); code != 0) {
    into.schema.release = nullptr;  // what a failed call left there is not ours
    fail(stream.name(), ": its schema cannot be read: ", stream_error(stream, code));
  }
  const ArrowSchema& s = into.schema;
  if (s.format == nullptr || std::string_view(s.format) != "+s") {
    fail_format(stream, cat("found arrays of type \"", excerpt(s.format != nullptr ? s.format : ""),
                            "\", expected structs (\"+s\"), a column a field"));
  }
  if (s.n_children < 0 || (s.n_children > 0 && s.children == nullptr))
    fail_format(stream, "found a schema without its fields");
  for (int64_t i = 0; i < s.n_children; ++i) {
    if (s.children[i] == nullptr || s.children[i]->format == nullptr) {
      fail_format(stream, cat("found no type for field ", i));
    }
  }
}

bool read_batch(OwnedStream& stream, const ArrowSchema& schema, OwnedArray& into) {
  if (const int code = stream->get_next(stream.get(), &into.array); code != 0) {
    into.array.release = nullptr;
    fail(stream.name(), ": its next batch cannot be read: ", stream_error(stream, code));
  }
  const ArrowArray& a = into.array;
  if (a.release == nullptr) return false;
  if (a.length < 0 || a.offset < 0 || a.length > INT64_MAX - a.offset)
    fail_format(stream, cat("found a batch of ", a.length, " rows from row ", a.offset));
  if (a.n_children != schema.n_children) {
    fail_format(stream, cat("found a batch of ", a.n_children, " columns, expected ", schema.n_children,
                            " as in the schema"));
  }
  for (int64_t i = 0; i < a.n_children; ++i) {
    const ArrowArray* child = a.children != nullptr ? a.children[i] : nullptr;
    if (child == nullptr || child->offset < 0 || child->length < a.offset + a.length ||
        child->length > INT64_MAX - child->offset) {
      fail_format(stream, cat("found column ", i, " with ", child == nullptr ? 0 : child->length,
                              " rows, expected ", a.offset + a.length));
    }
  }
  return true;
}

bool is_text(std::string_view format) {
  return format == "u" || format == "U";
}
bool is_number(std::string_view format) {
  return format == "f" || format == "g" || format == "i" || format == "l";
}

bool is_whole(std::string_view format) {
  return format == "i" || format == "l";
}

bool is_null(const ArrowArray& batch, int64_t column, int64_t row) {
  auto missing = [](const ArrowArray& array, int64_t at) {
    if (array.null_count == 0 || array.n_buffers < 1 || array.buffers == nullptr ||
        array.buffers[0] == nullptr)
      return false;
    const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
    return (bits[at / 8] >> (at % 8) & 1) == 0;
  };
  const ArrowArray& child = *batch.children[column];
  return missing(batch, batch.offset + row) || missing(child, child.offset + batch.offset + row);
}

bool text_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row,
             std::string_view& out) {
  const ArrowArray& child = *batch.children[column];
  const int64_t at = child.offset + batch.offset + row;
  int64_t begin = 0, end = 0;
  if (format == "u") {
    const auto* offsets = static_cast<const int32_t*>(child.buffers[1]);
    begin = offsets[at];
    end = offsets[at + 1];
  } else {
    const auto* offsets = static_cast<const int64_t*>(child.buffers[1]);
    begin = offsets[at];
    end = offsets[at + 1];
  }
  if (begin < 0 || end < begin) return false;
  out = {};
  if (begin < end)
    out = {static_cast<const char*>(child.buffers[2]) + begin, static_cast<size_t>(end - begin)};
  return true;
}

int64_t whole_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row) {
  const ArrowArray& child = *batch.children[column];
  const int64_t at = child.offset + batch.offset + row;
  if (format == "i") return static_cast<const int32_t*>(child.buffers[1])[at];
  return static_cast<const int64_t*>(child.buffers[1])[at];
}

double number_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row) {
  const ArrowArray& child = *batch.children[column];
  const int64_t at = child.offset + batch.offset + row;
  const void* values = child.buffers[1];
  switch (format[0]) {
    case 'f':
      return static_cast<double>(static_cast<const float*>(values)[at]);
    case 'g':
      return static_cast<const double*>(values)[at];
    case 'i':
      return static_cast<double>(static_cast<const int32_t*>(values)[at]);
    default:
      return static_cast<double>(static_cast<const int64_t*>(values)[at]);
  }
}

}  // namespace hone::capi
