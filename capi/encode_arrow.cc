// A stream of texts to a stream of vectors. A batch is encoded when it is asked for.
#include <cerrno>
#include <memory>
#include <new>
#include <optional>

#include "arrow.h"
#include "handles.h"

using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace {

struct Source {
  Ref<hone_model> model;
  OwnedStream in;
  OwnedSchema schema;
  int64_t column = 0;
  hone::encode::EncodeOptions encoding;
  int32_t dim = 0;   // numbers of a vector
  int64_t rows = 0;  // given so far, for messages
  std::string error;
};

int64_t find_column(const ArrowSchema& schema, const std::string& wanted) {
  auto named = [&](const std::string& name) -> int64_t {
    for (int64_t i = 0; i < schema.n_children; ++i) {
      if (schema.children[i]->name != nullptr && name == schema.children[i]->name) return i;
    }
    return -1;
  };
  int64_t column = named(wanted.empty() ? "text" : wanted);
  if (column < 0 && wanted.empty() && schema.n_children == 1) column = 0;
  if (column < 0) {
    throw StatusError(HONE_EFORMAT, "in",
                      cat("in: no column \"", hone::excerpt(wanted.empty() ? "text" : wanted), "\" among ",
                          schema.n_children, " columns (encode.column names another)"));
  }
  const ArrowSchema& field = *schema.children[column];
  if (!is_text(field.format) || field.dictionary != nullptr) {
    throw StatusError(
        HONE_EFORMAT, "in",
        cat("in: column \"", hone::excerpt(field.name != nullptr ? field.name : ""), "\": found type \"",
            hone::excerpt(field.format), "\", expected utf8 or large_utf8"));
  }
  return column;
}

// ---- schemas and arrays that own what they point to

struct SchemaNode {
  std::string format, name;
  std::vector<std::unique_ptr<ArrowSchema>> owned;
  std::vector<ArrowSchema*> children;
};

void release_schema(ArrowSchema* schema) {
  auto* node = static_cast<SchemaNode*>(schema->private_data);
  for (const auto& child : node->owned) {
    if (child->release != nullptr) child->release(child.get());
  }
  delete node;
  schema->release = nullptr;
}

void make_schema(ArrowSchema* out, std::string format, std::string name, std::unique_ptr<ArrowSchema> child) {
  auto node = std::make_unique<SchemaNode>();
  node->format = std::move(format);
  node->name = std::move(name);
  if (child) {
    node->children.push_back(child.get());
    node->owned.push_back(std::move(child));
  }
  *out = ArrowSchema{};
  out->format = node->format.c_str();
  out->name = node->name.c_str();
  out->n_children = static_cast<int64_t>(node->children.size());
  out->children = node->children.empty() ? nullptr : node->children.data();
  out->release = release_schema;
  out->private_data = node.release();
}

struct ArrayNode {
  std::vector<float> values;
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<ArrowArray>> owned;
  std::vector<ArrowArray*> children;
};

void release_array(ArrowArray* array) {
  auto* node = static_cast<ArrayNode*>(array->private_data);
  for (const auto& child : node->owned) {
    if (child->release != nullptr) child->release(child.get());
  }
  delete node;
  array->release = nullptr;
}

void make_array(ArrowArray* out, int64_t length, std::vector<float> values,
                std::unique_ptr<ArrowArray> child) {
  auto node = std::make_unique<ArrayNode>();
  node->values = std::move(values);
  node->buffers.push_back(nullptr);  // no nulls
  if (child) {
    node->children.push_back(child.get());
    node->owned.push_back(std::move(child));
  } else {
    node->buffers.push_back(node->values.data());
  }
  *out = ArrowArray{};
  out->length = length;
  out->n_buffers = static_cast<int64_t>(node->buffers.size());
  out->buffers = node->buffers.data();
  out->n_children = static_cast<int64_t>(node->children.size());
  out->children = node->children.empty() ? nullptr : node->children.data();
  out->release = release_array;
  out->private_data = node.release();
}

// ---- the stream

// Runs f; what it throws becomes the stream's error.
template <class F>
int stream_call(ArrowArrayStream* stream, const F& f) {
  auto* source = static_cast<Source*>(stream->private_data);
  try {
    f(*source);
    return 0;
  } catch (const std::bad_alloc&) {
    source->error.clear();
    return ENOMEM;
  } catch (const std::exception& e) {
    source->error = e.what();
    return EINVAL;
  } catch (...) {
    return EIO;
  }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return stream_call(stream, [&](Source& source) {
    auto item = std::make_unique<ArrowSchema>();
    make_schema(item.get(), "f", "item", nullptr);
    auto list = std::make_unique<ArrowSchema>();
    make_schema(list.get(), cat("+w:", source.dim), "embedding", std::move(item));
    make_schema(out, "+s", "", std::move(list));
  });
}

// The texts of one batch.
class BatchTexts final : public hone::encode::TextSource {
 public:
  // `first`: number of its first row in the stream, for messages.
  BatchTexts(const ArrowArray& batch, int64_t column, std::string_view format, int64_t first)
      : batch_(batch), column_(column), format_(format), first_(first) {}

  bool next(hone::encode::TextBlock& block, size_t most) override {
    block.first = static_cast<size_t>(row_);
    block.texts.clear();
    for (; row_ < batch_.length && block.texts.size() < most; ++row_) block.texts.push_back(text());
    return !block.texts.empty();
  }
  size_t count() const override { return static_cast<size_t>(batch_.length); }

 private:
  const ArrowArray& batch_;
  int64_t column_;
  std::string_view format_;
  int64_t first_, row_ = 0;

  std::string text() const {
    std::string_view text;
    const char* wrong = nullptr;
    if (is_null(batch_, column_, row_)) {
      wrong = "null";
    } else if (!text_at(batch_, column_, format_, row_, text)) {
      wrong = "a text that ends before it begins";
    } else if (!hone::text::valid_utf8(text)) {
      wrong = "bytes that are not UTF-8";
    }
    if (wrong != nullptr) hone::fail("in: row ", first_ + row_, ": found ", wrong, ", expected a text");
    return std::string(text);
  }
};

class GatheredVectors final : public hone::encode::VectorSink {
 public:
  explicit GatheredVectors(size_t floats) { values_.reserve(floats); }
  void write(std::span<const float> vectors, uint64_t /*texts*/, bool /*more*/) override {
    values_.insert(values_.end(), vectors.begin(), vectors.end());
  }
  void finish() override {}
  std::vector<float> take() { return std::move(values_); }

 private:
  std::vector<float> values_;
};

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  return stream_call(stream, [&](Source& source) {
    OwnedArray batch;
    if (!read_batch(source.in, source.schema.schema, batch)) {
      *out = ArrowArray{};
      return;
    }
    const int64_t length = batch.array.length, floats = length * source.dim;
    BatchTexts texts(batch.array, source.column, source.schema.schema.children[source.column]->format,
                     source.rows);
    GatheredVectors vectors(static_cast<size_t>(floats));
    source.model->encoders.lend(
        [&](hone::encode::Encoder& encoder) { encoder.encode(texts, vectors, source.encoding); });
    source.rows += length;
    auto values = std::make_unique<ArrowArray>();
    make_array(values.get(), floats, vectors.take(), nullptr);
    auto list = std::make_unique<ArrowArray>();
    make_array(list.get(), length, {}, std::move(values));
    make_array(out, length, {}, std::move(list));
  });
}

