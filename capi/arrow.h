// Reading Arrow's C structs: columns of texts and numbers of a struct array.
//
// Source: the Arrow C data and C stream interface (arrow.apache.org). Rules: what comes is trusted as far as
// the interface must be (its pointers and buffers), not in its types, counts and signs; everything is
// released exactly once, whatever happens.
#pragma once

#include <hone.h>

#include <string>
#include <string_view>
#include <vector>

#include "handle.h"

namespace hone::capi {

// Takes a stream over: copies it and clears the source's release.
class OwnedStream {
 public:
  OwnedStream() = default;
  OwnedStream(ArrowArrayStream* source, const char* name);  // StatusError where there is none
  ~OwnedStream();
  OwnedStream(OwnedStream&& other) noexcept;
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  OwnedStream& operator=(OwnedStream&&) = delete;
  ArrowArrayStream* operator->() { return &stream_; }
  ArrowArrayStream* get() { return &stream_; }
  const char* name() const { return name_; }

 private:
  const char* name_ = "stream";  // of the parameter it came by
  ArrowArrayStream stream_{};
};

struct OwnedSchema {
  ArrowSchema schema{};
  OwnedSchema() = default;
  OwnedSchema(const OwnedSchema&) = delete;
  OwnedSchema& operator=(const OwnedSchema&) = delete;
  ~OwnedSchema() {
    if (schema.release != nullptr) schema.release(&schema);
  }
};
struct OwnedArray {
  ArrowArray array{};
  OwnedArray() = default;
  OwnedArray(const OwnedArray&) = delete;
  OwnedArray& operator=(const OwnedArray&) = delete;
  ~OwnedArray() {
    if (array.release != nullptr) array.release(&array);
  }
};

// The schema of a stream of struct arrays. Throws StatusError.
void read_schema(OwnedStream& stream, OwnedSchema& into);
// The next batch; false at the end. Throws StatusError where the stream fails or a batch does not fit the
// schema.
bool read_batch(OwnedStream& stream, const ArrowSchema& schema, OwnedArray& into);

bool is_text(std::string_view format);    // utf8, large_utf8
bool is_number(std::string_view format);  // float32, float64, int32, int64
bool is_whole(std::string_view format);   // int32, int64

// Row `row` of child `column` of a batch.
bool is_null(const ArrowArray& batch, int64_t column, int64_t row);
// False where its offsets go backwards.
bool text_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row,
             std::string_view& out);
int64_t whole_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row);
double number_at(const ArrowArray& batch, int64_t column, std::string_view format, int64_t row);

}  // namespace hone::capi
