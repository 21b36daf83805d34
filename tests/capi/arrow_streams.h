// Arrow's C structs by hand: streams as a host would export them, and what comes back read value by value.
//
// Every buffer is a piece of memory of exactly its size, so that AddressSanitizer sees a read beyond it. A
// Stream counts what of it is still alive; a second release of anything fails the test.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hone.h"

namespace hone::testing {

struct ArrowColumn {
  std::string name, format;
  int64_t length = 0, offset = 0, nulls = 0;
  std::vector<std::vector<unsigned char>> buffers;  // an empty first one: no validity bitmap
  std::vector<ArrowColumn> children = {};           // of a list: its items
};

template <class T>
std::vector<unsigned char> bytes_of_values(const std::vector<T>& values) {
  std::vector<unsigned char> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
void set_validity(ArrowColumn& column, const std::vector<std::optional<T>>& values) {
  column.length = static_cast<int64_t>(values.size());
  std::vector<unsigned char> bitmap((values.size() + 7) / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i])
      bitmap[i / 8] = static_cast<unsigned char>(bitmap[i / 8] | (1U << (i % 8)));
    else
      ++column.nulls;
  }
  column.buffers.push_back(column.nulls > 0 ? bitmap : std::vector<unsigned char>());
}

// Offset is int32_t for utf8, int64_t for large_utf8.
template <class Offset = int32_t>
ArrowColumn text_column(const std::string& name, const std::vector<std::optional<std::string>>& values) {
  ArrowColumn column{name, sizeof(Offset) == 8 ? "U" : "u", 0, 0, 0, {}};
  set_validity(column, values);
  std::vector<Offset> offsets{0};
  std::string data;
  for (const auto& value : values) {
    data += value.value_or("");
    offsets.push_back(static_cast<Offset>(data.size()));
  }
  column.buffers.push_back(bytes_of_values(offsets));
  column.buffers.push_back({data.begin(), data.end()});
  return column;
}

template <class T>
ArrowColumn number_column(const std::string& name, const std::vector<std::optional<T>>& values) {
  const char* format = std::is_same_v<T, float>     ? "f"
                       : std::is_same_v<T, double>  ? "g"
                       : std::is_same_v<T, int32_t> ? "i"
                                                    : "l";
  ArrowColumn column{name, format, 0, 0, 0, {}};
  set_validity(column, values);
  std::vector<T> plain;
  for (const auto& value : values) plain.push_back(value.value_or(T{}));
  column.buffers.push_back(bytes_of_values(plain));
  return column;
}

// Lists of numbers; a list that is not there is a null. Offset is int32_t for lists, int64_t for large lists.
template <class T>
using Lists = std::vector<std::optional<std::vector<std::optional<T>>>>;

template <class Offset = int32_t, class T>
ArrowColumn list_column(const std::string& name, const Lists<T>& rows) {
  ArrowColumn column{name, sizeof(Offset) == 8 ? "+L" : "+l", 0, 0, 0, {}};
  set_validity(column, rows);
  std::vector<Offset> offsets{0};
  std::vector<std::optional<T>> items;
  for (const auto& row : rows) {
    if (row) items.insert(items.end(), row->begin(), row->end());
    offsets.push_back(static_cast<Offset>(items.size()));
  }
  column.buffers.push_back(bytes_of_values(offsets));
  column.children.push_back(number_column<T>("item", items));
  return column;
}

// A null has items too, as many as the others.
template <class T>
ArrowColumn fixed_list_column(const std::string& name, size_t width, const Lists<T>& rows) {
  ArrowColumn column{name, "+w:" + std::to_string(width), 0, 0, 0, {}};
  set_validity(column, rows);
  std::vector<std::optional<T>> items;
  for (const auto& row : rows) {
    const auto values = row.value_or(std::vector<std::optional<T>>(width, T{}));
    items.insert(items.end(), values.begin(), values.end());
  }
  column.children.push_back(number_column<T>("item", items));
  return column;
}

// Rows [offset, offset + length) of a column, as a slice that shares its buffers.
inline ArrowColumn sliced(ArrowColumn column, int64_t offset, int64_t length) {
  column.offset = offset;
  column.length = length;
  return column;
}

struct ArrowBatch {
  std::vector<ArrowColumn> columns;
  int64_t length = 0, offset = 0;  // of the struct itself: its children may be longer

  ArrowBatch(std::vector<ArrowColumn> all)
      : columns(std::move(all)), length(columns.empty() ? 0 : columns[0].length) {}
  ArrowBatch(std::vector<ArrowColumn> all, int64_t begin, int64_t rows)
      : columns(std::move(all)), length(rows), offset(begin) {}
};

class Stream {
 public:
  struct State {
    std::vector<ArrowBatch> batches;
    std::string root_format = "+s";
    int schema_error = 0, next_error = 0;  // what get_schema gives, and get_next after the last batch
    std::string message;
    size_t next = 0;
    int released = 0, alive = 0;  // streams released; schemas and arrays handed out and not released
  };