const char* get_last_error(ArrowArrayStream* stream) {
  const auto* source = static_cast<Source*>(stream->private_data);
  return source->error.empty() ? nullptr : source->error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<Source*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

extern "C" {

hone_status hone_model_encode_arrow(const hone_model* model, struct ArrowArrayStream* in,
                                    const hone_config* options, struct ArrowArrayStream* out,
                                    hone_error** error) {
  return guarded(error, [&] {
    // Taken over first: it is released in every case.
    std::optional<OwnedStream> owned;
    if (in != nullptr && in->release != nullptr) owned.emplace(in, "in");
    const hone_model& handle = checked(model, "model");
    if (!owned) owned.emplace(in, "in");
    const hone::config::Options& given = options_of(options);
    ArrowArrayStream& made = checked_out(out, "out");
    auto source =
        std::unique_ptr<Source>(new Source{Ref(const_cast<hone_model&>(handle)), std::move(*owned)});
    read_schema(source->in, source->schema);
    source->column = find_column(source->schema.schema, given.text("encode.column"));
    source->encoding = hone::encode::encode_options(given, *handle.model);
    source->dim = handle.model->vector_dim(source->encoding.dim);
    made = ArrowArrayStream{get_schema, get_next, get_last_error, release_stream, source.release()};
  });
}

}  // extern "C"