  explicit Stream(std::vector<ArrowBatch> batches) : state_(std::make_shared<State>()) {
    state_->batches = std::move(batches);
    raw_ = {get_schema, get_next, get_last_error, release, new std::shared_ptr<State>(state_)};
  }
  ~Stream() {
    if (raw_.release != nullptr) raw_.release(&raw_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  ArrowArrayStream* raw() { return &raw_; }
  State& state() { return *state_; }
  // Taken over, and everything given back once.
  bool gone() const { return raw_.release == nullptr && state_->released == 1 && state_->alive == 0; }
  std::string standing() const {
    return "release " + std::string(raw_.release == nullptr ? "cleared" : "not cleared") + ", called " +
           std::to_string(state_->released) + " times, " + std::to_string(state_->alive) + " pieces alive";
  }

 private:
  using Owner = std::shared_ptr<State>;
  struct SchemaNode {
    Owner state;
    std::string name, format;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
  };
  struct ArrayNode {
    Owner state;
    std::vector<std::unique_ptr<unsigned char[]>> memory;
    std::vector<const void*> buffers;
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
  };
  static State& of(ArrowArrayStream* stream) { return **static_cast<Owner*>(stream->private_data); }

  static void release(ArrowArrayStream* stream) {
    auto* owner = static_cast<Owner*>(stream->private_data);
    ++(*owner)->released;
    delete owner;
    *stream = {};
  }
  static const char* get_last_error(ArrowArrayStream* stream) {
    return of(stream).message.empty() ? nullptr : of(stream).message.c_str();
  }

  // Works for a struct and for its children: a consumer may move a child out and release it alone.
  static void release_schema(ArrowSchema* schema) {
    auto* node = static_cast<SchemaNode*>(schema->private_data);
    for (ArrowSchema& child : node->children) {
      if (child.release != nullptr) child.release(&child);
    }
    --node->state->alive;
    delete node;
    schema->release = nullptr;
  }
  static void fill(ArrowSchema* out, const Owner& state, const ArrowColumn& column) {
    auto* node = new SchemaNode{state, column.name, column.format, {}, {}};
    ++state->alive;
    *out = {node->format.c_str(),
            node->name.c_str(),
            nullptr,
            ARROW_FLAG_NULLABLE,
            0,
            nullptr,
            nullptr,
            release_schema,
            node};
    fill_children(out, node, state, column.children);
  }
  template <class Struct, class Node>
  static void fill_children(Struct* out, Node* node, const Owner& state,
                            const std::vector<ArrowColumn>& children) {
    node->children.resize(children.size());
    for (size_t i = 0; i < children.size(); ++i) {
      fill(&node->children[i], state, children[i]);
      node->pointers.push_back(&node->children[i]);
    }
    out->n_children = static_cast<int64_t>(children.size());
    out->children = node->pointers.data();
  }
  static int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
    const Owner& state = *static_cast<Owner*>(stream->private_data);
    if (state->schema_error != 0) return state->schema_error;
    ArrowColumn root{"", state->root_format, 0, 0, 0, {}};
    if (!state->batches.empty() && state->root_format == "+s") root.children = state->batches[0].columns;
    fill(out, state, root);
    return 0;
  }

  static void release_array(ArrowArray* array) {
    auto* node = static_cast<ArrayNode*>(array->private_data);
    for (ArrowArray& child : node->children) {
      if (child.release != nullptr) child.release(&child);
    }
    --node->state->alive;
    delete node;
    array->release = nullptr;
  }
  static void fill(ArrowArray* out, const Owner& state, const ArrowColumn& column) {
    auto* node = new ArrayNode{state, {}, {}, {}, {}};
    ++state->alive;
    for (size_t i = 0; i < column.buffers.size(); ++i) {
      const auto& bytes = column.buffers[i];
      const bool none = i == 0 && bytes.empty();
      node->memory.push_back(none ? nullptr : std::make_unique<unsigned char[]>(bytes.size()));
      if (!bytes.empty()) std::memcpy(node->memory.back().get(), bytes.data(), bytes.size());
      node->buffers.push_back(node->memory.back().get());
    }
    *out = {column.length,
            column.nulls,
            column.offset,
            static_cast<int64_t>(column.buffers.size()),
            0,
            node->buffers.data(),
            nullptr,
            nullptr,
            release_array,
            node};
    fill_children(out, node, state, column.children);
  }
  static int get_next(ArrowArrayStream* stream, ArrowArray* out) {
    const Owner& state = *static_cast<Owner*>(stream->private_data);
    if (state->next == state->batches.size()) {
      *out = {};
      return state->next_error;
    }
    const ArrowBatch& batch = state->batches[state->next++];
    fill(out, state, {"", "+s", batch.length, batch.offset, 0, {{}}, batch.columns});
    return 0;
  }

  std::shared_ptr<State> state_;
  ArrowArrayStream raw_{};
};

// A stream that hone made; released with the object unless that was done before.
struct OutStream {
  ArrowArrayStream raw{};
  OutStream() = default;
  ~OutStream() { reset(); }
  OutStream(const OutStream&) = delete;
  OutStream& operator=(const OutStream&) = delete;
  void reset() {
    if (raw.release != nullptr) raw.release(&raw);
  }
  std::string last_error() {
    const char* text = raw.get_last_error(&raw);
    return text == nullptr ? "" : text;
  }
};

// The numbers of one column of fixed-size lists, rows after rows.
inline std::vector<float> list_values(const ArrowArray& batch, int64_t width) {
  const ArrowArray& list = *batch.children[0];
  const ArrowArray& items = *list.children[0];
  const auto* numbers = static_cast<const float*>(items.buffers[1]);
  const int64_t begin = items.offset + (list.offset + batch.offset) * width;
  return {numbers + begin, numbers + begin + batch.length * width};
}

}  // namespace hone::testing
